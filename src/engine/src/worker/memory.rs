//! The resident memory of this process, as Linux counts it, 0 elsewhere; and giving back what is not needed.

/// After so many texts memory is given back: often enough to bound it, and so seldom that fetching it again costs nothing.
pub const TEXTS_A_GIVING: usize = 4;

/// Gives the system back what the C library keeps free, also between blocks in use. Every length of a text leaves holes that
/// the next does not fit: half a megabyte for each, as measured over
/// 750 texts.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "any thread may call it at any time; it touches free memory alone")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The peak so far, in MiB.
#[must_use]
pub fn peak_rss_mb() -> u64 {
    status_kb("VmHWM:").unwrap_or(0) / 1024
}

/// Now, in MiB.
#[must_use]
pub fn rss_mb() -> f64 {
    status_kb("VmRSS:").unwrap_or(0) as f64 / 1024.0
}

fn status_kb(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
