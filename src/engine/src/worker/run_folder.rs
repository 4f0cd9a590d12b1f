//! The run folder: made once the run is known to be able to start.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pellucid_files::whole::write_whole;
use pellucid_record::lock::Lock;
use pellucid_record::socket::{self, SocketPlace};
use pellucid_record::{RunDir, run_dir};
use rustix::fs::Mode;

use tokio::net::UnixListener;

use crate::error::{Error, Result};
use crate::train::Trainer;

/// How long to wait for the lock: another process may be writing down how the last worker died.
const PATIENCE: Duration = Duration::from_secs(2);

/// From here on, files that this process writes can be read by its user alone.
pub fn keep_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Writes the settings and samples of a run into its folder, which is claimed, how its data was split and which rows of
/// it were left out.
///
/// # Errors
/// What the file system says.
pub fn create(trainer: &Trainer) -> Result<RunDir> {
    let settings = trainer.settings();
    let run = RunDir::new(&settings.run_dir);
    let skipped = trainer.skipped();
    if !skipped.is_empty() {
        let written = write_whole(&run.skipped(), skipped.lines().as_bytes());
        written.map_err(|error| Error::file(&run.skipped(), error))?;
    }
    if let Some(split) = trainer.split() {
        let text = serde_json::to_vec(split).map_err(|error| Error::file(&run.split(), error))?;
        write_whole(&run.split(), &text).map_err(|error| Error::file(&run.split(), error))?;
    }
    let text = toml::to_string(settings).map_err(|error| Error::file(&run.settings(), error))?;
    write_whole(&run.settings(), text.as_bytes()).map_err(|error| Error::file(&run.settings(), error))?;
    run_dir::write_lines(&run.samples(), &trainer.samples()).map_err(|error| Error::file(&run.samples(), error))?;
    Ok(run)
}

/// Locks a run for this process, as long as the lock is held: no two workers ever write to one run.
///
/// # Errors
/// When another process has it, or what the file system says.
pub fn own(run: &RunDir) -> Result<Lock> {
    Lock::take(run, PATIENCE).map_err(|error| Error::file(run.root(), error))
}

/// Makes the folder of a run, which only the user can read. An empty one is closed to others; one with other files stays
/// open to who may read these, for the files of a run are private themselves.
pub(super) fn private_run_folder(folder: &Path) -> Result<()> {
    let mode = own_folder(folder)?;
    let told = |error: std::io::Error| Error::file(folder, error);
    if mode & 0o077 != 0 && fs::read_dir(folder).map_err(told)?.next().is_none() {
        return fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(told);
    }
    if mode & 0o022 != 0 {
        let why = "holds files, and others may write into it, so that they could replace what the run writes; name \
                   another folder, or take their permission with chmod go-w";
        return Err(Error::file(folder, why));
    }
    Ok(())
}

/// Makes a folder that only the user can read; an existing one is closed to others.
fn private_folder(folder: &Path) -> Result<()> {
    if own_folder(folder)? & 0o077 != 0 {
        let closed = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
        closed.map_err(|error| Error::file(folder, error))?;
    }
    Ok(())
}

/// Makes a folder of the user if there is none, and gives its permissions.
fn own_folder(folder: &Path) -> Result<u32> {
    let told = |error: std::io::Error| Error::file(folder, error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told)?;
    // A link is not followed: whoever could put it there could read what it leads to.
    let meta = fs::symlink_metadata(folder).map_err(told)?;
    if meta.is_symlink() {
        return Err(Error::file(folder, "is a link, which is not followed; name the folder that it leads to"));
    }
    if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::file(folder, "is not a folder of yours, so others could look in; name another one"));
    }
    Ok(meta.mode())
}

/// Where the socket of the run goes: into the run folder, or into a private folder of the user if that path is too long.
///
/// # Errors
/// When that folder is somebody else's or cannot be made, with what to do.
pub fn socket_path(run: &RunDir) -> Result<PathBuf> {
    match socket::place(run) {
        SocketPlace::Run(path) => Ok(path),
        SocketPlace::Shared(folder) => {
            shared_folder(&folder)?;
            Ok(folder.join(format!("{}.sock", std::process::id())))
        }
    }
}

/// Makes the folder for sockets of runs whose own path is too long.
fn shared_folder(folder: &Path) -> Result<()> {
    let refused = |why: &str| {
        let why = format!("{why}, so the socket of the run, whose own path is too long, cannot be there");
        Error::file(folder, format!("{why}; {}", socket::REMEDY))
    };
    if let Some(why) = socket::objection(folder) {
        return Err(refused(&why));
    }
    private_folder(folder).map_err(|error| match error {
        Error::File { message, .. } => refused(&message),
        other => other,
    })
}

/// Binds the socket of the run at `path`. Only the user can ever connect.
///
/// # Errors
/// What the file system says.
pub fn listen(path: &Path) -> std::io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        // That of an earlier worker.
        Ok(meta) if meta.file_type().is_socket() => fs::remove_file(path)?,
        Ok(_) => return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, "is no socket; remove it")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    // Between the two lines the folder, which is private, keeps others out.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_open_to_all_is_closed_and_a_link_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let open = place.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        private_folder(&open).unwrap();
        assert_eq!(fs::metadata(&open).unwrap().mode() & 0o777, 0o700);
        std::os::unix::fs::symlink(&open, place.path().join("link")).unwrap();
        let message = private_folder(&place.path().join("link")).unwrap_err().to_string();
        assert!(message.contains("is a link"), "{message}");
    }

    #[test]
    fn the_folder_of_a_run_that_holds_other_files_keeps_its_permissions_or_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        let mode = || fs::metadata(&folder).unwrap().mode() & 0o777;
        let set = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        fs::create_dir(&folder).unwrap();
        set(0o775);
        private_run_folder(&folder).unwrap();
        assert_eq!(mode(), 0o700, "it is empty");
        fs::write(folder.join("notes.txt"), "of a colleague").unwrap();
        set(0o755);
        private_run_folder(&folder).unwrap();
        assert_eq!(mode(), 0o755);
        for writable in [0o775, 0o757] {
            set(writable);
            let message = private_run_folder(&folder).unwrap_err().to_string();
            assert!(message.contains("others may write into it") && mode() == writable, "{message}");
        }
    }

    #[test]
    fn a_folder_for_sockets_that_is_not_the_users_is_refused_with_what_to_do() {
        let place = tempfile::tempdir().unwrap();
        let (taken, mine) = (place.path().join("taken"), place.path().join("mine"));
        fs::write(&taken, "precious").unwrap();
        let message = shared_folder(&taken).unwrap_err().to_string();
        assert!(message.contains("taken: is no folder") && message.contains("set XDG_RUNTIME_DIR"), "{message}");
        assert!(!message.contains('\n') && fs::read(&taken).unwrap() == b"precious");
        shared_folder(&mine).unwrap();
        assert_eq!(fs::metadata(&mine).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn only_a_socket_makes_room_for_a_socket() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("worker.sock");
        fs::write(&path, "precious").unwrap();
        assert!(listen(&path).is_err() && fs::read(&path).unwrap() == b"precious");
        fs::remove_file(&path).unwrap();
        drop(listen(&path).unwrap());
        assert!(path.exists(), "as after a kill");
        drop(listen(&path).unwrap());
    }
}
