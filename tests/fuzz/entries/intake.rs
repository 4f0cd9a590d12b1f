//! What comes in as a file: data sets and weights.

use pellucid_intake::model_folder::provenance::{NAME, Provenance};
use pellucid_intake::model_folder::weights::ModelWeights;
use pellucid_intake::model_folder::weights_file::WeightsFile;
use pellucid_intake::rows::{LabelNeed, read_rows};
use pellucid_protocol::settings::reading::Reading;

use super::file::{file, folder};

const ENDINGS: [&str; 8] =
    ["rows.jsonl", "rows.csv", "rows.tsv", "rows.json", "rows.parquet", "rows.arrow", "rows.csv.gz", "rows.jsonl.zst"];

/// Rows of a data file are whole, or a line of it is named.
pub(crate) fn rows(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let name = ENDINGS[usize::from(*first & 0x7f) % ENDINGS.len()];
    let need = if first & 0x80 == 0 { LabelNeed::Required } else { LabelNeed::Optional };
    match read_rows(&file(name, rest), &Reading::default(), need) {
        Ok(rows) => {
            for row in (0..rows.len()).map(|row| rows.row(row)) {
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

/// An index names files of its own folder, or it is refused in one line.
pub(crate) fn shards(bytes: &[u8]) {
    file("model.safetensors.index.json", bytes);
    match ModelWeights::open(&folder()) {
        Ok(weights) => assert!(weights.files().all(|path| path.parent() == Some(&folder()))),
        Err(error) => assert_eq!(error.to_string().lines().count(), 1),
    }
}

/// What a saved folder says of itself is read and written again as the same, or refused in one line.
pub(crate) fn provenance(bytes: &[u8]) {
    file(NAME, bytes);
    match Provenance::of(&folder()) {
        Ok(said) => {
            let said = said.unwrap();
            let again: Provenance = serde_json::from_str(&serde_json::to_string(&said).unwrap()).unwrap();
            assert_eq!(again, said);
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1),
    }
}
