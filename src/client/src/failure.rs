//! How a command ends: its exit code, and one line of text if it fails.

use std::io;

use pellucid_protocol::settings::SettingsError;

/// How a command ended that could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It did what the user asked for.
    Done,
    /// What it started has failed, and the user has been told.
    Failed,
    /// The user stopped it.
    Stopped,
    /// The worker ended with this exit code.
    Worker(u8),
}

impl Ending {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Ending::Done => 0,
            Ending::Failed => 1,
            Ending::Stopped => 130,
            Ending::Worker(code) => code,
        }
    }
}

/// Why a command could not be carried out. The message says what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The command line or a settings file is wrong.
    #[error("{0}")]
    Usage(String),
    /// The command failed.
    #[error("{0}")]
    Failed(String),
    /// The program that reads stdout has exited, as `head` does after its last line.
    #[error("stdout was closed")]
    Closed,
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Failed(_) => 1,
            Failure::Closed => 0,
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Read { .. } => Failure::Failed(error.to_string()),
            SettingsError::File { .. } | SettingsError::Value { .. } => Failure::Usage(error.to_string()),
        }
    }
}

/// For errors of writing to stdout only: errors of other files must name the file.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Failed(format!("cannot write to stdout: {error}")),
        }
    }
}

/// Joins a chain of errors into one line.
impl From<color_eyre::Report> for Failure {
    fn from(report: color_eyre::Report) -> Self {
        let causes: Vec<String> = report.chain().map(ToString::to_string).collect();
        Failure::Failed(causes.join(": "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_manual() {
        let value = SettingsError::Value { key: "l1", message: "must be 0 or more, not -1".into() };
        assert_eq!(Failure::from(value).code(), 2);
        let read = SettingsError::Read { path: "run.toml".into(), message: "no such file".into() };
        assert_eq!(Failure::from(read).code(), 1);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).code(), 0);
        assert_eq!((Ending::Stopped.code(), Ending::Worker(7).code()), (130, 7));
    }

    #[test]
    fn a_chain_becomes_one_line() {
        let report = color_eyre::Report::msg("no such file").wrap_err("cannot read the theme");
        assert_eq!(Failure::from(report), Failure::Failed("cannot read the theme: no such file".into()));
    }
}
