//! Reads a settings file: `run.toml`, or what `--config` names; and the file of words that settings name.

use std::path::Path;

use pellucid_files::bounded;
use pellucid_protocol::settings::{Avoid, SettingsError};
use pellucid_protocol::{RawSettings, Settings};

/// Reads the TOML file at `path`; relative paths in it are taken from its folder.
///
/// # Errors
/// When the file cannot be read, is not TOML or has an unknown key or a value of the wrong type.
pub fn read(path: &Path) -> Result<RawSettings, SettingsError> {
    RawSettings::from_toml(&text(path)?, path)
}

/// Checks `raw`, after the file was read whose words must not be a reason, if it names one.
///
/// # Errors
/// When the file cannot be read or has other than words, and as [`RawSettings::check`].
pub fn checked(raw: RawSettings) -> Result<Settings, SettingsError> {
    let Some(path) = raw.avoid.as_ref().and_then(Avoid::file).filter(|path| path.is_file()) else { return raw.check() };
    let avoid = Avoid::from_lines(&text(path)?, path)?;
    RawSettings { avoid: Some(avoid), ..raw }.check()
}

fn text(path: &Path) -> Result<String, SettingsError> {
    bounded::read_text(path, bounded::SETTINGS)
        .map_err(|error| SettingsError::Read { path: path.display().to_string(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn words_are_read_from_the_file_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let (list, path) = (folder.path().join("avoid.txt"), folder.path().join("run.toml"));
        fs::write(&path, "model = \"m\"\ntrain = \"t\"\nvalid = \"v\"\navoid = \"avoid.txt\"\n").unwrap();
        fs::write(&list, "# wards\nAshdown\n\n Ferndale \n").unwrap();
        assert_eq!(checked(read(&path).unwrap()).unwrap().avoid, ["Ashdown", "Ferndale"]);
        fs::write(&list, "Ashdown\nAshdown ward\n").unwrap();
        let told = checked(read(&path).unwrap()).unwrap_err().to_string();
        assert!(told.contains("avoid.txt:2: `Ashdown ward` is not one word"), "{told}");
        fs::File::create(&list).unwrap().set_len(1 << 40).unwrap();
        let told = checked(read(&path).unwrap()).unwrap_err().to_string();
        assert!(told.contains("larger than 4 MiB"), "{told}");
    }
}
