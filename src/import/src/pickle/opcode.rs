//! The operations of a pickle that plain tensors need, and the names of those that are refused.

/// An operation that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Append,
    Appends,
    BinFloat,
    BinGet,
    BinInt,
    BinInt1,
    BinInt2,
    BinPersId,
    BinPut,
    BinUnicode,
    BinUnicode8,
    Build,
    EmptyDict,
    EmptyList,
    EmptyTuple,
    Frame,
    Global,
    Long1,
    LongBinGet,
    LongBinPut,
    Mark,
    Memoize,
    NewFalse,
    NewTrue,
    None,
    Pop,
    PopMark,
    Proto,
    Reduce,
    SetItem,
    SetItems,
    ShortBinString,
    ShortBinUnicode,
    StackGlobal,
    Stop,
    Tuple,
    Tuple1,
    Tuple2,
    Tuple3,
}

use Opcode as O;

/// Each by its byte.
const KNOWN: &[(u8, Opcode)] = &[
    (b'a', O::Append),
    (b'e', O::Appends),
    (b'G', O::BinFloat),
    (b'h', O::BinGet),
    (b'J', O::BinInt),
    (b'K', O::BinInt1),
    (b'M', O::BinInt2),
    (b'Q', O::BinPersId),
    (b'q', O::BinPut),
    (b'X', O::BinUnicode),
    (0x8d, O::BinUnicode8),
    (b'b', O::Build),
    (b'}', O::EmptyDict),
    (b']', O::EmptyList),
    (b')', O::EmptyTuple),
    (0x95, O::Frame),
    (b'c', O::Global),
    (0x8a, O::Long1),
    (b'j', O::LongBinGet),
    (b'r', O::LongBinPut),
    (b'(', O::Mark),
    (0x94, O::Memoize),
    (0x89, O::NewFalse),
    (0x88, O::NewTrue),
    (b'N', O::None),
    (b'0', O::Pop),
    (b'1', O::PopMark),
    (0x80, O::Proto),
    (b'R', O::Reduce),
    (b's', O::SetItem),
    (b'u', O::SetItems),
    (b'U', O::ShortBinString),
    (0x8c, O::ShortBinUnicode),
    (0x93, O::StackGlobal),
    (b'.', O::Stop),
    (b't', O::Tuple),
    (0x85, O::Tuple1),
    (0x86, O::Tuple2),
    (0x87, O::Tuple3),
];

/// What the others are called that a hostile file is likely to have: most of them call something.
const REFUSED: &[(u8, &str)] = &[
    (b'i', "INST"),
    (b'o', "OBJ"),
    (0x81, "NEWOBJ"),
    (0x92, "NEWOBJ_EX"),
    (0x82, "EXT1"),
    (0x83, "EXT2"),
    (0x84, "EXT4"),
    (b'P', "PERSID"),
    (0x8b, "LONG4"),
    (b'T', "BINSTRING"),
    (b'B', "BINBYTES"),
    (0x8e, "BINBYTES8"),
    (0x96, "BYTEARRAY8"),
    (b'2', "DUP"),
];

impl Opcode {
    /// The operation of `byte`.
    ///
    /// # Errors
    /// What it is, if it is not one that plain tensors need.
    pub(super) fn of(byte: u8) -> Result<Self, String> {
        if let Some((_, known)) = KNOWN.iter().find(|(other, _)| *other == byte) {
            return Ok(*known);
        }
        let name = REFUSED.iter().find(|(other, _)| *other == byte).map_or("", |(_, name)| name);
        let name = if name.is_empty() { String::new() } else { format!("{name} ") };
        Err(format!("has the operation {name}(0x{byte:02x}), which plain tensors do not need"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_operation_or_refused() {
        for byte in 0..=u8::MAX {
            let known = KNOWN.iter().filter(|(other, _)| *other == byte).count();
            let refused = REFUSED.iter().filter(|(other, _)| *other == byte).count();
            assert!(known + refused <= 1, "{byte:#x}");
            assert_eq!(Opcode::of(byte).is_ok(), known == 1);
        }
        assert!(Opcode::of(b'i').unwrap_err().contains("INST (0x69)"));
    }
}
