//! Makes the run folder of a run that is known to be able to start.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pellucid_protocol::owner::Lock;
use pellucid_protocol::{RunDir, Sample, Settings, run_dir};

use crate::error::{Error, Result};

/// Longest path of a Unix socket that every system takes.
const SOCKET_LIMIT: usize = 100;
/// How long the lock of a run may still be held by whoever writes down how its last worker died.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes the folder with the settings and samples of the run; only the user can look in.
///
/// # Errors
/// What the file system says.
pub fn create(settings: &Settings, samples: &[Sample]) -> Result<RunDir> {
    let run = RunDir::new(&settings.run_dir);
    private_folder(run.root())?;
    let text = toml::to_string(settings).map_err(|error| Error::file(&run.settings(), error))?;
    run_dir::write_whole(&run.settings(), text.as_bytes()).map_err(|error| Error::file(&run.settings(), error))?;
    run_dir::write_lines(&run.samples(), samples).map_err(|error| Error::file(&run.samples(), error))?;
    Ok(run)
}

/// Takes a run for this process, for as long as what is returned is held: no two workers ever write to one run.
///
/// # Errors
/// When another process has it, or what the file system says.
pub fn own(run: &RunDir) -> Result<Lock> {
    Lock::take(run, PATIENCE).map_err(|error| Error::file(run.root(), error))
}

fn private_folder(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Error::file(folder, error))
}

/// Where the run's socket goes: into the run folder, or, where that path is too long for a socket, into
/// a private folder of the user's.
///
/// # Errors
/// When the private folder cannot be made.
pub fn socket_path(run: &RunDir) -> Result<PathBuf> {
    let inside = run.root().join("worker.sock");
    if inside.as_os_str().len() <= SOCKET_LIMIT {
        return Ok(inside);
    }
    let user = rustix::process::getuid().as_raw();
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(
        || std::env::temp_dir().join(format!("pellucid-{user}")),
        |dir| PathBuf::from(dir).join("pellucid"),
    );
    private_folder(&folder)?;
    Ok(folder.join(format!("{}.sock", std::process::id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gets_its_socket_elsewhere() {
        let short = socket_path(&RunDir::new("/tmp/run")).unwrap();
        assert_eq!(short, Path::new("/tmp/run/worker.sock"));
        let long = socket_path(&RunDir::new(format!("/tmp/{}", "x".repeat(120)))).unwrap();
        assert!(long.as_os_str().len() <= SOCKET_LIMIT, "{}", long.display());
    }
}
