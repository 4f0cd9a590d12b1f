//! From texts to token ids, with the characters that each token stands for.

mod checks;
mod class;
mod encoded;
mod ends;
mod made;
mod meter;
mod normaliser;
mod pattern;
mod remade;
mod settings;
mod special;
mod splitter;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use pellucid_files::bounded;
use pellucid_intake::model_folder::member::member;
use pellucid_intake::model_folder::old_layout::without_tokenizer;
use pellucid_intake::rows::LONGEST_TEXT;
use tokenizers::parallelism::MaybeParallelIterator;
use tokenizers::{
    Encoding, Model, OffsetType, PostProcessor, Tokenizer, TruncationDirection, TruncationParams, truncate_encodings,
};

pub use self::class::Types;
pub use self::encoded::Encoded;
use self::made::Fault;
use self::meter::{Meter, allowed};
use self::normaliser::{Limited, NormaliserSteps};
use self::settings::TokenizerSettings;
use self::splitter::SplitterSteps;
use super::windows::{self, TextLimit, Windowed};
use crate::error::{Error, Result};
use crate::panic_guard::caught;

/// The tokenizer of a model folder, with a limit on the length of texts.
///
/// The library does not bound what a tokenizer makes of a text: four replacements nested in each other make gigabytes of
/// a line. So its steps are taken here one by one, each within limits that grow with the text.
pub struct TextEncoder {
    tokenizer: Tokenizer,
    normaliser: NormaliserSteps,
    splitter: SplitterSteps,
    limit: TextLimit,
    cut_at: TruncationDirection,
    types: Types,
    mask: TokenOf,
    pad: TokenOf,
}

/// A token for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenOf {
    /// Its id.
    pub id: i64,
    /// Whether the tokenizer has it for this purpose; otherwise it stands in for a token that the tokenizer lacks.
    pub is_own: bool,
}

/// A text, with its second text if it has one.
type Texts<'a> = (&'a str, Option<&'a str>);

/// Bytes that the texts which are encoded at once may become.
const AT_ONCE: usize = 8 << 20;

impl TextEncoder {
    /// Loads `tokenizer.json` of `folder`, to read texts as `limit` says: one that is only a number of tokens cuts longer
    /// texts off.
    ///
    /// # Errors
    /// When the file is missing or is not a tokenizer.
    pub fn load(folder: &Path, limit: impl Into<TextLimit>) -> Result<Self> {
        let path = member(folder, "tokenizer.json")?;
        if !path.exists() {
            return Err(Error::file(folder, without_tokenizer(folder)));
        }
        let bytes = bounded::read(&path, bounded::TOKENIZER).map_err(|error| Error::file(&path, error))?;
        let damaged = |message: String| Error::file(&path, format!("is no tokenizer: {message}"));
        let settings = TokenizerSettings::of(folder)?;
        // The library panics at some of what is no tokenizer.
        let limit = limit.into();
        match caught(move || made::made(&bytes, &settings, limit)) {
            Ok(Ok(encoder)) => Ok(encoder),
            Ok(Err(Fault::Refused(message))) => Err(Error::file(&path, message)),
            Ok(Err(Fault::Damaged(message))) | Err(message) => Err(damaged(message)),
        }
    }

    /// The most tokens of a text that are read at once, special ones included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.limit.max_tokens
    }

    /// How much of a text is read.
    #[must_use]
    pub fn limit(&self) -> TextLimit {
        self.limit
    }

    /// Reads `max_tokens` tokens of a text at once from now on.
    pub fn set_max_tokens(&mut self, max_tokens: usize) {
        self.limit.max_tokens = max_tokens;
    }

    /// Refuses windows that do not move on, and those of a tokenizer that cuts texts at their start.
    ///
    /// # Errors
    /// When neighbours would share all that a window has room for, or windows would lie otherwise than transformers' do.
    pub fn check_windows(&self) -> Result<()> {
        if self.limit.windows.is_none() {
            return Ok(());
        }
        if self.cut_at == TruncationDirection::Left {
            let message = "is windows, but truncation_side of tokenizer_config.json is left: truncate";
            return Err(Error::Setting { key: "--long", message: message.to_owned() });
        }
        let checked = self.room(false).and_then(|room| windows::step(self.limit, room, false));
        checked.map(|_| ()).map_err(|message| Error::Setting { key: "--stride", message })
    }

    /// Refuses a limit that leaves no room for a word beside the special tokens.
    ///
    /// # Errors
    /// Where that is so.
    pub fn check_room(&self) -> Result<()> {
        if self.room(false).is_ok_and(|room| room > 0) {
            return Ok(());
        }
        let message =
            format!("{} leaves no room for a word beside the special tokens; give more", self.limit.max_tokens);
        Err(Error::Setting { key: "--max-tokens", message })
    }

    /// Whether it tells the two texts of a pair apart by token types.
    #[must_use]
    pub fn types(&self) -> Types {
        self.types
    }

    /// The token that replaces a masked one.
    #[must_use]
    pub fn mask(&self) -> TokenOf {
        self.mask
    }

    /// The padding token.
    #[must_use]
    pub fn pad(&self) -> TokenOf {
        self.pad
    }

    /// Number of tokens in the vocabulary.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// A token as the vocabulary writes it.
    #[must_use]
    pub fn token(&self, id: i64) -> String {
        u32::try_from(id).ok().and_then(|id| self.tokenizer.id_to_token(id)).unwrap_or_default()
    }

    /// The largest id of a token, or -1 if there are no tokens; ids need not be numbered without gaps.
    #[must_use]
    pub fn largest_id(&self) -> i64 {
        self.tokenizer.get_vocab(true).into_values().map(i64::from).max().unwrap_or(-1)
    }

    /// Encodes texts on all cores, each with its second text if it has one.
    ///
    /// # Errors
    /// When the tokenizer refuses, or makes too much of a text: by the number of the text, from 1.
    pub fn encode(&self, texts: &[Texts<'_>]) -> Result<Vec<Encoded>> {
        self.encode_from(texts, 1)
    }

    /// As [`TextEncoder::encode`], of texts of which the first has the number `number`.
    ///
    /// # Errors
    /// As [`TextEncoder::encode`].
    pub fn encode_from(&self, texts: &[Texts<'_>], number: usize) -> Result<Vec<Encoded>> {
        self.encode_with(texts, number, OffsetType::Char)
    }

    /// As [`TextEncoder::encode_from`], without the characters that tokens stand for: most of the work of encoding.
    ///
    /// # Errors
    /// As [`TextEncoder::encode`].
    pub fn encode_ids(&self, texts: &[Texts<'_>], number: usize) -> Result<Vec<Encoded>> {
        self.encode_with(texts, number, OffsetType::None)
    }

    /// The token ids of texts without anything around them, however many they are; `numbers` are those of the texts.
    ///
    /// # Errors
    /// As [`TextEncoder::encode`].
    pub fn encode_bare(&self, texts: &[Texts<'_>], numbers: &[usize]) -> Result<Vec<Vec<i64>>> {
        let numbered = texts.iter().zip(numbers).collect::<Vec<_>>();
        let encode = |((text, _), number): (&Texts<'_>, &usize)| {
            let refused = |why| Error::Refused(format!("tokenizer.json cannot encode text {number}: {why}"));
            let tokens = caught(AssertUnwindSafe(|| self.tokens(text, 0, OffsetType::None)));
            let tokens = tokens.and_then(|tokens| tokens).map_err(refused)?;
            Ok(tokens.get_ids().iter().map(|id| i64::from(*id)).collect())
        };
        numbered.into_maybe_par_iter().map(encode).collect()
    }

    /// The tokenizer itself.
    pub(super) fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn encode_with(&self, texts: &[Texts<'_>], number: usize, offsets: OffsetType) -> Result<Vec<Encoded>> {
        let (mut all, mut rest) = (Vec::with_capacity(texts.len()), texts);
        while !rest.is_empty() {
            let (group, later) = rest.split_at(together(rest));
            let first = all.len() + number;
            let numbered = group.iter().zip(first..).collect::<Vec<_>>();
            let encode = |(text, number): (&Texts<'_>, usize)| {
                let refused = |why| Error::Refused(format!("tokenizer.json cannot encode text {number}: {why}"));
                caught(AssertUnwindSafe(|| self.encode_one(*text, offsets))).and_then(|done| done).map_err(refused)
            };
            let encoded: Result<Vec<Encoded>> = numbered.into_maybe_par_iter().map(encode).collect();
            all.extend(encoded?);
            rest = later;
        }
        Ok(all)
    }

    fn encode_one(&self, (text, pair): Texts<'_>, offsets: OffsetType) -> std::result::Result<Encoded, String> {
        let told = |error: tokenizers::Error| error.to_string();
        let first = self.tokens(text, 0, offsets)?;
        let second = pair.map(|pair| self.tokens(pair, 1, offsets)).transpose()?;
        let room = self.room(pair.is_some())?;
        let length = first.len() + second.as_ref().map_or(0, Encoding::len);
        if self.limit.windows.is_some() && length > room {
            return self.windowed(first, second, room);
        }
        let limit = TruncationParams { max_length: room, direction: self.cut_at, ..TruncationParams::default() };
        let (mut first, mut second) = truncate_encodings(first, second, &limit).map_err(told)?;
        // What is cut off is dropped here: with the rest of a pair the library would combine every piece with every one.
        std::iter::once(&mut first).chain(&mut second).for_each(|part| drop(part.take_overflowing()));
        let cut = length - first.len() - second.as_ref().map_or(0, Encoding::len);
        Ok(self.encoded(&self.whole(first, second)?, cut))
    }

    /// The tokens of a text, or of both of a pair, with the special ones.
    ///
    /// # Errors
    /// When there are none, which no model can read, or more than room was left for.
    fn whole(&self, first: Encoding, second: Option<Encoding>) -> std::result::Result<Encoding, String> {
        let (own, added) = (first.len() + second.as_ref().map_or(0, Encoding::len), self.added(second.is_some()));
        let whole = self.tokenizer.post_process(first, second, true).map_err(|error| error.to_string())?;
        if whole.is_empty() {
            return Err("it makes no token of it; leave the text out".to_owned());
        }
        if whole.len() > own + added {
            return Err(format!("its post_processor makes {} tokens of {own} and adds {added}", whole.len()));
        }
        Ok(whole)
    }

    /// How many special tokens stand around a text, or around both of a pair.
    fn added(&self, is_pair: bool) -> usize {
        self.tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(is_pair))
    }

    fn encoded(&self, encoding: &Encoding, cut: usize) -> Encoded {
        let of = |kind: &u32| if self.types == Types::Given { i64::from(*kind) } else { 0 };
        Encoded {
            ids: encoding.get_ids().iter().map(|&id| i64::from(id)).collect(),
            types: encoding.get_type_ids().iter().map(of).collect(),
            second: encoding.get_sequence_ids().iter().map(|&sequence| sequence == Some(1)).collect(),
            spans: encoding.get_offsets().to_vec(),
            special: encoding.get_special_tokens_mask().iter().map(|&mark| mark == 1).collect(),
            cut,
            windows: None,
        }
    }

    /// How many tokens of a text, or of both of a pair, fit beside the special ones.
    fn room(&self, is_pair: bool) -> std::result::Result<usize, String> {
        let added = self.added(is_pair);
        let room = self.limit.max_tokens.checked_sub(added);
        room.ok_or_else(|| format!("it adds {added} special tokens; {} fit", self.limit.max_tokens))
    }

    /// A text that is too long, to be read in windows. Of a pair the longer text has the windows; the other one is in each
    /// of them, cut to half of a window.
    fn windowed(
        &self,
        mut first: Encoding,
        mut second: Option<Encoding>,
        room: usize,
    ) -> std::result::Result<Encoded, String> {
        let of_second = second.as_ref().is_some_and(|second| second.len() > first.len());
        let (long, other) = match &mut second {
            Some(second) if of_second => (second, Some(&mut first)),
            second => (&mut first, second.as_mut()),
        };
        let (is_pair, mut cut, mut width) = (other.is_some(), 0, room);
        if let Some(other) = other {
            cut += cut_off(other, room / 2);
            width -= other.len();
        }
        let step = windows::step(self.limit, width, is_pair)?;
        cut += cut_off(long, (windows::MOST - 1) * step + width);
        let whole = self.whole(first, second)?;
        let mut encoded = self.encoded(&whole, cut);
        let own = whole.get_sequence_ids().into_iter().map(|of| of == Some(usize::from(of_second)));
        let own: Vec<usize> = own.enumerate().filter(|(_, own)| *own).map(|(token, _)| token).collect();
        let part = own.first().copied().unwrap_or(0)..own.last().map_or(0, |last| last + 1);
        let pooling = self.limit.windows.unwrap_or_default().pooling;
        encoded.windows = (part.len() > width).then_some(Windowed { part, width, step, pooling });
        Ok(encoded)
    }

    /// The tokens of one text, without special ones.
    fn tokens(&self, text: &str, kind: u32, offsets: OffsetType) -> std::result::Result<Encoding, String> {
        if text.len() > LONGEST_TEXT {
            return Err(format!("it has {} bytes; {LONGEST_TEXT} at most: cut it into several", text.len()));
        }
        let meter = Meter::new(text.len());
        let limited = Limited { steps: &self.normaliser, meter: &meter };
        let mut parts = self.tokenizer.get_added_vocabulary().extract_and_normalize(Some(&limited), text);
        meter.outcome()?;
        self.splitter.apply(&mut parts, &meter)?;
        let model = self.tokenizer.get_model();
        parts.tokenize(|part| model.tokenize(part.get())).map_err(|error| error.to_string())?;
        parts.into_encoding(None, kind, offsets).map_err(|error| error.to_string())
    }
}

/// The most tokens of a text that the model in `folder` was made for, if its tokenizer says so.
///
/// # Errors
/// When what the folder says of its tokenizer cannot be read.
pub fn max_length(folder: &Path) -> Result<Option<usize>> {
    let told = |message: String| Error::file(&folder.join(settings::CONFIG), message);
    TokenizerSettings::of(folder)?.max_length().map_err(told)
}

/// Keeps the first `most` tokens; how many more there were.
fn cut_off(tokens: &mut Encoding, most: usize) -> usize {
    let more = tokens.len().saturating_sub(most);
    if more > 0 {
        tokens.truncate(most, 0, TruncationDirection::Right);
        drop(tokens.take_overflowing());
    }
    more
}

/// How many of `texts`, at least one, are encoded at once.
fn together(texts: &[Texts<'_>]) -> usize {
    let mut size = 0;
    let fits = |(text, pair): &&Texts<'_>| {
        size += allowed(text.len()) + pair.map_or(0, |pair| allowed(pair.len()));
        size <= AT_ONCE
    };
    texts.iter().take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The tokenizers of the fuzzer's corpus, which are of every model and of most other parts.
    fn corpus() -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/tokenizer");
        fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    fn encoder(content: &[u8], max_tokens: usize) -> Result<TextEncoder> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tokenizer.json"), content).unwrap();
        TextEncoder::load(folder.path(), max_tokens)
    }

    const WORDS: &str = r#"{"model":{"type":"WordLevel","unk_token":"[UNK]",
        "vocab":{"[UNK]":0,"[MASK]":1,"[CLS]":2,"[SEP]":3,"a":4}},"pre_tokenizer":{"type":"Whitespace"},
        "normalizer":NORMALIZER,"post_processor":{"type":"BertProcessing","cls":["[CLS]",2],"sep":["[SEP]",3]}}"#;

    #[test]
    fn texts_are_encoded_as_the_library_encodes_them() {
        let texts = [
            ("The film wasn't \u{e9}\u{301} \u{6f22} good: 12.5 \u{1f600}", None),
            ("a", Some("the second, which is longer than the first")),
            ("the first, which is longer than the second", Some("b")),
            ("both of them are longer than there is room", Some("which is why each of them is cut")),
            ("", None),
        ];
        let ordinary = WORDS.replace("NORMALIZER", "null").into_bytes();
        for content in corpus().into_iter().chain([ordinary]) {
            let Ok(encoder) = encoder(&content, 8) else { continue };
            // One of them multiplies texts, for which the library has no limit.
            if encoder.encode(&texts).is_err() {
                continue;
            }
            let mut library = Tokenizer::from_bytes(&content).unwrap();
            let mut uncut = Tokenizer::from_bytes(&content).unwrap();
            uncut.with_padding(None).with_truncation(None).unwrap();
            let limit = TruncationParams { max_length: 8, ..TruncationParams::default() };
            library.with_padding(None).with_truncation(Some(limit)).unwrap();
            for (text, pair) in texts {
                let input: tokenizers::EncodeInput = match pair {
                    Some(pair) => (text, pair).into(),
                    None => text.into(),
                };
                let whole = uncut.encode_char_offsets(input.clone(), true).unwrap().len();
                let expected = library.encode_char_offsets(input, true).unwrap();
                let expected = encoder.encoded(&expected, whole - expected.len());
                assert_eq!(encoder.encode(&[(text, pair)]).unwrap(), [expected], "{text} {pair:?}");
            }
        }
    }

    #[test]
    fn words_that_are_not_read_to_their_end_are_counted() {
        let encoder = encoder(WORDS.replace("NORMALIZER", "null").as_bytes(), 4).unwrap();
        let cut = |text: &str| {
            let encoded = encoder.encode(&[(text, None)]).unwrap().remove(0);
            (encoded.cut, encoded.words_cut(text, None))
        };
        let words = "a ".repeat(9);
        let read = encoder.encode(&[(&words, None)]).unwrap()[0].special.iter().filter(|special| !**special).count();
        assert_eq!(cut(&words), (9 - read, 9 - read));
        let mut piece = encoder.encode(&[("患者がいた", None)]).unwrap().remove(0);
        piece.spans = vec![(0, 2)];
        (piece.second, piece.special) = (vec![false], vec![false]);
        assert_eq!(piece.words_cut("患者がいた", None), 3);
        piece.spans = vec![(0, 4)];
        assert_eq!(piece.words_cut("https://example.org/a", None), 1);
    }

    #[test]
    fn a_pair_of_long_texts_takes_the_memory_of_what_is_kept() {
        let encoder = encoder(WORDS.replace("NORMALIZER", "null").as_bytes(), 16).unwrap();
        let long = "a ".repeat(100_000);
        let encoded = encoder.encode(&[(&long, Some(&long))]).unwrap();
        assert!(encoded[0].ids.len() == 16 && encoded[0].is_cut());
        let told = encoder.encode(&[("a", Some(&"a".repeat(LONGEST_TEXT + 1)))]).unwrap_err().to_string();
        assert!(told.contains("text 1: it has 1048577 bytes; 1048576 at most"), "{told}");
    }

    #[test]
    fn a_tokenizer_that_multiplies_a_text_is_stopped_and_the_text_numbered() {
        let replace = |from: &str, to: &str| {
            format!(r#"{{"type":"Replace","pattern":{{"String":"{from}"}},"content":"{}"}}"#, to.repeat(200))
        };
        let nested = [replace("a", "b"), replace("b", "c"), replace("c", "d"), replace("d", "e")].join(",");
        let json = WORDS.replace("NORMALIZER", &format!(r#"{{"type":"Sequence","normalizers":[{nested}]}}"#));
        let told =
            encoder(json.as_bytes(), 16).unwrap().encode(&[("x", None), ("aaaa", None)]).unwrap_err().to_string();
        let expected = "tokenizer.json cannot encode text 2: it makes more than 4128 bytes of the 4 of a text";
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn a_text_of_which_no_token_is_left_is_numbered_however_it_is_encoded() {
        let before = WORDS.split(r#","post_processor""#).next().unwrap();
        let bare = format!("{before}}}").replace("NORMALIZER", "null");
        let encoder = encoder(bare.as_bytes(), 16).unwrap();
        let expected = "tokenizer.json cannot encode text 2: it makes no token of it; leave the text out";
        let told = encoder.encode(&[("a", None), (" ", None)]).unwrap_err().to_string();
        assert_eq!(told, expected);
        let mut words = super::super::word_ids::WordIds::of(&encoder).unwrap();
        assert!(words.rows(&["a", " "], 1).unwrap()[1].is_none());
    }

    #[test]
    fn a_post_processor_that_repeats_a_text_is_refused() {
        let template = r#"{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},
            {"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{}}"#;
        let old = r#"{"type":"BertProcessing","cls":["[CLS]",2],"sep":["[SEP]",3]}"#;
        let json = WORDS.replace(old, template).replace("NORMALIZER", "null");
        let told = encoder(json.as_bytes(), 16).unwrap().encode(&[("a a", None)]).unwrap_err().to_string();
        assert!(told.ends_with("its post_processor makes 4 tokens of 2 and adds 0"), "{told}");
    }

    #[test]
    fn a_pattern_that_never_comes_to_an_end_is_stopped() {
        let replace = r#"{"type":"Replace","pattern":{"Regex":"(a+)+$"},"content":"b"}"#;
        let encoder = encoder(WORDS.replace("NORMALIZER", replace).as_bytes(), 16).unwrap();
        assert_eq!(encoder.encode(&[("a good film", None)]).unwrap().len(), 1);
        let told = encoder.encode(&[(&format!("{}b", "a".repeat(3000)), None)]).unwrap_err().to_string();
        assert!(told.contains("cannot encode text 1: ") && told.contains("limit"), "{told}");
    }
}
