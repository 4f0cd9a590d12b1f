//! Text for people on stderr, scrubbed.

use std::io::Write;

use pellucid_protocol::scrub::scrub;

/// Characters of a line that are shown.
const LONGEST: usize = 4000;

/// Prints one line on stderr. A closed stderr is nobody's loss.
pub fn note(text: &str) {
    let shown: String = scrub(text).chars().take(LONGEST).collect();
    let _ = writeln!(std::io::stderr().lock(), "{shown}");
}

/// Prints `error: text` on stderr.
pub fn error(text: &str) {
    note(&format!("error: {text}"));
}
