//! The import of a folder: another process reads it and writes a draft, which is looked at and put in its place.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use pellucid_files::bounded;
use pellucid_intake::error::{Error, Result as ReadResult};
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::place::{self, DraftFolder};
use pellucid_intake::model_folder::provenance::{Checksum, NAME, Provenance, WEIGHTS, checksum_of};
use pellucid_intake::model_folder::weights_file::WeightsFile;
use rustix::process::{Resource, getrlimit};

use crate::confine::most_written;
use crate::job::{Job, Outcome, Report};
use crate::tokenizer::Casing;

/// Bytes of what a process says at most.
const LONGEST_OUTCOME: u64 = 16 << 20;

/// Why a folder is not imported, in one line that names the file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// What the process that reads has refused.
    #[error("{0}")]
    Refused(String),
    /// What was seen before or after it.
    #[error(transparent)]
    Place(#[from] Error),
}

/// What to import.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder that is read.
    pub source: PathBuf,
    /// The folder that is made.
    pub target: PathBuf,
    /// What to do with capitals, where no file says it.
    pub casing: Option<Casing>,
}

/// Imports a folder. `reader` starts this program as the process that reads.
///
/// # Errors
/// When the source is no folder, the target is not free or lies in it, or something in the source is refused; `target`
/// is then as it was before.
pub fn import(request: &Request, reader: Command) -> Result<Report, ImportError> {
    let Request { source, target, casing } = request;
    if !source.is_dir() {
        return Err(Error::file(source, "is not a folder; give the folder of the model that is imported").into());
    }
    place::check(target, source)?;
    check_apart(source, target)?;
    let draft = DraftFolder::of(target)?;
    let source = std::path::absolute(source).map_err(|error| Error::file(source, error))?;
    let draft_path = std::path::absolute(draft.path()).map_err(|error| Error::file(draft.path(), error))?;
    let job = Job { source: source.clone(), draft: draft_path, casing: *casing };
    let report = match said(reader, &job)? {
        Outcome::Done(report) => report,
        Outcome::Refused(why) => return Err(ImportError::Refused(why)),
    };
    mark(draft.path())?;
    draft.finish()?;
    Ok(report)
}

/// Refuses a target in the source, or a source in the target.
fn check_apart(source: &Path, target: &Path) -> ReadResult<()> {
    let told = |path: &Path, error: io::Error| Error::file(path, error);
    let source_home = source.canonicalize().map_err(|error| told(source, error))?;
    let place = std::path::absolute(target).map_err(|error| told(target, error))?;
    // What of the target is there already.
    let there = place.ancestors().find_map(|folder| folder.canonicalize().ok()).unwrap_or_default();
    if there.starts_with(&source_home) {
        return Err(Error::file(target, "lies in the folder that is read; name a place outside of it"));
    }
    if target.canonicalize().is_ok_and(|target| source_home.starts_with(target)) {
        return Err(Error::file(target, "holds the folder that is read; name another place"));
    }
    Ok(())
}

/// Lets the process do `job`.
fn said(mut reader: Command, job: &Job) -> ReadResult<Outcome> {
    let told = |error: io::Error| Error::file(&job.source, format!("cannot be read in a process of its own: {error}"));
    // What the process may not see it cannot use.
    reader.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = reader.spawn().map_err(told)?;
    let text = serde_json::to_vec(job).map_err(|error| told(error.into()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it has ended already, its status says why.
        let _ = stdin.write_all(&text);
    }
    let mut answer = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |stdout| stdout.take(LONGEST_OUTCOME).read_to_end(&mut answer));
    let status = child.wait().map_err(told)?;
    read.map_err(told)?;
    if !status.success() {
        let shell = getrlimit(Resource::Fsize).current.filter(|most| *most < most_written(&job.source));
        return Err(Error::file(&job.source, ended(status, shell)));
    }
    serde_json::from_slice(&answer).map_err(|error| told(error.into()))
}

/// Why a process ended that has said nothing. `shell` are the bytes that files may have where whoever started this
/// program has set fewer than the process would have been given.
fn ended(status: ExitStatus, shell: Option<u64>) -> String {
    match (status.signal(), shell) {
        (Some(24), _) => "takes more time than a model of its size should; it is refused".to_owned(),
        (Some(25), None) => {
            "would make files that are larger than a model of its size should have; it is refused".to_owned()
        }
        (Some(25), Some(most)) => {
            format!(
                "could not be written: no file may have more than {most} bytes here (`ulimit -f`); raise that limit"
            )
        }
        (Some(6), _) => "takes more memory than a model should; it is refused".to_owned(),
        _ => format!("could not be read: the process that read it ended without a word ({status})"),
    }
}

/// Looks at what was written, and puts the mark of this program to it, with the checksums.
fn mark(draft: &Path) -> ReadResult<()> {
    let told = |error: io::Error| Error::file(draft, error);
    ConfigFile::load(draft)?;
    let weights = checksum_of(&WeightsFile::open(&draft.join(WEIGHTS))?)?;
    let mut said = Provenance::new(weights, None);
    for entry in fs::read_dir(draft).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != WEIGHTS && name != NAME {
            let content = bounded::read_in(draft, &name, bounded::TOKENIZER);
            let content = content.map_err(|error| Error::file(&entry.path(), error))?;
            said.files.insert(name, Checksum::of(&content));
        }
    }
    let text = serde_json::to_string(&said).map_err(|error| told(error.into()))? + "\n";
    fs::write(draft.join(NAME), text).map_err(told)?;
    for entry in fs::read_dir(draft).map_err(told)? {
        File::open(entry.map_err(told)?.path()).and_then(|file| file.sync_all()).map_err(told)?;
    }
    File::open(draft).and_then(|folder| folder.sync_all()).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_was_reached_is_named() {
        let killed = |signal| ExitStatus::from_raw(signal);
        assert!(ended(killed(25), Some(1024)).contains("1024 bytes here (`ulimit -f`)"));
        assert!(ended(killed(25), None).contains("larger than a model of its size"));
        assert!(
            ended(killed(24), Some(1024)).contains("more time") && ended(killed(9), None).contains("without a word")
        );
    }
}
