//! A model as settings name it: a folder, or the name of a model on the Hugging Face Hub.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::HubName;

/// The path of a model folder. It may be the name of a model instead: which of them is meant is known to whoever looks
/// whether there is such a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PathBuf", into = "PathBuf")]
pub struct ModelSource {
    path: PathBuf,
    name: Option<HubName>,
}

impl ModelSource {
    /// Where it is, if it is a folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is called, if what is written can be a name.
    #[must_use]
    pub fn name(&self) -> Option<&HubName> {
        self.name.as_ref()
    }

    /// The same name, and the path that `change` makes of the path.
    pub(super) fn with_path<E>(self, change: impl FnOnce(PathBuf) -> Result<PathBuf, E>) -> Result<Self, E> {
        Ok(Self { path: change(self.path)?, name: self.name })
    }
}

impl From<PathBuf> for ModelSource {
    fn from(path: PathBuf) -> Self {
        let name = path.to_str().and_then(|text| text.parse().ok());
        Self { path, name }
    }
}

impl From<&Path> for ModelSource {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl From<&str> for ModelSource {
    fn from(text: &str) -> Self {
        PathBuf::from(text).into()
    }
}

impl From<ModelSource> for PathBuf {
    fn from(source: ModelSource) -> Self {
        source.path
    }
}

impl std::str::FromStr for ModelSource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}
