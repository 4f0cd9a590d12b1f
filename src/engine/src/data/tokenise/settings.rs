//! What the files beside `tokenizer.json` say of a tokenizer: followed as transformers follows them, or refused.

use std::collections::HashMap;
use std::path::Path;

use pellucid_files::bounded;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::member;
use serde_json::{Map, Value};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, NormalizerWrapper, PreTokenizerWrapper, Tokenizer, TruncationDirection};

use super::class::{OwnNormaliser, PLAIN, PrefixSpace, TokenizerClass, Types};
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
        let class = class(&files.config, model.as_ref()).map_err(told)?;
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
        self.max_length()?;
        SpecialTokens::of(&self.files, self.class, &HashMap::new()).map(|_| ())
    }

    /// Makes `tokenizer`, as `tokenizer.json` has it, what transformers makes of it.
    ///
    /// # Errors
    /// A token that is none.
    pub(super) fn apply(&self, tokenizer: &mut Tokenizer, missing: &[AddedToken]) -> std::result::Result<(), String> {
        tokenizer.add_tokens(missing);
        let prefix = self.prefix_space()?;
        if let (Some(PreTokenizerWrapper::ByteLevel(bytes)), Some(prefix)) = (tokenizer.get_pre_tokenizer(), prefix) {
            let bytes = ByteLevel::new(prefix, bytes.trim_offsets, bytes.use_regex);
            tokenizer.with_pre_tokenizer(Some(bytes));
        }
        let own = self.normaliser()?;
        if let (Some(NormalizerWrapper::BertNormalizer(bert)), Some(own)) = (tokenizer.get_normalizer(), own) {
            let normaliser =
                BertNormalizer::new(bert.clean_text, own.handle_chinese_chars, own.strip_accents, own.lowercase);
            tokenizer.with_normalizer(Some(normaliser));
        }
        tokenizer.set_encode_special_tokens(self.splits_special_tokens()?);
        Ok(())
    }

    /// The special and added tokens of `tokenizer`.
    ///
    /// # Errors
    /// A token that is none.
    pub(super) fn special_tokens(&self, tokenizer: &Tokenizer) -> std::result::Result<SpecialTokens, String> {
        let numbered = tokenizer.get_added_tokens_decoder();
        SpecialTokens::of(&self.files, self.class, &numbered.into_iter().collect())
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
            Some(Value::Array(names)) => names,
            Some(other) => return Err(format!("model_input_names is `{other}`, not a list")),
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
fn class(config: &Map<String, Value>, model: Option<&ConfigFile>) -> std::result::Result<TokenizerClass, String> {
    let named = |keys: &Map<String, Value>| keys.get("tokenizer_class").and_then(Value::as_str).map(str::to_owned);
    match named(config).or_else(|| named(model?.keys())) {
        Some(name) => TokenizerClass::named(&name),
        None => Ok(model.and_then(ConfigFile::family).map_or(PLAIN, TokenizerClass::of_family)),
    }
}

/// The JSON object in the file `name` of `folder`; empty if there is no such file.
fn object(folder: &Path, name: &str) -> Result<Map<String, Value>> {
    let path = member::member(folder, name)?;
    if !path.exists() {
        return Ok(Map::new());
    }
    let text = member::read_text(folder, name, bounded::TOKENIZER)?;
    serde_json::from_str(&text).map_err(|error| Error::file(&path, error))
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
    ("never_split", Part::None),
    ("clean_text", Part::None),
    ("wordpieces_prefix", Part::None),
    ("errors", Part::None),
    ("sp_model_kwargs", Part::None),
    ("split_by_punct", Part::None),
    ("vocab_type", Part::None),
    ("unk_id", Part::None),
    ("add_bos_token", Part::None),
    ("add_eos_token", Part::None),
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
