//! Where explanations go: stdout, or a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// An output that is being written.
#[derive(Debug)]
pub enum Sink {
    /// As it comes.
    Stdout(StdoutLock<'static>),
    /// Beside its place until it is whole.
    File(Part),
}

/// A file under another name.
#[derive(Debug)]
pub struct Part {
    file: BufWriter<File>,
    part: PathBuf,
    place: PathBuf,
}

impl Sink {
    /// To `place`, or to stdout.
    ///
    /// # Errors
    /// When there cannot be such a file.
    pub fn open(place: Option<&Path>) -> Result<Self> {
        let Some(place) = place else { return Ok(Sink::Stdout(io::stdout().lock())) };
        let name = place.file_name().ok_or_else(|| Error::file(place, "is no name for a file"))?;
        let part = place.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        let file = File::create(&part).map_err(|error| Error::file(place, error))?;
        Ok(Sink::File(Part { file: BufWriter::new(file), part, place: place.to_owned() }))
    }

    /// Adds text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> Result<()> {
        match self {
            Sink::Stdout(out) => {
                out.write_all(text.as_bytes()).map_err(|error| Error::Refused(format!("stdout: {error}")))
            }
            Sink::File(part) => part.file.write_all(text.as_bytes()).map_err(|error| Error::file(&part.place, error)),
        }
    }

    /// All is written: a file takes its place.
    ///
    /// # Errors
    /// When it cannot.
    pub fn finish(self) -> Result<()> {
        let Sink::File(mut part) = self else { return Ok(()) };
        let whole = part.file.flush().and_then(|()| fs::rename(&part.part, &part.place));
        whole.map_err(|error| Error::file(&part.place, error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already if it has taken its place.
        let _ = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("page.html");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut sink = Sink::open(Some(&place)).unwrap();
        sink.write("half").unwrap();
        drop(sink);
        assert_eq!(names(), 0);
        let mut sink = Sink::open(Some(&place)).unwrap();
        sink.write("whole").unwrap();
        sink.finish().unwrap();
        assert_eq!((fs::read_to_string(&place).unwrap().as_str(), names()), ("whole", 1));
        let told = Sink::open(Some(&folder.path().join("nowhere/page.html"))).unwrap_err().to_string();
        assert!(told.contains("nowhere/page.html") && !told.contains('\n'), "{told}");
    }
}
