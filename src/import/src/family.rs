//! The families of models: what their weights are called, which sizes of `config.json` are seen in them, and which
//! tokenizer they have.

/// A family.
#[derive(Debug)]
pub(crate) struct Family {
    /// Its `model_type`.
    pub(crate) model_type: &'static str,
    /// What its classes in transformers begin with.
    pub(crate) class: &'static str,
    /// What the names of a model with a head begin with, but not those of a bare one.
    pub(crate) prefix: &'static str,
    /// A tensor that no other family has, but those that are called alike.
    mark: &'static str,
    /// Keys of `config.json`, and the tensor and dimension that each is seen in.
    pub(crate) sizes: &'static [(&'static str, &'static str, usize)],
    /// The key of the number of layers, and what the names of layers begin with.
    pub(crate) layers: (&'static str, &'static str),
    /// The key of the number of heads, which is seen nowhere.
    pub(crate) heads: &'static str,
    /// The matrix of the classes.
    pub(crate) head: &'static str,
    /// The class of its tokenizer.
    pub(crate) tokenizer: &'static str,
}

const BERT: Family = Family {
    model_type: "bert",
    class: "Bert",
    prefix: "bert.",
    mark: "encoder.layer.0.attention.self.query.weight",
    sizes: &[
        ("vocab_size", "embeddings.word_embeddings.weight", 0),
        ("hidden_size", "encoder.layer.0.attention.output.dense.weight", 0),
        ("max_position_embeddings", "embeddings.position_embeddings.weight", 0),
        ("type_vocab_size", "embeddings.token_type_embeddings.weight", 0),
        ("intermediate_size", "encoder.layer.0.intermediate.dense.weight", 0),
    ],
    layers: ("num_hidden_layers", "encoder.layer."),
    heads: "num_attention_heads",
    head: "classifier.weight",
    tokenizer: "BertTokenizer",
};
const ROBERTA: Family = Family {
    model_type: "roberta",
    class: "Roberta",
    prefix: "roberta.",
    head: "classifier.out_proj.weight",
    tokenizer: "RobertaTokenizer",
    ..BERT
};
const LLAMA: Family = Family {
    model_type: "llama",
    class: "Llama",
    prefix: "model.",
    mark: "layers.0.self_attn.q_proj.weight",
    sizes: &[
        ("vocab_size", "embed_tokens.weight", 0),
        ("hidden_size", "embed_tokens.weight", 1),
        ("intermediate_size", "layers.0.mlp.gate_proj.weight", 0),
    ],
    layers: ("num_hidden_layers", "layers."),
    heads: "num_attention_heads",
    head: "score.weight",
    // Its older file, tokenizer.model, is not converted.
    tokenizer: "LlamaTokenizer",
};

/// All of them.
const FAMILIES: &[Family] = &[
    BERT,
    ROBERTA,
    Family { model_type: "xlm-roberta", class: "XLMRoberta", tokenizer: "XLMRobertaTokenizer", ..ROBERTA },
    Family { model_type: "camembert", class: "Camembert", tokenizer: "CamembertTokenizer", ..ROBERTA },
    Family {
        model_type: "mpnet",
        class: "MPNet",
        prefix: "mpnet.",
        mark: "encoder.layer.0.attention.attn.q.weight",
        sizes: &[
            ("vocab_size", "embeddings.word_embeddings.weight", 0),
            ("hidden_size", "encoder.layer.0.attention.attn.o.weight", 0),
            ("max_position_embeddings", "embeddings.position_embeddings.weight", 0),
            ("intermediate_size", "encoder.layer.0.intermediate.dense.weight", 0),
        ],
        tokenizer: "MPNetTokenizer",
        ..ROBERTA
    },
    Family {
        model_type: "albert",
        class: "Albert",
        prefix: "albert.",
        mark: "encoder.albert_layer_groups.0.albert_layers.0.attention.query.weight",
        sizes: &[
            ("vocab_size", "embeddings.word_embeddings.weight", 0),
            ("embedding_size", "embeddings.word_embeddings.weight", 1),
            ("hidden_size", "encoder.embedding_hidden_mapping_in.weight", 0),
            ("max_position_embeddings", "embeddings.position_embeddings.weight", 0),
            ("type_vocab_size", "embeddings.token_type_embeddings.weight", 0),
            ("intermediate_size", "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight", 0),
        ],
        // Layers share their weights, which do not show how many there are.
        layers: ("num_hidden_layers", ""),
        tokenizer: "AlbertTokenizer",
        ..BERT
    },
    Family {
        model_type: "electra",
        class: "Electra",
        prefix: "electra.",
        sizes: &[
            ("vocab_size", "embeddings.word_embeddings.weight", 0),
            ("embedding_size", "embeddings.word_embeddings.weight", 1),
            ("hidden_size", "encoder.layer.0.attention.output.dense.weight", 0),
            ("max_position_embeddings", "embeddings.position_embeddings.weight", 0),
            ("type_vocab_size", "embeddings.token_type_embeddings.weight", 0),
            ("intermediate_size", "encoder.layer.0.intermediate.dense.weight", 0),
        ],
        head: "classifier.out_proj.weight",
        tokenizer: "ElectraTokenizer",
        ..BERT
    },
    Family {
        model_type: "distilbert",
        class: "DistilBert",
        prefix: "distilbert.",
        mark: "transformer.layer.0.attention.q_lin.weight",
        sizes: &[
            ("vocab_size", "embeddings.word_embeddings.weight", 0),
            ("dim", "embeddings.word_embeddings.weight", 1),
            ("max_position_embeddings", "embeddings.position_embeddings.weight", 0),
            ("hidden_dim", "transformer.layer.0.ffn.lin1.weight", 0),
        ],
        layers: ("n_layers", "transformer.layer."),
        heads: "n_heads",
        tokenizer: "DistilBertTokenizer",
        ..BERT
    },
    Family {
        model_type: "deberta-v2",
        class: "DebertaV2",
        prefix: "deberta.",
        mark: "encoder.layer.0.attention.self.query_proj.weight",
        tokenizer: "DebertaV2Tokenizer",
        ..BERT
    },
    Family {
        model_type: "modernbert",
        class: "ModernBert",
        prefix: "model.",
        mark: "layers.0.attn.Wqkv.weight",
        sizes: &[
            ("vocab_size", "embeddings.tok_embeddings.weight", 0),
            ("hidden_size", "embeddings.tok_embeddings.weight", 1),
        ],
        layers: ("num_hidden_layers", "layers."),
        // It never had another file than tokenizer.json.
        tokenizer: "PreTrainedTokenizer",
        ..BERT
    },
    Family {
        model_type: "gpt2",
        class: "GPT2",
        prefix: "transformer.",
        mark: "h.0.attn.c_attn.weight",
        sizes: &[("vocab_size", "wte.weight", 0), ("n_embd", "wte.weight", 1), ("n_positions", "wpe.weight", 0)],
        layers: ("n_layer", "h."),
        heads: "n_head",
        head: "score.weight",
        tokenizer: "GPT2Tokenizer",
    },
    LLAMA,
    Family { model_type: "mistral", class: "Mistral", ..LLAMA },
    Family { model_type: "qwen2", class: "Qwen2", tokenizer: "Qwen2Tokenizer", ..LLAMA },
    Family { model_type: "qwen3", class: "Qwen3", tokenizer: "Qwen2Tokenizer", ..LLAMA },
    Family { model_type: "smollm3", class: "SmolLM3", tokenizer: "PreTrainedTokenizer", ..LLAMA },
    Family { model_type: "gemma3_text", class: "Gemma3Text", tokenizer: "GemmaTokenizer", ..LLAMA },
    Family {
        model_type: "eurobert",
        class: "EuroBert",
        head: "classifier.weight",
        tokenizer: "PreTrainedTokenizer",
        ..LLAMA
    },
];

/// The family of this `model_type`.
pub(crate) fn find(model_type: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.model_type == model_type)
}

/// The `model_type` of all, for a message.
pub(crate) fn known() -> String {
    FAMILIES.iter().map(|family| family.model_type).collect::<Vec<_>>().join(", ")
}

/// The family whose classes begin as the class `architecture` of transformers does.
pub(crate) fn of_architecture(architecture: &str) -> Option<&'static Family> {
    let stem = architecture.split_once("For").map(|(stem, _)| stem);
    let stem =
        stem.or_else(|| architecture.strip_suffix("LMHeadModel")).or_else(|| architecture.strip_suffix("Model"))?;
    FAMILIES.iter().find(|family| family.class == stem)
}

/// The families whose weights are called so; without a head several are called alike.
pub(crate) fn of_names(names: &[&str]) -> Vec<&'static Family> {
    let with_prefix = |family: &&Family| names.contains(&format!("{}{}", family.prefix, family.mark).as_str());
    let found: Vec<_> = FAMILIES.iter().filter(with_prefix).collect();
    if !found.is_empty() {
        return found;
    }
    FAMILIES.iter().filter(|family| names.contains(&family.mark)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> String {
        of_names(names).iter().map(|family| family.model_type).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn families_are_known_by_their_names() {
        let query = "encoder.layer.0.attention.self.query.weight";
        assert_eq!(told(&[&format!("bert.{query}")]), "bert");
        assert_eq!(told(&[&format!("roberta.{query}")]), "roberta xlm-roberta camembert");
        assert_eq!(told(&[query]), "bert roberta xlm-roberta camembert electra");
        assert_eq!(told(&["mpnet.encoder.layer.0.attention.attn.q.weight"]), "mpnet");
        let shared = "encoder.albert_layer_groups.0.albert_layers.0.attention.query.weight";
        assert_eq!((told(&[shared]), told(&[&format!("albert.{shared}")])), ("albert".into(), "albert".into()));
        assert_eq!(told(&["deberta.encoder.layer.0.attention.self.query_proj.weight"]), "deberta-v2");
        assert_eq!(told(&["transformer.h.0.attn.c_attn.weight"]), "gpt2");
        assert_eq!(told(&["deberta.encoder.layer.0.attention.self.in_proj.weight", "x"]), "");
        let class = |name: &str| of_architecture(name).map(|family| family.model_type);
        assert_eq!(class("XLMRobertaForMaskedLM"), Some("xlm-roberta"));
        assert_eq!(
            (class("GPT2LMHeadModel"), class("BertModel"), class("T5Model")),
            (Some("gpt2"), Some("bert"), None)
        );
    }
}
