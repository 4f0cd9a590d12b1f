//! Files that commands write beside others, under names that the user has not given: they replace what pellucid has
//! written, and nothing else.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pellucid_client::failure::Failure;
use pellucid_files::output::{Inputs, OutputFile};
use pellucid_protocol::Settings;
use pellucid_record::{RunDir, RunSummary};

/// Bytes of a file from which it is known whose it is.
const HEAD: u64 = 64 << 10;

/// The files at `paths`, for a command that reads `inputs`. One that is there must be empty or, by its name and first
/// bytes, one that `is_own` knows.
///
/// # Errors
/// Which of them may not be replaced, and what to do.
pub(super) fn outputs(
    paths: &[PathBuf],
    inputs: &Inputs,
    is_own: fn(&str, &[u8]) -> bool,
) -> Result<Vec<OutputFile>, Failure> {
    let outputs = OutputFile::all(paths, inputs).map_err(|(path, error)| cannot_write(&path, &error))?;
    for path in paths {
        let head = head(path).map_err(|error| cannot_write(path, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !head.is_empty() && !is_own(&name, &head) {
            let path = path.display();
            let why = "pellucid has not written the file that is there; move it away, or name another folder";
            return Err(Failure::Failed(format!("cannot write {path}: {why}")));
        }
    }
    Ok(outputs)
}

/// The files of `run`, and the folders with more of them, that commands read.
pub(super) fn files_of(run: &RunDir) -> Vec<PathBuf> {
    let parts = ["checkpoints", "predictions", "events.columns"].map(|name| run.root().join(name));
    let files = [run.events(), run.samples(), run.settings(), run.log(), run.view(), run.worker(), run.lock()];
    files.into_iter().chain(parts).collect()
}

/// The data and the models that `run` was started with.
pub(super) fn data_of(run: &RunDir) -> Vec<PathBuf> {
    let summary = RunSummary::read(run).unwrap_or_default();
    let settings = summary.started.map(|(_, started)| started.settings);
    settings.iter().flat_map(Settings::inputs).map(Path::to_owned).collect()
}

/// The first bytes of a file that is known to be a regular one, if it is there.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(HEAD).read_to_end(&mut head).map(|_| head),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(head),
        Err(error) => Err(error),
    }
}

/// A file could not be written.
pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_pellucid_has_written_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["new", "empty", "own", "foreign"].map(|name| folder.path().join(name));
        let own = |_: &str, head: &[u8]| head.starts_with(b"mine");
        std::fs::write(&paths[1], "").unwrap();
        std::fs::write(&paths[2], "mine, all mine").unwrap();
        assert_eq!(outputs(&paths[..3], &Inputs::default(), own).unwrap().len(), 3);
        std::fs::write(&paths[3], "not mine").unwrap();
        let message = outputs(&paths, &Inputs::default(), own).unwrap_err().to_string();
        assert!(message.contains("foreign: pellucid has not written"), "{message}");
        let inputs = Inputs::of([&paths[2]]);
        assert!(outputs(&paths[..3], &inputs, own).unwrap_err().to_string().contains("own: is read and written"));
    }
}
