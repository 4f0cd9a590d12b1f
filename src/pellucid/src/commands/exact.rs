//! The run that is meant where a guess would do harm: by its whole name, its short id, or its path.

use std::path::{Path, PathBuf};

use pellucid_client::failure::Failure;
use pellucid_protocol::paste::{quoted, quoted_path};
use pellucid_record::{RunDir, runs};

use super::lookup;
use crate::cli::Global;

/// How many runs that a part of a name may mean are told.
const TOLD: usize = 8;

/// The run that `name` names exactly.
///
/// # Errors
/// Wrong usage if it is a part of a name, names several runs, or is the folder of the runs; it says the exact names.
pub(super) fn one(name: &str, global: &Global) -> Result<RunDir, Failure> {
    let runs = lookup::all(&global.runs)?;
    let path = Path::new(name.trim_end_matches('/'));
    if runs::is_unreadable(path) {
        return Err(Failure::Failed(runs::why_unreadable(path)));
    }
    let mut named = Vec::new();
    if runs::has_log(&RunDir::new(path)) {
        named.push(RunDir::new(path));
    }
    if !name.contains('/') {
        let ids = runs::short_ids(&runs);
        let is_named = |run: &RunDir, id: &str| run.name() == name || id == name || run.id() == name;
        named.extend(runs.iter().zip(&ids).filter(|(run, id)| is_named(run, id)).map(|(run, _)| run.clone()));
    }
    match distinct(named).as_slice() {
        [run] => outside(run, &global.runs).map(|()| run.clone()),
        [] => Err(not_found(name, &runs, global)),
        several => {
            let paths: Vec<_> = several.iter().map(|run| pasted(run.root())).collect();
            Err(Failure::Usage(format!("`{name}` names several runs; write the path of one: {}", paths.join(", "))))
        }
    }
}

/// The runs that `names` name exactly, each once, in that order.
///
/// # Errors
/// As [`one`].
pub(super) fn each(names: &[String], global: &Global) -> Result<Vec<RunDir>, Failure> {
    let found: Vec<RunDir> = names.iter().map(|name| one(name, global)).collect::<Result<_, _>>()?;
    Ok(distinct(found))
}

/// The same run has the same folder, whatever path leads there; a link to it is another.
fn distinct(runs: Vec<RunDir>) -> Vec<RunDir> {
    let mut places: Vec<PathBuf> = Vec::new();
    let is_new = |run: &RunDir| {
        let place = place(run.root());
        let is_new = !places.contains(&place);
        places.push(place);
        is_new
    };
    let mut is_new = is_new;
    runs.into_iter().filter(|run| is_new(run)).collect()
}

/// Where a folder is: its parent with all links resolved, and its name.
fn place(root: &Path) -> PathBuf {
    let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (parent.canonicalize(), root.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => root.to_owned(),
    }
}

/// Refuses the folder of the runs, and those above it, should they look like a run.
fn outside(run: &RunDir, folder: &Path) -> Result<(), Failure> {
    match (folder.canonicalize(), run.root().canonicalize()) {
        (Ok(folder), Ok(root)) if folder.starts_with(&root) => {
            let root = run.root().display();
            Err(Failure::Usage(format!("{root} is the folder of the runs, or holds it; name a run in it")))
        }
        _ => Ok(()),
    }
}

fn not_found(name: &str, all: &[RunDir], global: &Global) -> Failure {
    let folder = global.runs.display();
    if let Some(denied) = runs::unreadable(&global.runs).iter().find(|path| path.ends_with(name)) {
        return Failure::Failed(runs::why_unreadable(denied));
    }
    let like = runs::like(all, name);
    if like.is_empty() {
        return Failure::Failed(format!("no run `{name}` in {folder}; `pellucid runs` lists them"));
    }
    let mut names: Vec<_> = like.iter().take(TOLD).map(|run| quoted(&run.name()).unwrap_or_else(|| run.id())).collect();
    if like.len() > TOLD {
        names.push(format!("or {} others", like.len() - TOLD));
    }
    Failure::Usage(format!("`{name}` is only a part of {}; write the whole name", names.join(", ")))
}

fn pasted(path: &Path) -> String {
    quoted_path(path).unwrap_or_else(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn with_runs(names: &[&str]) -> (tempfile::TempDir, Global) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let root = folder.path().join("runs").join(name);
            fs::create_dir_all(&root).unwrap();
            fs::write(root.join("events.jsonl"), "").unwrap();
        }
        let runs = folder.path().join("runs").display().to_string();
        (folder, Cli::parse_from(["pellucid", "--runs", &runs]).global)
    }

    fn usage(name: &str, global: &Global) -> String {
        let failure = one(name, global).unwrap_err();
        assert_eq!(failure.code(), 2, "{failure}");
        failure.to_string()
    }

    #[test]
    fn only_exact_names_ids_and_paths_name_a_run() {
        let (_folder, global) = with_runs(&["20260101-alpha", "20260102-alpha", "beta"]);
        let named = |name: &str| one(name, &global).unwrap().name();
        let ids = runs::short_ids(&runs::list(&global.runs).unwrap());
        let beta = global.runs.join("beta");
        for name in ["beta", ids[2].as_str(), beta.to_str().unwrap(), beta.join("").to_str().unwrap()] {
            assert_eq!(named(name), "beta", "{name}");
        }
        assert_eq!(named("20260101-alpha"), "20260101-alpha");
        assert!(usage("bet", &global).ends_with("part of beta; write the whole name"));
        assert!(usage("alpha", &global).contains("20260101-alpha, 20260102-alpha"));
        assert_eq!(one("gamma", &global).unwrap_err().code(), 1);
        assert_eq!(one(&ids[2][..3], &global).unwrap_err().code(), 1, "a part of an id");
    }

    #[test]
    fn a_run_that_is_named_twice_is_one() {
        let (_folder, global) = with_runs(&["alpha", "beta"]);
        let (path, id) = (global.runs.join("./alpha"), one("alpha", &global).unwrap().id());
        let names = ["alpha", path.to_str().unwrap(), "beta", &id, "alpha"].map(str::to_owned);
        let found: Vec<String> = each(&names, &global).unwrap().iter().map(RunDir::name).collect();
        assert_eq!(found, ["alpha", "beta"]);
    }

    #[test]
    fn what_names_two_runs_names_none() {
        let (_folder, global) = with_runs(&["alpha", "beta"]);
        let id = one("alpha", &global).unwrap().id();
        let other = global.runs.join(&id);
        fs::create_dir(&other).unwrap();
        fs::write(other.join("events.jsonl"), "").unwrap();
        let message = usage(&id, &global);
        assert!(message.contains("names several runs") && message.contains("runs/alpha"), "{message}");
    }

    #[test]
    fn the_folder_of_the_runs_is_no_run() {
        let (folder, global) = with_runs(&["alpha"]);
        for place in [&global.runs, &folder.path().to_owned()] {
            fs::write(place.join("events.jsonl"), "").unwrap();
        }
        symlink(&global.runs, folder.path().join("link")).unwrap();
        let run = global.runs.join("alpha/../../runs");
        for place in [global.runs.as_path(), folder.path(), &folder.path().join("link"), &run] {
            assert!(usage(place.to_str().unwrap(), &global).contains("is the folder of the runs"), "{place:?}");
        }
    }
}
