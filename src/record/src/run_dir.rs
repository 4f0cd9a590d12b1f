//! The layout of a run folder, and the list of runs.

use std::fs;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use pellucid_files::{bounded, whole};
use pellucid_protocol::sample::{Prediction, Sample};
use serde::{Deserialize, Serialize};

use crate::owner::{Lock, Owner, Whereabouts};

/// A run folder:
///
/// ```text
/// run.toml                    the settings
/// events.jsonl                the event log, the record of the run
/// events.columns              a copy of its steps that is faster to read; the log alone is enough
/// samples.jsonl               validation samples
/// predictions/step-<N>.jsonl  what the model answered to them at an evaluation
/// checkpoints/<name>/         model folders: step-<N>, and the names best and last that point to them
/// worker.json                 process and socket of the worker
/// worker.lock                 held by the worker while it lives, and names it
/// worker.log                  what the worker and libtorch print
/// view.toml                   how its charts are looked at
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    root: PathBuf,
}

/// File of a checkpoint with what training needs to go on beside the weights.
pub const CHECKPOINT_STATE: &str = "trainer.safetensors";

/// Process and socket of a run's worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// The process.
    #[serde(flatten)]
    pub owner: Owner,
    /// The Unix socket.
    pub socket: PathBuf,
    /// The process that writes down how the worker died, should it die.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeper: Option<u32>,
}

impl WorkerInfo {
    /// Where the worker of `run` is. One that does not hold the run is none of its, whoever it is: the folder is a copy.
    #[must_use]
    pub fn whereabouts(&self, run: &RunDir) -> Whereabouts {
        match self.owner.whereabouts() {
            Whereabouts::Here if !Lock::is_held(run) => Whereabouts::Gone,
            place => place,
        }
    }
}

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

    /// Eight letters of k to z made of the name: whatever begins with enough of them is a short id, and not easily
    /// taken for a part of a name.
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

    /// When it began, in milliseconds since 1970: the time of its first record, or that of the log while there is none.
    fn begun(&self) -> u64 {
        let Ok(log) = fs::File::open(self.events()) else { return 0 };
        let changed = log.metadata().and_then(|log| log.modified()).ok();
        let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|time| time.as_secs_f64());
        let mut line = Vec::new();
        let read = io::BufReader::new(log).take(FIRST_LINE).read_until(b'\n', &mut line);
        let first = read.ok().and_then(|_| serde_json::from_slice::<Dated>(&line).ok()).map(|first| first.time);
        (first.or(changed).unwrap_or(0.0) * 1000.0) as u64
    }

    /// The validation samples.
    #[must_use]
    pub fn samples(&self) -> PathBuf {
        self.root.join("samples.jsonl")
    }

    /// The predictions of the evaluation at `step`, relative to the folder.
    #[must_use]
    pub fn predictions_name(step: u64) -> String {
        format!("predictions/step-{step:06}.jsonl")
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

    /// Held by the worker while it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("worker.lock")
    }

    /// How its charts are looked at.
    #[must_use]
    pub fn view(&self) -> PathBuf {
        self.root.join("view.toml")
    }

    /// What the worker prints.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("worker.log")
    }

    /// Reads [`RunDir::worker`]; `None` when there is none.
    #[must_use]
    pub fn worker_info(&self) -> Option<WorkerInfo> {
        serde_json::from_slice(&bounded::read(&self.worker(), bounded::SETTINGS).ok()?).ok()
    }

    /// Where the worker's socket is when its path is short enough.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.root.join("worker.sock")
    }

    /// What in the folder is a link that leads out of it, if anything is: nothing that a run writes is.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn way_out(&self) -> io::Result<Option<PathBuf>> {
        let home = self.root.canonicalize()?;
        for folder in [self.root.clone(), self.root.join("checkpoints")] {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                // One that leads to nothing yet may lead anywhere once it is written to.
                let stays = || entry.path().canonicalize().is_ok_and(|path| path.starts_with(&home));
                if entry.file_type()?.is_symlink() && !stays() {
                    return Ok(Some(entry.path()));
                }
            }
        }
        Ok(None)
    }

    /// The step of the newest checkpoint that training can go on from.
    #[must_use]
    pub fn newest_checkpoint(&self) -> Option<u64> {
        let entries = fs::read_dir(self.root.join(Self::checkpoint_name(""))).into_iter().flatten().flatten();
        let whole = entries.filter(|entry| entry.path().join(CHECKPOINT_STATE).is_file());
        whole.filter_map(|entry| entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok()).max()
    }

    /// Reads the validation samples.
    ///
    /// # Errors
    /// When the file lies elsewhere, cannot be read, or has a line that is not a sample.
    pub fn read_samples(&self) -> io::Result<Vec<Sample>> {
        self.read_lines(&self.samples())
    }

    /// Reads predictions by the relative name of an `eval` event.
    ///
    /// # Errors
    /// When the name leads out of the folder, or the file cannot be read or has a bad line.
    pub fn read_predictions(&self, name: &str) -> io::Result<Vec<Prediction>> {
        self.read_lines(&self.root.join(name))
    }

    fn read_lines<T: for<'de> Deserialize<'de>>(&self, path: &Path) -> io::Result<Vec<T>> {
        // Followed to its end: neither `..` nor a link leads out.
        if !path.canonicalize()?.starts_with(self.root.canonicalize()?) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path outside the run folder"));
        }
        let text = bounded::read_text(path, bounded::LINES)?;
        text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
    }
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

/// The run folders in `parent`, the newest last. Missing `parent`: none.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(parent: &Path) -> io::Result<Vec<RunDir>> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs: Vec<_> = entries
        .filter_map(|entry| Some(RunDir::new(entry.ok()?.path())))
        .filter(|run| run.events().is_file())
        .collect();
    runs.sort_by_cached_key(|run| (run.begun(), run.root.clone()));
    Ok(runs)
}

/// Longest first line of a log that is looked at, in bytes.
const FIRST_LINE: u64 = 64 << 10;

/// When a record was made.
#[derive(Deserialize)]
struct Dated {
    time: f64,
}

/// The folders in `parent` that this user may not look into, and so may be runs.
#[must_use]
pub fn closed(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut closed: Vec<_> = entries.filter(|path| is_closed(path)).collect();
    closed.sort();
    closed
}

fn is_closed(folder: &Path) -> bool {
    let found = fs::metadata(RunDir::new(folder).events());
    found.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// One line that says why a folder cannot be looked into.
#[must_use]
pub fn refusal(folder: &Path) -> String {
    let owner = fs::symlink_metadata(folder).map(|found| format!(" (it belongs to user {})", found.uid()));
    format!("cannot read {}: Permission denied{}", folder.display(), owner.unwrap_or_default())
}

/// Shortest length of a short id.
const SHORTEST_ID: usize = 4;

/// The short id of each of `runs`: as many letters of its id as tell it from all others.
#[must_use]
pub fn short_ids(runs: &[RunDir]) -> Vec<String> {
    let ids: Vec<String> = runs.iter().map(RunDir::id).collect();
    let unlike = |id: &String, length: usize| ids.iter().filter(|other| other[..length] == id[..length]).count() == 1;
    ids.iter()
        .map(|id| id[..(SHORTEST_ID..id.len()).find(|&length| unlike(id, length)).unwrap_or(id.len())].to_owned())
        .collect()
}

/// Finds a run by path, by name, or by an unambiguous part of a name or start of an id; the newest run if `wanted` is
/// empty.
///
/// # Errors
/// One line that says what was looked for and what there is.
pub fn find(parent: &Path, wanted: &str) -> Result<RunDir, String> {
    let direct = RunDir::new(wanted);
    if !wanted.is_empty() && direct.events().is_file() {
        return Ok(direct);
    }
    if !wanted.is_empty() && is_closed(direct.root()) {
        return Err(refusal(direct.root()));
    }
    let runs = list(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    if let Some(exact) = runs.iter().find(|run| run.name() == wanted) {
        return Ok(exact.clone());
    }
    let is_id = |run: &RunDir| wanted.len() >= SHORTEST_ID && run.id().starts_with(wanted);
    let matching: Vec<_> = runs.iter().filter(|run| run.name().contains(wanted) || is_id(run)).collect();
    match (wanted.is_empty(), matching.as_slice()) {
        (true, [.., newest]) | (false, [newest]) => Ok((*newest).clone()),
        (_, []) => Err(match closed(parent).iter().find(|path| path.ends_with(wanted)) {
            Some(folder) if !wanted.is_empty() => refusal(folder),
            _ => format!("no run `{wanted}` in {}; `pellucid runs` lists them", parent.display()),
        }),
        (_, several) => {
            let names: Vec<_> = several.iter().map(|run| run.name()).collect();
            Err(format!("`{wanted}` could be {}; name one", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_run_is_found_by_path_name_or_part() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["20260101-triage", "20260102-credit", "20260103-triage"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("events.jsonl"), "").unwrap();
        }
        let named = |wanted: &str| find(folder.path(), wanted).map(|run| run.name());
        assert_eq!(named("").unwrap(), "20260103-triage");
        assert_eq!(named("credit").unwrap(), "20260102-credit");
        assert_eq!(named(folder.path().join("20260101-triage").to_str().unwrap()).unwrap(), "20260101-triage");
        let ids = short_ids(&list(folder.path()).unwrap());
        assert_eq!(ids.iter().map(|id| named(id).unwrap()).collect::<Vec<_>>()[1], "20260102-credit");
        assert!(
            ids.iter().all(|id| id.len() == 4 && id.chars().all(|letter| ('k'..='z').contains(&letter))),
            "{ids:?}"
        );
        assert!(named("triage").unwrap_err().contains("could be 20260101-triage, 20260103-triage"));
        assert!(named("none").unwrap_err().contains("no run `none`"));
        for (name, time) in [("20260102-credit", 3e9), ("20260103-triage", 2.5e9)] {
            let line = format!("{{\"time\":{time},\"event\":\"started\"}}\n");
            fs::write(folder.path().join(name).join("events.jsonl"), line).unwrap();
        }
        assert_eq!(named("").unwrap(), "20260102-credit", "the time counts, and not the name");
    }

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
            assert!(error.to_string().contains("outside"), "{name}: {error}");
        }
        assert!(run.read_samples().is_err());
    }

    #[test]
    fn links_that_lead_out_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        fs::create_dir_all(run.root().join("checkpoints/step-000001")).unwrap();
        symlink("step-000001", run.root().join("checkpoints/best")).unwrap();
        assert_eq!(run.way_out().unwrap(), None);
        for (name, target) in
            [("events.jsonl", "/nowhere/yet"), ("checkpoints/last", "../../.."), ("view.toml", "/etc")]
        {
            let link = run.root().join(name);
            symlink(target, &link).unwrap();
            assert_eq!(run.way_out().unwrap().as_ref(), Some(&link));
            fs::remove_file(link).unwrap();
        }
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
