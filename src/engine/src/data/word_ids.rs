//! Token ids by word: most words of a data set come again and again, and are then looked up.
//!
//! A tokenizer may be asked word by word if nothing in it looks across blanks: it normalises characters one by one and
//! splits at blanks first, as those of BERT do. Others encode whole texts.

use std::collections::HashMap;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::tokenise::{Encoded, TextEncoder};
use super::tokens::TokenRow;
use crate::error::Result;

/// Words that are kept at most; then they are forgotten.
const KEPT: usize = 1 << 18;
/// Normalisers that look at no blank and at nothing beyond it.
const NORMALISERS: [&str; 7] = ["BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents"];
/// What splits at blanks, or within what stands between them.
const SPLITTERS: [&str; 5] = ["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Punctuation", "Digits"];
/// Of these the ones that split at blanks.
const AT_BLANKS: [&str; 3] = ["BertPreTokenizer", "Whitespace", "WhitespaceSplit"];
/// A word that is encoded to see what stands around it.
const PROBE: &str = "a";

/// The token ids of words, as far as they are known.
pub struct WordIds<'a> {
    encoder: &'a TextEncoder,
    /// What stands before and after the tokens of a text, and the type of these.
    frame: Frame,
    known: HashMap<String, Vec<i64>>,
}

/// What the tokenizer puts around the tokens of a text.
struct Frame {
    before: TokenRow,
    after: TokenRow,
    /// The type of the tokens between.
    kind: i64,
}

impl<'a> WordIds<'a> {
    /// Of the tokenizer of `encoder`; `None` if it must see whole texts.
    #[must_use]
    pub fn of(encoder: &'a TextEncoder) -> Option<Self> {
        if !looks_at_words_alone(encoder.tokenizer()) {
            return None;
        }
        Some(Self { encoder, frame: Frame::of(encoder)?, known: HashMap::new() })
    }

    /// The token ids of each of `texts`, of which the first has the number `number`; `None` for one that is too
    /// long, or of which no token is left.
    ///
    /// # Errors
    /// When the tokenizer refuses a word.
    pub fn rows(&mut self, texts: &[&str], number: usize) -> Result<Vec<Option<TokenRow>>> {
        self.learn(texts, number)?;
        Ok(texts.iter().map(|text| self.row(text)).collect())
    }

    /// Encodes the words of `texts` that are not known yet.
    fn learn(&mut self, texts: &[&str], number: usize) -> Result<()> {
        if self.known.len() > KEPT {
            self.known.clear();
        }
        let (mut new, mut first): (HashMap<&str, usize>, Vec<usize>) = (HashMap::new(), Vec::new());
        for (text, number) in texts.iter().zip(number..) {
            for word in text.split_whitespace() {
                if !self.known.contains_key(word) && !new.contains_key(word) {
                    new.insert(word, new.len());
                    first.push(number);
                }
            }
        }
        let mut words: Vec<(&str, usize)> = new.into_iter().collect();
        words.sort_unstable_by_key(|(_, place)| *place);
        let asked: Vec<_> = words.iter().map(|(word, _)| (*word, None)).collect();
        // A word that is refused is named by the text that it is in.
        let bare = self.encoder.encode_bare(&asked, &first)?;
        self.known.extend(words.into_iter().zip(bare).map(|((word, _), ids)| (word.to_owned(), ids)));
        Ok(())
    }

    fn row(&self, text: &str) -> Option<TokenRow> {
        let Frame { before, after, kind } = &self.frame;
        let mut ids = before.ids.clone();
        text.split_whitespace().filter_map(|word| self.known.get(word)).for_each(|word| ids.extend(word));
        let own = ids.len() - before.ids.len();
        ids.extend(&after.ids);
        let kinds =
            before.types.iter().copied().chain(std::iter::repeat_n(*kind, own)).chain(after.types.iter().copied());
        (!ids.is_empty() && ids.len() <= self.encoder.max_tokens()).then(|| TokenRow {
            types: kinds.collect(),
            ids,
            windows: None,
        })
    }
}

impl Frame {
    /// What `encoder` puts around a word.
    fn of(encoder: &TextEncoder) -> Option<Self> {
        let whole: Encoded = encoder.encode_ids(&[(PROBE, None)], 1).ok()?.pop()?;
        let bare = encoder.encode_bare(&[(PROBE, None)], &[1]).ok()?.pop()?;
        let start = whole.special.iter().position(|special| !special)?;
        let end = start + bare.len();
        (!bare.is_empty() && whole.ids.get(start..end)? == bare.as_slice()).then(|| {
            let part = |range: std::ops::Range<usize>| TokenRow {
                ids: whole.ids[range.clone()].to_vec(),
                types: whole.types[range].to_vec(),
                windows: None,
            };
            Self { before: part(0..start), after: part(end..whole.ids.len()), kind: whole.types[start] }
        })
    }
}

/// Whether the tokenizer does to each word what it does to the text that the word is in.
fn looks_at_words_alone(tokenizer: &Tokenizer) -> bool {
    let json = |part: serde_json::Result<Value>| part.unwrap_or(Value::Null);
    let normalisers = names(&json(serde_json::to_value(tokenizer.get_normalizer())), "normalizers");
    let splitters = names(&json(serde_json::to_value(tokenizer.get_pre_tokenizer())), "pretokenizers");
    let is_plain = |token: &tokenizers::AddedToken| {
        !token.lstrip && !token.rstrip && !token.content.is_empty() && !token.content.contains(char::is_whitespace)
    };
    normalisers.iter().all(|name| NORMALISERS.contains(&name.as_str()))
        && splitters.iter().all(|name| SPLITTERS.contains(&name.as_str()))
        && splitters.iter().any(|name| AT_BLANKS.contains(&name.as_str()))
        && tokenizer.get_added_tokens_decoder().values().all(is_plain)
}

/// The names of the steps that a part of a tokenizer has.
fn names(part: &Value, list: &str) -> Vec<String> {
    if part.is_null() {
        return Vec::new();
    }
    match part.get(list).and_then(Value::as_array) {
        Some(steps) => steps.iter().flat_map(|step| names(step, list)).collect(),
        None => vec![part["type"].as_str().unwrap_or("unknown").to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::data::tokens::TokenSource;

    const LIMIT: usize = 24;

    fn folder(relative: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
    }

    /// The tokenizers of the shipped models and of the fuzzer's corpus.
    fn encoders() -> Vec<TextEncoder> {
        let place = tempfile::tempdir().unwrap();
        let corpus = fs::read_dir(folder("tests/fuzz/corpus/tokenizer")).unwrap().map(|entry| entry.unwrap().path());
        let shipped = folder("data/models/student/tokenizer.json");
        let load = |path: PathBuf| {
            fs::copy(path, place.path().join("tokenizer.json")).unwrap();
            TextEncoder::load(place.path(), LIMIT).ok()
        };
        corpus.chain([shipped]).filter_map(load).collect()
    }

    /// Texts of words with accents, marks, controls, special tokens and several kinds of blanks.
    fn texts() -> Vec<String> {
        let words = [
            "Chest",
            "pain,",
            "na\u{ef}ve",
            "e\u{301}",
            "\u{301}a",
            "\u{75c5}\u{4eba}",
            "[MASK]",
            "x[SEP]y",
            "12.5mg",
            "\u{1f600}",
            "\u{b4}",
            "\u{fb01}n",
            "a\u{0}b",
            "\u{200b}",
            "--",
            "Stra\u{df}e",
            "unaffable",
            "[CLS]",
            "\u{130}",
            "\u{ad}soft",
        ];
        let blanks = [" ", "  ", "\n", "\t", "\u{a0}", "\u{3000}", "\u{2028}", " \r\n"];
        let at = |number: usize, of: &[&'static str]| of[number * 2_654_435_761 % of.len()];
        let text = |seed: usize| {
            let word = |place: usize| format!("{}{}", at(seed * 31 + place * 7, &words), at(seed + place * 5, &blanks));
            (0..seed % 12).map(word).collect::<String>()
        };
        (0..400).map(text).chain(["", " ", "a", "\u{a0}a "].map(str::to_owned)).collect()
    }

    #[test]
    fn word_by_word_gives_the_ids_of_whole_texts() {
        let texts = texts();
        let (mut by_words, mut kept) = (0, 0);
        for encoder in encoders() {
            let Some(mut words) = WordIds::of(&encoder) else { continue };
            by_words += 1;
            let asked: Vec<&str> = texts.iter().map(String::as_str).collect();
            for part in asked.chunks(64) {
                let whole = encoder.encode(&part.iter().map(|text| (*text, None)).collect::<Vec<_>>()).unwrap();
                for (at, row) in words.rows(part, 1).unwrap().into_iter().enumerate() {
                    match row {
                        Some(row) => {
                            assert_eq!(row, whole.row(at), "{:?}", part[at]);
                            assert!(!whole[at].is_cut());
                            kept += 1;
                        }
                        None => assert!(whole[at].is_cut(), "{:?}", part[at]),
                    }
                }
            }
        }
        assert!(by_words >= 2 && kept > 100, "{by_words} tokenizers, {kept} texts");
    }

    #[test]
    fn a_tokenizer_that_looks_across_blanks_is_given_whole_texts() {
        let encoder = |pre: &str, normaliser: &str, added: &str| {
            let place = tempfile::tempdir().unwrap();
            let json = format!(
                r#"{{"model":{{"type":"WordLevel","unk_token":"[UNK]","vocab":{{"[UNK]":0,"[MASK]":1,"a":2}}}},
                "pre_tokenizer":{pre},"normalizer":{normaliser},"added_tokens":[{added}]}}"#
            );
            fs::write(place.path().join("tokenizer.json"), json).unwrap();
            TextEncoder::load(place.path(), LIMIT).unwrap()
        };
        let whole = |pre: &str, normaliser: &str, added: &str| WordIds::of(&encoder(pre, normaliser, added)).is_none();
        let at_blanks = r#"{"type":"Whitespace"}"#;
        assert!(!whole(at_blanks, r#"{"type":"Lowercase"}"#, ""));
        assert!(whole("null", "null", ""));
        assert!(whole(r#"{"type":"Metaspace","replacement":"_","prepend_scheme":"always","split":true}"#, "null", ""));
        assert!(whole(
            r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#,
            "null",
            ""
        ));
        assert!(whole(at_blanks, r#"{"type":"Replace","pattern":{"String":"a b"},"content":"c"}"#, ""));
        let added = |content: &str, lstrip: bool| {
            format!(
                r#"{{"id":3,"content":"{content}","single_word":false,"lstrip":{lstrip},"rstrip":false,"normalized":true,"special":false}}"#
            )
        };
        assert!(whole(at_blanks, "null", &added("a b", false)) && whole(at_blanks, "null", &added("<x>", true)));
        assert!(!whole(at_blanks, "null", &added("<x>", false)));
    }
}
