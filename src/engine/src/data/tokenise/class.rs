//! The tokenizer classes of transformers: what each makes of `tokenizer.json` that is not written there.

/// A tokenizer class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenizerClass {
    /// Its name, without the `Fast` at the end.
    pub(super) name: &'static str,
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
    /// What it puts around each text.
    pub(super) ends: Ends,
    /// What it makes anew, whatever `tokenizer.json` has.
    pub(super) remade: Option<Remade>,
    /// Whose class it is.
    pub(super) writer: Writer,
}

/// The version of transformers that wrote a tokenizer; what its own classes make of the files is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// Version 4 or older, or another program.
    Four,
    /// Version 5 or later.
    Five,
}

/// Which parts a class of transformers 5 makes anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remade {
    /// Those of `BertTokenizer`.
    Bert,
    /// Those of `RobertaTokenizer`.
    Roberta,
    /// Those of `GPT2Tokenizer`.
    Gpt2,
    /// Those of `XLMRobertaTokenizer`.
    XlmRoberta,
    /// Those of `DebertaV2Tokenizer`.
    Deberta,
    /// Those of `LlamaTokenizer`.
    Llama,
    /// Those of `GemmaTokenizer`.
    Gemma,
    /// Those of `Qwen2Tokenizer`.
    Qwen2,
    /// Those of `CamembertTokenizer`.
    Camembert,
    /// Those of `MPNetTokenizer`.
    Mpnet,
    /// Those of `AlbertTokenizer`.
    Albert,
}

/// Where the special tokens around a text come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// From the post-processor of `tokenizer.json`.
    AsWritten,
    /// `add_bos_token` of `tokenizer_config.json` says whether each text begins with the first token, which it does
    /// where the key is not there, and `add_eos_token` whether it ends with the last one.
    AsConfigured,
}

/// Where a normaliser comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnNormaliser {
    /// From `tokenizer.json`.
    AsWritten,
    /// From there, but `do_lower_case`, `strip_accents` and `tokenize_chinese_chars` of `tokenizer_config.json` win.
    OfBert,
    /// As `OfBert`, but `tokenize_chinese_chars` is that of `tokenizer.json`.
    OfMpnet,
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
pub enum Types {
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

const OF_MPNET: &[(&str, &str)] = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "[UNK]"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];
const OF_ALBERT: &[(&str, &str)] = &[
    ("bos_token", "[CLS]"),
    ("eos_token", "[SEP]"),
    ("unk_token", "<unk>"),
    ("sep_token", "[SEP]"),
    ("pad_token", "<pad>"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];
const OF_LLAMA: &[(&str, &str)] = &[("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")];
const OF_GEMMA: &[(&str, &str)] =
    &[("bos_token", "<bos>"), ("eos_token", "<eos>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")];
const OF_QWEN2: &[(&str, &str)] =
    &[("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>"), ("pad_token", "<|endoftext|>")];

/// The class that only transformers 5 has.
pub(super) const BACKEND_NAME: &str = "TokenizersBackend";
/// The class that transformers 4 makes anew where it is told of a prefix space.
pub(super) const LLAMA_NAME: &str = "LlamaTokenizer";

/// A class that takes a tokenizer as `tokenizer.json` has it.
pub(super) const PLAIN: TokenizerClass = TokenizerClass {
    name: "PreTrainedTokenizer",
    normaliser: OwnNormaliser::AsWritten,
    prefix_space: PrefixSpace::AsConfigured,
    types: Types::Given,
    tokens: &[],
    mask: MaskForm::Alone,
    ends: Ends::AsWritten,
    remade: None,
    writer: Writer::Four,
};
/// The same in transformers 5.
const BACKEND: TokenizerClass = TokenizerClass {
    name: BACKEND_NAME,
    prefix_space: PrefixSpace::AsWritten,
    types: Types::Zero,
    writer: Writer::Five,
    ..PLAIN
};
const BERT: TokenizerClass = TokenizerClass {
    name: "BertTokenizer",
    normaliser: OwnNormaliser::OfBert,
    tokens: OF_BERT,
    remade: Some(Remade::Bert),
    ..PLAIN
};
const ROBERTA: TokenizerClass = TokenizerClass {
    name: "RobertaTokenizer",
    types: Types::Zero,
    tokens: OF_ROBERTA,
    mask: MaskForm::WithSpaces,
    remade: Some(Remade::Roberta),
    ..PLAIN
};
const LLAMA: TokenizerClass = TokenizerClass {
    name: LLAMA_NAME,
    types: Types::Zero,
    tokens: OF_LLAMA,
    ends: Ends::AsConfigured,
    remade: Some(Remade::Llama),
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
    TokenizerClass { name: "XLMRobertaTokenizer", remade: Some(Remade::XlmRoberta), ..ROBERTA },
    TokenizerClass { name: "BartTokenizer", ..ROBERTA },
    TokenizerClass { name: "LongformerTokenizer", ..ROBERTA },
    TokenizerClass { name: "GPT2Tokenizer", types: Types::Zero, tokens: OF_GPT2, remade: Some(Remade::Gpt2), ..PLAIN },
    TokenizerClass { name: "DebertaV2Tokenizer", tokens: OF_DEBERTA, remade: Some(Remade::Deberta), ..PLAIN },
    TokenizerClass { name: "CamembertTokenizer", remade: Some(Remade::Camembert), ..ROBERTA },
    TokenizerClass {
        name: "MPNetTokenizer",
        normaliser: OwnNormaliser::OfMpnet,
        tokens: OF_MPNET,
        remade: Some(Remade::Mpnet),
        ..ROBERTA
    },
    TokenizerClass {
        name: "AlbertTokenizer",
        types: Types::Given,
        tokens: OF_ALBERT,
        remade: Some(Remade::Albert),
        ..ROBERTA
    },
    LLAMA,
    TokenizerClass { name: "GemmaTokenizer", tokens: OF_GEMMA, remade: Some(Remade::Gemma), ..LLAMA },
    TokenizerClass {
        name: "Qwen2Tokenizer",
        types: Types::Zero,
        tokens: OF_QWEN2,
        remade: Some(Remade::Qwen2),
        ..PLAIN
    },
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
    ("camembert", "CamembertTokenizer"),
    ("mpnet", "MPNetTokenizer"),
    ("albert", "AlbertTokenizer"),
    ("llama", "LlamaTokenizer"),
    ("mistral", "LlamaTokenizer"),
    ("qwen2", "Qwen2Tokenizer"),
    ("qwen3", "Qwen2Tokenizer"),
    ("gemma3_text", "GemmaTokenizer"),
];
/// The families whose tokenizers transformers 5 takes as `tokenizer.json` has them, whatever class is named.
const AS_WRITTEN_IN_FIVE: &[&str] = &["modernbert", "mistral"];
/// The families whose own class transformers 5 takes, whatever class is named.
const OWN_IN_FIVE: &[&str] = &["qwen2"];
/// The families without a class of their own in transformers 5.
const PLAIN_IN_FIVE: &[&str] = &["llama"];

impl TokenizerClass {
    /// The class of a tokenizer of the family `family`, which a file calls `name`, if one does.
    ///
    /// # Errors
    /// When it is none of those that are known.
    pub(super) fn of(name: Option<&str>, family: Option<&str>, writer: Writer) -> Result<Self, String> {
        let is_plain = writer == Writer::Five && family.is_some_and(|family| PLAIN_IN_FIVE.contains(&family));
        let families = if is_plain { &[] } else { OF_FAMILIES };
        let of_family = || families.iter().find(|(of, _)| Some(*of) == family).map(|(_, name)| *name);
        let is_own = writer == Writer::Five && family.is_some_and(|family| OWN_IN_FIVE.contains(&family));
        match name.filter(|_| !is_own).or_else(of_family) {
            _ if writer == Writer::Five && family.is_some_and(|family| AS_WRITTEN_IN_FIVE.contains(&family)) => {
                Ok(BACKEND)
            }
            Some(name) => Ok(Self::named(name)?.of_writer(writer)),
            None => Ok(PLAIN.of_writer(writer)),
        }
    }

    /// The class that a file calls `name`.
    fn named(name: &str) -> Result<Self, String> {
        let short = name.strip_suffix("Fast").unwrap_or(name);
        let found = CLASSES.iter().find(|class| class.name == short).copied();
        found.ok_or_else(|| {
            let known = CLASSES.iter().map(|class| class.name).collect::<Vec<_>>().join(", ");
            format!("tokenizer_class `{name}` is not supported; supported are {known}, with Fast or without")
        })
    }

    /// What the class is in the version `writer`.
    fn of_writer(self, writer: Writer) -> Self {
        match writer {
            Writer::Four => Self { remade: None, ..self },
            Writer::Five if self.name == PLAIN.name => BACKEND,
            Writer::Five if self.normaliser == OwnNormaliser::OfMpnet => {
                Self { normaliser: OwnNormaliser::OfBert, ..self }.of_writer(writer)
            }
            // There, it has no token types of its own.
            Writer::Five if self.remade == Some(Remade::Albert) => {
                Self { types: Types::Zero, mask: MaskForm::Alone, writer, ..self }
            }
            Writer::Five => Self { mask: MaskForm::Alone, writer, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_their_names_and_those_of_families_are_there() {
        let four = |class: TokenizerClass| class.of_writer(Writer::Four);
        let of = |name, family| TokenizerClass::of(name, family, Writer::Four);
        assert_eq!(of(Some("BertTokenizerFast"), Some("roberta")), Ok(four(BERT)));
        assert_eq!(of(Some("PreTrainedTokenizerFast"), None), Ok(PLAIN));
        assert_eq!((of(None, Some("roberta")), of(None, Some("modernbert"))), (Ok(four(ROBERTA)), Ok(PLAIN)));
        for (family, name) in OF_FAMILIES {
            assert_eq!(of(Some(name), None), of(None, Some(family)));
        }
        let why = of(Some("BertJapaneseTokenizer"), None).unwrap_err();
        assert!(why.starts_with("tokenizer_class `BertJapaneseTokenizer` is not supported; supported are"), "{why}");
    }

    #[test]
    fn transformers_5_has_other_classes() {
        let of = |name, family| TokenizerClass::of(name, family, Writer::Five).unwrap();
        assert_eq!(of(Some("PreTrainedTokenizerFast"), Some("bert")), BACKEND);
        assert_eq!(of(Some("BertTokenizer"), Some("modernbert")), BACKEND);
        assert_eq!(of(Some("PreTrainedTokenizerFast"), Some("qwen2")).name, "Qwen2Tokenizer");
        assert_eq!(of(None, Some("llama")), BACKEND);
        let albert = |writer| TokenizerClass::of(None, Some("albert"), writer).unwrap().types;
        assert_eq!((albert(Writer::Four), albert(Writer::Five)), (Types::Given, Types::Zero));
        let roberta = of(Some("RobertaTokenizer"), None);
        assert_eq!((roberta.remade, roberta.mask), (Some(Remade::Roberta), MaskForm::Alone));
    }
}
