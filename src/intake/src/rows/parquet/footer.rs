//! The end of a Parquet file, which says what is in it. Its counts are checked here before the library believes them:
//! it reserves memory for as many columns as a group names, and follows groups as deep as they go.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::super::unpacked::invalid;

/// Bytes that a footer has at most.
const LONGEST: u64 = 16 << 20;
/// Levels of groups in a schema at most.
const DEEPEST: usize = 32;
/// Levels of structures in the footer itself at most.
const NESTED: u32 = 16;
/// What stands at both ends of a file.
const MAGIC: &[u8; 4] = b"PAR1";
/// What stands there if its footer is encrypted.
const ENCRYPTED: &[u8; 4] = b"PARE";

/// The footer of a file of `size` bytes, if its counts can be believed.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(file: &mut File, size: u64) -> io::Result<Vec<u8>> {
    let mut end = [0; 8];
    if size < 12 {
        return Err(invalid("is no Parquet file, or cut off"));
    }
    file.seek(SeekFrom::Start(size - 8))?;
    file.read_exact(&mut end)?;
    match (&end[4..], u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]))) {
        (magic, _) if magic == ENCRYPTED => Err(invalid("is encrypted; decrypt it first")),
        (magic, _) if magic != MAGIC => Err(invalid("is no Parquet file, or cut off: it does not end with PAR1")),
        (_, length) if length > size - 12 => Err(invalid("is damaged: its footer is larger than the file")),
        (_, length) if length > LONGEST => {
            Err(invalid(format!("has a footer of more than {} MiB; write it with larger row groups", LONGEST >> 20)))
        }
        (_, length) => {
            let mut footer = Vec::new();
            file.seek(SeekFrom::Start(size - 8 - length))?;
            Read::by_ref(file).take(length).read_to_end(&mut footer)?;
            check(&footer).map_err(|why| invalid(format!("is damaged: {why}")))?;
            Ok(footer)
        }
    }
}

type Checked<T> = Result<T, &'static str>;

const CUT_OFF: &str = "its footer is cut off";

/// Checks the counts of the schema, which stands at the beginning behind the version. The library reads a field as
/// what its number says, so that its kind must be that as well: else the two would read different schemas.
fn check(footer: &[u8]) -> Checked<()> {
    let mut thrift = Thrift { bytes: footer };
    let mut seen = false;
    thrift.fields(NESTED, &mut |thrift, field, kind| match (field, kind) {
        (2, LIST) if !seen => {
            seen = true;
            schema(thrift)
        }
        _ if seen => thrift.skip(kind, NESTED),
        (1, I32) => thrift.number().map(|_| ()),
        _ => Err("its footer does not begin with a schema"),
    })?;
    if seen { Ok(()) } else { Err("its footer has no schema") }
}

fn schema(thrift: &mut Thrift<'_>) -> Checked<()> {
    let (count, _) = thrift.list()?;
    let mut groups: Vec<u64> = Vec::new();
    for left in (0..count).rev() {
        let children = element(thrift)?;
        if children > left {
            return Err("its schema names more columns than it has");
        }
        while groups.last() == Some(&0) {
            groups.pop();
        }
        if let Some(open) = groups.last_mut() {
            *open -= 1;
        }
        groups.push(children);
        if groups.len() > DEEPEST {
            return Err("its schema nests too deeply");
        }
    }
    Ok(())
}

/// How many columns an element of the schema says to have.
fn element(thrift: &mut Thrift<'_>) -> Checked<u64> {
    let mut children = 0;
    thrift.fields(NESTED, &mut |thrift, field, kind| match (field, kind) {
        (5, I32) => {
            children = u64::try_from(thrift.signed()?).map_err(|_| "its schema has fewer columns than none")?;
            Ok(())
        }
        (1..=3 | 6..=9, I32) | (4, BINARY) => thrift.skip(kind, NESTED),
        (10, STRUCT) => thrift.fields(NESTED, &mut logical),
        (1..=10, _) => Err("its schema has a field of another kind"),
        _ => thrift.skip(kind, NESTED),
    })?;
    Ok(children)
}

/// What a column is called for: most have nothing in them, and some a number, a truth value or a unit.
fn logical(thrift: &mut Thrift<'_>, called: i16, kind: u8) -> Checked<()> {
    if kind != STRUCT {
        return Err("its schema has a type that is none");
    }
    thrift.fields(NESTED, &mut |thrift, field, kind| match (called, field, kind) {
        (5, 1..=2, I32) | (10, 1, BYTE) => thrift.skip(kind, NESTED),
        (7 | 8, 1, TRUE | FALSE) | (10, 2, TRUE | FALSE) | (7 | 8, 2, STRUCT) => thrift.skip(kind, NESTED),
        _ => Err("its schema has a type that is not known"),
    })
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I32: u8 = 5;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// The compact protocol of Thrift, as far as it takes to walk over it.
struct Thrift<'a> {
    bytes: &'a [u8],
}

/// What is done with a field: its number and the kind of its value.
type Field<'f, 'a> = dyn FnMut(&mut Thrift<'a>, i16, u8) -> Checked<()> + 'f;

impl<'a> Thrift<'a> {
    fn byte(&mut self) -> Checked<u8> {
        let (first, rest) = self.bytes.split_first().ok_or(CUT_OFF)?;
        self.bytes = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Checked<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("its footer has a number that does not end")
    }

    fn signed(&mut self) -> Checked<i64> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn jump(&mut self, count: u64) -> Checked<()> {
        let count = usize::try_from(count).map_err(|_| CUT_OFF)?;
        self.bytes = self.bytes.get(count..).ok_or(CUT_OFF)?;
        Ok(())
    }

    /// How many values a list has, each of a byte at least, and their kind.
    fn list(&mut self) -> Checked<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        if count > self.bytes.len() as u64 { Err(CUT_OFF) } else { Ok((count, head & 15)) }
    }

    fn fields(&mut self, levels: u32, visit: &mut Field<'_, 'a>) -> Checked<()> {
        let mut field: i16 = 0;
        levels.checked_sub(1).ok_or("its footer nests too deeply")?;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => i16::try_from(self.signed()?).map_err(|_| "its footer has a field without a number")?,
                step => field.wrapping_add(i16::from(step)),
            };
            visit(self, field, head & 15)?;
        }
    }

    fn skip(&mut self, kind: u8, levels: u32) -> Checked<()> {
        let levels = levels.checked_sub(1).ok_or("its footer nests too deeply")?;
        match kind {
            TRUE | FALSE => Ok(()),
            BYTE => self.jump(1),
            DOUBLE => self.jump(8),
            BINARY => self.number().and_then(|length| self.jump(length)),
            LIST | SET => {
                let (count, kind) = self.list()?;
                // In a list, a truth value has a byte of its own.
                let kind = if matches!(kind, TRUE | FALSE) { BYTE } else { kind };
                (0..count).try_for_each(|_| self.skip(kind, levels))
            }
            MAP => Err("its footer has a map, which none has"),
            STRUCT => self.fields(levels, &mut |thrift, _, kind| thrift.skip(kind, levels)),
            _ => self.number().map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number in groups of seven bits.
    fn number(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    /// A group with so many columns.
    fn group(children: u32) -> Vec<u8> {
        [&[0x48, 1, b'g', 0x15][..], &number(u64::from(children) * 2), &[0]].concat()
    }

    /// A footer with these elements in its schema.
    fn footer(elements: &[Vec<u8>]) -> Vec<u8> {
        let count = number(elements.len() as u64);
        [&[0x15, 2, 0x19, 0xfc][..], &count, &elements.concat(), &[0x16, 0, 0]].concat()
    }

    const COLUMN: [u8; 8] = [0x15, 12, 0x25, 2, 0x18, 1, b'c', 0];

    #[test]
    fn a_schema_is_believed_if_its_counts_fit() {
        assert_eq!(check(&footer(&[group(2), COLUMN.to_vec(), COLUMN.to_vec()])), Ok(()));
        for end in 0..footer(&[group(1), COLUMN.to_vec()]).len() {
            assert!(check(&footer(&[group(1), COLUMN.to_vec()])[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn counts_that_would_take_memory_or_the_stack_are_refused() {
        let more = "its schema names more columns than it has";
        assert_eq!(check(&footer(&[group(3), COLUMN.to_vec(), COLUMN.to_vec()])), Err(more));
        assert_eq!(check(&footer(&[group(i32::MAX as u32), COLUMN.to_vec()])), Err(more));
        let deep: Vec<Vec<u8>> = (0..DEEPEST).map(|_| group(1)).chain([COLUMN.to_vec()]).collect();
        assert_eq!(check(&footer(&deep)), Err("its schema nests too deeply"));
        assert_eq!(check(&[0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7, 0]), Err(CUT_OFF));
        assert_eq!(check(&[0x1c; 1000]), Err("its footer does not begin with a schema"));
        let nested = [&footer(&[group(0)])[..11], &[0x2c; 1000][..]].concat();
        assert_eq!(check(&nested), Err("its footer nests too deeply"));
    }

    #[test]
    fn a_field_of_another_kind_cannot_hide_a_count() {
        // The library would read the field as the number that it must be, and go on from another place.
        let hidden = [&[0x58][..], &number(8), b"abcdefgh", &[0]].concat();
        assert_eq!(check(&footer(&[hidden])), Err("its schema has a field of another kind"));
        let hidden = [&[0xac, 0x5c, 0x18][..], &number(4), b"abcd", &[0, 0, 0]].concat();
        assert_eq!(check(&footer(&[hidden])), Err("its schema has a type that is not known"));
        assert_eq!(check(&[0x18, 1, b'a', 0]), Err("its footer does not begin with a schema"));
        assert_eq!(check(&[0x15, 2, 0]), Err("its footer has no schema"));
    }
}
