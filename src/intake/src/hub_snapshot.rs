//! How a snapshot in the Hugging Face cache lies there: its files are links to those in `blobs` beside it.

use std::path::{Path, PathBuf};

/// How the folders of models and data sets are called in the cache.
const KINDS: [&str; 2] = ["models--", "datasets--"];

/// Where the cache keeps the files of the snapshot that `folder`, a path without links, is or lies in.
#[must_use]
pub fn blobs(folder: &Path) -> Option<PathBuf> {
    let snapshots = folder.ancestors().skip(1).find(|above| above.ends_with("snapshots"))?;
    let repository = snapshots.parent()?;
    let name = repository.file_name()?.to_string_lossy();
    KINDS.iter().any(|kind| name.starts_with(kind)).then(|| repository.join("blobs"))
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
