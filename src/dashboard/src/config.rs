//! Where the user's own files are.

use std::path::PathBuf;

/// A file below `~/.config/pellucid`, or where `XDG_CONFIG_HOME` says.
#[must_use]
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    Some(config.join("pellucid").join(name))
}
