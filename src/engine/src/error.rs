//! What can go wrong in the engine, each as one line: what, where, what to do.

use std::path::Path;

use pellucid_explain::OracleError;

/// The result of anything in the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// An error as a person sees it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A data file or model folder.
    #[error(transparent)]
    Intake(#[from] pellucid_intake::Error),
    /// Another file or folder.
    #[error("{path}: {message}")]
    File {
        /// The file or folder.
        path: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A setting that does not fit the data, the model or the machine.
    #[error("{key}: {message}")]
    Setting {
        /// The flag.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// A number became NaN or infinite.
    #[error(
        "step {step}: {term} became {value}; lower --lr or the penalty, or raise --warmup; weights are as of step {kept}"
    )]
    NotFinite {
        /// The step that was not taken.
        step: u64,
        /// The first term that was not finite.
        term: String,
        /// Its value.
        value: f64,
        /// The last good step.
        kept: u64,
    },
    /// A model's answer to a text that is no number.
    #[error(transparent)]
    NoNumber(#[from] NoNumber),
    /// A complete sentence of its own.
    #[error("{0}")]
    Refused(String),
    /// Nobody reads the output any more.
    #[error("the output was closed")]
    Closed,
    /// Ended because somebody asked for the end.
    #[error("interrupted")]
    Interrupted,
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(String),
    /// An explainer did not get its answers from the model.
    #[error("{0}")]
    Explain(#[from] OracleError),
    /// The operating system refused something other than a file.
    #[error("{what}: {message}")]
    System {
        /// What it was asked for.
        what: &'static str,
        /// What it said.
        message: String,
    },
    /// A panic that was caught, by its message; also what tch makes of an exception of libtorch.
    #[error("{0}")]
    Panicked(String),
}

/// A model's answer to a text that is no number, which therefore stands for no class.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the model's answer is not a number ({value}), from {layer} on; the weights or the text are beyond its range")]
pub struct NoNumber {
    /// The first such logit.
    pub value: f32,
    /// What first gave no number, as the weights name it.
    pub layer: String,
}

impl Error {
    /// The file or folder that the error is about, if it is about one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Error::Intake(error) => Some(error.path()),
            Error::File { path, .. } => Some(Path::new(path)),
            _ => None,
        }
    }

    /// An error about a file or folder.
    pub fn file(path: &Path, message: impl ToString) -> Self {
        Error::File { path: path.display().to_string(), message: message.to_string() }
    }

    /// The operating system refused `what`.
    pub fn system(what: &'static str, message: impl ToString) -> Self {
        Error::System { what, message: message.to_string() }
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        Error::Torch(text.lines().next().unwrap_or("unknown error").to_owned())
    }
}
