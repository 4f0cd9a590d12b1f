//! What of a run folder is pellucid's: by name and place, and for what a user may also call so, by content.

use std::ffi::OsStr;

use pellucid_files::temporary::original;
use pellucid_files::weight_names::is_of_weights;
use pellucid_intake::model_folder::{provenance, tokenizer_files};
use pellucid_record::run_dir::{CHECKPOINT_STATE, FILES};

use crate::commands::{report, sweep};

/// The event log. Without it the folder is no run any more, and could not be named a second time.
pub(super) const LOG: &str = "events.jsonl";
/// The file that is locked.
pub(super) const LOCK: &str = "worker.lock";
/// Files that a user may have put there as well.
const BY_CONTENT: [&str; 4] = ["report.html", "report.md", "sweep.csv", "sweep.json"];
/// The names that point to checkpoints.
const NAMES: [&str; 2] = ["best", "last"];
/// The files of a checkpoint beside its weights and those of its tokenizer.
const CHECKPOINT_FILES: [&str; 4] = ["config.json", provenance::NAME, CHECKPOINT_STATE, "requested"];
/// What earlier versions were writing has this ending.
const PARTIAL: &str = ".partial";
/// Endings of checkpoints that are set aside, or that earlier versions were writing or removing.
const ASIDE: [&str; 3] = [".aside", ".old", PARTIAL];

/// A folder in which pellucid writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    /// The run folder itself.
    Run,
    /// `predictions`.
    Predictions,
    /// `checkpoints`.
    Checkpoints,
    /// One checkpoint.
    Checkpoint,
}

/// What a name in one of these folders stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A file of pellucid.
    File,
    /// A file of pellucid if [`is_own`] says so.
    FileByContent,
    /// A folder in which pellucid writes.
    Folder(Folder),
    /// Something else.
    Foreign,
}

impl Folder {
    /// What `name` stands for in this folder.
    pub(super) fn part(self, name: &OsStr) -> Part {
        // What is being written has a name that is nobody else's.
        let temporary = original(name).and_then(OsStr::to_str);
        let Some(name) = temporary.or_else(|| name.to_str()) else { return Part::Foreign };
        let whole = name.strip_suffix(PARTIAL).unwrap_or(name);
        let file_if = |is_own: bool| if is_own { Part::File } else { Part::Foreign };
        match self {
            Folder::Run if whole == "predictions" => Part::Folder(Folder::Predictions),
            Folder::Run if whole == "checkpoints" => Part::Folder(Folder::Checkpoints),
            Folder::Run if BY_CONTENT.contains(&name) && temporary.is_none() => Part::FileByContent,
            Folder::Run => file_if(FILES.contains(&whole) || BY_CONTENT.contains(&name)),
            Folder::Predictions => {
                let step = whole.strip_suffix(".jsonl").map(|name| name.strip_prefix("test-").unwrap_or(name));
                file_if(step.is_some_and(is_step))
            }
            Folder::Checkpoints if is_step(without_ending(name)) => Part::Folder(Folder::Checkpoint),
            Folder::Checkpoints => file_if(NAMES.contains(&whole)),
            Folder::Checkpoint => {
                let is_known = CHECKPOINT_FILES.contains(&whole) || tokenizer_files::NAMES.contains(&whole);
                file_if(is_known || is_of_weights(whole) || is_old_state(whole))
            }
        }
    }
}

fn without_ending(name: &str) -> &str {
    ASIDE.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn is_step(name: &str) -> bool {
    name.strip_prefix("step-").is_some_and(is_number)
}

/// The state of a training while an earlier version wrote it: the number of the process stood in its name.
fn is_old_state(name: &str) -> bool {
    name.strip_prefix("trainer.safetensors.").is_some_and(is_number)
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether pellucid has written the file `name`, by the first bytes of its content.
pub(super) fn is_own(name: &OsStr, head: &[u8]) -> bool {
    name.to_str().is_some_and(|name| report::is_report(name, head) || sweep::is_table(name, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_its_place_alone() {
        let part = |folder: Folder, name: &str| folder.part(OsStr::new(name));
        let digits = "0123456789abcdef";
        for (folder, name) in [
            (Folder::Run, "events.columns".to_owned()),
            (Folder::Run, format!(".events.jsonl.pellucid-{digits}")),
            (Folder::Run, "events.jsonl.partial".to_owned()),
            (Folder::Run, "skipped.jsonl".to_owned()),
            (Folder::Predictions, "step-000010.jsonl".to_owned()),
            (Folder::Predictions, "test-step-000010.jsonl".to_owned()),
            (Folder::Predictions, format!(".step-000010.jsonl.pellucid-{digits}")),
            (Folder::Checkpoints, "best".to_owned()),
            (Folder::Checkpoints, "last.partial".to_owned()),
            (Folder::Checkpoint, "model.safetensors".to_owned()),
            (Folder::Checkpoint, "model.safetensors.index.json".to_owned()),
            (Folder::Checkpoint, "model-00002-of-00003.safetensors".to_owned()),
            (Folder::Checkpoint, "trainer.safetensors.77.partial".to_owned()),
            (Folder::Checkpoint, format!(".trainer.safetensors.pellucid-{digits}")),
        ] {
            assert_eq!(part(folder, &name), Part::File, "{folder:?} {name}");
        }
        assert_eq!(part(Folder::Run, "report.md"), Part::FileByContent);
        assert_eq!(part(Folder::Run, &format!(".report.md.pellucid-{digits}")), Part::File);
        for name in ["step-000001", "step-1", "step-000001.aside", "step-000001.old", "step-000001.partial"] {
            assert_eq!(part(Folder::Checkpoints, name), Part::Folder(Folder::Checkpoint), "{name}");
        }
        for (folder, name) in [
            (Folder::Run, "notes.txt"),
            (Folder::Run, "run.toml.old"),
            (Folder::Run, "report.md.partial"),
            (Folder::Run, "model.safetensors"),
            (Folder::Run, ".notes.txt.pellucid-0123456789abcdef"),
            (Folder::Predictions, "step-.jsonl"),
            (Folder::Predictions, "test.jsonl"),
            (Folder::Predictions, "step-1"),
            (Folder::Checkpoints, "step-1a"),
            (Folder::Checkpoints, "mine"),
            (Folder::Checkpoint, "notes.txt"),
            (Folder::Checkpoint, "model-00004-of-00003.safetensors"),
            (Folder::Checkpoint, "model-mine.safetensors"),
            (Folder::Checkpoint, "trainer.safetensors.mine"),
            (Folder::Checkpoint, "run.toml"),
        ] {
            assert_eq!(part(folder, name), Part::Foreign, "{folder:?} {name}");
        }
    }

    #[test]
    fn reports_and_tables_are_known_by_their_content() {
        let own = |name: &str, head: &str| is_own(OsStr::new(name), head.as_bytes());
        assert!(own("report.md", "# Report on the run alpha\n") && !own("report.md", "# Report of my own\n"));
        assert!(own("sweep.csv", "run,l1,outcome,step\n") && !own("sweep.csv", "a,b\n"));
        assert!(!own("report.html", "<html><title>Report</title>"));
    }
}
