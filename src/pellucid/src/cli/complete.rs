//! Names and short ids of runs, for the shell to complete.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap_complete::CompletionCandidate;
use pellucid_protocol::paste::quoted;
use pellucid_protocol::scrub::scrub;
use pellucid_record::{RunDir, runs};

/// Runs whose name or short id begins with what was typed; in the folder that the command line names, else `runs`.
pub(super) fn runs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words: Vec<_> = std::env::args_os().collect();
    let named = words.iter().position(|word| word == "--runs").and_then(|at| words.get(at + 1));
    let runs = runs::list(&named.map_or_else(|| PathBuf::from("runs"), PathBuf::from)).unwrap_or_default();
    typed.to_str().map(|typed| candidates(&runs, typed)).unwrap_or_default()
}

/// The newest first; a name is told with its id, an id with its name. A shell gets the id for a name that it would have to
/// quote, or that could steer a terminal.
fn candidates(runs: &[RunDir], typed: &str) -> Vec<CompletionCandidate> {
    let ids = runs::short_ids(runs);
    let told = |run: &RunDir, id: &String| {
        let (name, id) = (run.name(), id.clone());
        let shown = scrub(&name).into_owned();
        if name.starts_with(typed) && quoted(&name).as_ref() == Some(&name) {
            return Some(CompletionCandidate::new(name).help(Some(id.into())));
        }
        (name.starts_with(typed) || id.starts_with(typed))
            .then(|| CompletionCandidate::new(id).help(Some(shown.into())))
    };
    runs.iter().zip(&ids).rev().filter_map(|(run, id)| told(run, id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_completed() {
        let runs = ["20260101-triage", "20260102-credit"].map(|name| RunDir::new(format!("/nowhere/{name}")));
        let ids = runs::short_ids(&runs);
        let shown = |typed: &str| -> Vec<String> {
            let found = candidates(&runs, typed);
            found.iter().map(|one| one.get_value().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(shown("2026"), ["20260102-credit", "20260101-triage"]);
        assert_eq!(shown("20260101"), ["20260101-triage"]);
        assert_eq!(shown(&ids[0]), [ids[0].clone()]);
        assert!(shown("nothing").is_empty());
    }

    #[test]
    fn a_name_that_no_shell_takes_as_it_is_is_completed_by_its_id() {
        let names = ["two words", "$(reboot)", "line\nbreak", "red\u{1b}[31m", "turned\u{202e}"];
        let runs = names.map(|name| RunDir::new(format!("/nowhere/{name}")));
        let ids = runs::short_ids(&runs);
        for (name, id) in names.iter().zip(&ids) {
            let found = candidates(&runs, &name[..2]);
            let [one] = found.as_slice() else { panic!("{name:?}: {found:?}") };
            assert_eq!(one.get_value().to_str(), Some(id.as_str()));
            let help = one.get_help().unwrap().to_string();
            assert_eq!(help, scrub(name), "{name:?}");
            assert!(!help.contains(char::is_control), "{help:?}");
        }
    }
}
