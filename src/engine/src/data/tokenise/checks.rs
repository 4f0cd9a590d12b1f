//! What is looked at in a tokenizer before it is made, and before a text is given to it: what it would do to every text.

use serde::Deserialize;
use serde_json::Value;
use tokenizers::{ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper};

use super::meter::Meter;
use super::normaliser::{Limited, NormaliserSteps};

/// Characters of a word that a WordPiece model looks into; the library's own limit is 100. The work for a word grows
/// with its cube.
const LONGEST_WORD: usize = 256;
/// Bytes that a model puts before or after each part of a word, to look it up.
const LONGEST_AFFIX: usize = 64;
/// Bytes of a token at which a Unigram model looks from every character on.
const LONGEST_TOKEN: usize = 512;
/// Pieces of which a text is made up with the special tokens.
const MOST_PIECES: usize = 256;

/// The parts of a tokenizer that every text goes through, but the model, which is large.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parts {
    normalizer: Option<Value>,
    post_processor: Option<Value>,
    added_tokens: Vec<AddedToken>,
    pub(super) model: ModelParts,
}

/// What a model has beside its vocabulary.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct ModelParts {
    pub(super) unk_token: Option<String>,
    pub(super) unk_id: Option<usize>,
    pub(super) dropout: Option<f64>,
    pub(super) continuing_subword_prefix: Option<String>,
    pub(super) end_of_word_suffix: Option<String>,
    pub(super) fuse_unk: bool,
    pub(super) byte_fallback: bool,
    pub(super) ignore_merges: bool,
    pub(super) max_input_chars_per_word: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AddedToken {
    content: String,
    normalized: bool,
}

impl Parts {
    /// The steps of the normaliser, after the post-processor was looked at and what the normaliser makes of the added
    /// tokens, which the library gives to it when the tokenizer is made.
    ///
    /// # Errors
    /// When one of them multiplies texts.
    pub(super) fn checked(&self) -> Result<NormaliserSteps, String> {
        if self.post_processor.as_ref().is_some_and(|processor| pieces(processor) > MOST_PIECES) {
            return Err(format!("its post-processor makes up a text of more than {MOST_PIECES} pieces"));
        }
        let normaliser: Option<NormalizerWrapper> =
            self.normalizer.clone().map(serde_json::from_value).transpose().map_err(|error| error.to_string())?;
        let steps = NormaliserSteps::of(normaliser)?;
        let normalised = self.added_tokens.iter().filter(|token| token.normalized);
        check_added(&steps, normalised.map(|token| token.content.as_str()))?;
        Ok(steps)
    }
}

/// Refuses added tokens of which the normaliser makes too much.
///
/// # Errors
/// Why it is stopped.
pub(super) fn check_added<'a>(steps: &NormaliserSteps, contents: impl Iterator<Item = &'a str>) -> Result<(), String> {
    for content in contents {
        let meter = Meter::new(content.len());
        let mut text = NormalizedString::from(content);
        Limited { steps, meter: &meter }.normalize(&mut text).map_err(|error| error.to_string())?;
        meter.outcome()?;
    }
    Ok(())
}

/// The elements of all lists in `value`.
fn pieces(value: &Value) -> usize {
    match value {
        Value::Array(all) => all.iter().map(|part| 1 + pieces(part)).sum(),
        Value::Object(all) => all.values().map(pieces).sum(),
        _ => 0,
    }
}

/// Refuses a model whose work for a text has no reasonable bound.
///
/// # Errors
/// Which number of it is too large.
pub(super) fn check_model(model: &ModelWrapper) -> Result<(), String> {
    if let ModelWrapper::BPE(model) = model
        && model.dropout.is_some_and(|share| share > 0.0)
    {
        return Err("has a model.dropout: it would read a text in another way each time; set it to null".to_owned());
    }
    let long = |affix: &Option<String>| affix.as_ref().is_some_and(|affix| affix.len() > LONGEST_AFFIX);
    let affixes = match model {
        ModelWrapper::WordPiece(model) if model.max_input_chars_per_word > LONGEST_WORD => {
            return Err(format!("has max_input_chars_per_word above {LONGEST_WORD}; the usual number is 100"));
        }
        ModelWrapper::Unigram(model) if model.iter().any(|(token, _)| token.len() > LONGEST_TOKEN) => {
            return Err(format!("has a token of more than {LONGEST_TOKEN} bytes; remove it"));
        }
        ModelWrapper::WordPiece(model) => model.continuing_subword_prefix.len() > LONGEST_AFFIX,
        ModelWrapper::BPE(model) => long(&model.continuing_subword_prefix) || long(&model.end_of_word_suffix),
        ModelWrapper::WordLevel(_) | ModelWrapper::Unigram(_) => false,
    };
    if affixes { Err(format!("has a prefix or suffix of more than {LONGEST_AFFIX} bytes")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        serde_json::from_str::<Parts>(json).unwrap().checked().unwrap_err()
    }

    #[test]
    fn what_would_grow_when_the_tokenizer_is_made_is_refused_before() {
        let replace = format!(r#"{{"type":"Replace","pattern":{{"Regex":""}},"content":"{}"}}"#, "x".repeat(1000));
        let added =
            |normalized: bool| format!(r#"[{{"id":0,"content":"{}","normalized":{normalized}}}]"#, "a".repeat(10_000));
        let json = |normalized| format!(r#"{{"normalizer":{replace},"added_tokens":{}}}"#, added(normalized));
        assert!(refusal(&json(true)).contains("multiplies"));
        assert!(serde_json::from_str::<Parts>(&json(false)).unwrap().checked().is_ok());
        let piece = r#"{"Sequence":{"id":"A","type_id":0}}"#;
        let single = [piece; 300].join(",");
        let template = format!(r#"{{"post_processor":{{"type":"TemplateProcessing","single":[{single}]}}}}"#);
        assert!(refusal(&template).contains("more than 256 pieces"));
    }

    #[test]
    fn a_model_that_works_for_ever_on_a_word_is_refused() {
        let model = |json: &str| check_model(&serde_json::from_str(json).unwrap());
        let pieces = |longest: usize, prefix: &str| {
            format!(
                r#"{{"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"{prefix}",
                "max_input_chars_per_word":{longest},"vocab":{{"u":0}}}}"#
            )
        };
        assert_eq!(model(&pieces(100, "##")), Ok(()));
        assert!(model(&pieces(1_000_000, "##")).unwrap_err().contains("max_input_chars_per_word above 256"));
        assert!(model(&pieces(100, &"#".repeat(65))).unwrap_err().contains("prefix or suffix"));
        let unigram = format!(r#"{{"type":"Unigram","unk_id":0,"vocab":[["u",0.0],["{}",-1.0]]}}"#, "a".repeat(513));
        assert!(model(&unigram).unwrap_err().contains("more than 512 bytes"));
        let merging = |dropout: &str| format!(r#"{{"type":"BPE","dropout":{dropout},"vocab":{{"u":0}},"merges":[]}}"#);
        assert_eq!((model(&merging("null")), model(&merging("0.0"))), (Ok(()), Ok(())));
        assert!(model(&merging("0.1")).unwrap_err().contains("set it to null"));
    }
}
