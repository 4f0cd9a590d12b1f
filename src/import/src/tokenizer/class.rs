//! The classes of tokenizers that are converted: their files and their special tokens, as in transformers.

/// A class of tokenizers.
#[derive(Debug)]
pub(super) struct Class {
    /// Its name in transformers, without `Fast`.
    pub(super) name: &'static str,
    /// The files that it is made of.
    pub(super) files: &'static [&'static str],
    /// Its special tokens, in the order in which transformers adds those that the vocabulary lacks.
    pub(super) roles: &'static [Role],
    /// Its special tokens without a role, where nothing else is said.
    pub(super) additional: &'static [&'static str],
    /// How it makes tokens of words.
    pub(super) model: Model,
}

/// What a special token is for, and what it is if nothing else is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Role {
    /// The key in `tokenizer_config.json`.
    pub(super) key: &'static str,
    /// The token.
    pub(super) content: &'static str,
    /// Whether it takes the blanks before it.
    pub(super) lstrip: bool,
    /// Whether it is looked for in the normalised text.
    pub(super) normalized: bool,
}

/// How tokens are made of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    /// The longest pieces of a list.
    WordPiece {
        /// How many `sep_token` stand between two texts.
        between: usize,
    },
    /// Bytes that are merged.
    ByteBpe {
        /// Whether texts have a beginning and an end, as those of RoBERTa; else as those of GPT-2.
        framed: bool,
    },
    /// A model of SentencePiece.
    SentencePiece(Spm),
}

/// What is done to the vocabulary of a SentencePiece model, and around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spm {
    Albert,
    Camembert,
    DebertaV2,
    XlmRoberta,
}

impl Model {
    /// Whether texts become lower case unless something else is said.
    pub(super) fn lowers_by_default(self) -> bool {
        matches!(self, Self::WordPiece { .. } | Self::SentencePiece(Spm::Albert))
    }
}

const fn role(key: &'static str, content: &'static str) -> Role {
    Role { key, content, lstrip: false, normalized: false }
}

const fn normalized(key: &'static str, content: &'static str) -> Role {
    Role { normalized: true, ..role(key, content) }
}

const fn mask(content: &'static str) -> Role {
    Role { lstrip: true, ..role("mask_token", content) }
}

const BERT: Class = Class {
    name: "BertTokenizer",
    files: &["vocab.txt"],
    roles: &[
        role("unk_token", "[UNK]"),
        role("sep_token", "[SEP]"),
        role("pad_token", "[PAD]"),
        role("cls_token", "[CLS]"),
        role("mask_token", "[MASK]"),
    ],
    additional: &[],
    model: Model::WordPiece { between: 1 },
};
const ROBERTA: Class = Class {
    name: "RobertaTokenizer",
    files: &["vocab.json", "merges.txt"],
    roles: &[
        normalized("bos_token", "<s>"),
        normalized("eos_token", "</s>"),
        normalized("unk_token", "<unk>"),
        normalized("sep_token", "</s>"),
        normalized("pad_token", "<pad>"),
        normalized("cls_token", "<s>"),
        mask("<mask>"),
    ],
    additional: &[],
    model: Model::ByteBpe { framed: true },
};
const XLM_ROBERTA: Class = Class {
    name: "XLMRobertaTokenizer",
    files: &["sentencepiece.bpe.model"],
    roles: &[
        role("bos_token", "<s>"),
        role("eos_token", "</s>"),
        role("unk_token", "<unk>"),
        role("sep_token", "</s>"),
        role("pad_token", "<pad>"),
        role("cls_token", "<s>"),
        mask("<mask>"),
    ],
    additional: &[],
    model: Model::SentencePiece(Spm::XlmRoberta),
};

const CLASSES: &[Class] = &[
    BERT,
    Class { name: "DistilBertTokenizer", ..BERT },
    Class { name: "ElectraTokenizer", ..BERT },
    Class {
        name: "MPNetTokenizer",
        roles: &[
            role("bos_token", "<s>"),
            role("eos_token", "</s>"),
            role("unk_token", "[UNK]"),
            role("sep_token", "</s>"),
            role("pad_token", "<pad>"),
            role("cls_token", "<s>"),
            mask("<mask>"),
        ],
        model: Model::WordPiece { between: 2 },
        ..BERT
    },
    ROBERTA,
    Class {
        name: "GPT2Tokenizer",
        roles: &[
            normalized("bos_token", "<|endoftext|>"),
            normalized("eos_token", "<|endoftext|>"),
            normalized("unk_token", "<|endoftext|>"),
        ],
        model: Model::ByteBpe { framed: false },
        ..ROBERTA
    },
    Class {
        name: "DebertaV2Tokenizer",
        files: &["spm.model"],
        roles: &[
            role("bos_token", "[CLS]"),
            role("eos_token", "[SEP]"),
            normalized("unk_token", "[UNK]"),
            role("sep_token", "[SEP]"),
            role("pad_token", "[PAD]"),
            role("cls_token", "[CLS]"),
            role("mask_token", "[MASK]"),
        ],
        additional: &[],
        model: Model::SentencePiece(Spm::DebertaV2),
    },
    Class {
        name: "AlbertTokenizer",
        files: &["spiece.model"],
        roles: &[
            role("bos_token", "[CLS]"),
            role("eos_token", "[SEP]"),
            role("unk_token", "<unk>"),
            role("sep_token", "[SEP]"),
            role("pad_token", "<pad>"),
            role("cls_token", "[CLS]"),
            mask("[MASK]"),
        ],
        additional: &[],
        model: Model::SentencePiece(Spm::Albert),
    },
    XLM_ROBERTA,
    Class {
        name: "CamembertTokenizer",
        additional: &["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"],
        model: Model::SentencePiece(Spm::Camembert),
        ..XLM_ROBERTA
    },
];

/// The class of this name.
pub(super) fn find(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}
