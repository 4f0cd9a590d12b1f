//! What the tokenizer classes of transformers 5 make anew of a vocabulary, whatever else `tokenizer.json` has.

use serde_json::{Map, Value, json};
use tokenizers::{ModelWrapper, Tokenizer};

use super::checks::ModelParts;
use super::class::Remade;
use super::ends::template;
use super::special::SpecialTokens;

/// The words of `Qwen2Tokenizer`.
const QWEN2_WORDS: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

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
        let of_words = |unknown: Option<&str>| ModelParts {
            unk_token: unknown.map(str::to_owned),
            fuse_unk: true,
            byte_fallback: true,
            ..ModelParts::default()
        };
        let of_pieces = |unk_id| ModelParts { unk_id, ..ModelParts::default() };
        let parts = match (remade, self.tokenizer.get_model()) {
            (Remade::Bert | Remade::Mpnet, ModelWrapper::WordPiece(_)) => ModelParts {
                unk_token: self.tokens.content("unk_token").map(str::to_owned),
                continuing_subword_prefix: Some("##".to_owned()),
                max_input_chars_per_word: Some(100),
                ..ModelParts::default()
            },
            (Remade::Roberta | Remade::Gpt2 | Remade::Qwen2, ModelWrapper::BPE(_)) => of_bytes(),
            (Remade::Llama, ModelWrapper::BPE(_)) => of_words(None),
            (Remade::Gemma, ModelWrapper::BPE(_)) => of_words(self.tokens.content("unk_token")),
            (Remade::XlmRoberta, ModelWrapper::Unigram(_)) => of_pieces(Some(3)),
            (Remade::Albert, ModelWrapper::Unigram(_)) => of_pieces(Some(1)),
            (Remade::Deberta | Remade::Camembert, ModelWrapper::Unigram(_)) => of_pieces(self.unknown()),
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
            Remade::Bert | Remade::Mpnet => written["type"] == "BertNormalizer" && written["clean_text"] == true,
            Remade::Roberta | Remade::Gpt2 | Remade::Llama => written.is_null(),
            Remade::Qwen2 => written == json!({"type": "NFC"}),
            Remade::Gemma => written == json!({"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"}),
            Remade::XlmRoberta | Remade::Camembert => written.is_null() || written["type"] == "Precompiled",
            Remade::Albert => self.has_steps_of_albert(&written),
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

    /// Whether these are the steps of the normaliser of ALBERT, with a table of characters or without.
    fn has_steps_of_albert(&self, written: &Value) -> bool {
        let replace = |text: &str| json!({"type": "Replace", "pattern": {"String": text}, "content": "\""});
        let keeps = self.flag("keep_accents", false);
        let accents = (!keeps).then(|| [json!({"type": "NFKD"}), json!({"type": "StripAccents"})]);
        let lower = self.flag("do_lower_case", true).then(|| json!({"type": "Lowercase"}));
        let steps = [replace("``"), replace("''")].into_iter().chain(accents.into_iter().flatten()).chain(lower);
        let (steps, found) = (steps.collect::<Vec<_>>(), written["normalizers"].as_array());
        let rest = found.and_then(|found| found.strip_prefix(steps.as_slice()));
        rest.is_some_and(|rest| rest.is_empty() || (rest.len() == 1 && rest[0]["type"] == "Precompiled"))
    }

    fn has_splitter(&self, remade: Remade) -> bool {
        let written = written(self.tokenizer.get_pre_tokenizer());
        let pieces = |others| {
            let scheme = if self.flag("add_prefix_space", true) { "always" } else { others };
            json!({"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme, "split": true})
        };
        match remade {
            Remade::Bert | Remade::Mpnet => written == json!({"type": "BertPreTokenizer"}),
            // Its prefix space is that of the class by now.
            Remade::Roberta | Remade::Gpt2 => written["type"] == "ByteLevel" && written["use_regex"] == true,
            Remade::Llama => {
                let first = if self.flag("legacy", false) { "always" } else { "first" };
                let scheme = if self.flag("add_prefix_space", true) { first } else { "never" };
                written
                    == json!({"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme,
                    "split": false})
            }
            Remade::Gemma => {
                written
                    == json!({"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
                    "invert": false})
            }
            Remade::Qwen2 => {
                let [words, bytes] = [&written["pretokenizers"][0], &written["pretokenizers"][1]];
                let split = json!({"type": "Split", "pattern": {"Regex": QWEN2_WORDS}, "behavior": "Isolated",
                    "invert": false});
                *words == split
                    && bytes["type"] == "ByteLevel"
                    && bytes["use_regex"] == false
                    && bytes["add_prefix_space"] == self.flag("add_prefix_space", false)
            }
            Remade::XlmRoberta | Remade::Camembert | Remade::Albert => {
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
            // They take that of the file.
            Remade::Gpt2 | Remade::Llama | Remade::Gemma | Remade::Qwen2 => true,
            Remade::Bert | Remade::Deberta | Remade::Albert => {
                let (cls, sep) = (token("cls_token"), token("sep_token"));
                let pair = [(cls, 0), ("$A", 0), (sep, 0), ("$B", 1), (sep, 1)];
                written == template(self.tokenizer, &pair[..3], &pair)
            }
            Remade::XlmRoberta | Remade::Camembert => {
                let (bos, eos) = (token("bos_token"), token("eos_token"));
                let pair = [(bos, 0), ("$A", 0), (eos, 0), (eos, 0), ("$B", 0), (eos, 0)];
                written == template(self.tokenizer, &pair[..3], &pair)
            }
            Remade::Roberta | Remade::Mpnet => {
                let has =
                    |key: &str, role| written[key] == json!([token(role), self.tokenizer.token_to_id(token(role))]);
                written["type"] == "RobertaProcessing" && has("cls", "cls_token") && has("sep", "sep_token")
            }
        }
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.config.get(key).and_then(Value::as_bool).unwrap_or(default)
    }
}

/// A part of a tokenizer as its file writes it.
fn written(part: Option<&impl serde::Serialize>) -> Value {
    part.and_then(|part| serde_json::to_value(part).ok()).unwrap_or_default()
}
