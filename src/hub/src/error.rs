//! Why a model was not fetched.

use std::fmt::Display;
use std::io;
use std::path::Path;

use pellucid_intake::error::Error;

/// Why a model was not fetched, in one line that says of what.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// What the Hub, the environment or the name is to blame for.
    #[error("{what}: {why}")]
    Told {
        /// A model, a file of it, or a variable.
        what: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// A file of the cache.
    #[error(transparent)]
    File(#[from] Error),
}

impl PullError {
    pub(crate) fn told(what: impl Display, why: impl Display) -> Self {
        Self::Told { what: what.to_string(), why: why.to_string() }
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        Self::File(Error::file(path, error))
    }
}
