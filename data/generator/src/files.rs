//! Writes files whole: first beside the target under another name, then renamed over it.

use std::fs;
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr};

/// Writes a file so that a reader sees the old contents or the new, never a part.
pub(crate) fn write(path: &Path, contents: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make the folder {}", folder.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}.part", std::process::id()));
    fs::write(&draft, contents).wrap_err_with(|| format!("cannot write {}", draft.display()))?;
    fs::rename(&draft, path).wrap_err_with(|| format!("cannot put {} in its place", path.display()))
}
