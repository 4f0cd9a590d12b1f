//! The folder of a model that is named, by its path or by its name in the Hugging Face cache. Named once, here: workers and
//! runs know only folders.

use std::path::{Path, PathBuf};

use pellucid_client::failure::Failure;
use pellucid_intake::hub_cache::{HubCache, folder_of};
use pellucid_protocol::RawSettings;
use pellucid_protocol::settings::ModelSource;

/// The absolute path of the folder that `written` stands for.
///
/// # Errors
/// When there is neither such a folder nor a model of that name in the cache.
pub(crate) fn folder(written: &Path) -> Result<PathBuf, Failure> {
    let folder = of_source(&written.into())?;
    // One that cannot be made absolute stays as it is; the worker says what is wrong with it.
    Ok(std::path::absolute(&folder).unwrap_or(folder))
}

/// The settings with folders in the place of names.
///
/// # Errors
/// As [`folder`].
pub(crate) fn in_settings(raw: RawSettings) -> Result<RawSettings, Failure> {
    let resolved =
        |source: Option<ModelSource>| source.map(|source| of_source(&source).map(ModelSource::from)).transpose();
    Ok(RawSettings { model: resolved(raw.model)?, teacher: resolved(raw.teacher)?, ..raw })
}

fn of_source(source: &ModelSource) -> Result<PathBuf, Failure> {
    folder_of(source, HubCache::of_user().as_ref()).map_err(|error| Failure::Failed(error.to_string()))
}
