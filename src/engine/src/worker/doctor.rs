//! Says which libtorch and which devices there are.

use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_protocol::scrub::escape_json;
use serde_json::json;

/// Prints one JSON line.
pub fn doctor() {
    let library = loaded(&std::fs::read_to_string("/proc/self/maps").unwrap_or_default());
    let line = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "libtorch": library.as_deref().and_then(version),
        "path": library,
        "threads": tch::get_num_threads(),
        "cuda_available": tch::Cuda::is_available(),
        "cuda_devices": tch::Cuda::device_count(),
        "mps_available": tch::utils::has_mps(),
        "mkl": tch::utils::has_mkl(),
        "openmp": tch::utils::has_openmp(),
    });
    println!("{}", escape_json(&line.to_string()));
}

/// The libtorch among the files that Linux lists as mapped into a process.
fn loaded(maps: &str) -> Option<PathBuf> {
    let files = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..]));
    files.map(Path::new).find(|file| file.ends_with("libtorch_cpu.so")).map(Path::to_owned)
}

/// The version of a libtorch from a file beside it: `build-version`, or the `version.py` of a Python package.
fn version(library: &Path) -> Option<String> {
    let folder = library.parent()?.parent()?;
    let read = |name: &str| bounded::read_text(&folder.join(name), bounded::SETTINGS);
    if let Ok(text) = read("build-version") {
        return Some(text.trim().to_owned());
    }
    let text = read("version.py").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(line.trim_matches(['\'', '"']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaded_library_and_its_version_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib/libtorch_cpu.so");
        let maps =
            format!("7f00-7f01 r-xp 0000 00:00 1   /usr/lib/libc.so.6\n7f02-7f03 r--p 0 0 2  {}\n", library.display());
        assert_eq!(loaded(&maps), Some(library.clone()));
        assert_eq!((loaded("7f00 [heap]\n"), version(&library)), (None, None));
        std::fs::write(folder.path().join("version.py"), "from x import y\n__version__ = '2.11.0+cpu'\n").unwrap();
        assert_eq!(version(&library).as_deref(), Some("2.11.0+cpu"));
        std::fs::write(folder.path().join("build-version"), "2.11.0\n").unwrap();
        assert_eq!(version(&library).as_deref(), Some("2.11.0"));
    }
}
