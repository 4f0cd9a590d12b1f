//! The special tokens that a tokenizer class puts around each text, where its configuration says so.

use serde_json::{Map, Value, json};
use tokenizers::{PostProcessorWrapper, Tokenizer};

use super::class::{Ends, TokenizerClass, Writer};
use super::special::SpecialTokens;

/// Which special tokens stand around each text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    /// Whether the first token does.
    bos: bool,
    /// Whether the last one does.
    eos: bool,
}

impl Around {
    /// Those of a tokenizer of `class` with the configuration `config`; `None` if its post-processor says it.
    ///
    /// Where there is a `tokenizer.json`, transformers 5 drops the keys of every class, whatever they are.
    ///
    /// # Errors
    /// A key that is neither true nor false.
    pub(super) fn of(config: &Map<String, Value>, class: TokenizerClass) -> Result<Option<Self>, String> {
        if class.writer == Writer::Five {
            return Ok(None);
        }
        let flag = |key: &str, default: bool| match config.get(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(format!("{key} is `{other}`; true or false")),
        };
        let (bos, eos) = (flag("add_bos_token", true)?, flag("add_eos_token", false)?);
        Ok((class.ends == Ends::AsConfigured).then_some(Self { bos, eos }))
    }

    /// Puts them around the texts of `tokenizer`.
    ///
    /// # Errors
    /// When there is no such token.
    pub(super) fn put(self, tokenizer: &mut Tokenizer, tokens: &SpecialTokens) -> Result<(), String> {
        let find = |wanted: bool, role: &str, key: &str| match tokens.content(role) {
            _ if !wanted => Ok(None),
            None => Err(format!("{key} is true, but there is no {role}")),
            Some(token) => match tokenizer.token_to_id(token) {
                Some(_) => Ok(Some(token)),
                None => Err(format!("{role} `{token}` is no token of tokenizer.json")),
            },
        };
        let (bos, eos) = (find(self.bos, "bos_token", "add_bos_token")?, find(self.eos, "eos_token", "add_eos_token")?);
        let around = |text, kind| {
            let pieces = [bos, Some(text), eos].into_iter().flatten();
            pieces.map(|piece| (piece, kind)).collect::<Vec<(&str, i64)>>()
        };
        let (single, second) = (around("$A", 0), around("$B", 1));
        let pair = [single.clone(), second].concat();
        let written = template(tokenizer, &single, &pair);
        let made: PostProcessorWrapper = serde_json::from_value(written).map_err(|error| error.to_string())?;
        tokenizer.with_post_processor(Some(made));
        Ok(())
    }
}

/// A post-processor that puts texts, `$A` and `$B`, and special tokens in a row, each with its type.
pub(super) fn template(tokenizer: &Tokenizer, single: &[(&str, i64)], pair: &[(&str, i64)]) -> Value {
    let piece = |&(name, kind): &(&str, i64)| match name.strip_prefix('$') {
        Some(text) => json!({"Sequence": {"id": text, "type_id": kind}}),
        None => json!({"SpecialToken": {"id": name, "type_id": kind}}),
    };
    let special = single.iter().filter(|(name, _)| !name.starts_with('$')).map(|&(name, _)| {
        let ids = [tokenizer.token_to_id(name)];
        (name.to_owned(), json!({"id": name, "ids": ids, "tokens": [name]}))
    });
    json!({
        "type": "TemplateProcessing",
        "single": single.iter().map(piece).collect::<Vec<_>>(),
        "pair": pair.iter().map(piece).collect::<Vec<_>>(),
        "special_tokens": special.collect::<Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::TextEncoder;
    use super::*;

    /// The ids of a text and of a pair, with `keys` in the configuration; or why there are none.
    fn ids(keys: &Value) -> Result<[Vec<i64>; 2], String> {
        let folder = tempfile::tempdir().unwrap();
        let tokenizer = json!({
            "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3}},
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": null,
        });
        fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
        fs::write(folder.path().join("tokenizer_config.json"), keys.to_string()).unwrap();
        let encoder = TextEncoder::load(folder.path(), 8).map_err(|error| error.to_string())?;
        let encoded = encoder.encode(&[("a", None), ("a", Some("a a"))]).unwrap();
        Ok([0, 1].map(|text| encoded[text].ids.clone()))
    }

    #[test]
    fn the_configuration_says_what_stands_around_a_text() {
        // transformers 4.57.1: LlamaTokenizerFast(tokenizer_object=…, **keys)("a") and ("a", "a a").
        let of_four = |keys: Value| {
            let mut all = json!({"tokenizer_class": "LlamaTokenizer", "added_tokens_decoder": {}});
            all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            ids(&all)
        };
        assert_eq!(of_four(json!({})).unwrap(), [vec![1, 3], vec![1, 3, 1, 3, 3]]);
        let both = json!({"add_eos_token": true});
        assert_eq!(of_four(both).unwrap(), [vec![1, 3, 2], vec![1, 3, 2, 1, 3, 3, 2]]);
        let none = json!({"add_bos_token": false});
        assert_eq!(of_four(none).unwrap(), [vec![3], vec![3, 3, 3]]);
        let unknown = of_four(json!({"bos_token": "<begin>", "added_tokens_decoder": {}})).unwrap();
        assert_eq!(unknown[0].len(), 2, "the token is added");
        assert!(of_four(json!({"add_prefix_space": true})).unwrap_err().contains("add_prefix_space"));
        assert_eq!(of_four(json!({"add_prefix_space": null})).unwrap()[0], [1, 3]);
    }

    #[test]
    fn transformers_5_drops_the_keys() {
        // transformers 5.0.0 and 5.24.0: AutoTokenizer.from_pretrained(folder)("a"), whatever the class is.
        for class in ["TokenizersBackend", "PreTrainedTokenizerFast"] {
            let of_five = |keys: Value| {
                let mut all =
                    json!({"backend": "tokenizers", "tokenizer_class": class, "bos_token": "<s>", "eos_token": "</s>"});
                all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
                ids(&all).unwrap()
            };
            let none = of_five(json!({}));
            assert_eq!(none, [vec![3], vec![3, 3, 3]]);
            for keys in [json!({"add_bos_token": true}), json!({"add_eos_token": true, "add_bos_token": null})] {
                assert_eq!(of_five(keys.clone()), none, "{class} {keys}");
            }
        }
        let five = TokenizerClass::of(Some("LlamaTokenizer"), None, Writer::Five).unwrap();
        let keys = json!({"add_bos_token": true, "add_eos_token": true});
        assert_eq!(Around::of(keys.as_object().unwrap(), five), Ok(None));
    }
}
