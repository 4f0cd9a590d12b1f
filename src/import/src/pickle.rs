//! A machine for the few operations that a pickle of plain tensors needs.
//!
//! A pickle is a program for a stack: it can name any function of Python and call it. This machine has no functions. It
//! knows fourteen names, for each of which it makes a plain value, and stops at any other. Every operation takes at least
//! a byte of the file and makes a bounded number of words, so that memory and work stay within a multiple of its size.

mod globals;
mod heap;
mod opcode;
mod rebuild;
mod tensor;

use std::collections::{BTreeSet, HashMap};

pub(crate) use heap::{Heap, Object, Value};
pub(crate) use tensor::{Storage, TensorView, width};

use globals::Global;
use opcode::Opcode;

/// The protocols that are read; torch writes the second.
const PROTOCOLS: std::ops::RangeInclusive<u8> = 2..=4;
/// The number that files of before torch 1.6 begin with, as a pickle writes it.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// Bytes of the module or the name of a global at most.
const LONGEST_NAME: usize = 1000;
/// Bytes of the key of a storage at most: every tensor has a copy of it. torch numbers them.
const LONGEST_KEY: usize = 100;
/// Arguments of a call that are looked at, at most: one more than any of the known ones takes.
const MOST_ARGUMENTS: usize = rebuild::MOST_ARGUMENTS + 1;

/// What a pickle holds.
#[derive(Debug)]
pub(crate) struct Pickle {
    /// The value that it is of.
    pub(crate) root: Value,
    /// What the value is made of.
    pub(crate) heap: Heap,
    /// The names that it asks for.
    pub(crate) globals: BTreeSet<String>,
    /// Bytes of it; more may follow.
    pub(crate) length: usize,
}

/// Reads the pickle that `bytes` begin with.
///
/// # Errors
/// When it asks for anything but plain values and tensors, or is damaged; by name, in one line.
pub(crate) fn read(bytes: &[u8]) -> Result<Pickle, String> {
    let mut machine = Machine::new(bytes);
    if bytes.first() != Some(&0x80) {
        return Err("is no pickle".to_owned());
    }
    while !machine.step()? {}
    let root = machine.pop()?;
    Ok(Pickle { root, heap: machine.heap, globals: machine.globals, length: machine.at })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    heap: Heap,
    globals: BTreeSet<String>,
    /// Entries of dictionaries that were copied from lists.
    copied: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            heap: Heap::default(),
            globals: BTreeSet::new(),
            copied: 0,
        }
    }

    /// Does one operation; whether it was the last.
    fn step(&mut self) -> Result<bool, String> {
        let [byte] = self.array()?;
        let opcode = Opcode::of(byte)?;
        match opcode {
            Opcode::Stop => return Ok(true),
            Opcode::Proto => self.protocol()?,
            Opcode::Frame => drop(self.array::<8>()?),
            Opcode::Mark => self.marks.push(self.stack.len()),
            Opcode::Pop => drop(self.pop()?),
            Opcode::PopMark => drop(self.since_mark()?),
            Opcode::Append | Opcode::Appends | Opcode::SetItem | Opcode::SetItems => self.fill(opcode)?,
            Opcode::Reduce => self.reduce()?,
            Opcode::Build => self.build()?,
            Opcode::BinPersId => self.persistent()?,
            Opcode::Global | Opcode::StackGlobal => self.global(opcode)?,
            Opcode::BinPut | Opcode::LongBinPut | Opcode::Memoize => self.put(opcode)?,
            Opcode::BinGet | Opcode::LongBinGet => self.get(opcode)?,
            Opcode::Tuple | Opcode::Tuple1 | Opcode::Tuple2 | Opcode::Tuple3 => self.tuple(opcode)?,
            _ => self.plain(opcode)?,
        }
        Ok(false)
    }

    /// Pushes a value that stands in the file.
    fn plain(&mut self, opcode: Opcode) -> Result<(), String> {
        let value = match opcode {
            Opcode::NewTrue => Value::Bool(true),
            Opcode::NewFalse => Value::Bool(false),
            Opcode::BinInt => Value::Int(i64::from(i32::from_le_bytes(self.array()?))),
            Opcode::BinInt1 => Value::Int(i64::from(u8::from_le_bytes(self.array()?))),
            Opcode::BinInt2 => Value::Int(i64::from(u16::from_le_bytes(self.array()?))),
            Opcode::Long1 => self.long()?,
            Opcode::BinFloat => {
                self.array::<8>()?;
                Value::Float
            }
            Opcode::EmptyDict => self.heap.add(Object::Dict(Vec::new())),
            Opcode::EmptyList => self.heap.add(Object::List(Vec::new())),
            Opcode::EmptyTuple => self.heap.add(Object::Tuple(Vec::new())),
            Opcode::BinUnicode => {
                let length = u64::from(u32::from_le_bytes(self.array()?));
                self.text(length)?
            }
            Opcode::BinUnicode8 => {
                let length = u64::from_le_bytes(self.array()?);
                self.text(length)?
            }
            Opcode::ShortBinUnicode | Opcode::ShortBinString => {
                let [length] = self.array()?;
                self.text(u64::from(length))?
            }
            _ => Value::None,
        };
        self.stack.push(value);
        Ok(())
    }

    fn protocol(&mut self) -> Result<(), String> {
        let [protocol] = self.array()?;
        let refused = || format!("is a pickle of protocol {protocol}; 2 to 4 are read");
        PROTOCOLS.contains(&protocol).then_some(()).ok_or_else(refused)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let taken = taken.ok_or("ends in the midst of an operation")?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N as u64)?;
        taken.try_into().map_err(|_| "ends in the midst of an operation".to_owned())
    }

    fn text(&mut self, length: u64) -> Result<Value, String> {
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| "has a text that is not UTF-8")?;
        Ok(self.heap.add(Object::Text(text.to_owned())))
    }

    /// A number of any length, of which those of a word are taken, and the one that old files begin with.
    fn long(&mut self) -> Result<Value, String> {
        let [length] = self.array()?;
        let bytes = self.take(u64::from(length))?;
        if bytes == MAGIC {
            return Ok(Value::Magic);
        }
        if bytes.len() > 8 {
            return Err(format!("has a number of {length} bytes; no size has more than 8"));
        }
        let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
        let mut word = [fill; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(word)))
    }

    fn pop(&mut self) -> Result<Value, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("takes a value from an empty stack".to_owned());
        }
        self.stack.pop().ok_or_else(|| "takes a value from an empty stack".to_owned())
    }

    fn top(&self) -> Result<Value, String> {
        self.stack.last().copied().ok_or_else(|| "looks at an empty stack".to_owned())
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().ok_or("goes back to a mark that is not there")?;
        if mark > self.stack.len() {
            return Err("goes back to a mark that is not there".to_owned());
        }
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, opcode: Opcode) -> Result<(), String> {
        let count = match opcode {
            Opcode::Tuple1 => 1,
            Opcode::Tuple2 => 2,
            Opcode::Tuple3 => 3,
            _ => {
                let values = self.since_mark()?;
                let tuple = self.heap.add(Object::Tuple(values));
                self.stack.push(tuple);
                return Ok(());
            }
        };
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(self.pop()?);
        }
        values.reverse();
        let tuple = self.heap.add(Object::Tuple(values));
        self.stack.push(tuple);
        Ok(())
    }

    /// Puts values into the list or dictionary below them.
    fn fill(&mut self, opcode: Opcode) -> Result<(), String> {
        let values = match opcode {
            Opcode::Append => vec![self.pop()?],
            Opcode::SetItem => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.since_mark()?,
        };
        let target = self.top()?;
        let kind = self.heap.kind(target);
        match (opcode, self.heap.get_mut(target)) {
            (Opcode::Append | Opcode::Appends, Some(Object::List(list))) => list.extend(values),
            (Opcode::SetItem | Opcode::SetItems, Some(Object::Dict(entries))) if values.len().is_multiple_of(2) => {
                entries.extend(values.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
            _ => return Err(format!("puts values into {kind}")),
        }
        Ok(())
    }

    fn put(&mut self, opcode: Opcode) -> Result<(), String> {
        let index = match opcode {
            Opcode::BinPut => u32::from(u8::from_le_bytes(self.array()?)),
            Opcode::LongBinPut => u32::from_le_bytes(self.array()?),
            _ => u32::try_from(self.memo.len()).map_err(|_| "remembers too many values")?,
        };
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn get(&mut self, opcode: Opcode) -> Result<(), String> {
        let index = match opcode {
            Opcode::BinGet => u32::from(u8::from_le_bytes(self.array()?)),
            _ => u32::from_le_bytes(self.array()?),
        };
        let value = self.memo.get(&index).copied();
        self.stack.push(value.ok_or_else(|| format!("recalls value {index}, which was not remembered"))?);
        Ok(())
    }

    fn global(&mut self, opcode: Opcode) -> Result<(), String> {
        let (module, name) = if opcode == Opcode::Global {
            (self.line()?.to_owned(), self.line()?.to_owned())
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            let text = |value| self.heap.text(value).map(str::to_owned).ok_or("asks for a name that is no text");
            (text(module)?, text(name)?)
        };
        let (global, written) = globals::find(&module, &name)?;
        self.globals.insert(written);
        self.stack.push(Value::Global(global));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().take(LONGEST_NAME).position(|byte| *byte == b'\n');
        let end = end.ok_or_else(|| format!("asks for a name that does not end within {LONGEST_NAME} bytes"))?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| "asks for a name that is not UTF-8".to_owned())
    }

    /// What takes the place of a call: the value that the global stands for.
    fn reduce(&mut self) -> Result<(), String> {
        let (arguments, called) = (self.pop()?, self.pop()?);
        let values = self.heap.tuple(arguments).ok_or("calls something without a tuple of arguments")?;
        let values: Vec<Value> = values.iter().take(MOST_ARGUMENTS).copied().collect();
        let made = match called {
            Value::Global(Global::OrderedDict) => self.ordered_dict(&values)?,
            Value::Global(Global::RebuildTensor) => {
                let tensor = rebuild::rebuilt(&self.heap, &values)?;
                self.heap.add(Object::Tensor(Box::new(tensor)))
            }
            Value::Global(Global::RebuildParameter) => match values.first() {
                Some(&tensor) if matches!(self.heap.get(tensor), Some(Object::Tensor(_))) => tensor,
                _ => return Err("makes a parameter of something that is no tensor".to_owned()),
            },
            other => return Err(format!("calls {}", self.heap.kind(other))),
        };
        self.stack.push(made);
        Ok(())
    }

    /// Of no arguments or, as Python 2 wrote it, of a list of pairs.
    fn ordered_dict(&mut self, arguments: &[Value]) -> Result<Value, String> {
        let pair = |value: &Value| {
            let values = self.heap.list(*value).or_else(|| self.heap.tuple(*value));
            values.and_then(|values| Some((*values.first()?, *values.get(1)?)))
        };
        let entries = match arguments {
            [] => Some(Vec::new()),
            [list] => self.heap.list(*list).and_then(|pairs| pairs.iter().map(pair).collect()),
            _ => None,
        };
        let entries = entries.ok_or("makes a dictionary of something that is no list of pairs")?;
        self.copied += entries.len();
        if self.copied > self.bytes.len() {
            return Err("makes dictionaries of one list again and again".to_owned());
        }
        Ok(self.heap.add(Object::Dict(entries)))
    }

    /// Attributes of a dictionary, which hold no weights (torch keeps the versions of modules there), are passed over.
    fn build(&mut self) -> Result<(), String> {
        self.pop()?;
        let target = self.top()?;
        match self.heap.get(target) {
            Some(Object::Dict(_)) => Ok(()),
            _ => Err(format!("sets attributes of {}", self.heap.kind(target))),
        }
    }

    /// A storage, which lies elsewhere in the file.
    fn persistent(&mut self) -> Result<(), String> {
        let told = self.pop()?;
        let parts = self.heap.tuple(told).unwrap_or_default();
        let (Some(&[kind, dtype, key, _, count]) | Some(&[kind, dtype, key, _, count, Value::None])) =
            (!parts.is_empty()).then_some(parts)
        else {
            return Err("refers to something that is no storage, or to a part of one".to_owned());
        };
        let (Some("storage"), Value::Global(Global::Storage(dtype)), Some(key), Value::Int(count)) =
            (self.heap.text(kind), dtype, self.heap.text(key), count)
        else {
            return Err("refers to something that is no storage".to_owned());
        };
        if key.len() > LONGEST_KEY {
            return Err(format!("has a storage with a key of {} bytes; {LONGEST_KEY} at most", key.len()));
        }
        let count = u64::try_from(count).map_err(|_| format!("has a storage of {count} numbers"))?;
        let storage = Storage { key: key.to_owned(), dtype, count };
        let storage = self.heap.add(Object::Storage(storage));
        self.stack.push(storage);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        let message = read(bytes).unwrap_err();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    #[test]
    fn plain_values_are_read() {
        let pickle = read(b"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x07X\x01\x00\x00\x00bN\x88\x86u.rest").unwrap();
        let entries = pickle.heap.dict(pickle.root).unwrap();
        assert_eq!(pickle.heap.text(entries[0].0), Some("a"));
        assert_eq!(entries[0].1, Value::Int(7));
        assert_eq!(pickle.length, 25);
        for (bytes, number) in
            [(&b"\x01\xff"[..], -1), (b"\x00", 0), (b"\x02\x00\x80", -32768), (b"\x03\xff\xff\x00", 65535)]
        {
            let pickle = read(&[b"\x80\x02\x8a", bytes, b"."].concat()).unwrap();
            assert_eq!(pickle.root, Value::Int(number));
        }
        assert_eq!(read(&[b"\x80\x02\x8a\x0a", &MAGIC[..], b"."].concat()).unwrap().root, Value::Magic);
    }

    #[test]
    fn what_runs_code_is_refused_by_name() {
        assert!(refusal(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00trueq\x00\x85R.").contains("asks for `os.system`"));
        assert!(refusal(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.").contains("asks for `builtins.eval`"));
        assert!(refusal(b"\x80\x02ctorch\nload\n.").contains("`torch.load`"));
        assert!(refusal(b"\x80\x02c\x1b[31m\nx\n.").contains("`\\u{1b}[31m.x`"));
        assert!(refusal(b"\x80\x02(ios\nsystem\n.").contains("INST"));
        assert!(refusal(b"\x80\x02ccollections\nOrderedDict\n)\x81.").contains("NEWOBJ"));
        assert!(refusal(b"\x80\x02ctorch\nFloatStorage\n)R.").contains("calls a class or function"));
        assert!(refusal(b"\x80\x02K\x01)R.").contains("calls a number"));
        assert!(refusal(b"cos\nsystem\n.").contains("is no pickle"));
        assert!(refusal(b"\x80\x05N.").contains("protocol 5"));
    }

    /// A call of `_rebuild_tensor_v2` for two numbers, with `rest` after the strides.
    fn rebuilt(rest: &[u8]) -> Vec<u8> {
        let storage = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n\
            X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)R";
        [&storage[..], rest, b"tR."].concat()
    }

    #[test]
    fn what_says_that_the_numbers_are_others_is_refused_by_name() {
        let (neg, conj) = (b"}X\x03\x00\x00\x00neg\x88s", b"}X\x04\x00\x00\x00conj\x88s");
        assert!(refusal(&rebuilt(neg)).contains("the metadata \"neg\""));
        assert!(refusal(&rebuilt(conj)).contains("the metadata \"conj\""));
        assert!(refusal(&rebuilt(b"}K\x01\x88s")).contains("metadata that is no text"));
        assert!(refusal(&rebuilt(b"}X\x03\x00\x00\x00negK\x01s")).contains("\"neg\""));
        assert!(refusal(&rebuilt(b"]")).contains("metadata that are a list"));
        assert!(refusal(&rebuilt(b"NN")).contains("more than 7 arguments"));
        for neutral in [&b""[..], b"N", b"}", b"}X\x03\x00\x00\x00neg\x89s"] {
            let pickle = read(&rebuilt(neutral)).unwrap();
            assert_eq!(pickle.heap.kind(pickle.root), "a tensor");
        }
    }

    #[test]
    fn what_is_damaged_is_refused() {
        for bytes in [
            &b"\x80\x02"[..],
            b"\x80\x02.",
            b"\x80\x020.",
            b"\x80\x02t.",
            b"\x80\x02N(0.",
            b"\x80\x02(N1(0.",
            b"\x80\x02h\x00.",
            b"\x80\x02q\x00.",
            b"\x80\x02X\xff\xff\xff\xffa.",
            b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
            b"\x80\x02X\x01\x00\x00\x00\xff.",
            b"\x80\x02\x8a\x09aaaaaaaaa.",
            b"\x80\x02K\x01K\x02a.",
            b"\x80\x02}(K\x01u.",
            b"\x80\x02NQ.",
            b"\x80\x02N}b.",
        ] {
            refusal(bytes);
        }
    }

    #[test]
    fn a_bomb_of_memories_takes_no_more_than_its_size() {
        // Each list holds the one before it ten times: a gigantic tree, if anybody followed it.
        let mut bytes = b"\x80\x02]q\x00".to_vec();
        for level in 0..200u8 {
            bytes.extend([b']', b'q', level + 1, b'(']);
            bytes.extend([b'h', level].repeat(10));
            bytes.push(b'e');
        }
        bytes.push(b'.');
        let pickle = read(&bytes).unwrap();
        assert_eq!(pickle.heap.kind(pickle.root), "a list");
        // A list of a thousand pairs that becomes a dictionary a thousand times.
        let mut bytes = b"\x80\x02K\x01K\x02\x86q\x00]q\x01(".to_vec();
        bytes.extend(b"h\x00".repeat(1000));
        bytes.push(b'e');
        bytes.extend(b"ccollections\nOrderedDict\nq\x02h\x01\x85q\x03R".iter());
        bytes.extend(b"h\x02h\x03R".repeat(1000));
        bytes.push(b'.');
        assert!(refusal(&bytes).contains("one list again and again"));
        let key = b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x00\x02\x00\x00";
        let long = [&key[..], &[b'k'; 512], b"X\x03\x00\x00\x00cpuK\x01tQ."].concat();
        assert!(refusal(&long).contains("a key of 512 bytes"));
        // And a million tuples, each in the next.
        let deep = [b"\x80\x02N".to_vec(), vec![0x85; 1_000_000], b".".to_vec()].concat();
        assert_eq!(read(&deep).map(|pickle| pickle.heap.kind(pickle.root)), Ok("a tuple"));
    }
}
