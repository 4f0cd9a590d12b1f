//! Reads a settings file: `run.toml`, or what `--config` names.

use std::path::Path;

use pellucid_files::bounded;
use pellucid_protocol::RawSettings;
use pellucid_protocol::settings::SettingsError;

/// Reads the TOML file at `path`; relative paths in it are taken from its folder.
///
/// # Errors
/// When the file cannot be read, is not TOML or has an unknown key or a value of the wrong type.
pub fn read(path: &Path) -> Result<RawSettings, SettingsError> {
    let text = bounded::read_text(path, bounded::SETTINGS)
        .map_err(|error| SettingsError::Read { path: path.display().to_string(), message: error.to_string() })?;
    RawSettings::from_toml(&text, path)
}
