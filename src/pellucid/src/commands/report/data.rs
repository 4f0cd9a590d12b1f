//! The part of a report that says which data and which model a run was of.

use std::path::Path;

use pellucid_protocol::settings::DataPart;
use pellucid_record::RunDir;

use super::page::{Block, Section};
use super::record::{Recorded, best_weights, hash, hash_of_weights};

/// What the run was trained on and with, each file with its checksum.
pub(super) fn data(run: &RunDir, recorded: &Recorded) -> Section {
    let Some(started) = recorded.started() else { return Section::new("Data and model", Vec::new()) };
    let settings = &started.settings;
    let path = |path: &Path| path.display().to_string();
    let mut rows = vec![
        vec![
            "model".into(),
            format!("{} ({}, {} parameters)", started.model.path, started.model.family, started.model.parameters),
        ],
        vec!["training data".into(), format!("{} ({} texts)", path(&settings.train), started.train_examples)],
        vec!["validation data".into(), format!("{} ({} texts)", settings.valid_words(), started.valid_examples)],
        vec!["classes".into(), started.labels.join(", ")],
        vec!["computed on".into(), started.device.clone()],
        vec!["pellucid".into(), started.version.clone()],
        vec!["SHA-256 of the training data now".into(), hash(&settings.train)],
        vec!["SHA-256 of the initial weights now".into(), hash_of_weights(&settings.model)],
        vec![
            "SHA-256 of the best weights".into(),
            best_weights(run, recorded).map_or_else(|why| why, |folder| hash_of_weights(&folder)),
        ],
    ];
    for (what, part) in [("validation", &settings.valid), ("test", &settings.test)] {
        let file = part.as_ref().and_then(DataPart::file);
        rows.extend(file.map(|file| vec![format!("SHA-256 of the {what} data now"), hash(file)]));
    }
    let test = settings.test.as_ref().map(|test| vec!["test data".into(), test.words()]);
    rows.extend(test);
    rows.extend(started.teacher.iter().map(|teacher| vec!["teacher".into(), teacher.path.clone()]));
    Section::new("Data and model", vec![Block::Table(vec!["what", "value"], rows)])
}
