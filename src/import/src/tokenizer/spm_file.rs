//! The file of a SentencePiece model: a message of protocol buffers, of which only the fields are read that decide what
//! becomes of a text.

/// What a model of SentencePiece says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SpmFile {
    /// The pieces, each at the place of its id.
    pub(super) pieces: Vec<Piece>,
    /// What the pieces are chosen by.
    pub(super) algorithm: u64,
    /// The id of the unknown piece.
    pub(super) unknown_id: u64,
    /// The unknown piece.
    pub(super) unknown: String,
    /// Whether unknown characters are written as bytes.
    pub(super) byte_fallback: bool,
    /// What becomes of characters; empty if they stay.
    pub(super) charsmap: Vec<u8>,
}

/// A piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) score: f32,
    pub(super) kind: u64,
}

/// Chosen by the most probable split of a text.
pub(super) const UNIGRAM: u64 = 1;
/// Merged, the best pair first.
pub(super) const BPE: u64 = 2;
/// The kind of pieces that stand in no text, as the beginning of one.
pub(super) const CONTROL: u64 = 3;
/// The kind of pieces that are found as they stand.
pub(super) const USER_DEFINED: u64 = 4;
const NORMAL: u64 = 1;
/// Pieces at most.
const MOST: usize = 2_000_000;

/// A field: its number, and what it holds.
type Field<'a> = (u64, Content<'a>);

#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Number(u64),
    Fixed(u32),
    Bytes(&'a [u8]),
    Wide,
}

impl Default for SpmFile {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            algorithm: UNIGRAM,
            unknown_id: 0,
            unknown: "<unk>".to_owned(),
            byte_fallback: false,
            charsmap: Vec::new(),
        }
    }
}

impl SpmFile {
    /// Parses the file.
    ///
    /// # Errors
    /// When it is none, or has no pieces or too many.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut file = Self::default();
        let mut rest = bytes;
        while let Some((number, content)) = field(&mut rest)? {
            match (number, content) {
                (1, Content::Bytes(piece)) if file.pieces.len() < MOST => file.pieces.push(Piece::parse(piece)?),
                (1, _) => return Err(format!("has more than {MOST} pieces, or some that are none")),
                (2, Content::Bytes(trainer)) => file.read_trainer(trainer)?,
                (3, Content::Bytes(normaliser)) => file.read_normaliser(normaliser)?,
                _ => {}
            }
        }
        if file.pieces.is_empty() { Err("is no model of SentencePiece: it has no pieces".to_owned()) } else { Ok(file) }
    }

    fn read_trainer(&mut self, mut rest: &[u8]) -> Result<(), String> {
        while let Some((number, content)) = field(&mut rest)? {
            match (number, content) {
                (3, Content::Number(algorithm)) => self.algorithm = algorithm,
                (35, Content::Number(fallback)) => self.byte_fallback = fallback != 0,
                (40, Content::Number(id)) => self.unknown_id = id,
                (45, Content::Bytes(piece)) => self.unknown = text(piece)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_normaliser(&mut self, mut rest: &[u8]) -> Result<(), String> {
        while let Some((number, content)) = field(&mut rest)? {
            if let (2, Content::Bytes(charsmap)) = (number, content) {
                self.charsmap = charsmap.to_vec();
            }
        }
        Ok(())
    }
}

impl Piece {
    fn parse(mut rest: &[u8]) -> Result<Self, String> {
        let mut piece = Self { kind: NORMAL, ..Self::default() };
        while let Some((number, content)) = field(&mut rest)? {
            match (number, content) {
                (1, Content::Bytes(bytes)) => piece.text = text(bytes)?,
                (2, Content::Fixed(bits)) => piece.score = f32::from_bits(bits),
                (3, Content::Number(kind)) => piece.kind = kind,
                _ => {}
            }
        }
        if piece.text.is_empty() || !piece.score.is_finite() {
            return Err("has a piece without a text, or with a score that is no number".to_owned());
        }
        Ok(piece)
    }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "has a piece that is not UTF-8".to_owned())
}

/// Takes the next field from `rest`; `None` at the end.
fn field<'a>(rest: &mut &'a [u8]) -> Result<Option<Field<'a>>, String> {
    if rest.is_empty() {
        return Ok(None);
    }
    let key = varint(rest)?;
    let content = match key & 7 {
        0 => Content::Number(varint(rest)?),
        1 => {
            taken(rest, 8)?;
            Content::Wide
        }
        2 => {
            let length = varint(rest)?;
            Content::Bytes(taken(rest, length)?)
        }
        5 => {
            let bytes = taken(rest, 4)?;
            Content::Fixed(bytes.try_into().map_or(0, u32::from_le_bytes))
        }
        other => return Err(format!("is no model of SentencePiece: it has a field of the kind {other}")),
    };
    Ok(Some((key >> 3, content)))
}

fn taken<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], String> {
    let cut = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (taken, after) = cut.ok_or("is no model of SentencePiece: it ends in the midst of a field")?;
    *rest = after;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0u64;
    for place in 0..10 {
        let byte = taken(rest, 1)?.first().copied().unwrap_or_default();
        number |= u64::from(byte & 0x7f).checked_shl(7 * place).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("is no model of SentencePiece: it has a number of more than ten bytes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields one after the other: a number, and bytes.
    fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
        let one = |(number, content): &(u8, &[u8])| [&[number << 3 | 2, content.len() as u8], *content].concat();
        fields.iter().flat_map(one).collect()
    }

    fn piece(text: &str, score: f32, kind: u8) -> Vec<u8> {
        let mut bytes = message(&[(1, text.as_bytes())]);
        bytes.push(2 << 3 | 5);
        bytes.extend(score.to_le_bytes());
        bytes.extend([3 << 3, kind]);
        bytes
    }

    #[test]
    fn a_model_is_read_as_it_was_written() {
        let trainer = [&[3 << 3, 2][..], &[0xc0, 2, 1], &[0xea, 2, 3], b"UNK"].concat();
        let file = message(&[
            (1, &piece("a", -1.5, 1)),
            (1, &message(&[(1, b"<s>")])),
            (2, &trainer),
            (3, &message(&[(1, b"nfkc"), (2, b"map")])),
        ]);
        let read = SpmFile::parse(&file).unwrap();
        assert_eq!(read.pieces[0], Piece { text: "a".into(), score: -1.5, kind: 1 });
        assert_eq!((read.pieces[1].kind, read.pieces[1].score), (NORMAL, 0.0));
        assert_eq!((read.algorithm, read.unknown_id, read.unknown.as_str()), (BPE, 1, "UNK"));
        assert_eq!((read.byte_fallback, read.charsmap.as_slice()), (false, &b"map"[..]));
    }

    #[test]
    fn what_is_no_model_is_refused() {
        for bytes in [
            &b""[..],
            b"\x0a",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0a\x05a",
            b"\x0b",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            &message(&[(1, &piece("", 0.0, 1))]),
            &message(&[(1, &piece("a", f32::NAN, 1))]),
            &message(&[(1, &message(&[(1, b"\xff")]))]),
            b"\x08\x01",
        ] {
            assert!(SpmFile::parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
