//! What is wrong with a file, in one line: where, what, and what to do.

use std::path::Path;

/// The result of reading something.
pub type Result<T> = std::result::Result<T, Error>;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A row of a data file.
    #[error("{path}:{line}: {message}")]
    Row {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file or folder.
    #[error("{path}: {message}")]
    File {
        /// The file or folder.
        path: String,
        /// What is wrong and what to do.
        message: String,
    },
}

impl Error {
    /// The file or folder in question.
    #[must_use]
    pub fn path(&self) -> &Path {
        let (Error::Row { path, .. } | Error::File { path, .. }) = self;
        Path::new(path)
    }

    /// An error about a file or folder.
    pub fn file(path: &Path, message: impl ToString) -> Self {
        Error::File { path: path.display().to_string(), message: message.to_string() }
    }

    /// An error about a row.
    pub fn row(path: &Path, line: u64, message: impl ToString) -> Self {
        Error::Row { path: path.display().to_string(), line, message: message.to_string() }
    }
}
