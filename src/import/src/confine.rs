//! What the process may do that reads the files of others: as little as the system can hold it to.
//!
//! ```text
//! memory, time, bytes of a file, open files     everywhere, as resource limits
//! files of two folders alone, no network        Linux 5.13 and later (Landlock)
//! the system calls of reading and writing       Linux (seccomp)
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use pellucid_intake::hub_snapshot::blobs;
use rustix::process::{Resource, Rlimit, setrlimit};

#[cfg(target_os = "linux")]
mod linux;

/// Bytes of memory.
const MEMORY: u64 = 4 << 30;
/// Seconds of the processor, and bytes that are read for each further one.
const SECONDS: u64 = 120;
const BYTES_A_SECOND: u64 = 20 << 20;
/// Bytes of a file that is written, and times the bytes that are read.
const WRITTEN: u64 = 256 << 20;
const WRITTEN_FOR_A_BYTE: u64 = 4;
/// Files that are open at once: those of the weights, which are 1000 at most, and some more.
const OPEN: u64 = 1100;
/// How deep the files of a folder are counted.
const DEPTH: usize = 2;

/// Gives up all that is not needed to read the folder `source` and to write into the folder `draft`. What the system
/// cannot hold a process to is left out; what it does is returned.
#[must_use]
pub fn confine(source: &Path, draft: &Path) -> Vec<String> {
    let size = size(source, DEPTH);
    let written = most_written(source);
    let limits = [
        ("memory", Resource::As, MEMORY),
        ("time", Resource::Cpu, SECONDS + size / BYTES_A_SECOND),
        ("written bytes", Resource::Fsize, written),
        ("open files", Resource::Nofile, OPEN),
        ("core dumps", Resource::Core, 0),
    ];
    let mut held = Vec::new();
    for (what, resource, most) in limits {
        // At the second of two limits the kernel kills; at the first it says what for.
        if setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most + 5) }).is_ok() {
            held.push(what.to_owned());
        }
    }
    #[cfg(target_os = "linux")]
    held.extend(linux::confine(&readable(source), draft));
    #[cfg(not(target_os = "linux"))]
    let _ = (readable(source), draft);
    held
}

/// Bytes that a file may have which is made of those of `source`.
pub(crate) fn most_written(source: &Path) -> u64 {
    WRITTEN.saturating_add(size(source, DEPTH).saturating_mul(WRITTEN_FOR_A_BYTE))
}

/// The folders whose files are read: that of the model and, in a Hugging Face cache, the one that it links to.
fn readable(source: &Path) -> Vec<PathBuf> {
    let home = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    let blobs = blobs(&home).filter(|blobs| blobs.is_dir());
    std::iter::once(home).chain(blobs).collect()
}

/// Bytes of the files in `folder`, where links lead to files as well.
fn size(folder: &Path, depth: usize) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |path: PathBuf| match fs::metadata(&path) {
        Ok(meta) if meta.is_dir() && depth > 0 => size(&path, depth - 1),
        Ok(meta) if meta.is_file() => meta.len(),
        _ => 0,
    };
    entries.map(|entry| of(entry.path())).fold(0, u64::saturating_add)
}
