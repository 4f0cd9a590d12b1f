//! Whole model folders give the token ids and the logits of the version of transformers that wrote them, or are refused;
//! see tests/golden/make_folders.py.

use std::path::{Path, PathBuf};

use pellucid_engine::error::Result;
use pellucid_engine::model::answers;
use pellucid_engine::model::pretrained::{TrainedOn, load_classifier};
use serde::Deserialize;

/// Largest absolute difference of logits.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    rows: Vec<Row>,
    /// What the refusal names, for a folder that is refused.
    refused: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    text_pair: Option<String>,
    ids: Vec<i64>,
    logits: Vec<f32>,
}

/// Token ids and logits of each row.
fn answered(folder: &Path, rows: &[Row]) -> Result<Vec<(Vec<i64>, Vec<f32>)>> {
    let (model, _, encoder) = load_classifier(folder, TrainedOn::of(folder)?.limit)?;
    let texts: Vec<_> = rows.iter().map(|row| (row.text.as_str(), row.text_pair.as_deref())).collect();
    let encoded = encoder.encode(&texts)?;
    let logits = answers::logits(&model, encoded.as_slice())?;
    Ok(encoded.into_iter().map(|row| row.ids).zip(logits).collect())
}

#[test]
fn folders_give_the_ids_and_logits_of_transformers_or_are_refused_by_key() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/folders");
    let folders: Vec<PathBuf> = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(folders.len() >= 16, "golden files are missing");
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let expected = std::fs::read(folder.join("expected.json")).unwrap();
        let expected: Expected = serde_json::from_slice(&expected).unwrap();
        match (answered(&folder, &expected.rows), &expected.refused) {
            (Err(why), Some(key)) => {
                let why = why.to_string();
                assert!(why.contains(key.as_str()) && !why.contains('\n'), "{name}: {why}");
            }
            (Err(why), None) => panic!("{name}: {why}"),
            (Ok(_), Some(key)) => panic!("{name} is not refused for its {key}"),
            (Ok(found), None) => {
                assert_eq!(found.len(), expected.rows.len());
                for ((ids, logits), row) in found.iter().zip(&expected.rows) {
                    assert_eq!(*ids, row.ids, "{name}: {:?} {:?}", row.text, row.text_pair);
                    let worst = logits.iter().zip(&row.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(logits.len() == row.logits.len() && worst < TOLERANCE, "{name}: {:?}: {worst}", row.text);
                }
            }
        }
    }
}
