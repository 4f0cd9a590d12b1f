//! How a snapshot in the Hugging Face cache lies there: its files are links to those in `blobs` beside it. And what to type
//! that fetches one.

use std::path::{Path, PathBuf};

use pellucid_protocol::settings::HubName;

/// What the folder of a model begins with.
pub(crate) const MODELS: &str = "models--";
/// How the folders of models and data sets are called in the cache.
const KINDS: [&str; 2] = [MODELS, "datasets--"];

/// Where the cache keeps the files of the snapshot that `folder`, a path without links, is or lies in.
#[must_use]
pub fn blobs(folder: &Path) -> Option<PathBuf> {
    let snapshots = folder.ancestors().skip(1).find(|above| above.ends_with("snapshots"))?;
    let repository = snapshots.parent()?;
    let name = repository.file_name()?.to_string_lossy();
    KINDS.iter().any(|kind| name.starts_with(kind)).then(|| repository.join("blobs"))
}

/// The name of the model whose folder in a cache is `folder`.
pub(crate) fn repository(folder: &Path) -> Option<HubName> {
    folder.canonicalize().ok()?.file_name()?.to_str()?.strip_prefix(MODELS)?.replace("--", "/").parse().ok()
}

/// What a message says at its end of a file that `folder` lacks, if that is a snapshot of a model: what to type that
/// fetches it.
pub(crate) fn fetching(folder: &Path) -> String {
    let name = || {
        let folder = folder.canonicalize().ok()?;
        let snapshots = folder.parent().filter(|parent| parent.ends_with("snapshots"))?;
        repository(snapshots.parent()?)?.at(folder.file_name()?.to_str()?).ok()
    };
    let told = |name| format!("; {} fetches it into the Hugging Face cache", pull_command(&name));
    name().map_or_else(String::new, told)
}

/// The command to type that fetches a model, between backquotes.
#[must_use]
pub fn pull_command(name: &HubName) -> String {
    match name.is_main() {
        true => format!("`pellucid pull {}`", name.repository()),
        false => format!("`pellucid pull {} --revision {}`", name.repository(), name.revision()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_snapshot_lie_beside_the_snapshots() {
        let of = |folder: &str| blobs(Path::new(folder)).map(|path| path.display().to_string());
        for folder in ["/c/datasets--a--b/snapshots/01", "/c/datasets--a--b/snapshots/01/data/en"] {
            assert_eq!(of(folder).as_deref(), Some("/c/datasets--a--b/blobs"));
        }
        assert_eq!(of("/c/models--a/snapshots/01").as_deref(), Some("/c/models--a/blobs"));
        for folder in ["/c/mine/snapshots/01", "/c/datasets--a--b/snapshots", "/c/datasets--a--b/data", "/"] {
            assert_eq!(of(folder), None);
        }
    }
}
