//! The layout of a run folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::temporary::original;
use pellucid_files::weight_names::{INDEX, SINGLE, shard, shard_of};
use pellucid_files::{bounded, whole};
use pellucid_protocol::sample::{Prediction, Sample};
use serde::{Deserialize, Serialize};

/// A run folder:
///
/// ```text
/// run.toml                    the settings
/// events.jsonl                the event log, the record of the run
/// events.columns              a copy of the log's steps that is faster to read; optional
/// samples.jsonl               validation samples
/// split.json                  how the training file was split, if it was
/// skipped.jsonl               rows of the data that were left out, if there are any
/// predictions/step-<N>.jsonl  the model's predictions for them at an evaluation
/// predictions/test-step-<N>.jsonl   the answers to the test rows at the end, by the weights of that step
/// checkpoints/<name>/         model folders: step-<N>, and the names best and last that point to them
/// worker.json                 process and socket of the worker
/// worker.lock                 held by the worker while it runs, and names it
/// worker.log                  what the worker and libtorch print
/// view.toml                   view settings of its charts
/// report.html, report.md      what `pellucid report` writes, unless it is told another folder
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    root: PathBuf,
}

/// The file of a checkpoint that holds the state of the training, beside the weights.
pub const CHECKPOINT_STATE: &str = "trainer.safetensors";
/// The files of a checkpoint without which training cannot be resumed from it, beside its weights.
const RESUMED_FROM: [&str; 3] = [CHECKPOINT_STATE, "config.json", "tokenizer.json"];

/// The files that a run writes into its folder.
pub const FILES: [&str; 11] = [
    "events.jsonl",
    "events.columns",
    "run.toml",
    "samples.jsonl",
    "split.json",
    "skipped.jsonl",
    "worker.json",
    "worker.lock",
    "worker.log",
    "worker.sock",
    "view.toml",
];
/// The folders that a run makes in its folder.
pub const FOLDERS: [&str; 2] = ["checkpoints", "predictions"];

impl RunDir {
    /// The run folder at `root`, which need not exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The run's name: that of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.root.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The run's id: eight letters from k to z, computed from its name. Its first letters serve as a short id, which is
    /// not easily confused with a part of a name.
    #[must_use]
    pub fn id(&self) -> String {
        let sum = crate::log::line::checksum(self.name().as_bytes());
        (0..8).map(|place| char::from(b"zyxwvutsrqponmlk"[(sum >> (28 - 4 * place)) as usize & 15])).collect()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.root.join("run.toml")
    }

    /// The event log.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }

    /// The validation samples.
    #[must_use]
    pub fn samples(&self) -> PathBuf {
        self.root.join("samples.jsonl")
    }

    /// How the training file was split.
    #[must_use]
    pub fn split(&self) -> PathBuf {
        self.root.join("split.json")
    }

    /// The rows of the data that were left out.
    #[must_use]
    pub fn skipped(&self) -> PathBuf {
        self.root.join("skipped.jsonl")
    }

    /// The predictions of the evaluation at `step`, relative to the folder.
    #[must_use]
    pub fn predictions_name(step: u64) -> String {
        format!("predictions/step-{step:06}.jsonl")
    }

    /// The answers to the test rows by the weights of `step`, relative to the folder.
    #[must_use]
    pub fn test_name(step: u64) -> String {
        format!("predictions/test-step-{step:06}.jsonl")
    }

    /// Checkpoint `name`, relative to the folder.
    #[must_use]
    pub fn checkpoint_name(name: &str) -> String {
        format!("checkpoints/{name}")
    }

    /// Process and socket of the worker.
    #[must_use]
    pub fn worker(&self) -> PathBuf {
        self.root.join("worker.json")
    }

    /// The lock file; see [`crate::lock::Lock`].
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("worker.lock")
    }

    /// The view settings of its charts.
    #[must_use]
    pub fn view(&self) -> PathBuf {
        self.root.join("view.toml")
    }

    /// What the worker prints.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("worker.log")
    }

    /// The worker's socket, if its path is short enough for one.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.root.join("worker.sock")
    }

    /// A symbolic link among what a run writes, at any depth, that leads out of the folder, if there is one. A run writes no
    /// such link itself.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn escaping_link(&self) -> io::Result<Option<PathBuf>> {
        let home = self.root.canonicalize()?;
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let written = folder != self.root || FOLDERS.iter().any(|name| entry.file_name() == *name);
                if written && entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
                // What a kill has left of a link that was being made: nobody follows a name like that.
                let is_left = original(&entry.file_name()).is_some();
                // A link to nothing counts as well: writing through it would create the target.
                let stays = || entry.path().canonicalize().is_ok_and(|path| path.starts_with(&home));
                if entry.file_type()?.is_symlink() && !is_left && !stays() {
                    return Ok(Some(entry.path()));
                }
            }
        }
        Ok(None)
    }

    /// The step of the newest checkpoint from which training can be resumed.
    #[must_use]
    pub fn newest_checkpoint(&self) -> Option<u64> {
        let entries = fs::read_dir(self.root.join(Self::checkpoint_name(""))).into_iter().flatten().flatten();
        let is_whole = |folder: &Path| RESUMED_FROM.iter().all(|name| has(folder, name)) && has_weights(folder);
        let whole = entries.filter(|entry| is_whole(&entry.path()));
        whole.filter_map(|entry| entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok()).max()
    }

    /// Reads the validation samples.
    ///
    /// # Errors
    /// When the file lies outside the folder, cannot be read, or has a line that is not a sample.
    pub fn read_samples(&self) -> io::Result<Vec<Sample>> {
        self.read_lines("samples.jsonl")
    }

    /// Reads predictions by the relative name of an `eval` event.
    ///
    /// # Errors
    /// When the name leads out of the folder, or the file cannot be read or has a bad line.
    pub fn read_predictions(&self, name: &str) -> io::Result<Vec<Prediction>> {
        self.read_lines(name)
    }

    fn read_lines<T: for<'de> Deserialize<'de>>(&self, name: &str) -> io::Result<Vec<T>> {
        let text = bounded::read_text_in(&self.root, name, bounded::LINES)?;
        text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
    }
}

/// Whether `folder` has a file of this name that is not empty.
fn has(folder: &Path, name: &str) -> bool {
    fs::metadata(folder.join(name)).is_ok_and(|meta| meta.is_file() && meta.len() > 0)
}

/// Whether `folder` has weights, in one file or in all of several.
fn has_weights(folder: &Path) -> bool {
    let shards = || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let count = |entry: fs::DirEntry| shard_of(entry.file_name().to_str()?).map(|(_, count)| count);
        entries.filter_map(count).max()
    };
    let are_all = |count: usize| (1..=count).all(|number| has(folder, &shard(number, count)));
    has(folder, SINGLE) || has(folder, INDEX) && shards().is_some_and(are_all)
}

/// Writes `values` as JSON lines under a temporary name and renames: the file appears whole or not at all.
///
/// # Errors
/// What the file system says.
pub fn write_lines<T: Serialize>(path: &Path, values: &[T]) -> io::Result<()> {
    let mut text = Vec::new();
    for value in values {
        serde_json::to_writer(&mut text, value)?;
        text.push(b'\n');
    }
    whole::write_whole(path, &text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn predictions_never_come_from_outside() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        fs::write(folder.path().join("secret"), "").unwrap();
        fs::create_dir(run.root()).unwrap();
        symlink(folder.path().join("secret"), run.samples()).unwrap();
        symlink(folder.path(), run.root().join("predictions")).unwrap();
        for name in ["../secret", "/etc/hostname", "samples.jsonl", "predictions/secret"] {
            let error = run.read_predictions(name).unwrap_err();
            assert!(error.to_string().contains("leads out") || error.to_string().contains("link"), "{name}: {error}");
        }
        assert!(run.read_samples().is_err());
    }

    #[test]
    fn links_that_lead_out_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        fs::create_dir_all(run.root().join("checkpoints/step-000001")).unwrap();
        symlink("step-000001", run.root().join("checkpoints/best")).unwrap();
        symlink("step-000009", run.root().join("checkpoints/.last.pellucid-0123456789abcdef")).unwrap();
        assert_eq!(run.escaping_link().unwrap(), None, "what a kill has left of a link");
        for (name, target) in [
            ("events.jsonl", "/nowhere/yet"),
            ("checkpoints/last", "../../.."),
            ("view.toml", "/etc"),
            ("checkpoints/step-000001/requested", "/etc/hostname"),
        ] {
            let link = run.root().join(name);
            symlink(target, &link).unwrap();
            assert_eq!(run.escaping_link().unwrap().as_ref(), Some(&link));
            fs::remove_file(link).unwrap();
        }
    }

    #[test]
    fn a_checkpoint_without_all_its_weights_is_none_to_resume_from() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let made = |step: u64, names: &[&str]| {
            let path = folder.path().join(RunDir::checkpoint_name(&format!("step-{step:06}")));
            fs::create_dir_all(&path).unwrap();
            RESUMED_FROM.iter().chain(names).for_each(|name| fs::write(path.join(name), "x").unwrap());
            path
        };
        made(1, &[SINGLE]);
        let names = [shard(1, 2), shard(2, 2)];
        let path = made(2, &[&names[0], &names[1], INDEX]);
        assert_eq!(run.newest_checkpoint(), Some(2));
        made(3, &[]);
        made(4, &[&names[0], &names[1]]);
        made(5, &[&names[1], INDEX]);
        made(6, &[INDEX]);
        assert_eq!(run.newest_checkpoint(), Some(2));
        fs::write(path.join(&names[1]), "").unwrap();
        assert_eq!(run.newest_checkpoint(), Some(1));
    }

    #[test]
    fn lines_appear_whole() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let samples = vec![Sample { text: "a".into(), pair: None, label: 1, rationale: vec![] }];
        write_lines(&run.samples(), &samples).unwrap();
        assert_eq!(run.read_samples().unwrap(), samples);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
