//! What is said on stderr of a faulty command line and of a panic.

use color_eyre::config::{HookBuilder, Theme};
use pellucid_client::console::note;
use pellucid_protocol::scrub::scrub;

/// What someone who has just lost a dashboard wants to know first.
const PANIC_SECTION: &str =
    "A fault in pellucid. Training is a process of its own and goes on: `pellucid attach` comes back to it.";

/// Has panics reported by color-eyre: without its colours, since what a panic says may be of data, and is scrubbed.
pub(crate) fn install_panic_report() {
    let (report, _) = HookBuilder::default().theme(Theme::new()).panic_section(PANIC_SECTION).into_hooks();
    std::panic::set_hook(Box::new(move |info| report.panic_report(info).to_string().lines().for_each(note)));
}

/// Says what is wrong with the command line, or what was asked of it. Names of files that could steer the terminal are
/// scrubbed, and then there are no colours.
pub(crate) fn usage(error: &clap::Error) {
    let plain = error.render().to_string();
    if plain.lines().all(|line| scrub(line) == line) {
        // A closed stderr is nobody's loss.
        let _ = error.print();
    } else {
        plain.lines().for_each(note);
    }
}
