//! Prints text for people on stderr, without terminal control characters.

use std::io::Write;

use pellucid_protocol::scrub::scrub;

/// Characters of a line that are printed at most.
const LONGEST: usize = 4000;

/// Prints one line on stderr. It is not an error if stderr is closed.
pub fn note(text: &str) {
    let shown: String = scrub(text).chars().take(LONGEST).collect();
    let _ = writeln!(std::io::stderr().lock(), "{shown}");
}

/// Prints `error: text` on stderr.
pub fn error(text: &str) {
    note(&format!("error: {text}"));
}
