//! The list of runs, and finding one of them.

use std::fs;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use pellucid_files::regular::{self, Access};
use serde::Deserialize;

use crate::run_dir::RunDir;

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
    let mut runs: Vec<_> = entries.filter_map(|entry| Some(RunDir::new(entry.ok()?.path()))).filter(has_log).collect();
    runs.sort_by_cached_key(|run| (start_time(run), run.root().to_owned()));
    Ok(runs)
}

/// When a run began, in milliseconds since 1970: the time of its first record, or of the log's last change if it has none.
fn start_time(run: &RunDir) -> u64 {
    let Ok(log) = regular::open(&run.events(), Access::Read) else { return 0 };
    let changed = log.metadata().and_then(|log| log.modified()).ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|time| time.as_secs_f64());
    let mut line = Vec::new();
    let read = io::BufReader::new(log).take(FIRST_LINE).read_until(b'\n', &mut line);
    let first = read.ok().and_then(|_| serde_json::from_slice::<Timestamp>(&line).ok()).map(|first| first.time);
    (first.or(changed).unwrap_or(0.0) * 1000.0) as u64
}

/// Longest first line of a log that is read, in bytes.
const FIRST_LINE: u64 = 64 << 10;

/// The time of a record.
#[derive(Deserialize)]
struct Timestamp {
    time: f64,
}

/// Whether the folder has a log that can be read.
#[must_use]
pub fn has_log(run: &RunDir) -> bool {
    regular::open(&run.events(), Access::Read).is_ok()
}

/// The folders in `parent` with a log that cannot be read, and those that this user may not read; any may be a run.
#[must_use]
pub fn unreadable(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut unreadable: Vec<_> = entries.filter(|path| is_unreadable(path)).collect();
    unreadable.sort();
    unreadable
}

/// Whether `folder` has a log that cannot be read, or may not be looked into.
#[must_use]
pub fn is_unreadable(folder: &Path) -> bool {
    let log = RunDir::new(folder).events();
    match fs::symlink_metadata(&log) {
        Ok(_) => regular::open(&log, Access::Read).is_err(),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// One line that says why a folder cannot be read as a run.
#[must_use]
pub fn why_unreadable(folder: &Path) -> String {
    let log = RunDir::new(folder).events();
    match regular::open(&log, Access::Read) {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
            format!("cannot read {}: {error}", log.display())
        }
        _ => permission_denied(folder),
    }
}

fn permission_denied(folder: &Path) -> String {
    let owner = fs::symlink_metadata(folder).map(|found| format!(" (it belongs to user {})", found.uid()));
    format!("cannot read {}: Permission denied{}", folder.display(), owner.unwrap_or_default())
}

/// Shortest length of a short id.
const SHORTEST_ID: usize = 4;

/// The short id of each of `runs`: the first letters of its id, as many as tell it from all others.
#[must_use]
pub fn short_ids(runs: &[RunDir]) -> Vec<String> {
    let ids: Vec<String> = runs.iter().map(RunDir::id).collect();
    let is_unique =
        |id: &String, length: usize| ids.iter().filter(|other| other[..length] == id[..length]).count() == 1;
    ids.iter()
        .map(|id| id[..(SHORTEST_ID..id.len()).find(|&length| is_unique(id, length)).unwrap_or(id.len())].to_owned())
        .collect()
}

/// Finds a run by path, by name, or by an unambiguous part of a name or start of an id. For commands that look: what
/// removes or ends a run wants its exact name.
///
/// # Errors
/// One line that says what was looked for and what there is.
pub fn find(parent: &Path, wanted: &str) -> Result<RunDir, String> {
    if wanted.trim().is_empty() {
        return Err("the name of a run is empty; `pellucid runs` lists them".to_owned());
    }
    let direct = RunDir::new(wanted);
    if has_log(&direct) {
        return Ok(direct);
    }
    if is_unreadable(direct.root()) {
        return Err(why_unreadable(direct.root()));
    }
    let runs = list(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    if let Some(exact) = runs.iter().find(|run| run.name() == wanted) {
        return Ok(exact.clone());
    }
    match like(&runs, wanted).as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(match unreadable(parent).iter().find(|path| path.ends_with(wanted)) {
            Some(folder) => why_unreadable(folder),
            None => format!("no run `{wanted}` in {}; `pellucid runs` lists them", parent.display()),
        }),
        several => {
            let names: Vec<_> = several.iter().map(|run| run.name()).collect();
            Err(format!("`{wanted}` could be {}; name one", names.join(", ")))
        }
    }
}

/// Those of `runs` of whose name `wanted` is a part, or of whose id it is the start.
#[must_use]
pub fn like<'a>(runs: &'a [RunDir], wanted: &str) -> Vec<&'a RunDir> {
    let is_id = |run: &RunDir| wanted.len() >= SHORTEST_ID && run.id().starts_with(wanted);
    runs.iter().filter(|run| run.name().contains(wanted) || is_id(run)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_log_is_no_file_is_named_and_not_listed() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["linked", "nested", "none", "sound"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        fs::write(parent.path().join("sound/events.jsonl"), "").unwrap();
        std::os::unix::fs::symlink("../sound/events.jsonl", parent.path().join("linked/events.jsonl")).unwrap();
        fs::create_dir(parent.path().join("nested/events.jsonl")).unwrap();
        let names: Vec<String> = list(parent.path()).unwrap().iter().map(RunDir::name).collect();
        assert_eq!(names, ["sound"]);
        let told: Vec<String> = unreadable(parent.path()).iter().map(|folder| why_unreadable(folder)).collect();
        assert!(told.len() == 2 && told[0].contains("is a link") && told[1].contains("is a folder"), "{told:?}");
        assert_eq!(find(parent.path(), "linked").unwrap_err(), told[0]);
    }

    #[test]
    fn a_run_is_found_by_path_name_or_part() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["20260101-triage", "20260102-credit", "20260103-triage"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("events.jsonl"), "").unwrap();
        }
        let named = |wanted: &str| find(folder.path(), wanted).map(|run| run.name());
        let newest = || list(folder.path()).unwrap().pop().unwrap().name();
        assert_eq!(newest(), "20260103-triage");
        for nothing in ["", " ", "\t\n"] {
            assert!(named(nothing).unwrap_err().contains("is empty"), "{nothing:?}");
        }
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
        assert_eq!(newest(), "20260102-credit", "the time counts, and not the name");
    }
}
