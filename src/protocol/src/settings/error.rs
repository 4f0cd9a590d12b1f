//! What can be wrong with settings.

/// A setting that does not make sense; the message names the setting, and file and line where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is not TOML or has an unknown key.
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
    /// A value is missing or out of range. The message names the flag.
    #[error("--{}: {message}", key.replace('_', "-"))]
    Value {
        /// The key, as in a settings file.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
}
