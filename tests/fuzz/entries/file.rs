//! A file with the bytes of an input, for readers of files: in memory where the system has such a place.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

thread_local! {
    static FOLDER: OnceCell<PathBuf> = const { OnceCell::new() };
}

/// A folder of this thread's own.
pub(crate) fn folder() -> PathBuf {
    FOLDER.with(|folder| folder.get_or_init(make).clone())
}

fn make() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    // One folder a thread, used again by later runs of the same number: nothing piles up.
    let folder = place.join(format!("pellucid-fuzz-{}-{:?}", std::process::id(), std::thread::current().id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The file `name` of that folder, with these bytes.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Removes the folder.
pub(crate) fn clear() {
    let _ = fs::remove_dir_all(folder());
}
