//! Reads the lines of steps, which are nearly all lines of a log, without an allocation for each line.
//!
//! Only the exact spelling that [`crate::log::writer`] writes is read here; any other JSON is left to `serde_json`.

mod number;

use crate::log::line::{Checksums, Integrity, ending};
use crate::log::step_block::{Row, StepBlock};

/// Sets of metrics that are remembered at once.
const MOST_SHAPES: usize = 8;

/// Values of a full block: 64 KB of them.
const FULL: usize = 8000;

/// Reads step lines into a block. It remembers which metrics earlier lines had: most lines have the same ones, and then
/// their names need only be compared.
#[derive(Debug, Default)]
pub(crate) struct StepLines {
    block: StepBlock,
    shapes: Vec<Shape>,
    last: usize,
    /// The values of the line that is being read.
    values: Vec<f64>,
    /// Values in the block.
    filled: usize,
}

/// A set of metrics that lines had.
#[derive(Debug)]
struct Shape {
    /// The text before each value.
    keys: Vec<Vec<u8>>,
    /// The columns of the block for these metrics.
    columns: Vec<usize>,
}

impl StepLines {
    /// Reads the line at the start of `bytes` and adds its step to the block. Returns whether the line has a checksum,
    /// and its length with the line break; `None` if it is not the line of a step as the writer spells it, or if it
    /// lacks a required checksum.
    pub(crate) fn take(&mut self, bytes: &[u8], checksums: Checksums) -> Option<(Integrity, usize)> {
        let mut cursor = Cursor { bytes, at: 0 };
        let row = head(&mut cursor)?;
        let begin = cursor.at;
        let fitting = self.fill(&mut cursor).or_else(|| {
            cursor.at = begin;
            self.learn(&mut cursor, checksums)
        });
        self.last = fitting?;
        let end = ending(bytes, cursor.at).filter(|&(integrity, _)| suits(integrity, checksums))?;
        self.block.push(row, &self.shapes[self.last].columns, &self.values);
        self.filled += self.values.len();
        Some(end)
    }

    /// Reads the values of a line with the same metrics as an earlier one; returns the index of that shape.
    fn fill(&mut self, cursor: &mut Cursor) -> Option<usize> {
        let begin = cursor.at;
        let others = (0..self.shapes.len()).filter(|&shape| shape != self.last);
        std::iter::once(self.last).chain(others).find(|&shape| {
            cursor.at = begin;
            let shape = self.shapes.get(shape);
            shape.is_some_and(|shape| values(cursor, &shape.keys, &mut self.values).is_some())
        })
    }

    /// Reads names and values of a line with a new set of metrics; returns the index of its shape.
    fn learn(&mut self, cursor: &mut Cursor, checksums: Checksums) -> Option<usize> {
        let begin = cursor.at;
        let (mut names, mut keys) = (Vec::new(), Vec::new());
        while names.is_empty() || cursor.eat(b"}").is_none() {
            let from = cursor.at;
            if !names.is_empty() {
                cursor.eat(b",")?;
            }
            names.push(cursor.name()?);
            keys.push(cursor.bytes[from..cursor.at].to_vec());
            cursor.value()?;
        }
        // The writer sorts names, and writes none twice.
        let usual = names.is_sorted_by(|a, b| a < b) && self.shapes.len() < MOST_SHAPES;
        let whole = ending(cursor.bytes, cursor.at).is_some_and(|(integrity, _)| suits(integrity, checksums));
        (usual && whole).then_some(())?;
        cursor.at = begin;
        values(cursor, &keys, &mut self.values)?;
        let columns = names.iter().map(|name| self.block.column(name)).collect();
        self.shapes.push(Shape { keys, columns });
        Some(self.shapes.len() - 1)
    }

    /// Whether the block is full. A block is small enough for the processor's cache.
    pub(crate) fn is_full(&self) -> bool {
        self.filled >= FULL || self.block.len() >= 2048
    }

    /// The steps read since the last call. Also forgets the metrics seen so far.
    pub(crate) fn finish(&mut self) -> Option<StepBlock> {
        let Self { block, .. } = std::mem::take(self);
        (!block.is_empty()).then_some(block)
    }
}

/// Time, step and epoch.
fn head(cursor: &mut Cursor) -> Option<Row> {
    cursor.eat(b"{\"time\":")?;
    let time = cursor.number()?;
    cursor.eat(b",\"event\":\"step\",\"step\":")?;
    let step = cursor.integer()?;
    cursor.eat(b",\"epoch\":")?;
    let epoch = cursor.number()?;
    cursor.eat(b",\"metrics\":{")?;
    Some(Row { time, step, epoch })
}

/// The values after `keys`, and the end of the metrics.
fn values(cursor: &mut Cursor, keys: &[Vec<u8>], values: &mut Vec<f64>) -> Option<()> {
    values.clear();
    for key in keys {
        cursor.eat(key)?;
        values.push(cursor.value()?);
    }
    cursor.eat(b"}")
}

/// Whether the checksum is there, or is not required.
fn suits(integrity: Integrity, checksums: Checksums) -> bool {
    integrity == Integrity::Intact || checksums == Checksums::Optional
}

/// A place in a line.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, wanted: &[u8]) -> Option<()> {
        self.rest().starts_with(wanted).then(|| self.at += wanted.len())
    }

    /// A name without escapes, with its quotes and its colon.
    fn name(&mut self) -> Option<String> {
        self.eat(b"\"")?;
        let length = self.rest().iter().position(|&byte| byte == b'"')?;
        let name = std::str::from_utf8(&self.rest()[..length]).ok()?;
        let name = (!name.contains(|c: char| c == '\\' || c < ' ')).then(|| name.to_owned())?;
        self.at += length;
        self.eat(b"\":")?;
        Some(name)
    }

    /// An unsigned integer as JSON spells it; `None` for one that might not fit.
    fn integer(&mut self) -> Option<u64> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let plain = (1..=19).contains(&digits) && (digits == 1 || self.rest()[0] != b'0');
        let value =
            plain.then(|| self.rest()[..digits].iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))?;
        self.at += digits;
        Some(value)
    }

    /// A value of a metric; `null` is one that was not finite.
    fn value(&mut self) -> Option<f64> {
        match self.rest().first()? {
            b'n' => self.eat(b"null").map(|()| f64::NAN),
            _ => self.number(),
        }
    }

    /// A finite number, as JSON spells it, to the nearest f64.
    fn number(&mut self) -> Option<f64> {
        let (value, length) = number::number(self.rest())?;
        self.at += length;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Metrics;
    use pellucid_protocol::event::{Event, Record, Step};
    use proptest::prelude::*;

    use super::*;
    use crate::log::line::encode;
    use crate::log::step_block::Column;

    /// What the fast reader makes of one line; none if it leaves the line to the general one.
    fn fast(line: &str) -> Option<Record> {
        let mut lines = StepLines::default();
        let (_, taken) = lines.take(format!("{line}\n").as_bytes(), Checksums::Optional)?;
        assert_eq!(taken, line.len() + 1);
        lines.finish()?.record(0)
    }

    /// Equal in each bit, other than `==` on numbers.
    fn same(a: &Record, b: &Record) -> bool {
        serde_json::to_string(a).unwrap() == serde_json::to_string(b).unwrap()
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => any::<f64>(),
            4 => -1e3..1e3,
            1 => prop::num::f64::SUBNORMAL,
            1 => (-20i32..20).prop_map(f64::from),
            1 => Just(-0.0),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        let name = prop_oneof![3 => "[a-c]/[a-e_]{1,3}", 1 => "[ -~é\"\\\\]{0,4}"];
        let metrics = prop::collection::btree_map(name, number(), 0..6);
        let finite = || number().prop_filter("written as a number", |value| value.is_finite());
        (finite(), any::<u64>(), finite(), metrics).prop_map(|(time, step, epoch, metrics)| Record {
            time,
            event: Event::Step(Step { step, epoch, metrics: Metrics(metrics) }),
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_bit_for_bit(records in prop::collection::vec(record(), 1..20)) {
            let mut lines = StepLines::default();
            let mut taken = Vec::new();
            for record in &records {
                let line = encode(record).unwrap();
                if lines.take(&line, Checksums::Required) == Some((Integrity::Intact, line.len())) {
                    taken.push(serde_json::from_slice::<Record>(&line).unwrap());
                }
            }
            let read: Vec<_> = lines.finish().iter().flat_map(|block| block.records().collect::<Vec<_>>()).collect();
            prop_assert_eq!(read.len(), taken.len());
            prop_assert!(read.iter().zip(&taken).all(|(a, b)| same(a, b)), "{:?} {:?}", read, taken);
        }

        /// A line with any of its bytes changed is taken only if the general reader reads the same from it.
        #[test]
        fn nothing_is_taken_that_is_no_record(record in record(), at in 0usize..200, byte in "[ -~]") {
            let mut line = serde_json::to_string(&record).unwrap();
            if let Some(at) = (at < line.len() && line.is_char_boundary(at) && line.is_char_boundary(at + 1)).then_some(at) {
                line.replace_range(at..=at, &byte);
            }
            if let Some(read) = fast(&line) {
                let general = serde_json::from_str::<Record>(&line);
                prop_assert!(general.as_ref().is_ok_and(|general| same(general, &read)), "{line}");
            }
        }
    }

    #[test]
    fn a_usual_line_is_taken_and_odd_ones_are_left() {
        let line = |value: &str| {
            format!(r#"{{"time":1.5,"event":"step","step":12,"epoch":0.25,"metrics":{{"a":{value},"b":null}}}}"#)
        };
        for value in ["0.61", "-1e-7", "3", "1.7976931348623157e308", "5e-324", "0.1000000000000000055511151231257827"]
        {
            let general: Record = serde_json::from_str(&line(value)).unwrap();
            assert!(fast(&line(value)).is_some_and(|read| same(&read, &general)), "{value}");
        }
        for value in ["1.", ".5", "01", "+1", "inf", "NaN", "1e999", "1.e5", "-", "\"x\"", "1 ", "true"] {
            assert_eq!(fast(&line(value)), None, "{value}");
        }
        assert_eq!(fast(&line("1").replace("\"b\"", "\"a\"")), None, "a name twice");
        assert_eq!(fast(&line("1").replace("12", "12.0")), None);
    }

    #[test]
    fn a_line_whose_checksum_is_wrong_or_lost_is_left() {
        let mut metrics = Metrics::default();
        metrics.set("a", 0.5);
        let record = Record { time: 1.5, event: Event::Step(Step { step: 12, epoch: 0.25, metrics }) };
        let line = encode(&record).unwrap();
        let take = |line: &[u8], checksums| StepLines::default().take(line, checksums).map(|(integrity, _)| integrity);
        assert_eq!(
            (take(&line, Checksums::Required), take(&line, Checksums::Optional)),
            (Some(Integrity::Intact), Some(Integrity::Intact))
        );
        for at in 0..line.len() {
            let mut changed = line.clone();
            changed[at] ^= 1;
            assert_eq!(take(&changed, Checksums::Optional), None, "byte {at}");
        }
        let bare = serde_json::to_string(&record).unwrap() + "\n";
        assert_eq!(
            (take(bare.as_bytes(), Checksums::Optional), take(bare.as_bytes(), Checksums::Required)),
            (Some(Integrity::NoChecksum), None)
        );
    }

    #[test]
    fn steps_that_measure_other_things_share_a_block() {
        let mut lines = StepLines::default();
        let text = |step: u64, metrics: &str| {
            format!("{{\"time\":0.5,\"event\":\"step\",\"step\":{step},\"epoch\":0.0,\"metrics\":{{{metrics}}}}}\n")
        };
        for step in 1..=30 {
            let more = if step % 10 == 0 { ",\"z\":1.0" } else { "" };
            assert!(lines.take(text(step, &format!("\"a\":{step}.5{more}")).as_bytes(), Checksums::Optional).is_some());
        }
        let mut block = lines.finish().unwrap();
        assert_eq!(block.columns().iter().map(Column::name).collect::<Vec<_>>(), ["a", "z"]);
        assert_eq!(block.points(&block.columns()[1]).collect::<Vec<_>>(), [(10, 1.0), (20, 1.0), (30, 1.0)]);
        block.skip(28);
        assert_eq!(block.points(&block.columns()[0]).collect::<Vec<_>>(), [(29, 29.5), (30, 30.5)]);
        assert_eq!((block.len(), block.record(2)), (2, None));
    }
}
