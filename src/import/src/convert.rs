//! What the process does that reads the files: reads a folder in an old layout, and writes the files of a new one.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use pellucid_files::{bounded, regular};
use pellucid_intake::error::{Error, Result};
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::provenance::{IMPORTED, WEIGHTS};
use pellucid_intake::panic_guard::caught;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::confine::confine;
use crate::job::{Job, Outcome, Report, SourceFile};
use crate::weights::Weights;
use crate::{config, tokenizer};

/// Bytes of a job at most.
const LONGEST_JOB: u64 = 1 << 20;
/// Bytes that are hashed at once.
const PIECE: usize = 1 << 20;

/// Reads a job from `input`, gives up all that it does not need, does it and writes what became of it to `output`.
///
/// # Errors
/// When there is no job, or nobody reads what became of it.
pub fn serve(input: impl Read, mut output: impl Write) -> io::Result<()> {
    let job: Job = serde_json::from_reader(input.take(LONGEST_JOB))?;
    let confined = confine(&job.source, &job.draft);
    let outcome = match caught(|| convert(&job, confined)) {
        Ok(Ok(report)) => Outcome::Done(report),
        Ok(Err(error)) => Outcome::Refused(error.to_string()),
        Err(panic) => Outcome::Refused(format!("{}: cannot be read: {panic}", job.source.display())),
    };
    serde_json::to_writer(&mut output, &outcome)?;
    output.flush()
}

/// Reads the folder of a job and writes into its draft.
///
/// # Errors
/// When something cannot be read, is refused, or cannot be written; in one line.
pub fn convert(job: &Job, confined: Vec<String>) -> Result<Report> {
    let weights = Weights::open(&job.source)?;
    let completed = config::complete(&job.source, &weights)?;
    let tokenizer = tokenizer::make(&job.source, &completed.keys, completed.family.tokenizer, job.casing)?;
    let mut read: Vec<PathBuf> = weights.files().into_iter().map(Path::to_owned).collect();
    read.push(ConfigFile::path(&job.source));
    read.extend(tokenizer.read);
    let files = read.iter().map(|path| hashed(path)).collect::<Result<_>>()?;
    weights.write(&job.draft.join(WEIGHTS))?;
    let config = format!("{:#}\n", Value::Object(completed.keys));
    let mut written = vec![("config.json".to_owned(), config.into_bytes())];
    written.extend(tokenizer.files);
    let (container, globals) = weights.pickled().unzip();
    let report = Report {
        written_by: format!("pellucid {}", env!("CARGO_PKG_VERSION")),
        model_type: completed.family.model_type.to_owned(),
        tensors: weights.len(),
        container,
        globals: globals.unwrap_or_default(),
        files,
        notes: [weights.notes(), &completed.notes, &tokenizer.notes].concat(),
        confined,
    };
    let text = serde_json::to_string_pretty(&report).map_err(|error| Error::file(&job.source, error))?;
    written.push((IMPORTED.to_owned(), (text + "\n").into_bytes()));
    for (name, content) in written {
        write(&job.draft.join(name), &content)?;
    }
    Ok(report)
}

/// Writes a file of the new folder, which must be one that is read again.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    if content.len() as u64 > bounded::TOKENIZER {
        let (length, most) = (content.len(), bounded::TOKENIZER);
        return Err(Error::file(path, format!("would have {length} bytes; {most} are read at most")));
    }
    let mut file = fs::File::create_new(path).map_err(|error| Error::file(path, error))?;
    file.write_all(content).map_err(|error| Error::file(path, error))
}

/// What is written of a file that was read.
fn hashed(path: &Path) -> Result<SourceFile> {
    let told = |error: io::Error| Error::file(path, error);
    let mut file = regular::open_named(path).map_err(told)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece).map_err(told)?;
        if count == 0 {
            break;
        }
        hash.update(&piece[..count]);
        bytes += count as u64;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SourceFile { name, bytes, sha256 })
}
