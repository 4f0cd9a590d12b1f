//! What becomes of the keys of `config.json`: each that transformers knows is followed, has no part in logits, or is
//! refused unless it has the value that changes nothing.

use serde_json::{Map, Value};

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Key {
    /// It is followed.
    Read,
    /// It has no part in the logits of a classifier.
    NoEffect,
    /// It is refused, but for this value and `null`.
    Only(Neutral),
    /// Transformers takes it for the other key: it is refused unless that one has the same value.
    Alias(&'static str),
}

/// The value of a key that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Neutral {
    /// None but `null`.
    Nothing,
    /// `false`.
    False,
    /// 0.
    Zero,
    /// 1.
    One,
    /// An empty list or object.
    Empty,
    /// A text.
    Text(&'static str),
}

/// Keys with what becomes of them.
pub(super) type Keys = &'static [(&'static str, Key)];

const FALSE: Key = Key::Only(Neutral::False);
const EMPTY: Key = Key::Only(Neutral::Empty);
pub(super) const NOTHING: Key = Key::Only(Neutral::Nothing);

/// Keys of every family.
const COMMON: Keys = &[
    ("model_type", Key::Read),
    ("id2label", Key::Read),
    ("num_labels", Key::Read),
    ("problem_type", Key::Read),
    // Of the tokenizer.
    ("tokenizer_class", Key::Read),
    ("pad_token_id", Key::Read),
    // Another computation.
    ("is_decoder", FALSE),
    ("add_cross_attention", FALSE),
    ("is_encoder_decoder", FALSE),
    ("tie_encoder_decoder", FALSE),
    ("cross_attention_hidden_size", NOTHING),
    ("pruned_heads", EMPTY),
    ("per_layer_config", EMPTY),
    ("quantization_config", NOTHING),
    ("_pre_quantization_dtype", NOTHING),
    // Code of the folder, which is not run.
    ("auto_map", EMPTY),
    // Read by the families whose layers are of several types.
    ("layer_types", Key::NoEffect),
    // Names and notes.
    ("architectures", Key::NoEffect),
    ("label2id", Key::NoEffect),
    ("transformers_version", Key::NoEffect),
    ("_name_or_path", Key::NoEffect),
    ("name_or_path", Key::NoEffect),
    ("_commit_hash", Key::NoEffect),
    ("finetuning_task", Key::NoEffect),
    ("task_specific_params", Key::NoEffect),
    ("prefix", Key::NoEffect),
    // How it is computed or told: the numbers are the same but for rounding.
    ("dtype", Key::NoEffect),
    ("torch_dtype", Key::NoEffect),
    ("chunk_size_feed_forward", Key::NoEffect),
    ("attn_implementation", Key::NoEffect),
    ("_attn_implementation", Key::NoEffect),
    ("experts_implementation", Key::NoEffect),
    ("gradient_checkpointing", Key::NoEffect),
    ("use_cache", Key::NoEffect),
    ("torchscript", Key::NoEffect),
    ("return_dict", Key::NoEffect),
    ("output_attentions", Key::NoEffect),
    ("output_hidden_states", Key::NoEffect),
    ("tie_last_hidden_states", Key::NoEffect),
    ("tf_legacy_loss", Key::NoEffect),
    ("use_bfloat16", Key::NoEffect),
    // How weights begin, and the output layer of language models.
    ("initializer_range", Key::NoEffect),
    ("tie_word_embeddings", Key::NoEffect),
    // The tokenizer puts these tokens where they belong.
    ("bos_token_id", Key::NoEffect),
    ("eos_token_id", Key::NoEffect),
    ("sep_token_id", Key::NoEffect),
    ("cls_token_id", Key::NoEffect),
    ("mask_token_id", Key::NoEffect),
    ("unk_token_id", Key::NoEffect),
    ("decoder_start_token_id", Key::NoEffect),
    // Generating text.
    ("bad_words_ids", Key::NoEffect),
    ("begin_suppress_tokens", Key::NoEffect),
    ("diversity_penalty", Key::NoEffect),
    ("do_sample", Key::NoEffect),
    ("early_stopping", Key::NoEffect),
    ("encoder_no_repeat_ngram_size", Key::NoEffect),
    ("exponential_decay_length_penalty", Key::NoEffect),
    ("forced_bos_token_id", Key::NoEffect),
    ("forced_eos_token_id", Key::NoEffect),
    ("length_penalty", Key::NoEffect),
    ("max_length", Key::NoEffect),
    ("min_length", Key::NoEffect),
    ("no_repeat_ngram_size", Key::NoEffect),
    ("num_beam_groups", Key::NoEffect),
    ("num_beams", Key::NoEffect),
    ("num_return_sequences", Key::NoEffect),
    ("output_scores", Key::NoEffect),
    ("remove_invalid_values", Key::NoEffect),
    ("repetition_penalty", Key::NoEffect),
    ("return_dict_in_generate", Key::NoEffect),
    ("suppress_tokens", Key::NoEffect),
    ("temperature", Key::NoEffect),
    ("top_k", Key::NoEffect),
    ("top_p", Key::NoEffect),
    ("typical_p", Key::NoEffect),
];

/// What becomes of `key` in a family with the keys `own`; `None` if nothing is known of it.
fn of(key: &str, own: Keys) -> Option<Key> {
    own.iter().chain(COMMON).find(|(name, _)| *name == key).map(|(_, found)| *found)
}

/// Whether a family with the keys `own` reads `key`.
pub(super) fn is_read(key: &str, own: Keys) -> bool {
    own.iter().any(|(name, part)| *name == key && *part == Key::Read)
}

/// Refuses a configuration with a key that would change what is computed, and is not followed. Keys that transformers
/// does not know either have no effect there.
///
/// # Errors
/// Naming the key.
pub(super) fn check(raw: &Map<String, Value>, own: Keys) -> Result<(), String> {
    for (key, value) in raw.iter().filter(|(_, value)| !value.is_null()) {
        match of(key, own) {
            Some(Key::Only(neutral)) if !neutral.is(value) => {
                return Err(format!("{key} `{}` is not supported{}", short(value), neutral.told()));
            }
            Some(Key::Alias(other)) if raw.get(other) != Some(value) => {
                let other_value = raw.get(other).map_or_else(|| "not there".to_owned(), short);
                return Err(format!("{key} is `{}`, but {other} is {other_value}; remove {key}", short(value)));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Neutral {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Nothing => false,
            Self::False => *value == Value::Bool(false),
            Self::Zero => value.as_f64() == Some(0.0),
            Self::One => value.as_f64() == Some(1.0),
            Self::Empty => value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty),
            Self::Text(text) => value.as_str() == Some(text),
        }
    }

    /// What is supported.
    fn told(self) -> String {
        match self {
            Self::Nothing | Self::Empty => String::new(),
            Self::False => "; supported is false".to_owned(),
            Self::Zero => "; supported is 0".to_owned(),
            Self::One => "; supported is 1".to_owned(),
            Self::Text(text) => format!("; supported is {text}"),
        }
    }
}

/// A value, cut short.
fn short(value: &Value) -> String {
    let whole = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    whole.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use serde_json::json;

    use super::*;
    use crate::model::architecture::Architecture;
    use crate::model::family::{self, FAMILIES, Family};

    fn golden(relative: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(relative)
    }

    fn object(path: &Path) -> Map<String, Value> {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// A configuration of the family, as transformers has written it.
    fn written(family: &Family) -> Map<String, Value> {
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(golden("families")).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        let mut all = folders.iter().map(|folder| object(&folder.join("config.json")));
        all.find(|config| config["model_type"] == family.model_type).unwrap()
    }

    fn with(raw: &Map<String, Value>, key: &str, value: Value) -> Result<Architecture, String> {
        let mut raw = raw.clone();
        raw.insert(key.to_owned(), value);
        family::read(&raw)
    }

    #[test]
    fn every_key_that_transformers_knows_is_decided_about() {
        for (version, known) in object(&golden("keys.json")) {
            for family in FAMILIES {
                let keys = known["config"][family.model_type].as_array().unwrap();
                let is_new = family.model_type == "eurobert";
                assert_eq!(keys.is_empty(), is_new && version.starts_with('4'), "{version}, {}", family.model_type);
                let undecided: Vec<&str> =
                    keys.iter().map(|key| key.as_str().unwrap()).filter(|key| of(key, family.keys).is_none()).collect();
                assert!(undecided.is_empty(), "{version}, {}: {undecided:?}", family.model_type);
            }
        }
    }

    #[test]
    fn each_key_is_what_its_list_says() {
        // Read by the tokenizer and where classes are named.
        let elsewhere = ["model_type", "id2label", "num_labels", "problem_type", "tokenizer_class", "pad_token_id"];
        let odd = json!([["odd"]]);
        for family in FAMILIES {
            let raw = written(family);
            let plain = family::read(&raw).unwrap();
            let is_own = |key: &str| family.keys.iter().any(|(own, _)| *own == key);
            for (key, part) in family.keys.iter().chain(COMMON.iter().filter(|(key, _)| !is_own(key))) {
                let found = with(&raw, key, odd.clone());
                let told = format!("{}: {key}: {found:?}", family.model_type);
                match part {
                    Key::Read if elsewhere.contains(key) => {}
                    Key::Read | Key::Only(_) | Key::Alias(_) => assert!(found.unwrap_err().contains(key), "{told}"),
                    Key::NoEffect => assert!(found.unwrap() == plain, "{told}"),
                }
            }
            assert_eq!(with(&raw, "key_of_a_later_version", odd.clone()), Ok(plain));
        }
    }

    #[test]
    fn the_value_that_changes_nothing_is_taken_and_another_named() {
        for family in FAMILIES {
            let raw = written(family);
            let plain = family::read(&raw).unwrap();
            for (key, value) in [("is_decoder", json!(false)), ("pruned_heads", json!({})), ("auto_map", Value::Null)] {
                assert_eq!(with(&raw, key, value).as_ref(), Ok(&plain), "{key}");
            }
            let why = with(&raw, "is_decoder", json!(true)).unwrap_err();
            assert_eq!(why, "is_decoder `true` is not supported; supported is false");
            let code = with(&raw, "auto_map", json!({"AutoModel": "modeling.Own"})).unwrap_err();
            assert!(code.starts_with("auto_map `{\"AutoModel\":\"modeling.Own\"}` is not supported"), "{code}");
        }
    }
}
