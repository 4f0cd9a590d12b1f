//! The tokenizer classes of transformers: what each makes of `tokenizer.json` that is not written there.

/// A tokenizer class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenizerClass {
    /// Its name, without the `Fast` at the end.
    name: &'static str,
    /// Whose normaliser it has.
    pub(super) normaliser: OwnNormaliser,
    /// What it does with the space before the first word.
    pub(super) prefix_space: PrefixSpace,
    /// Whether its output has token types, where `model_input_names` does not say it.
    pub(super) types: Types,
    /// Its special tokens, by role, where no file names others.
    pub(super) tokens: &'static [(&'static str, &'static str)],
    /// What its mask takes in beside itself.
    pub(super) mask: MaskForm,
}

/// Where a normaliser comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnNormaliser {
    /// From `tokenizer.json`.
    AsWritten,
    /// From there, but `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` of `tokenizer_config.json` win.
    OfBert,
}

/// What decides whether a text begins with a space for a tokenizer of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PrefixSpace {
    /// `tokenizer.json`.
    AsWritten,
    /// `add_prefix_space` of `tokenizer_config.json`; no space where that is not there.
    AsConfigured,
}

/// Whether a tokenizer tells the two texts of a pair apart by token types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Types {
    /// It does.
    Given,
    /// It does not: models read type 0 throughout.
    Zero,
}

/// What a mask token takes in beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MaskForm {
    /// Nothing.
    Alone,
    /// The spaces before it.
    WithSpaces,
}

const OF_BERT: &[(&str, &str)] = &[
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];
const OF_ROBERTA: &[(&str, &str)] = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];
const OF_GPT2: &[(&str, &str)] =
    &[("bos_token", "<|endoftext|>"), ("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>")];
const OF_DEBERTA: &[(&str, &str)] = &[
    ("bos_token", "[CLS]"),
    ("eos_token", "[SEP]"),
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

/// A class that takes a tokenizer as `tokenizer.json` has it.
pub(super) const PLAIN: TokenizerClass = TokenizerClass {
    name: "PreTrainedTokenizer",
    normaliser: OwnNormaliser::AsWritten,
    prefix_space: PrefixSpace::AsConfigured,
    types: Types::Given,
    tokens: &[],
    mask: MaskForm::Alone,
};
/// The same in transformers 5.
const BACKEND: TokenizerClass =
    TokenizerClass { name: "TokenizersBackend", prefix_space: PrefixSpace::AsWritten, types: Types::Zero, ..PLAIN };
const BERT: TokenizerClass =
    TokenizerClass { name: "BertTokenizer", normaliser: OwnNormaliser::OfBert, tokens: OF_BERT, ..PLAIN };
const ROBERTA: TokenizerClass = TokenizerClass {
    name: "RobertaTokenizer",
    types: Types::Zero,
    tokens: OF_ROBERTA,
    mask: MaskForm::WithSpaces,
    ..PLAIN
};
const CLASSES: &[TokenizerClass] = &[
    PLAIN,
    BACKEND,
    BERT,
    TokenizerClass { name: "DistilBertTokenizer", types: Types::Zero, ..BERT },
    TokenizerClass { name: "ElectraTokenizer", ..BERT },
    TokenizerClass { name: "ConvBertTokenizer", ..BERT },
    TokenizerClass { name: "MobileBertTokenizer", ..BERT },
    ROBERTA,
    TokenizerClass { name: "XLMRobertaTokenizer", ..ROBERTA },
    TokenizerClass { name: "BartTokenizer", ..ROBERTA },
    TokenizerClass { name: "LongformerTokenizer", ..ROBERTA },
    TokenizerClass { name: "GPT2Tokenizer", types: Types::Zero, tokens: OF_GPT2, ..PLAIN },
    TokenizerClass { name: "DebertaV2Tokenizer", tokens: OF_DEBERTA, ..PLAIN },
];
/// The class of each family of models, where no file names one.
const OF_FAMILIES: &[(&str, &str)] = &[
    ("bert", "BertTokenizer"),
    ("distilbert", "DistilBertTokenizer"),
    ("electra", "ElectraTokenizer"),
    ("roberta", "RobertaTokenizer"),
    ("xlm-roberta", "XLMRobertaTokenizer"),
    ("gpt2", "GPT2Tokenizer"),
    ("deberta-v2", "DebertaV2Tokenizer"),
];

impl TokenizerClass {
    /// The class that a file calls `name`.
    ///
    /// # Errors
    /// When it is none of those that are known.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let short = name.strip_suffix("Fast").unwrap_or(name);
        let found = CLASSES.iter().find(|class| class.name == short).copied();
        found.ok_or_else(|| {
            let known = CLASSES.iter().map(|class| class.name).collect::<Vec<_>>().join(", ");
            format!("tokenizer_class `{name}` is not supported; supported are {known}, with Fast or without")
        })
    }

    /// The class of the tokenizers of a family of models.
    pub(super) fn of_family(family: &str) -> Self {
        let name = OF_FAMILIES.iter().find(|(of, _)| *of == family).map(|(_, name)| *name);
        CLASSES.iter().find(|class| Some(class.name) == name).copied().unwrap_or(PLAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_their_names_and_those_of_families_are_there() {
        assert_eq!(TokenizerClass::named("BertTokenizerFast"), Ok(BERT));
        assert_eq!(TokenizerClass::named("PreTrainedTokenizerFast"), Ok(PLAIN));
        assert_eq!((TokenizerClass::of_family("roberta"), TokenizerClass::of_family("modernbert")), (ROBERTA, PLAIN));
        for (family, name) in OF_FAMILIES {
            assert_eq!(TokenizerClass::named(name), Ok(TokenizerClass::of_family(family)));
        }
        let why = TokenizerClass::named("BertJapaneseTokenizer").unwrap_err();
        assert!(why.starts_with("tokenizer_class `BertJapaneseTokenizer` is not supported; supported are"), "{why}");
    }
}
