//! Finds the runs that the command line names.

use std::path::Path;

use pellucid_client::failure::Failure;
use pellucid_record::RunDir;
use pellucid_record::runs;

use crate::cli::Global;

/// All runs in `folder`, oldest first.
pub(super) fn all(folder: &Path) -> Result<Vec<RunDir>, Failure> {
    runs::list(folder).map_err(|error| Failure::Failed(format!("cannot read {}: {error}", folder.display())))
}

/// The run called `name`, or an unambiguous part of it.
pub(super) fn one(name: &str, global: &Global) -> Result<RunDir, Failure> {
    runs::find(&global.runs, name).map_err(Failure::Failed)
}

/// The run called `name`, or the newest run if none is named.
pub(super) fn one_or_newest(name: Option<&str>, global: &Global) -> Result<RunDir, Failure> {
    match name {
        Some(name) => one(name, global),
        None => all(&global.runs)?.pop().ok_or_else(|| Failure::Failed(none_yet(&global.runs))),
    }
}

/// The runs called `names`, in that order.
pub(super) fn each(names: &[String], global: &Global) -> Result<Vec<RunDir>, Failure> {
    names.iter().map(|name| one(name, global)).collect()
}

/// What to say where there are no runs.
pub(super) fn none_yet(folder: &Path) -> String {
    format!("no runs in {} yet; `pellucid demo` makes one", folder.display())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn no_runs_yet_is_said_with_what_to_do() {
        let global = Cli::parse_from(["pellucid", "--runs", "nowhere"]).global;
        let message = one_or_newest(None, &global).unwrap_err().to_string();
        assert_eq!(message, "no runs in nowhere yet; `pellucid demo` makes one");
        assert!(one_or_newest(Some(""), &global).unwrap_err().to_string().contains("is empty"));
    }
}
