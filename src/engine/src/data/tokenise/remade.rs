//! What the tokenizer classes of transformers 5 make anew of a vocabulary, whatever else `tokenizer.json` has.

use serde_json::{Map, Value, json};
use tokenizers::{ModelWrapper, Tokenizer};

use super::checks::ModelParts;
use super::class::Remade;
use super::special::SpecialTokens;

/// A tokenizer, and what its class is given.
pub(super) struct Class<'a> {
    /// `tokenizer_config.json`.
    pub(super) config: &'a Map<String, Value>,
    pub(super) tokens: &'a SpecialTokens,
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) model: &'a ModelParts,
}

/// Compares a tokenizer with what its class makes.
///
/// # Errors
/// The part that differs.
pub(super) fn check(remade: Remade, class: &Class<'_>) -> Result<(), &'static str> {
    let same = |part: &'static str, same: bool| if same { Ok(()) } else { Err(part) };
    same("added_tokens_decoder", !class.tokens.differ())?;
    same("the model of tokenizer.json", class.has_model(remade))?;
    same("the normalizer of tokenizer.json", class.has_normaliser(remade))?;
    same("the pre_tokenizer of tokenizer.json", class.has_splitter(remade))?;
    same("the post_processor of tokenizer.json", class.has_post_processor(remade))
}

impl Class<'_> {
    fn has_model(&self, remade: Remade) -> bool {
        let of_bytes = || ModelParts {
            continuing_subword_prefix: Some(String::new()),
            end_of_word_suffix: Some(String::new()),
            ..ModelParts::default()
        };
        let of_pieces = |unk_id| ModelParts { unk_id, ..ModelParts::default() };
        let parts = match (remade, self.tokenizer.get_model()) {
            (Remade::Bert, ModelWrapper::WordPiece(_)) => ModelParts {
                unk_token: self.tokens.content("unk_token").map(str::to_owned),
                continuing_subword_prefix: Some("##".to_owned()),
                max_input_chars_per_word: Some(100),
                ..ModelParts::default()
            },
            (Remade::Roberta | Remade::Gpt2, ModelWrapper::BPE(_)) => of_bytes(),
            (Remade::XlmRoberta, ModelWrapper::Unigram(_)) => of_pieces(Some(3)),
            (Remade::Deberta, ModelWrapper::Unigram(_)) => of_pieces(self.unknown()),
            _ => return false,
        };
        *self.model == parts
    }

    /// The number of the unknown token of a model of pieces.
    fn unknown(&self) -> Option<usize> {
        let named = self.tokens.content("unk_token").and_then(|token| self.tokenizer.token_to_id(token));
        named.and_then(|id| usize::try_from(id).ok())
    }

    fn has_normaliser(&self, remade: Remade) -> bool {
        let written = written(self.tokenizer.get_normalizer());
        match remade {
            // Its settings are those of the class by now.
            Remade::Bert => written["type"] == "BertNormalizer" && written["clean_text"] == true,
            Remade::Roberta | Remade::Gpt2 => written.is_null(),
            Remade::XlmRoberta => written.is_null() || written["type"] == "Precompiled",
            Remade::Deberta => {
                let lower = self.flag("do_lower_case", false).then(|| json!({"type": "Lowercase"}));
                let rest = [
                    json!({"type": "Replace", "pattern": {"Regex": r"\s{2,}|[\n\r\t]"}, "content": " "}),
                    json!({"type": "NFC"}),
                    json!({"type": "Strip", "strip_left": false, "strip_right": true}),
                ];
                let steps: Vec<Value> = lower.into_iter().chain(rest).collect();
                written == json!({"type": "Sequence", "normalizers": steps})
            }
        }
    }

    fn has_splitter(&self, remade: Remade) -> bool {
        let written = written(self.tokenizer.get_pre_tokenizer());
        let pieces = |others| {
            let scheme = if self.flag("add_prefix_space", true) { "always" } else { others };
            json!({"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme, "split": true})
        };
        match remade {
            Remade::Bert => written == json!({"type": "BertPreTokenizer"}),
            // Its prefix space is that of the class by now.
            Remade::Roberta | Remade::Gpt2 => written["type"] == "ByteLevel" && written["use_regex"] == true,
            Remade::XlmRoberta => {
                let steps = [json!({"type": "WhitespaceSplit"}), pieces("never")];
                written == json!({"type": "Sequence", "pretokenizers": steps})
            }
            Remade::Deberta => {
                let punctuation = json!({"type": "Punctuation", "behavior": "Isolated"});
                let first = self.flag("split_by_punct", false).then_some(punctuation);
                let steps: Vec<Value> = first.into_iter().chain([pieces("first")]).collect();
                written == json!({"type": "Sequence", "pretokenizers": steps})
            }
        }
    }

    fn has_post_processor(&self, remade: Remade) -> bool {
        let written = written(self.tokenizer.get_post_processor());
        let token = |role: &str| self.tokens.content(role).unwrap_or_default();
        match remade {
            // It takes that of the file.
            Remade::Gpt2 => true,
            Remade::Bert | Remade::Deberta => {
                let (cls, sep) = (token("cls_token"), token("sep_token"));
                let pair = [(cls, 0), ("$A", 0), (sep, 0), ("$B", 1), (sep, 1)];
                written == self.template(&pair[..3], &pair)
            }
            Remade::XlmRoberta => {
                let (bos, eos) = (token("bos_token"), token("eos_token"));
                let pair = [(bos, 0), ("$A", 0), (eos, 0), (eos, 0), ("$B", 0), (eos, 0)];
                written == self.template(&pair[..3], &pair)
            }
            Remade::Roberta => {
                let has =
                    |key: &str, role| written[key] == json!([token(role), self.tokenizer.token_to_id(token(role))]);
                written["type"] == "RobertaProcessing" && has("cls", "cls_token") && has("sep", "sep_token")
            }
        }
    }

    /// A post-processor that puts texts and special tokens in a row, each with its type.
    fn template(&self, single: &[(&str, i64)], pair: &[(&str, i64)]) -> Value {
        let piece = |&(name, kind): &(&str, i64)| match name.strip_prefix('$') {
            Some(text) => json!({"Sequence": {"id": text, "type_id": kind}}),
            None => json!({"SpecialToken": {"id": name, "type_id": kind}}),
        };
        let special = single.iter().filter(|(name, _)| !name.starts_with('$')).map(|&(name, _)| {
            let ids = [self.tokenizer.token_to_id(name)];
            (name.to_owned(), json!({"id": name, "ids": ids, "tokens": [name]}))
        });
        json!({
            "type": "TemplateProcessing",
            "single": single.iter().map(piece).collect::<Vec<_>>(),
            "pair": pair.iter().map(piece).collect::<Vec<_>>(),
            "special_tokens": special.collect::<Map<_, _>>(),
        })
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.config.get(key).and_then(Value::as_bool).unwrap_or(default)
    }
}

/// A part of a tokenizer as its file writes it.
fn written(part: Option<&impl serde::Serialize>) -> Value {
    part.and_then(|part| serde_json::to_value(part).ok()).unwrap_or_default()
}
