//! Texts quoted for a shell, for command lines that are printed to be pasted.

use std::path::Path;

use super::scrub::scrub;

/// A path quoted for a shell, such that no program takes it for a flag; `None` if it cannot be pasted.
#[must_use]
pub fn quoted_path(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    if path.starts_with('-') { quoted(&format!("./{path}")) } else { quoted(path) }
}

/// A text quoted for a shell; `None` if it cannot be pasted: a shell would take a line break for the end of the command,
/// and a terminal other characters for keys, or show them as something else.
#[must_use]
pub fn quoted(text: &str) -> Option<String> {
    if scrub(text) != text {
        return None;
    }
    shlex::try_quote(text).ok().map(std::borrow::Cow::into_owned)
}
