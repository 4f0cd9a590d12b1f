//! From texts to token ids, with the characters that each token stands for.

use std::panic::AssertUnwindSafe;
use std::path::Path;

use pellucid_files::bounded;
use pellucid_intake::model_folder::member::member;
use tokenizers::{EncodeInput, Tokenizer, TruncationParams};

use crate::error::{Error, Result};
use crate::panic_guard::caught;

/// A text as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special tokens included.
    pub ids: Vec<i64>,
    /// Token types: 0, and 1 for the second text of a pair.
    pub types: Vec<i64>,
    /// Whether a token is of the second text of a pair.
    pub second: Vec<bool>,
    /// The characters that each token stands for, in the first or the second text as `second` says.
    pub spans: Vec<(usize, usize)>,
    /// Whether the tokenizer added the token, as it adds `[CLS]`.
    pub special: Vec<bool>,
    /// Whether the text was longer than the limit and was cut.
    pub cut: bool,
}

/// The tokenizer of a model folder, with a limit on the length of texts.
pub struct TextEncoder {
    tokenizer: Tokenizer,
    mask: i64,
    pad: i64,
}

const MASKS: &[&str] = &["[MASK]", "<mask>"];
const PADS: &[&str] = &["[PAD]", "<pad>"];
const UNKNOWNS: &[&str] = &["[UNK]", "<unk>", "<|endoftext|>"];

impl TextEncoder {
    /// Loads `tokenizer.json` of `folder`; texts are cut at `max_tokens` tokens.
    ///
    /// # Errors
    /// When the file is missing or is not a tokenizer.
    pub fn load(folder: &Path, max_tokens: usize) -> Result<Self> {
        let path = member(folder, "tokenizer.json")?;
        if !path.exists() {
            let remedy = "has no tokenizer.json; make it with transformers: \
                          AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)";
            return Err(Error::file(folder, remedy));
        }
        let bytes = bounded::read(&path, bounded::TOKENIZER).map_err(|error| Error::file(&path, error))?;
        // The library panics at some of what is no tokenizer.
        let made = caught(move || Tokenizer::from_bytes(bytes).map_err(|error| error.to_string()));
        let damaged = |message: String| Error::file(&path, format!("is no tokenizer: {message}"));
        let mut tokenizer = made.and_then(|made| made).map_err(damaged)?;
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|error| Error::file(&path, error))?;
        let find = |names: &[&str]| names.iter().find_map(|name| tokenizer.token_to_id(name)).map(i64::from);
        let mask = find(MASKS).or_else(|| find(UNKNOWNS));
        let pad = find(PADS).or(mask);
        let missing = || Error::file(&path, "has no [MASK], <mask> or unknown token to mask words with");
        Ok(Self { mask: mask.ok_or_else(missing)?, pad: pad.ok_or_else(missing)?, tokenizer })
    }

    /// The id of the token that replaces a masked one.
    #[must_use]
    pub fn mask_id(&self) -> i64 {
        self.mask
    }

    /// The id of the padding token.
    #[must_use]
    pub fn pad_id(&self) -> i64 {
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
    /// When the tokenizer refuses.
    pub fn encode(&self, texts: &[(&str, Option<&str>)]) -> Result<Vec<Encoded>> {
        let inputs: Vec<EncodeInput> = texts
            .iter()
            .map(|&(text, pair)| match pair {
                Some(pair) => EncodeInput::Dual(text.into(), pair.into()),
                None => EncodeInput::Single(text.into()),
            })
            .collect();
        let refused = |message| Error::Refused(format!("tokenizer.json cannot encode the texts: {message}"));
        let encode = || self.tokenizer.encode_batch_char_offsets(inputs, true).map_err(|error| error.to_string());
        let encodings = caught(AssertUnwindSafe(encode)).and_then(|encodings| encodings).map_err(refused)?;
        Ok(encodings.iter().map(encoded).collect())
    }
}

fn encoded(encoding: &tokenizers::Encoding) -> Encoded {
    Encoded {
        ids: encoding.get_ids().iter().map(|&id| i64::from(id)).collect(),
        types: encoding.get_type_ids().iter().map(|&id| i64::from(id)).collect(),
        second: encoding.get_sequence_ids().iter().map(|&sequence| sequence == Some(1)).collect(),
        spans: encoding.get_offsets().to_vec(),
        special: encoding.get_special_tokens_mask().iter().map(|&mark| mark == 1).collect(),
        cut: !encoding.get_overflowing().is_empty(),
    }
}
