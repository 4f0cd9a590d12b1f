//! Damaged and hostile files of every format: an error of one line, no panic, and no more memory than they may take.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use pellucid_intake::rows::{LabelNeed, read_rows};
use pellucid_protocol::settings::reading::Reading;

/// Files whose every byte is cut off and changed.
const FILES: [&str; 21] = [
    "none.parquet",
    "snappy.parquet",
    "gzip.parquet",
    "zstd.parquet",
    "lz4.parquet",
    "brotli.parquet",
    "second.parquet",
    "lengths.parquet",
    "lengths2.parquet",
    "delta.parquet",
    "hub.parquet",
    "file.arrow",
    "stream.arrow",
    "dictionary.arrow",
    "polars.arrow",
    "views.ipc",
    "lz4.feather",
    "zstd.feather",
    "uncompressed.feather",
    "members.csv.gz",
    "frames.csv.zst",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Bytes of address space that the process has had at most, where the system says so.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Reads a file of these bytes; an error is one line that names it.
fn reads(path: &Path, bytes: &[u8]) -> bool {
    fs::write(path, bytes).unwrap();
    match read_rows(path, &Reading::default(), LabelNeed::Optional) {
        Ok(_) => true,
        Err(error) => {
            let told = error.to_string();
            assert!(told.lines().count() == 1 && told.starts_with(path.to_str().unwrap()), "{told}");
            false
        }
    }
}

#[test]
fn no_damage_makes_a_reader_stumble_or_fills_the_memory() {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    std::panic::set_hook(Box::new(|panic| {
        if !pellucid_intake::panic_guard::is_guarded() {
            eprintln!("{panic}");
        }
    }));
    for name in FILES {
        let (whole, path) = (fs::read(fixture(name)).unwrap(), folder.path().join(name));
        let before = peak();
        for end in 0..whole.len() {
            assert!(!reads(&path, &whole[..end]), "{name} cut off at {end} is read");
        }
        for at in 0..whole.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= flip;
                reads(&path, &changed);
            }
            let mut changed = whole.clone();
            let end = (at + 5).min(changed.len());
            changed[at..end].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f][..end - at]);
            reads(&path, &changed);
        }
        let taken = (peak() - before) >> 20;
        assert!(taken < 400, "{name} takes {taken} MiB");
    }
}
