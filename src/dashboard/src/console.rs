//! Text for people on stderr, scrubbed.

use std::io::{IsTerminal, Write};

use color_eyre::config::{HookBuilder, Theme};
use pellucid_protocol::scrub::scrub;

/// Prints one line on stderr. A closed stderr is nobody's loss.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", scrub(text));
}

/// Prints `error: text` on stderr.
pub(crate) fn error(text: &str) {
    note(&format!("error: {text}"));
}

/// What someone who has just lost a dashboard wants to know first.
const PANIC_SECTION: &str =
    "A fault in pellucid. Training is a process of its own and goes on: `pellucid attach` comes back to it.";

/// Has panics reported by color-eyre, without colours where they are not wanted.
pub(crate) fn install_panic_report() {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !std::io::stderr().is_terminal();
    let theme = if plain { Theme::new() } else { Theme::dark() };
    // The one error is that a hook is there already.
    let _ = HookBuilder::default().theme(theme).panic_section(PANIC_SECTION).install();
}
