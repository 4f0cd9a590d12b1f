//! The normaliser of a tokenizer, step by step, so that a text that grows is stopped before it has grown.

use serde::Deserialize;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::{NormalizedString, Normalizer, NormalizerWrapper};

use super::meter::Meter;
use super::pattern::{LimitedPattern, Search};

/// Steps of a normaliser at most.
const MOST_STEPS: usize = 64;
/// Bytes that one character may become at most where a table says what; U+FDFA becomes 33.
const LONGEST_ENTRY: usize = 64;
/// Bytes that a step may make of a text before what it makes is measured in pieces.
const UNMEASURED: usize = 1 << 20;

/// The steps of a normaliser; none if there is none.
#[derive(Debug, Default)]
pub(super) struct NormaliserSteps(Vec<Step>);

#[derive(Debug)]
enum Step {
    /// Replaces what a pattern finds.
    Replace { pattern: LimitedPattern, content: String },
    /// Puts this many bytes before a text.
    Prepend(NormalizerWrapper, usize),
    /// Makes up to `growth` bytes of each.
    Other { step: NormalizerWrapper, growth: usize },
}

impl NormaliserSteps {
    /// The steps of `normaliser`.
    ///
    /// # Errors
    /// When there are too many of them, or one cannot be bounded.
    pub(super) fn of(normaliser: Option<NormalizerWrapper>) -> Result<Self, String> {
        let mut steps = Vec::new();
        normaliser.map_or(Ok(()), |whole| flatten(whole, &mut steps))?;
        Ok(Self(steps))
    }

    fn apply(&self, text: &mut NormalizedString, meter: &Meter) -> Result<(), String> {
        for step in &self.0 {
            step.apply(text, meter)?;
        }
        meter.check_room(text.len())?;
        meter.add(text.len());
        Ok(())
    }
}

/// Steps that work on one text, within its limits.
pub(super) struct Limited<'a> {
    pub(super) steps: &'a NormaliserSteps,
    pub(super) meter: &'a Meter,
}

impl Normalizer for Limited<'_> {
    /// Never fails, since the library drops the error: the meter has it, and the text is empty then.
    fn normalize(&self, text: &mut NormalizedString) -> tokenizers::Result<()> {
        if let Err(why) = self.steps.apply(text, self.meter) {
            self.meter.refuse(why);
            text.clear();
        }
        Ok(())
    }
}

fn flatten(normaliser: NormalizerWrapper, steps: &mut Vec<Step>) -> Result<(), String> {
    if let NormalizerWrapper::Sequence(all) = normaliser {
        return all.into_iter().try_for_each(|part| flatten(part, steps));
    }
    if steps.len() == MOST_STEPS {
        return Err(format!("its normaliser has more than {MOST_STEPS} steps"));
    }
    steps.push(Step::of(normaliser)?);
    Ok(())
}

impl Step {
    fn of(step: NormalizerWrapper) -> Result<Self, String> {
        let growth = match &step {
            NormalizerWrapper::Replace(replace) => {
                let (pattern, content) = (replaced(&step)?, replace.content.clone());
                return Ok(Self::Replace { pattern, content });
            }
            NormalizerWrapper::Prepend(prepend) => {
                let more = prepend.prepend.len();
                return Ok(Self::Prepend(step, more));
            }
            NormalizerWrapper::Precompiled(_) => longest_entry(&step)?,
            // Spaces around Han characters (2), marks apart (3), lower case (2).
            NormalizerWrapper::BertNormalizer(_) => 12,
            // The largest factors in UTF-8, from the FAQ of the Unicode Consortium on normalisation.
            NormalizerWrapper::NFC(_) | NormalizerWrapper::NFD(_) => 3,
            NormalizerWrapper::NFKC(_) | NormalizerWrapper::NFKD(_) => 11,
            NormalizerWrapper::Lowercase(_) | NormalizerWrapper::ByteLevel(_) => 2,
            NormalizerWrapper::StripNormalizer(_)
            | NormalizerWrapper::StripAccents(_)
            | NormalizerWrapper::Nmt(_)
            | NormalizerWrapper::Sequence(_) => 1,
        };
        Ok(Self::Other { step, growth })
    }

    fn apply(&self, text: &mut NormalizedString, meter: &Meter) -> Result<(), String> {
        meter.check_time()?;
        match self {
            Self::Replace { pattern, content } => {
                let search = Search { pattern, meter, replaced: Some(content.len()) };
                text.replace(search, content).map_err(|error| error.to_string())
            }
            Self::Prepend(step, more) => {
                meter.check_room(text.len() + more)?;
                step.normalize(text).map_err(|error| error.to_string())
            }
            Self::Other { step, growth } => {
                if text.len() * growth > UNMEASURED {
                    measure(step, UNMEASURED / growth, text.get(), meter)?;
                }
                step.normalize(text).map_err(|error| error.to_string())?;
                meter.check_room(text.len())
            }
        }
    }
}

/// Refuses a text of which `step` makes too much, by what it makes of pieces of `size` bytes.
fn measure(step: &NormalizerWrapper, size: usize, mut text: &str, meter: &Meter) -> Result<(), String> {
    let mut length = 0;
    while !text.is_empty() {
        meter.check_time()?;
        let (piece, rest) = text.split_at(text.ceil_char_boundary(size.max(1)));
        let mut piece = NormalizedString::from(piece);
        step.normalize(&mut piece).map_err(|error| error.to_string())?;
        length += piece.len();
        meter.check_room(length)?;
        text = rest;
    }
    Ok(())
}

/// The pattern of a replacement, which the library does not show but in JSON.
fn replaced(step: &NormalizerWrapper) -> Result<LimitedPattern, String> {
    #[derive(Deserialize)]
    struct Written {
        pattern: ReplacePattern,
    }
    let written = serde_json::to_value(step).and_then(serde_json::from_value::<Written>);
    match written.map_err(|error| error.to_string())?.pattern {
        ReplacePattern::String(text) => Ok(LimitedPattern::Text(text)),
        ReplacePattern::Regex(written) => LimitedPattern::regex(&written),
    }
}

/// The most bytes that a table of characters has for one of them.
fn longest_entry(step: &NormalizerWrapper) -> Result<usize, String> {
    #[derive(Deserialize)]
    struct Written {
        precompiled_charsmap: String,
    }
    let written = serde_json::to_value(step).and_then(serde_json::from_value::<Written>);
    let table = base64(&written.map_err(|error| error.to_string())?.precompiled_charsmap);
    // The length of a trie, the trie, and the entries, each with a zero after it.
    let trie = table.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
    let entries = table.get(trie.saturating_add(4)..).unwrap_or_default();
    let longest = entries.split(|&byte| byte == 0).map(<[u8]>::len).max().unwrap_or(0).max(1);
    if longest > LONGEST_ENTRY {
        return Err(format!("its table of characters makes {longest} bytes of one; {LONGEST_ENTRY} at most"));
    }
    Ok(longest)
}

/// The bytes that the library has written as `text` (RFC 4648, section 4).
fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |letter: u8| LETTERS.iter().position(|&other| other == letter);
    let group = |letters: &[u8]| {
        let values: Vec<usize> = letters.iter().filter_map(|&letter| value(letter)).collect();
        let bits = values.iter().enumerate().fold(0, |bits, (place, value)| bits | value << (18 - 6 * place));
        let bytes = (values.len() * 6) / 8;
        [bits >> 16, bits >> 8, bits].map(|byte| byte as u8).into_iter().take(bytes)
    };
    text.as_bytes().chunks(4).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tokenise::meter::allowed;

    fn steps(json: &str) -> Result<NormaliserSteps, String> {
        NormaliserSteps::of(Some(serde_json::from_str(json).unwrap()))
    }

    fn normalised(json: &str, text: &str) -> Result<String, String> {
        let (steps, meter) = (steps(json)?, Meter::new(text.len()));
        let mut text = NormalizedString::from(text);
        Limited { steps: &steps, meter: &meter }.normalize(&mut text).unwrap();
        meter.outcome().map(|()| text.get().to_owned())
    }

    /// A table in which `a` becomes the text of `entry`.
    fn table(entry: &str) -> String {
        // A trie of a root, the node of `a` with a leaf, and the leaf's value, 0.
        let mut trie = [0u32; 256];
        trie[0] = 0;
        trie[0x61] = 0x61 | 1 << 8 | 2 << 10;
        trie[0x61 ^ 2] = 1 << 31;
        let bytes: Vec<u8> = std::iter::once(1024u32).chain(trie).flat_map(u32::to_le_bytes).collect();
        let bytes = [bytes, entry.as_bytes().to_vec(), vec![0]].concat();
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let group = |bytes: &[u8]| {
            let bits = bytes
                .iter()
                .enumerate()
                .fold(0usize, |bits, (place, byte)| bits | usize::from(*byte) << (16 - 8 * place));
            (0..4)
                .map(
                    |place| if place <= bytes.len() { char::from(letters[bits >> (18 - 6 * place) & 63]) } else { '=' },
                )
                .collect::<String>()
        };
        let written: String = bytes.chunks(3).map(group).collect();
        format!(r#"{{"type":"Precompiled","precompiled_charsmap":"{written}"}}"#)
    }

    #[test]
    fn ordinary_normalisers_do_what_the_library_does() {
        let long = " Cr\u{e8}me  br\u{fb}l\u{e9}e \u{fdfa} \u{d55c}\u{ae00} \u{6f22}ABC ".repeat(20_000);
        for json in [
            r#"{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}"#,
            r#"{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Lowercase"}]}"#,
            r#"{"type":"Sequence","normalizers":[{"type":"Strip","strip_left":true,"strip_right":true},
                {"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "},{"type":"Prepend","prepend":"x"}]}"#,
            r#"{"type":"Replace","pattern":{"String":" "},"content":"\u2581"}"#,
            &table("b"),
        ] {
            let whole: NormalizerWrapper = serde_json::from_str(json).unwrap();
            for text in [" Cr\u{e8}me  br\u{fb}l\u{e9}e A\u{30a} ", "", long.as_str()] {
                let mut expected = NormalizedString::from(text);
                whole.normalize(&mut expected).unwrap();
                assert!(normalised(json, text).unwrap() == expected.get(), "{json}");
            }
        }
    }

    #[test]
    fn what_multiplies_a_text_is_stopped_before_it_has() {
        let hundred = |letter: &str| letter.repeat(100);
        let replace = |from: &str, to: &str| {
            format!(r#"{{"type":"Replace","pattern":{{"String":"{from}"}},"content":"{}"}}"#, hundred(to))
        };
        let nested = [replace("a", "b"), replace("b", "c"), replace("c", "d"), replace("d", "e")].join(",");
        for json in [
            format!(r#"{{"type":"Sequence","normalizers":[{nested}]}}"#),
            format!(r#"{{"type":"Replace","pattern":{{"Regex":""}},"content":"{}"}}"#, hundred("x")),
            format!(r#"{{"type":"Prepend","prepend":"{}"}}"#, "x".repeat(5 << 20)),
            table(&"x".repeat(60)),
        ] {
            let why = normalised(&json, &"a".repeat(200_000)).unwrap_err();
            assert!(why.contains("remove what multiplies the text"), "{why}");
        }
        assert!(steps(&table(&"x".repeat(65))).unwrap_err().contains("65 bytes of one; 64 at most"));
        let many = [r#"{"type":"NFC"}"#; 65].join(",");
        assert!(steps(&format!(r#"{{"type":"Sequence","normalizers":[{many}]}}"#)).unwrap_err().contains("64 steps"));
        assert!(allowed(1 << 20) < 5 << 20);
    }

    #[test]
    fn a_table_is_read_as_the_library_wrote_it() {
        assert_eq!(base64("AAEC/w=="), [0, 1, 2, 255]);
        assert_eq!((base64(""), base64("YQ=="), base64("YWI=")), (vec![], b"a".to_vec(), b"ab".to_vec()));
        assert_eq!(normalised(&table("bc"), "xay").unwrap(), "xbcy");
    }
}
