//! What the files beside `tokenizer.json` say of a tokenizer: followed as transformers follows them, or refused.

use std::collections::HashMap;
use std::path::Path;

use pellucid_files::bounded;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::{json, member};
use serde_json::{Map, Value};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, NormalizerWrapper, PreTokenizerWrapper, Tokenizer, TruncationDirection};

use super::checks::ModelParts;
use super::class::{BACKEND_NAME, LLAMA_NAME, OwnNormaliser, PrefixSpace, TokenizerClass, Types, Writer};
use super::ends::Around;
use super::remade::{self, Class};
use super::special::{SpecialTokens, TokenFiles};
use crate::error::{Error, Result};

pub(super) const CONFIG: &str = "tokenizer_config.json";

/// Lengths from this on are no limit to transformers.
const NO_LIMIT: f64 = 1e20;

/// What the files beside `tokenizer.json` say of a tokenizer.
#[derive(Debug, Clone)]
pub(super) struct TokenizerSettings {
    files: TokenFiles,
    class: TokenizerClass,
    /// The padding token of the model.
    model_pad: Option<i64>,
}

impl TokenizerSettings {
    /// Those of `folder`.
    ///
    /// # Errors
    /// A file that cannot be read, or a key with a value that would change the token ids and is not supported.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let object = |name: &str| object(folder, name);
        let files = TokenFiles {
            config: object(CONFIG)?,
            special_tokens_map: object("special_tokens_map.json")?,
            added_tokens: object("added_tokens.json")?,
        };
        let model = if ConfigFile::path(folder).exists() { Some(ConfigFile::load(folder)?) } else { None };
        let told = |message: String| Error::file(&folder.join(CONFIG), message);
        let class = class(&files, model.as_ref()).map_err(told)?;
        let model_pad = model.and_then(|model| model.keys().get("pad_token_id").and_then(Value::as_i64));
        let settings = Self { files, class, model_pad };
        settings.check().map_err(told)?;
        Ok(settings)
    }

    /// Refuses values that no part of this program follows.
    fn check(&self) -> std::result::Result<(), String> {
        for (key, neutral) in KEYS.iter().filter_map(|(key, part)| part.neutral().map(|neutral| (key, neutral))) {
            let value = self.files.config.get(*key);
            if let Some(value) = value.filter(|value| !value.is_null() && !neutral.is(value)) {
                return Err(format!("{key} `{}` is not supported; remove the key", short(value)));
            }
        }
        self.normaliser()?;
        self.prefix_space()?;
        self.splits_special_tokens()?;
        self.types()?;
        Around::of(&self.files.config, self.class)?;
        self.check_rebuilt()?;
        self.max_length()?;
        SpecialTokens::of(&self.files, self.class, &HashMap::new()).map(|_| ())
    }

    /// Refuses a key with which transformers 4 makes another tokenizer than that of `tokenizer.json`.
    fn check_rebuilt(&self) -> std::result::Result<(), String> {
        let is_there = self.files.config.get("add_prefix_space").is_some_and(|value| !value.is_null());
        match is_there && self.class.name == LLAMA_NAME && self.class.writer == Writer::Four {
            true => Err(format!("add_prefix_space is not supported for {LLAMA_NAME}; remove the key")),
            false => Ok(()),
        }
    }

    /// Makes `tokenizer`, as `tokenizer.json` has it, what transformers makes of it.
    ///
    /// # Errors
    /// A token that is none.
    pub(super) fn apply(&self, tokenizer: &mut Tokenizer, missing: &[AddedToken]) -> std::result::Result<(), String> {
        // The library looks added tokens up as the normaliser of the moment in which they are added makes them.
        if self.class.writer == Writer::Five {
            self.set_normaliser(tokenizer)?;
        }
        tokenizer.add_tokens(missing);
        self.set_normaliser(tokenizer)?;
        let prefix = self.prefix_space()?;
        if let (Some(PreTokenizerWrapper::ByteLevel(bytes)), Some(prefix)) = (tokenizer.get_pre_tokenizer(), prefix) {
            let bytes = ByteLevel::new(prefix, bytes.trim_offsets, bytes.use_regex);
            tokenizer.with_pre_tokenizer(Some(bytes));
        }
        tokenizer.set_encode_special_tokens(self.splits_special_tokens()?);
        Ok(())
    }

    /// Gives BERT's normaliser the settings of the configuration, where they win.
    fn set_normaliser(&self, tokenizer: &mut Tokenizer) -> std::result::Result<(), String> {
        let own = self.normaliser()?;
        if let (Some(NormalizerWrapper::BertNormalizer(bert)), Some(own)) = (tokenizer.get_normalizer(), own) {
            let is_mpnet = self.class.normaliser == OwnNormaliser::OfMpnet;
            let han = if is_mpnet { bert.handle_chinese_chars } else { own.handle_chinese_chars };
            let normaliser = BertNormalizer::new(bert.clean_text, han, own.strip_accents, own.lowercase);
            tokenizer.with_normalizer(Some(normaliser));
        }
        Ok(())
    }

    /// Puts the special tokens around the texts of `tokenizer`, where it is not `tokenizer.json` that decides.
    ///
    /// # Errors
    /// When there is no such token.
    pub(super) fn put_ends(
        &self,
        tokenizer: &mut Tokenizer,
        tokens: &SpecialTokens,
    ) -> std::result::Result<(), String> {
        Around::of(&self.files.config, self.class)?.map_or(Ok(()), |around| around.put(tokenizer, tokens))
    }

    /// The special and added tokens of `tokenizer`.
    ///
    /// # Errors
    /// A token that is none.
    pub(super) fn special_tokens(&self, tokenizer: &Tokenizer) -> std::result::Result<SpecialTokens, String> {
        let numbered = tokenizer.get_added_tokens_decoder();
        SpecialTokens::of(&self.files, self.class, &numbered.into_iter().collect())
    }

    /// Refuses a tokenizer of which its class makes something else than `tokenizer.json` has.
    ///
    /// # Errors
    /// Which part differs.
    pub(super) fn check_remade(
        &self,
        tokenizer: &Tokenizer,
        tokens: &SpecialTokens,
        model: &ModelParts,
    ) -> std::result::Result<(), String> {
        let Some(remade) = self.class.remade else { return Ok(()) };
        remade::check(remade, &Class { config: &self.files.config, tokens, tokenizer, model }).map_err(|part| {
            let name = self.class.name;
            format!(
                "{part} is not what tokenizer_class {name} of transformers 5 makes; save the tokenizer with it again"
            )
        })
    }

    /// The padding token of the model, by its id.
    pub(super) fn model_pad(&self) -> Option<i64> {
        self.model_pad
    }

    /// At which end texts are cut, where `tokenizer.json` has `written`.
    pub(super) fn truncation(
        &self,
        written: Option<TruncationDirection>,
    ) -> std::result::Result<TruncationDirection, String> {
        match self.files.config.get("truncation_side") {
            None => Ok(written.unwrap_or_default()),
            Some(Value::String(side)) if side == "right" => Ok(TruncationDirection::Right),
            Some(Value::String(side)) if side == "left" => Ok(TruncationDirection::Left),
            Some(other) => Err(format!("truncation_side is `{other}`; left or right")),
        }
    }

    /// Whether there are token types.
    pub(super) fn types(&self) -> std::result::Result<Types, String> {
        let names = match self.files.config.get("model_input_names") {
            None => return Ok(self.class.types),
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => names,
            Some(other) => return Err(format!("model_input_names is `{}`, not a list of names", short(other))),
        };
        let given = names.iter().any(|name| name == "token_type_ids");
        Ok(if given { Types::Given } else { Types::Zero })
    }

    /// The most tokens of a text, if there is such a limit.
    pub(super) fn max_length(&self) -> std::result::Result<Option<usize>, String> {
        let key = if self.files.config.contains_key("model_max_length") { "model_max_length" } else { "max_len" };
        match self.files.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(most) if most >= NO_LIMIT => Ok(None),
                Some(most) if most >= 1.0 => Ok(Some(most as usize)),
                _ => Err(format!("{key} is `{value}`; a number of tokens, 1 or more")),
            },
        }
    }

    fn flag(&self, key: &str, default: bool) -> std::result::Result<bool, String> {
        match self.files.config.get(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(format!("{key} is `{other}`; true or false")),
        }
    }

    fn splits_special_tokens(&self) -> std::result::Result<bool, String> {
        self.flag("split_special_tokens", false)
    }

    /// The space before the first word, where it is not `tokenizer.json` that decides.
    fn prefix_space(&self) -> std::result::Result<Option<bool>, String> {
        if self.files.config.get("add_prefix_space").is_some_and(Value::is_null) {
            return Ok(None);
        }
        let configured = self.flag("add_prefix_space", false)?;
        Ok((self.class.prefix_space == PrefixSpace::AsConfigured).then_some(configured))
    }

    /// The settings of BERT's normaliser, where it is not `tokenizer.json` that decides.
    fn normaliser(&self) -> std::result::Result<Option<BertNormalizer>, String> {
        if self.class.normaliser == OwnNormaliser::AsWritten {
            return Ok(None);
        }
        let accents = match self.files.config.get("strip_accents") {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.flag("strip_accents", false)?),
        };
        let (lower, han) = (self.flag("do_lower_case", true)?, self.flag("tokenize_chinese_chars", true)?);
        Ok(Some(BertNormalizer::new(true, han, accents, lower)))
    }
}

/// The class of a tokenizer: as its own configuration names it, or that of the model, or that of the family.
fn class(files: &TokenFiles, model: Option<&ConfigFile>) -> std::result::Result<TokenizerClass, String> {
    let none = Value::Null;
    let named = |keys: &Map<String, Value>| match keys.get("tokenizer_class").unwrap_or(&none) {
        Value::Null => Ok(None),
        Value::String(name) => Ok(Some(name.clone())),
        other => Err(format!("tokenizer_class is `{}`, which is no name", short(other))),
    };
    let of_model = || model.map_or(Ok(None), |model| named(model.keys()));
    let name = named(&files.config)?.map_or_else(of_model, |name| Ok(Some(name)))?;
    TokenizerClass::of(name.as_deref(), model.and_then(ConfigFile::family), writer(files, model))
}

/// The version of transformers that wrote the files: as only version 5 writes them, or else as the model says where
/// nothing is there that only older versions write.
fn writer(files: &TokenFiles, model: Option<&ConfigFile>) -> Writer {
    let version = model.and_then(|model| model.keys().get("transformers_version")?.as_str()?.split('.').next());
    let is_new = version.and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 5);
    let is_old = files.config.contains_key("added_tokens_decoder") || !files.special_tokens_map.is_empty();
    let names_backend = files.config.get("tokenizer_class").is_some_and(|class| class == BACKEND_NAME);
    let is_backend = files.config.get("backend").is_some_and(Value::is_string);
    if names_backend || is_backend || (is_new && !is_old) { Writer::Five } else { Writer::Four }
}

/// The JSON object in the file `name` of `folder`; empty if there is no such file.
fn object(folder: &Path, name: &str) -> Result<Map<String, Value>> {
    let path = member::member(folder, name)?;
    if !path.exists() {
        return Ok(Map::new());
    }
    let text = member::read_text(folder, name, bounded::TOKENIZER)?;
    json::parse(&text).map_err(|why| Error::file(&path, why))
}

/// A value, cut short.
fn short(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

/// What becomes of a key of `tokenizer_config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It is followed.
    Read,
    /// It has no part in token ids.
    None,
    /// It is refused, but for this value.
    Only(Neutral),
}

/// The value of a key that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neutral {
    False,
    Empty,
    Nothing,
}

impl Part {
    fn neutral(self) -> Option<Neutral> {
        if let Self::Only(neutral) = self { Some(neutral) } else { None }
    }
}

impl Neutral {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::False => *value == Value::Bool(false),
            Self::Empty => value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty),
            Self::Nothing => false,
        }
    }
}

/// All keys that the tokenizers of transformers take, those for generating text and for chats aside.
const KEYS: &[(&str, Part)] = &[
    ("tokenizer_class", Part::Read),
    ("do_lower_case", Part::Read),
    ("strip_accents", Part::Read),
    ("tokenize_chinese_chars", Part::Read),
    ("add_prefix_space", Part::Read),
    ("truncation_side", Part::Read),
    ("model_input_names", Part::Read),
    ("model_max_length", Part::Read),
    ("max_len", Part::Read),
    ("split_special_tokens", Part::Read),
    ("add_bos_token", Part::Read),
    ("add_eos_token", Part::Read),
    ("added_tokens_decoder", Part::Read),
    ("additional_special_tokens", Part::Read),
    ("extra_special_tokens", Part::Read),
    ("bos_token", Part::Read),
    ("eos_token", Part::Read),
    ("unk_token", Part::Read),
    ("sep_token", Part::Read),
    ("pad_token", Part::Read),
    ("cls_token", Part::Read),
    ("mask_token", Part::Read),
    // Code of the folder, which is not run.
    ("auto_map", Part::Only(Neutral::Empty)),
    // Another tokenizer than that of tokenizer.json.
    ("from_slow", Part::Only(Neutral::False)),
    ("init_inputs", Part::Only(Neutral::Empty)),
    ("gguf_file", Part::Only(Neutral::Nothing)),
    ("fix_mistral_regex", Part::Only(Neutral::False)),
    // Paths on the machine of the author; the files of the folder are read.
    ("tokenizer_file", Part::None),
    ("vocab_file", Part::None),
    ("merges_file", Part::None),
    ("special_tokens_map_file", Part::None),
    ("name_or_path", Part::None),
    ("slow_tokenizer_class", Part::None),
    // Read by tokenizers without a tokenizer.json.
    ("vocab", Part::None),
    ("merges", Part::None),
    ("do_basic_tokenize", Part::None),
    ("keep_accents", Part::None),
    ("remove_space", Part::None),
    ("never_split", Part::None),
    ("clean_text", Part::None),
    ("wordpieces_prefix", Part::None),
    ("errors", Part::None),
    ("sp_model_kwargs", Part::None),
    ("split_by_punct", Part::None),
    ("vocab_type", Part::None),
    ("unk_id", Part::None),
    ("use_default_system_prompt", Part::None),
    ("use_fast", Part::None),
    ("backend", Part::None),
    // The characters of a token, not the token.
    ("trim_offsets", Part::None),
    ("return_offsets_mapping", Part::None),
    // Texts are not padded here.
    ("padding_side", Part::None),
    ("pad_token_type_id", Part::None),
    ("pad_to_multiple_of", Part::None),
    // Of a call, which says itself how long texts may be.
    ("max_length", Part::None),
    ("stride", Part::None),
    ("truncation_strategy", Part::None),
    // From ids to text, and chats.
    ("clean_up_tokenization_spaces", Part::None),
    ("clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", Part::None),
    ("chat_template", Part::None),
    ("chat_control_tokens", Part::None),
    ("response_template", Part::None),
    ("response_schema", Part::None),
    ("legacy", Part::None),
    ("processor_class", Part::None),
    ("is_local", Part::None),
    ("local_files_only", Part::None),
];

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::super::TextEncoder;
    use super::*;

    /// A tokenizer as BERT's, with the files of a folder beside it.
    struct Files(Vec<(&'static str, Value)>);

    impl Files {
        fn of_bert(config: Value) -> Self {
            let vocab = [
                "[UNK]",
                "[MASK]",
                "[CLS]",
                "[SEP]",
                "[PAD]",
                "a",
                "b",
                "A",
                "\u{e1}",
                "##b",
                "##\u{4e2d}",
                "b\u{4e2d}",
            ];
            let vocab: Map<_, _> = vocab.iter().zip(0..).map(|(word, id)| ((*word).to_owned(), json!(id))).collect();
            let special = |id, content| {
                json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false})
            };
            let tokenizer = json!({
                "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100, "vocab": vocab},
                "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                    "strip_accents": null, "lowercase": true},
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
                "added_tokens": [special(0, "[UNK]"), special(1, "[MASK]"), special(2, "[CLS]"), special(3, "[SEP]")],
            });
            Self(vec![("tokenizer.json", tokenizer), (CONFIG, config)])
        }

        fn of_bytes(prefix_space: bool, config: Value) -> Self {
            let tokenizer = json!({
                "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "a": 1, "\u{120}a": 2}},
                "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": prefix_space, "trim_offsets": true},
            });
            Self(vec![("tokenizer.json", tokenizer), (CONFIG, config)])
        }

        fn and(mut self, name: &'static str, content: Value) -> Self {
            self.0.push((name, content));
            self
        }

        fn load(&self, most: usize) -> Result<TextEncoder> {
            let folder = tempfile::tempdir().unwrap();
            for (name, content) in &self.0 {
                fs::write(folder.path().join(name), content.to_string()).unwrap();
            }
            TextEncoder::load(folder.path(), most)
        }

        fn ids(&self, text: &str) -> Vec<i64> {
            self.load(8).unwrap().encode(&[(text, None)]).unwrap().remove(0).ids
        }

        fn refused(&self) -> String {
            self.load(8).map(|_| ()).unwrap_err().to_string()
        }
    }

    fn bert(keys: Value) -> Files {
        let mut config = json!({"tokenizer_class": "BertTokenizer"});
        config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        Files::of_bert(config)
    }

    #[test]
    fn every_key_that_transformers_knows_is_decided_about() {
        let known = include_str!("../../../../../tests/golden/keys.json");
        let known: Map<String, Value> = serde_json::from_str(known).unwrap();
        for (version, known) in known {
            for (class, keys) in known["tokenizer"].as_object().unwrap() {
                let is_open = |key: &&str| KEYS.iter().all(|(name, _)| name != key);
                let open: Vec<&str> =
                    keys.as_array().unwrap().iter().filter_map(Value::as_str).filter(is_open).collect();
                assert!(open.is_empty(), "{version}, {class}: {open:?}");
            }
        }
    }

    #[test]
    fn each_key_is_what_its_list_says() {
        let plain = bert(json!({})).ids("A b [MASK]");
        for (key, part) in KEYS {
            let files = bert(json!({*key: [["odd"]]}));
            match part {
                Part::Read | Part::Only(_) => {
                    let why = files.refused();
                    assert!(why.contains(key) && !why.contains('\n'), "{key}: {why}");
                }
                Part::None => assert_eq!(files.ids("A b [MASK]"), plain, "{key}"),
            }
        }
        assert_eq!(
            bert(json!({"from_slow": false, "auto_map": null, "key_of_a_later_version": 1})).ids("A b [MASK]"),
            plain
        );
    }

    #[test]
    fn case_accents_and_chinese_characters_are_those_of_the_configuration() {
        let of = |keys: Value, text: &str| bert(keys).ids(text);
        assert_eq!(of(json!({}), "A \u{c1} b\u{4e2d}"), [2, 5, 5, 6, 0, 3]);
        assert_eq!(of(json!({"do_lower_case": false}), "A \u{e1}"), [2, 7, 8, 3]);
        assert_eq!(of(json!({"strip_accents": false}), "A \u{c1}"), [2, 5, 8, 3]);
        assert_eq!(of(json!({"tokenize_chinese_chars": false}), "b\u{4e2d}"), [2, 11, 3]);
        // Classes that take a tokenizer as it is written do not read these keys.
        let plain = json!({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false});
        assert_eq!(Files::of_bert(plain).ids("A"), [2, 5, 3]);
        // Without a class it is that of the model.
        let of_model =
            Files::of_bert(json!({"do_lower_case": false})).and("config.json", json!({"model_type": "bert"}));
        assert_eq!(of_model.ids("A"), [2, 7, 3]);
    }

    #[test]
    fn the_space_before_the_first_word_is_that_of_the_configuration() {
        let of = |written, config| Files::of_bytes(written, config).ids("a a");
        let roberta = |prefix: bool| json!({"tokenizer_class": "RobertaTokenizer", "add_prefix_space": prefix});
        assert_eq!((of(false, roberta(true)), of(true, roberta(false))), (vec![2, 2], vec![1, 2]));
        assert_eq!(of(true, json!({"tokenizer_class": "GPT2TokenizerFast"})), [1, 2]);
        assert_eq!(of(true, json!({"tokenizer_class": "TokenizersBackend", "add_prefix_space": false})), [2, 2]);
    }

    #[test]
    fn texts_are_cut_at_the_side_and_length_of_the_configuration() {
        let cut = |keys: Value| bert(keys).load(4).unwrap().encode(&[("a b A a", None)]).unwrap().remove(0).ids;
        assert_eq!((cut(json!({})), cut(json!({"truncation_side": "left"}))), (vec![2, 5, 6, 3], vec![2, 5, 5, 3]));
        let files = bert(json!({"model_max_length": 7}));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CONFIG), files.0[1].1.to_string()).unwrap();
        assert_eq!(super::super::max_length(folder.path()).unwrap(), Some(7));
    }

    #[test]
    fn token_types_are_given_if_they_are_an_input() {
        let types = |keys: Value| bert(keys).load(9).unwrap().encode(&[("a", Some("b"))]).unwrap().remove(0).types;
        assert_eq!(types(json!({})), [0, 0, 0, 1, 1]);
        assert_eq!(types(json!({"model_input_names": ["input_ids", "attention_mask"]})), [0; 5]);
        assert_eq!(types(json!({"tokenizer_class": "DistilBertTokenizer"})), [0; 5]);
    }

    #[test]
    fn tokens_that_the_tokenizer_lacks_are_added() {
        let new = |normalized: bool| {
            let token = json!({"content": "b A", "special": false, "normalized": normalized, "single_word": false,
                "lstrip": false, "rstrip": false});
            json!({"added_tokens_decoder": {"99": token}})
        };
        assert_eq!(bert(new(false)).ids("a b A"), [2, 5, 12, 3]);
        assert_eq!((bert(new(false)).ids("b a"), bert(new(true)).ids("b a")), (vec![2, 6, 5, 3], vec![2, 12, 3]));
        let older = bert(json!({})).and("added_tokens.json", json!({"b A": 12}));
        assert_eq!(older.ids("a b A"), [2, 5, 12, 3]);
        assert_eq!(bert(json!({"additional_special_tokens": ["A A"]})).ids("A A"), [2, 12, 3]);
        assert_eq!(bert(json!({"split_special_tokens": true})).ids("[MASK]").len(), 5);
    }

    #[test]
    fn the_tokens_for_masks_and_padding_are_those_of_the_configuration() {
        let of = |files: Files| {
            let encoder = files.load(8).unwrap();
            (encoder.mask(), encoder.pad())
        };
        let own = |id| super::super::TokenOf { id, is_own: true };
        assert_eq!(of(bert(json!({}))), (own(1), own(4)));
        assert_eq!(of(bert(json!({"pad_token": "a", "mask_token": "b"}))), (own(6), own(5)));
        let older = bert(json!({})).and("special_tokens_map.json", json!({"pad_token": "a"}));
        assert_eq!(of(older).1, own(5));
        let of_model =
            Files::of_bytes(false, json!({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}));
        let of_model = of_model.and("config.json", json!({"model_type": "gpt2", "pad_token_id": 2}));
        assert_eq!(of(of_model), (super::super::TokenOf { id: 0, is_own: false }, own(2)));
    }

    #[test]
    fn a_tokenizer_that_its_class_would_make_otherwise_is_refused() {
        let five =
            |keys: Value| bert(keys).and("config.json", json!({"model_type": "bert", "transformers_version": "5.1"}));
        // Its post-processor is another kind than that of the class.
        let why = five(json!({})).refused();
        assert!(
            why.contains("post_processor") && why.contains("tokenizer_class BertTokenizer of transformers 5"),
            "{why}"
        );
        let four = bert(json!({})).and("config.json", json!({"model_type": "bert", "transformers_version": "4.57.1"}));
        assert_eq!(four.ids("a"), [2, 5, 3]);
        assert_eq!(five(json!({"tokenizer_class": "PreTrainedTokenizerFast"})).ids("a"), [2, 5, 3]);
    }
}
