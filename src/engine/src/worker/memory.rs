//! The resident memory of this process, as Linux counts it; 0 elsewhere.

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
