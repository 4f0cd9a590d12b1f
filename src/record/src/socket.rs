//! Where the socket of a run's worker is: in the run folder, or, if that path is too long for a socket, in a folder that
//! the user has for such sockets.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{geteuid, getuid};

use crate::run_dir::RunDir;

/// The longest path of a Unix socket that every system accepts, in bytes.
const LONGEST: usize = 100;
/// Bytes of the name of a socket that is not in its run folder, at most.
const NAME: usize = "/4294967295.sock".len();

/// What to do where sockets can be neither in the run folder nor in the folder for them.
pub const REMEDY: &str = "set XDG_RUNTIME_DIR to a folder of yours with a short path, or shorten the path of the run";

/// Where the socket of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketPlace {
    /// In the run folder, at this path.
    Run(PathBuf),
    /// In this folder of the user's, which need not exist.
    Shared(PathBuf),
}

/// Where the socket of `run` is.
#[must_use]
pub fn place(run: &RunDir) -> SocketPlace {
    place_beside(run, env::var_os("XDG_RUNTIME_DIR"))
}

fn place_beside(run: &RunDir, runtime: Option<OsString>) -> SocketPlace {
    let inside = run.socket();
    if inside.as_os_str().len() <= LONGEST {
        return SocketPlace::Run(inside);
    }
    // As its specification says, a path that is not absolute counts for nothing.
    let runtime = runtime.map(PathBuf::from).filter(|folder| folder.is_absolute());
    SocketPlace::Shared(runtime.map_or_else(
        || env::temp_dir().join(format!("pellucid-{}", getuid().as_raw())),
        |folder| folder.join("pellucid"),
    ))
}

/// Why no socket can be in `folder`, a [`SocketPlace::Shared`], as the rest of a line that begins with its path.
#[must_use]
pub fn objection(folder: &Path) -> Option<String> {
    if folder.as_os_str().len() + NAME > LONGEST {
        return Some("its path is too long for sockets".to_owned());
    }
    match fs::symlink_metadata(folder) {
        Ok(meta) if meta.is_symlink() => Some("is a link, which is not followed".to_owned()),
        Ok(meta) if !meta.is_dir() => Some("is no folder".to_owned()),
        Ok(meta) if meta.uid() != geteuid().as_raw() => Some(format!("belongs to user {}", meta.uid())),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_long_path_gets_its_socket_elsewhere() {
        let (short, long) = (RunDir::new("/tmp/run"), RunDir::new(format!("/tmp/{}", "x".repeat(120))));
        assert_eq!(place(&short), SocketPlace::Run("/tmp/run/worker.sock".into()));
        assert_eq!(place_beside(&long, Some("/run/user/7".into())), SocketPlace::Shared("/run/user/7/pellucid".into()));
        let usual = env::temp_dir().join(format!("pellucid-{}", getuid().as_raw()));
        for none in [None, Some("".into()), Some("relative".into())] {
            assert_eq!(place_beside(&long, none), SocketPlace::Shared(usual.clone()));
        }
    }

    #[test]
    fn a_folder_in_which_others_could_look_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("mine")).unwrap();
        fs::write(at("file"), "").unwrap();
        symlink(at("mine"), at("link")).unwrap();
        assert_eq!((objection(&at("mine")), objection(&at("new"))), (None, None));
        assert!(objection(&at("file")).unwrap().contains("no folder"));
        assert!(objection(&at("link")).unwrap().contains("is a link"));
        assert!(objection(&at(&"x".repeat(100))).unwrap().contains("too long"));
        let others = if geteuid().is_root() {
            std::os::unix::fs::chown(at("mine"), Some(65_534), None).unwrap();
            (at("mine"), 65_534)
        } else {
            (PathBuf::from("/"), 0)
        };
        assert_eq!(objection(&others.0), Some(format!("belongs to user {}", others.1)));
    }
}
