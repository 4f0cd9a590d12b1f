//! Decoders: causal, norms by root mean square first, rotary positions, gated feed-forward layers; the last token stands
//! for the text. Llama (Touvron et al. 2023) and what differs from it in windows, norms and biases: Mistral, Qwen2, Qwen3,
//! SmolLM3, Gemma 3; and EuroBERT, which is one that sees all tokens.

mod lists;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::keys::Keys as KeyList;
use super::rope;
use super::{Family, defaulted, read_keys};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads, Rotary};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DenseForm, DropoutRates, FeedForwardForm, HeadForm, NormForm, NormKind, Order, Pooling,
    Positions, Presence, Projection,
};

pub(super) const LLAMA: Family = Family {
    model_type: "llama",
    layers: "num_hidden_layers",
    sizes: &[
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "max_position_embeddings",
        "sliding_window",
        "pad_token_id",
    ],
    keys: lists::LLAMA,
    read: llama,
};
pub(super) const MISTRAL: Family = Family { model_type: "mistral", keys: lists::MISTRAL, read: mistral, ..LLAMA };
pub(super) const QWEN2: Family = Family { model_type: "qwen2", keys: lists::QWEN2, read: qwen2, ..LLAMA };
pub(super) const QWEN3: Family = Family { model_type: "qwen3", keys: lists::QWEN3, read: qwen3, ..LLAMA };
pub(super) const SMOLLM3: Family = Family { model_type: "smollm3", keys: lists::SMOLLM3, read: smollm3, ..LLAMA };
pub(super) const EUROBERT: Family = Family { model_type: "eurobert", keys: lists::EUROBERT, read: eurobert, ..LLAMA };
pub(super) const GEMMA3: Family = Family { model_type: "gemma3_text", keys: lists::GEMMA3, read: gemma3, ..LLAMA };

/// Keys of the configurations of transformers.
#[derive(Deserialize)]
struct Keys {
    vocab_size: i64,
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    /// As many as of queries where it is `null`.
    num_key_value_heads: Option<i64>,
    head_dim: Option<i64>,
    max_position_embeddings: i64,
    #[serde(default)]
    hidden_act: Activation,
    #[serde(default)]
    hidden_activation: Activation,
    rms_norm_eps: f64,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    attention_dropout: f64,
    #[serde(default)]
    use_sliding_window: bool,
    sliding_window: Option<i64>,
    #[serde(default)]
    max_window_layers: usize,
    sliding_window_pattern: Option<usize>,
    layer_types: Option<Vec<LayerType>>,
    /// 0 for each layer without rotary positions.
    no_rope_layers: Option<Vec<i64>>,
    #[serde(default)]
    no_rope_layer_interval: usize,
    query_pre_attn_scalar: Option<f64>,
    #[serde(default)]
    classifier_pooling: Pooled,
    pad_token_id: Option<i64>,
}

/// What stands for a text of `EuroBERT`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pooled {
    Bos,
    Mean,
    #[default]
    Late,
}

/// What a layer attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LayerType {
    FullAttention,
    SlidingAttention,
}

const NAMES: Names = Names {
    prefix: "model.",
    words: "embed_tokens",
    positions: "",
    types: "",
    embedding_norm: None,
    projection: "",
    qkv: QkvNames::Apart(["layers.#.self_attn.q_proj", "layers.#.self_attn.k_proj", "layers.#.self_attn.v_proj"]),
    head_norms: None,
    out_proj: "layers.#.self_attn.o_proj",
    attention_norm: "layers.#.input_layernorm",
    up_proj: &["layers.#.mlp.gate_proj", "layers.#.mlp.up_proj"],
    down_proj: "layers.#.mlp.down_proj",
    output_norm: "layers.#.post_attention_layernorm",
    added_norms: None,
    final_norm: Some("norm"),
    transposed: false,
    classifier: "LlamaForSequenceClassification",
};
const HEAD_NORMS: [&str; 2] = ["layers.#.self_attn.q_norm", "layers.#.self_attn.k_norm"];

/// The keys that a family reads, and `defaults` for those that are not there.
fn of_family(raw: &Map<String, Value>, own: KeyList, defaults: Value) -> Result<(Map<String, Value>, Keys), String> {
    let all = defaulted(raw, own, defaults);
    let keys = read_keys::<Keys>(&all)?;
    let of_layers = [keys.layer_types.as_ref().map(Vec::len), keys.no_rope_layers.as_ref().map(Vec::len)];
    for (key, count) in ["layer_types", "no_rope_layers"].into_iter().zip(of_layers) {
        if count.is_some_and(|count| count != keys.num_hidden_layers) {
            return Err(format!("{key} has not the {} of num_hidden_layers", keys.num_hidden_layers));
        }
    }
    Ok((all, keys))
}

impl Keys {
    fn heads(&self) -> Result<Heads, String> {
        let even = Heads::split(self.hidden_size, self.num_attention_heads)?;
        let key_values = self.num_key_value_heads.unwrap_or(self.num_attention_heads);
        Ok(Heads { key_values, size: self.head_dim.unwrap_or(even.size), ..even })
    }

    /// What rotary positions depend on beside their own keys.
    fn rotated(&self) -> Result<rope::Rotated, String> {
        Ok(rope::Rotated { size: self.heads()?.size, limit: self.max_position_embeddings })
    }

    /// The rule of a layer of this type.
    fn rule(&self, kind: LayerType, rotary: Option<Rotary>) -> Result<AttentionRule, String> {
        let window = match (kind, self.sliding_window) {
            (LayerType::FullAttention, _) => None,
            (LayerType::SlidingAttention, None) => {
                return Err("layer_types has sliding_attention, but there is no sliding_window".to_owned());
            }
            // The token itself is one of those that it sees.
            (LayerType::SlidingAttention, Some(size)) if size > 0 => Some(size - 1),
            (LayerType::SlidingAttention, Some(size)) => return Err(format!("sliding_window is {size}")),
        };
        let scale = self.query_pre_attn_scalar.unwrap_or(self.heads()?.size as f64).powf(-0.5);
        if !scale.is_finite() {
            return Err(format!("query_pre_attn_scalar is {}", self.query_pre_attn_scalar.unwrap_or_default()));
        }
        Ok(AttentionRule { scale, window, rotary })
    }

    /// The type of a layer, which is `otherwise` where `layer_types` is not there.
    fn layer_type(&self, layer: usize, otherwise: LayerType) -> LayerType {
        self.layer_types.as_ref().and_then(|types| types.get(layer).copied()).unwrap_or(otherwise)
    }

    /// The rules of all layers.
    fn rules(&self, of_layer: impl Fn(usize) -> (LayerType, Option<Rotary>)) -> Result<Vec<AttentionRule>, String> {
        let rule = |layer| {
            let (kind, rotary) = of_layer(layer);
            self.rule(kind, rotary)
        };
        (0..self.num_hidden_layers).map(rule).collect()
    }

    /// Llama with these rules.
    fn architecture(&self, classifier: &'static str, rules: Vec<AttentionRule>) -> Result<Architecture, String> {
        Ok(Architecture {
            vocabulary: self.vocab_size,
            embedding: self.hidden_size,
            embedding_scale: 1.0,
            projection: Projection::AfterNorm,
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            passes: (0..self.num_hidden_layers).collect(),
            heads: self.heads()?,
            intermediate: self.intermediate_size,
            positions: Positions::Rotary { limit: self.max_position_embeddings },
            token_types: 0,
            pads: self.pad_token_id.map_or(PadTokens::Alike, PadTokens::Unpooled),
            norm: NormForm { kind: NormKind::RootMeanSquare, eps: self.rms_norm_eps, bias: Presence::Absent },
            order: Order::Pre { bare_start: false },
            attention: AttentionForm {
                causal: true,
                bias: self.attention_bias.into(),
                out_bias: self.attention_bias.into(),
                distances: None,
                rules,
            },
            feed_forward: FeedForwardForm { activation: self.hidden_act, gated: true, bias: self.mlp_bias.into() },
            dropout: DropoutRates { attention: self.attention_dropout, ..DropoutRates::default() },
            head: head(),
            names: Names { classifier, ..NAMES },
        })
    }
}

fn head() -> HeadForm {
    HeadForm {
        pooling: Pooling::Last,
        dropout_before: 0.0,
        dense: None,
        norm: None,
        dropout_after: 0.0,
        out: "score".to_owned(),
        out_bias: Presence::Absent,
    }
}

fn llama(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 2048});
    let (all, keys) = of_family(raw, lists::LLAMA, defaults)?;
    let rotary = rope::for_all(&all, keys.rotated()?, 1e4)?;
    keys.architecture(NAMES.classifier, keys.rules(|_| (LayerType::FullAttention, Some(rotary)))?)
}

/// With `layer_types` it is what transformers calls Ministral.
fn mistral(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 131_072,
        "num_key_value_heads": 8, "sliding_window": 4096});
    let (all, keys) = of_family(raw, lists::MISTRAL, defaults)?;
    let rotary = rope::for_all(&all, keys.rotated()?, 1e4)?;
    let kind = if keys.sliding_window.is_some() { LayerType::SlidingAttention } else { LayerType::FullAttention };
    let rules = keys.rules(|layer| (keys.layer_type(layer, kind), Some(rotary)))?;
    keys.architecture("MistralForSequenceClassification", rules)
}

/// Llama that sees all tokens, with another head (Boizard et al. 2025).
fn eurobert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_act": "silu", "rms_norm_eps": 1e-5, "max_position_embeddings": 8192});
    let (all, keys) = of_family(raw, lists::EUROBERT, defaults)?;
    let rotary = rope::for_all(&all, keys.rotated()?, 1e4)?;
    let rules = keys.rules(|_| (LayerType::FullAttention, Some(rotary)))?;
    let plain = keys.architecture("EuroBertForSequenceClassification", rules)?;
    Ok(Architecture {
        pads: PadTokens::Alike,
        attention: AttentionForm { causal: false, ..plain.attention },
        head: HeadForm {
            pooling: match keys.classifier_pooling {
                Pooled::Bos => Pooling::First,
                Pooled::Mean => Pooling::Mean,
                Pooled::Late => Pooling::Late,
            },
            dense: Some(DenseForm { name: "dense".to_owned(), activation: Activation::Gelu, bias: Presence::Present }),
            out: "classifier".to_owned(),
            out_bias: Presence::Present,
            ..plain.head
        },
        ..plain
    })
}

/// The rules of Qwen: from some layer on there are windows, if there are any.
fn qwen_rules(all: &Map<String, Value>, keys: &mut Keys) -> Result<Vec<AttentionRule>, String> {
    let rotary = rope::for_all(all, keys.rotated()?, 1e4)?;
    keys.sliding_window = keys.sliding_window.filter(|_| keys.use_sliding_window);
    let slides = |layer: usize| keys.sliding_window.is_some() && layer >= keys.max_window_layers;
    let kind = |layer| if slides(layer) { LayerType::SlidingAttention } else { LayerType::FullAttention };
    keys.rules(|layer| (keys.layer_type(layer, kind(layer)), Some(rotary)))
}

fn qwen2(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 32_768,
        "num_key_value_heads": 32, "sliding_window": 4096, "max_window_layers": 28});
    let (all, mut keys) = of_family(raw, lists::QWEN2, defaults)?;
    let rules = qwen_rules(&all, &mut keys)?;
    let plain = keys.architecture("Qwen2ForSequenceClassification", rules)?;
    Ok(Architecture { attention: AttentionForm { bias: Presence::Present, ..plain.attention }, ..plain })
}

fn qwen3(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 32_768,
        "num_key_value_heads": 32, "head_dim": 128, "sliding_window": 4096, "max_window_layers": 28});
    let (all, mut keys) = of_family(raw, lists::QWEN3, defaults)?;
    let rules = qwen_rules(&all, &mut keys)?;
    let plain = keys.architecture("Qwen3ForSequenceClassification", rules)?;
    Ok(Architecture { names: Names { head_norms: Some(HEAD_NORMS), ..plain.names }, ..plain })
}

/// Every fourth layer or so has no rotary positions, and windows if there are any.
fn smollm3(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_act": "silu", "rms_norm_eps": 1e-6, "max_position_embeddings": 32_768,
        "num_key_value_heads": 4, "no_rope_layer_interval": 4, "pad_token_id": 128_004});
    let (all, keys) = of_family(raw, lists::SMOLLM3, defaults)?;
    let rotary = rope::for_all(&all, keys.rotated()?, 2e6)?;
    let every = keys.no_rope_layer_interval;
    if every == 0 && keys.no_rope_layers.is_none() {
        return Err("no_rope_layer_interval is 0".to_owned());
    }
    let turns = |layer: usize| match &keys.no_rope_layers {
        Some(layers) => layers[layer] != 0,
        None => !(layer + 1).is_multiple_of(every),
    };
    let slides = |layer| keys.use_sliding_window && keys.sliding_window.is_some() && !turns(layer);
    let kind = |layer| if slides(layer) { LayerType::SlidingAttention } else { LayerType::FullAttention };
    let rules = keys.rules(|layer| (keys.layer_type(layer, kind(layer)), Some(rotary).filter(|_| turns(layer))))?;
    keys.architecture("SmolLM3ForSequenceClassification", rules)
}

/// Norms stand around each sublayer, words are scaled, and layers with windows have rotary positions of their own.
fn gemma3(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "head_dim": 256,
        "max_position_embeddings": 131_072, "num_key_value_heads": 4, "query_pre_attn_scalar": 256,
        "sliding_window": 4096, "sliding_window_pattern": 6, "pad_token_id": 0});
    let (all, keys) = of_family(raw, lists::GEMMA3, defaults)?;
    let [full, sliding] = rope::by_type(&all, keys.rotated()?, [1e6, 1e4])?;
    let every = keys.sliding_window_pattern.unwrap_or(6);
    if every == 0 && keys.layer_types.is_none() {
        return Err("sliding_window_pattern is 0".to_owned());
    }
    let by_number = |layer: usize| match (layer + 1).is_multiple_of(every) {
        true => LayerType::FullAttention,
        false => LayerType::SlidingAttention,
    };
    let rules = keys.rules(|layer| match keys.layer_type(layer, by_number(layer)) {
        LayerType::FullAttention => (LayerType::FullAttention, Some(full)),
        LayerType::SlidingAttention => (LayerType::SlidingAttention, Some(sliding)),
    })?;
    let plain = keys.architecture("Gemma3TextForSequenceClassification", rules)?;
    Ok(Architecture {
        embedding_scale: (keys.hidden_size as f64).sqrt(),
        norm: NormForm { kind: NormKind::ShiftedRootMeanSquare, ..plain.norm },
        order: Order::Around,
        feed_forward: FeedForwardForm { activation: keys.hidden_activation, ..plain.feed_forward },
        names: Names {
            head_norms: Some(HEAD_NORMS),
            output_norm: "layers.#.pre_feedforward_layernorm",
            added_norms: Some(["layers.#.post_attention_layernorm", "layers.#.post_feedforward_layernorm"]),
            ..plain.names
        },
        ..plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistral_with_types_of_layers_has_windows_where_they_say() {
        let written = json!({"model_type": "mistral", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8,
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "sliding_window": 3});
        let windows = |types: Option<Value>| {
            let mut all = written.as_object().unwrap().clone();
            all.extend(types.map(|types| ("layer_types".to_owned(), types)));
            mistral(&all).map(|made| made.attention.rules.iter().map(|rule| rule.window).collect::<Vec<_>>())
        };
        assert_eq!(windows(None), Ok(vec![Some(2), Some(2)]));
        assert_eq!(windows(Some(json!(["full_attention", "sliding_attention"]))), Ok(vec![None, Some(2)]));
        assert!(windows(Some(json!(["full_attention"]))).unwrap_err().contains("layer_types"));
    }

    #[test]
    fn a_key_that_transformers_passes_over_in_a_type_of_layers_is_refused() {
        let made = |truncate: bool| {
            let all = json!({"model_type": "gemma3_text", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8,
                "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 4,
                "rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 8.0, "truncate": truncate}}});
            gemma3(all.as_object().unwrap()).map(|_| ())
        };
        assert_eq!(made(true), Ok(()));
        assert!(made(false).unwrap_err().starts_with("rope_parameters: truncate"));
    }
}
