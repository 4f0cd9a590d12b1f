//! What the trainer knows of the checkpoints of its run.

use std::time::{SystemTime, UNIX_EPOCH};

use pellucid_protocol::Settings;
use pellucid_protocol::settings::reading::ColumnNames;
use pellucid_protocol::settings::{MaxTokens, Windows};
use sha2::{Digest, Sha256};

use crate::model::weights::provenance::CheckpointOf;

/// What the trainer knows of the checkpoints of its run.
#[derive(Debug)]
pub(super) struct Saved {
    /// The id of the run.
    pub(super) run: String,
    /// Hash of the settings that the run was started with.
    settings: String,
    /// Which columns of the training data were for what.
    columns: ColumnNames,
    /// The most tokens of a text that are read.
    max_tokens: Option<u64>,
    /// How longer texts are read.
    windows: Option<Windows>,
    /// The step whose folder holds the weights of that step for certain: this process has written it, or gone on from it.
    pub(super) step: Option<u64>,
    /// The best step that the newest resumable checkpoint knows of. Whoever resumes from there needs its weights.
    pub(super) best_of_state: Option<u64>,
}

impl Saved {
    /// For a new run, whose training data has `columns`.
    pub(super) fn of_new(settings: &Settings, columns: &ColumnNames) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let run = short_hash(&format!("{now} {} {host} {}", std::process::id(), settings.run_dir.display()));
        let max_tokens = match settings.max_tokens {
            MaxTokens::At(most) => Some(most),
            MaxTokens::Auto => None,
        };
        let windows = settings.windows();
        let (settings, columns) = (hash_of(settings), columns.clone());
        Self { run, settings, columns, max_tokens, windows, step: None, best_of_state: None }
    }

    /// Whether the run has an id, so that its checkpoints say what they are of.
    pub(super) fn has_id(&self) -> bool {
        !self.run.is_empty()
    }

    /// What a checkpoint of `step` says of itself.
    pub(super) fn checkpoint(&self, step: u64) -> CheckpointOf {
        let (run, settings, columns) = (self.run.clone(), self.settings.clone(), self.columns.clone());
        CheckpointOf { run, step, settings, columns, max_tokens: self.max_tokens, windows: self.windows }
    }

    /// Why a checkpoint that says `of` is not that of `step` of this run; `None` if it is, or if the run has no id.
    pub(super) fn mismatch(&self, of: &CheckpointOf, step: u64) -> Option<String> {
        self.has_id().then(|| of.mismatch(&self.run, step)).flatten()
    }

    /// Whether the settings that the run was started with are those that `of` was trained with.
    pub(super) fn has_settings_of(&self, of: &CheckpointOf) -> bool {
        of.settings == self.settings
    }
}

/// Hash of settings wherever the run lies.
fn hash_of(settings: &Settings) -> String {
    let placeless = Settings { run_dir: std::path::PathBuf::new(), ..settings.clone() };
    short_hash(&toml::to_string(&placeless).unwrap_or_default())
}

/// The first 64 bits of SHA-256, as hexadecimal digits.
fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
