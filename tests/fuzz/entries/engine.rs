//! What comes from outside to the engine: data files, model folders, checkpoints.

use pellucid_engine::data::read::{LabelNeed, read_rows};
use pellucid_engine::data::tokenise::TextEncoder;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::params::check_memory;
use pellucid_engine::model::weights_file::WeightsFile;

use super::file::{file, folder};

const ENDINGS: [&str; 3] = ["rows.jsonl", "rows.csv", "rows.tsv"];

/// Rows of a data file are whole, or a line of it is named.
pub(crate) fn rows(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let name = ENDINGS[usize::from(*first) % ENDINGS.len()];
    let need = if first & 0x80 == 0 { LabelNeed::Required } else { LabelNeed::Optional };
    match read_rows(&file(name, rest), need) {
        Ok(rows) => {
            for row in rows {
                let length = row.text.chars().count();
                assert!(!row.text.trim().is_empty() && row.line > 0);
                assert!(row.rationale.iter().all(|span| span.start < span.end && span.end <= length));
            }
        }
        Err(error) => assert!(error.to_string().contains(name)),
    }
}

/// The header of a weights file fits the file, or it is refused.
pub(crate) fn weights(bytes: &[u8]) {
    let Ok(weights) = WeightsFile::open(&file("model.safetensors", bytes)) else { return };
    let mut total = 0;
    for name in weights.names() {
        let (_, shape) = weights.info(&name).unwrap();
        let data = weights.bytes(&name).unwrap();
        total += data.len();
        assert!(shape.iter().all(|&size| size >= 0) && data.len() <= bytes.len());
    }
    assert!(total < bytes.len());
}

/// A configuration that is taken is of a model that can be spoken of: nothing is allocated for it.
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
    let _ = (encoder.largest_id(), encoder.mask_id(), encoder.pad_id());
}
