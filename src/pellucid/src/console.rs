//! Messages on stderr about a wrong command line and about a panic.

use color_eyre::config::{HookBuilder, Theme};
use pellucid_client::console::note;
use pellucid_protocol::scrub::scrub;

/// What a user who has just lost the dashboard wants to know first.
const PANIC_SECTION: &str =
    "This is a bug in pellucid. Training goes on in a process of its own: `pellucid attach` comes back to it.";

/// Lets color-eyre report panics, without its colours: a panic may quote data, so its message is scrubbed.
pub(crate) fn install_panic_report() {
    let (report, _) = HookBuilder::default().theme(Theme::new()).panic_section(PANIC_SECTION).into_hooks();
    std::panic::set_hook(Box::new(move |info| report.panic_report(info).to_string().lines().for_each(note)));
}

/// Prints what is wrong with the command line, or the help that it asked for. If it quotes anything that could steer the
/// terminal, that is scrubbed, and there are no colours.
pub(crate) fn usage(error: &clap::Error) {
    let plain = error.render().to_string();
    if plain.lines().all(|line| scrub(line) == line) {
        // If stderr is closed, nobody wants to read it.
        let _ = error.print();
    } else {
        plain.lines().for_each(note);
    }
}
