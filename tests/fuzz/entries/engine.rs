//! What the engine makes of files: configurations and tokenizers.

use pellucid_engine::data::tokenise::TextEncoder;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::weights::params::check_memory;

use super::file::{file, folder};

/// A configuration that is accepted describes a model whose size can be computed; no memory is reserved for it.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(config) = ModelConfig::parse(text) else { return };
    let classes = config.labels().map_or(2, |labels| labels.len());
    let architecture = &config.architecture;
    assert!(architecture.max_tokens() > 0 && architecture.layers <= 1000);
    let _ = check_memory(&Classifier::specs(architecture, classes as i64));
    let _ = config.to_json("float32");
}

/// A tokenizer that is taken encodes any text, and its spans lie within the text.
pub(crate) fn tokenizer(bytes: &[u8]) {
    file("tokenizer.json", bytes);
    let Ok(encoder) = TextEncoder::load(&folder(), 16) else { return };
    let text = "The film wasn't \u{e9}\u{301} \u{6f22} good: 12.5 \u{1f600}";
    let Ok(encoded) = encoder.encode(&[(text, None), ("a", Some("b"))]) else { return };
    let length = text.chars().count();
    assert!(encoded[0].spans.iter().all(|&(start, end)| start <= end && end <= length));
    let _ = (encoder.largest_id(), encoder.mask(), encoder.pad());
}
