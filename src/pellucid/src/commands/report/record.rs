//! What a report takes from the record of a run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::regular;
use pellucid_intake::model_folder::provenance::{self, NAME};
use pellucid_protocol::event::{Alert, Setting, Started};
use pellucid_protocol::{Event, Explanation, Metrics, Watched};
use pellucid_record::{RunDir, RunSummary};
use sha2::{Digest, Sha256};

use crate::recorded;

/// A run as it was recorded.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) summary: RunSummary,
    pub(super) alerts: Vec<Alert>,
    /// What the last evaluation says of words that may be shortcuts.
    pub(super) watched: Option<Watched>,
    /// Changes while it went on.
    pub(super) changes: Vec<Setting>,
    /// Each metric over steps.
    pub(super) curves: BTreeMap<String, Vec<(u64, f64)>>,
    /// The steps of the evaluations that were the best so far, and what they measured.
    bests: Vec<(u64, Metrics)>,
    /// The newest value of each metric of evaluations, with its step.
    pub(super) latest: BTreeMap<String, (u64, f64)>,
    /// The last explanation of each text that was explained to the end.
    pub(super) explanations: Vec<Explanation>,
}

impl Recorded {
    /// Reads the log of `run`.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn of(run: &RunDir) -> io::Result<Self> {
        let mut recorded = Self::default();
        let mut explained: BTreeMap<String, Explanation> = BTreeMap::new();
        recorded::each(run, &mut |record| {
            recorded.summary.take(&record);
            match record.event {
                Event::Explained(made) if !made.partial && made.edits.is_empty() => {
                    let name =
                        made.privacy.row().map_or_else(|| made.text.clone(), |row| format!("{row}\n{}", made.text));
                    drop(explained.insert(name, *made));
                }
                event => recorded.take(event),
            }
        })?;
        recorded.explanations = explained.into_values().collect();
        Ok(recorded)
    }

    /// What is fixed for the run.
    pub(super) fn started(&self) -> Option<&Started> {
        self.summary.started.as_ref().map(|(_, started)| &**started)
    }

    /// The step of the best evaluation, and what it measured.
    pub(super) fn best(&self) -> Option<&(u64, Metrics)> {
        self.bests.last()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Started(started) => {
                // Steps after the checkpoint it goes on from were done again.
                let from = started.resumed.unwrap_or(0);
                self.curves.values_mut().for_each(|points| points.retain(|(step, _)| *step <= from));
                self.bests.retain(|(step, _)| *step <= from);
            }
            Event::Step(step) => self.add(step.step, &step.metrics),
            Event::Eval(eval) => {
                self.add(eval.step, &eval.metrics);
                for (name, value) in eval.metrics.iter() {
                    self.latest.insert(name.to_owned(), (eval.step, value));
                }
                if eval.best {
                    self.bests.push((eval.step, eval.metrics));
                }
            }
            Event::Ended(ended) => {
                let step = self.best().map_or(ended.step, |(step, _)| *step);
                let tested = ended.metrics.iter().filter(|(name, _)| name.starts_with("test/"));
                self.latest.extend(tested.map(|(name, value)| (name.to_owned(), (step, value))));
            }
            Event::Watched(watched) => self.watched = Some(watched),
            Event::Alert(alert) => self.alerts.push(alert),
            Event::Setting(setting) if setting.key != "state" => self.changes.push(setting),
            _ => {}
        }
    }

    fn add(&mut self, step: u64, metrics: &Metrics) {
        for (name, value) in metrics.iter().filter(|(_, value)| value.is_finite()) {
            self.curves.entry(name.to_owned()).or_default().push((step, value));
        }
    }
}

/// The folder with the weights of the best evaluation of `run`, which `recorded` names.
///
/// # Errors
/// One line that says whose weights the folder holds, if others.
pub(super) fn best_weights(run: &RunDir, recorded: &Recorded) -> Result<PathBuf, String> {
    let folder = run.root().join(RunDir::checkpoint_name("best"));
    let (Some(started), Some((step, _))) = (recorded.started(), recorded.best()) else {
        return Err("no evaluation was the best so far".to_owned());
    };
    // Runs of earlier versions have no id, and their checkpoints do not say what they are of.
    if started.id.is_empty() {
        return Ok(folder);
    }
    let said = provenance::checked(&folder).map_err(|error| error.to_string())?.and_then(|said| said.checkpoint);
    let mismatch = match said {
        Some(of) => of.mismatch(&started.id, *step),
        None => Some(format!("has no {NAME} that says whose weights it holds")),
    };
    let told = |why| format!("{} {why}, and not those of the best evaluation, at step {step}", folder.display());
    mismatch.map_or_else(|| Ok(folder.clone()), |why| Err(told(why)))
}

/// SHA-256 of a file; why there is none if it cannot be read.
pub(super) fn hash(path: &Path) -> String {
    hash_of_all(&[path.to_owned()])
}

/// SHA-256 of the weights in a model folder: of `model.safetensors` or, where they are in several files, of these files
/// one after the other in the order of their names.
pub(super) fn hash_of_weights(folder: &Path) -> String {
    let one = folder.join("model.safetensors");
    let is_shard = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("model-") && name.ends_with(".safetensors")
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut shards: Vec<PathBuf> = entries.filter(is_shard).collect();
    shards.sort();
    hash_of_all(if one.exists() || shards.is_empty() { std::slice::from_ref(&one) } else { &shards })
}

fn hash_of_all(paths: &[PathBuf]) -> String {
    let mut hash = Sha256::new();
    let mut add = |path: &PathBuf| regular::open_named(path).and_then(|mut file| io::copy(&mut file, &mut hash));
    match paths.iter().try_for_each(|path| add(path).map(drop)) {
        Ok(()) => hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(error) => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_in_several_files_have_the_hash_of_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert!(hash_of_weights(folder.path()).contains("cannot be read"));
        write("model-00002-of-00002.safetensors", "b");
        write("model-00001-of-00002.safetensors", "a");
        write("whole", "ab");
        assert_eq!(hash_of_weights(folder.path()), hash(&folder.path().join("whole")));
        write("model.safetensors", "c");
        assert_eq!(hash_of_weights(folder.path()), hash(&folder.path().join("model.safetensors")));
    }
}
