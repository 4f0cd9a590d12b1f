//! Messages on stderr about a wrong command line and about a panic.

use clap::error::ErrorKind;
use color_eyre::config::{HookBuilder, Theme};
use pellucid_client::console::note;
use pellucid_intake::panic_guard::is_guarded;

/// What a user who has just lost the dashboard wants to know first.
const PANIC_SECTION: &str =
    "This is a bug in pellucid. Training goes on in a process of its own: `pellucid attach` comes back to it.";

/// Lets color-eyre report panics, without its colours: a panic may quote data, so its message is scrubbed.
pub(crate) fn install_panic_report() {
    let (report, _) = HookBuilder::default().theme(Theme::new()).panic_section(PANIC_SECTION).into_hooks();
    std::panic::set_hook(Box::new(move |info| {
        // What a library makes of a damaged file becomes an error.
        if !is_guarded() {
            report.panic_report(info).to_string().lines().for_each(note);
        }
    }));
}

/// Prints what is wrong with the command line, in one line, or the help that it asked for. What it quotes is scrubbed.
pub(crate) fn usage(error: &clap::Error) {
    if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return note(&in_one_line(&error.render().to_string()));
    }
    // If nobody reads it, nobody wants to.
    let _ = error.print();
}

/// A message of clap, whose parts stand in paragraphs, in one line.
fn in_one_line(message: &str) -> String {
    let parts = message.split("\n\n").map(|part| part.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    // An argument such as `-lead` counts as several flags there, so that what clap proposes is something else.
    let parts = parts.map(|part| part.trim().to_owned()).filter(|part| !part.starts_with("tip: to pass '-"));
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts
        .join("; ")
        .replace("For more information, try '--help'.", "--help says more")
        .replace("; Usage: ", "; usage: ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn what_is_wrong_with_a_command_line_is_said_in_one_line() {
        let told = |args: &[&str]| in_one_line(&Cli::try_parse_from(args).unwrap_err().render().to_string());
        assert_eq!(
            told(&["pellucid", "rm", ""]),
            "error: invalid value '' for '<RUN>...': the name is empty; `pellucid runs` lists the runs; --help says more"
        );
        assert_eq!(
            told(&["pellucid", "rm", "-lead"]),
            "error: unexpected argument '-l' found; usage: pellucid rm [OPTIONS] <RUN>...; --help says more"
        );
        let similar = told(&["pellucid", "trian"]);
        assert!(similar.contains("'trian'; tip: a similar subcommand exists: 'train'; usage: "), "{similar}");
        assert!(!told(&["pellucid", "train", "--optimizer", "x\ny"]).contains('\n'));
    }
}
