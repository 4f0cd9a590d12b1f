//! Where explanations are written: to stdout, or to a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where explanations are being written.
#[derive(Debug)]
pub enum Writer {
    /// Text appears as it is written.
    Stdout(StdoutLock<'static>),
    /// Text goes into a temporary file, which takes its name when it is complete.
    File(PartialFile),
}

/// A file that is not complete yet. Dropped before it is, it is removed.
#[derive(Debug)]
pub struct PartialFile {
    file: BufWriter<File>,
    /// Its name until then.
    temporary: PathBuf,
    /// Its name when it is complete.
    path: PathBuf,
}

impl Writer {
    /// Opens the file `path`, or stdout if there is none.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Writer::Stdout(io::stdout().lock())) };
        let name = path.file_name().ok_or_else(|| Error::file(path, "is no name for a file"))?;
        let temporary = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        let file = File::create(&temporary).map_err(|error| Error::file(path, error))?;
        Ok(Writer::File(PartialFile { file: BufWriter::new(file), temporary, path: path.to_owned() }))
    }

    /// Writes text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> Result<()> {
        match self {
            Writer::Stdout(out) => {
                out.write_all(text.as_bytes()).map_err(|error| Error::Refused(format!("stdout: {error}")))
            }
            Writer::File(partial) => {
                partial.file.write_all(text.as_bytes()).map_err(|error| Error::file(&partial.path, error))
            }
        }
    }

    /// Ends the output: a file gets its name.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub fn finish(self) -> Result<()> {
        let Writer::File(mut partial) = self else { return Ok(()) };
        let renamed = partial.file.flush().and_then(|()| fs::rename(&partial.temporary, &partial.path));
        renamed.map_err(|error| Error::file(&partial.path, error))
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // There is no such file any more if it was renamed.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut writer = Writer::open(Some(&path)).unwrap();
        writer.write("half").unwrap();
        drop(writer);
        assert_eq!(names(), 0);
        let mut writer = Writer::open(Some(&path)).unwrap();
        writer.write("whole").unwrap();
        writer.finish().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), ("whole", 1));
        let told = Writer::open(Some(&folder.path().join("nowhere/page.html"))).unwrap_err().to_string();
        assert!(told.contains("nowhere/page.html") && !told.contains('\n'), "{told}");
    }
}
