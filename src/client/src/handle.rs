//! How a user names a run on the command line.

use std::path::Path;

use pellucid_record::RunDir;

/// The shortest argument that names `run` for `pellucid attach` in the current folder: the run's name if it lies in
/// `runs/`, else its path.
pub fn handle(run: &RunDir) -> String {
    let usual = Path::new("runs").canonicalize();
    let folder = run.root().parent().and_then(|parent| parent.canonicalize().ok());
    match (usual, folder) {
        (Ok(usual), Some(folder)) if usual == folder => run.name(),
        _ => run.root().display().to_string(),
    }
}

/// How to resume a run that did not finish, and from which step, for people.
pub fn resume_hint(run: &RunDir) -> String {
    let handle = handle(run);
    match run.newest_checkpoint() {
        Some(step) => format!("`pellucid resume {handle}` goes on from step {step}"),
        None => format!("`pellucid resume {handle}` begins anew: there is no checkpoint"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_elsewhere_is_named_by_its_path() {
        assert_eq!(handle(&RunDir::new("/nowhere/run")), "/nowhere/run");
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        assert_eq!(handle(&run), run.root().display().to_string());
    }
}
