//! What can be wrong with settings.

/// A setting that does not make sense; the message names the key, and file and line where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is not TOML or has a key that is not known.
    #[error("{path}:{line}: {message}")]
    File {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {message}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        message: String,
    },
    /// A value is missing or out of range.
    #[error("{key}: {message}")]
    Value {
        /// The key, as the flag is called.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
}
