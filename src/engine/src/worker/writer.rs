//! Where the answers of a job in the foreground are written: to stdout, or to a file that appears whole or not at all.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::Path;

use pellucid_files::output::{Inputs, OutputFile};
use pellucid_files::whole::Draft;
use pellucid_intake::rows::Skipped;
use pellucid_protocol::work::Texts;

use crate::error::{Error, Result};

/// The files that a job in the foreground writes.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Its answers; `None` for stdout.
    pub answers: Option<OutputFile>,
    /// The rows that are left out.
    pub skipped: Option<OutputFile>,
}

impl Outputs {
    /// Those of a job with answers for `out` that reads `model` and `texts`.
    ///
    /// # Errors
    /// When something is there that is not replaced: a folder, a link, what this command reads.
    pub fn of(out: Option<&Path>, model: &Path, texts: &Texts) -> Result<Self> {
        let (data, skipped) = match texts {
            Texts::File { path, skipped, .. } => (Some(path.as_path()), skipped.as_deref()),
            Texts::Text(_) => (None, None),
        };
        let inputs = Inputs::of([Some(model), data].into_iter().flatten());
        let files = OutputFile::all([out, skipped].into_iter().flatten(), &inputs);
        let mut files = files.map_err(|(path, error)| Error::file(&path, error))?.into_iter();
        Ok(Self { answers: out.and_then(|_| files.next()), skipped: skipped.and_then(|_| files.next()) })
    }
}

/// Writes the list of rows that were left out, and says where it is.
///
/// # Errors
/// When it cannot be written.
pub fn write_skipped(file: Option<&OutputFile>, skipped: &Skipped) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let mut writer = Writer::open(Some(file.clone()))?;
    writer.write(&skipped.lines())?;
    writer.finish()
}

/// Where answers are being written.
#[derive(Debug)]
pub enum Writer {
    /// Text appears when it is flushed.
    Stdout(BufWriter<StdoutLock<'static>>),
    /// Text goes into a draft, which takes the name of the file when it is complete.
    File(OutputFile, BufWriter<Draft>),
}

impl Writer {
    /// Opens the file, or stdout if there is none.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn open(output: Option<OutputFile>) -> Result<Self> {
        let Some(output) = output else { return Ok(Writer::Stdout(BufWriter::new(io::stdout().lock()))) };
        let draft = output.draft().map_err(told(output.path()))?;
        Ok(Writer::File(output, BufWriter::new(draft)))
    }

    /// Writes text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> Result<()> {
        match self {
            Writer::Stdout(out) => out.write_all(text.as_bytes()).map_err(of_stdout),
            Writer::File(output, draft) => draft.write_all(text.as_bytes()).map_err(told(output.path())),
        }
    }

    /// Lets what was written so far appear on stdout.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        match self {
            Writer::Stdout(out) => out.flush().map_err(of_stdout),
            Writer::File(..) => Ok(()),
        }
    }

    /// Ends the output: a file gets its name.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        let Writer::File(output, draft) = self else { return Ok(()) };
        let draft = draft.into_inner().map_err(io::IntoInnerError::into_error);
        draft.and_then(|draft| output.finish(draft)).map_err(told(output.path()))
    }
}

/// Who reads no more has enough: that is no failure.
fn of_stdout(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::BrokenPipe { Error::Closed } else { Error::Refused(format!("stdout: {error}")) }
}

fn told(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| Error::file(path, error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn writer(path: &Path) -> Result<Writer> {
        let output = OutputFile::new(path, &Inputs::default()).map_err(told(path))?;
        Writer::open(Some(output))
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut half = writer(&path).unwrap();
        half.write("half").unwrap();
        drop(half);
        assert_eq!(names(), 0);
        let mut all = writer(&path).unwrap();
        all.write("whole").unwrap();
        all.finish().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), ("whole", 1));
        let told = writer(&folder.path().join("nowhere/page.html")).unwrap_err().to_string();
        assert!(told.contains("nowhere/page.html") && !told.contains('\n'), "{told}");
    }
}
