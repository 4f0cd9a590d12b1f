//! What becomes of the keys of each family of decoders.

use crate::model::family::keys::{Key, Keys, NOTHING, Neutral};

/// Keys of every decoder.
macro_rules! decoder {
    ($($own:expr),* $(,)?) => {
        &[
            ("vocab_size", Key::Read),
            ("hidden_size", Key::Read),
            ("intermediate_size", Key::Read),
            ("num_hidden_layers", Key::Read),
            ("num_attention_heads", Key::Read),
            ("num_key_value_heads", Key::Read),
            ("head_dim", Key::Read),
            ("max_position_embeddings", Key::Read),
            ("rms_norm_eps", Key::Read),
            ("attention_dropout", Key::Read),
            ("rope_theta", Key::Read),
            ("rope_scaling", Key::Read),
            ("rope_parameters", Key::Read),
            ("partial_rotary_factor", Key::Only(Neutral::One)),
            // Transformers 5 takes it for that of rope_parameters.
            ("original_max_position_embeddings", NOTHING),
            $($own),*
        ]
    };
}

pub(super) const LLAMA: Keys = decoder![
    ("hidden_act", Key::Read),
    ("attention_bias", Key::Read),
    ("mlp_bias", Key::Read),
    // The same numbers in another order.
    ("pretraining_tp", Key::NoEffect),
];
pub(super) const EUROBERT: Keys = decoder![
    ("hidden_act", Key::Read),
    ("attention_bias", Key::Read),
    ("mlp_bias", Key::Read),
    ("classifier_pooling", Key::Read),
    // The same numbers in another order.
    ("pretraining_tp", Key::NoEffect),
];
pub(super) const MISTRAL: Keys =
    decoder![("hidden_act", Key::Read), ("sliding_window", Key::Read), ("layer_types", Key::Read)];
pub(super) const QWEN2: Keys = decoder![
    ("hidden_act", Key::Read),
    ("use_sliding_window", Key::Read),
    ("sliding_window", Key::Read),
    ("max_window_layers", Key::Read),
    ("layer_types", Key::Read),
];
pub(super) const QWEN3: Keys = decoder![
    ("hidden_act", Key::Read),
    ("attention_bias", Key::Read),
    ("use_sliding_window", Key::Read),
    ("sliding_window", Key::Read),
    ("max_window_layers", Key::Read),
    ("layer_types", Key::Read),
];
pub(super) const SMOLLM3: Keys = decoder![
    ("hidden_act", Key::Read),
    ("attention_bias", Key::Read),
    ("mlp_bias", Key::Read),
    ("use_sliding_window", Key::Read),
    ("sliding_window", Key::Read),
    ("layer_types", Key::Read),
    ("no_rope_layers", Key::Read),
    ("no_rope_layer_interval", Key::Read),
];
pub(super) const GEMMA3: Keys = decoder![
    ("hidden_activation", Key::Read),
    ("attention_bias", Key::Read),
    ("query_pre_attn_scalar", Key::Read),
    ("sliding_window", Key::Read),
    ("sliding_window_pattern", Key::Read),
    ("layer_types", Key::Read),
    ("rope_local_base_freq", Key::Read),
    ("use_bidirectional_attention", Key::Only(Neutral::False)),
    ("attn_logit_softcapping", NOTHING),
    // Of the head for tokens.
    ("final_logit_softcapping", Key::NoEffect),
    // It is written in layer_types.
    ("_sliding_window_pattern", Key::NoEffect),
    // Of models that see pictures as well.
    ("text_config", NOTHING),
    ("vision_config", NOTHING),
    ("image_token_id", Key::NoEffect),
    ("mm_tokens_per_image", Key::NoEffect),
];
