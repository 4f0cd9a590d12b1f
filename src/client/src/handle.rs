//! How a user names a run on the command line, and command lines to paste.

use std::path::Path;

use pellucid_protocol::paste::{quoted, quoted_path};
use pellucid_record::RunDir;

/// `pellucid` with this command and `run`, quoted for a shell, to be pasted in the current folder. Where the path of the
/// run has characters that cannot be pasted, it says so instead.
#[must_use]
pub fn command_line(command: &str, run: &RunDir) -> String {
    match argument(run) {
        Some(argument) => format!("`pellucid {command} {argument}`"),
        None => format!("`pellucid {command}` (the path of the run has characters that cannot be pasted)"),
    }
}

/// The shortest argument that names `run` in the current folder, quoted for a shell: the run's name if it lies in `runs/`,
/// its id if nobody could paste that name, else its path.
fn argument(run: &RunDir) -> Option<String> {
    let usual = Path::new("runs");
    let folder = run.root().parent().and_then(|parent| parent.canonicalize().ok());
    if folder.is_none() || folder != usual.canonicalize().ok() {
        return quoted_path(run.root());
    }
    let name = run.root().file_name()?;
    // Here it would mean another run, or a flag.
    let is_taken = RunDir::new(name).events().exists() || name.as_encoded_bytes().starts_with(b"-");
    let named = if is_taken { quoted_path(&usual.join(name)) } else { name.to_str().and_then(quoted) };
    Some(named.unwrap_or_else(|| run.id()))
}

/// How to resume a run that did not finish, and from which step, for people.
pub fn resume_hint(run: &RunDir) -> String {
    let command = command_line("resume", run);
    match run.newest_checkpoint() {
        Some(step) => format!("{command} goes on from step {step}"),
        None => format!("{command} begins anew: there is no checkpoint"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_run_elsewhere_is_named_by_its_path() {
        assert_eq!(command_line("attach", &RunDir::new("/nowhere/run")), "`pellucid attach /nowhere/run`");
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        assert_eq!(argument(&run).unwrap(), run.root().display().to_string());
    }

    #[test]
    fn what_is_pasted_is_one_argument_whatever_is_in_it() {
        for path in ["/a b", "/a;reboot", "/$(reboot)", "/`reboot`", "/it's", "/a\\b", "/é!", "-rf", "/*", "~"] {
            let argument = argument(&RunDir::new(path)).unwrap();
            let split = shlex::split(&argument).unwrap();
            let meant = if path == "-rf" { "./-rf" } else { path };
            assert_eq!(split, [meant], "{argument}");
            let shell = std::process::Command::new("sh").args(["-c", &format!("printf %s {argument}")]).output();
            assert_eq!(String::from_utf8(shell.unwrap().stdout).unwrap(), meant);
        }
    }

    #[test]
    fn what_cannot_be_pasted_is_left_out_and_said() {
        for path in ["/a\nreboot\n", "/a\r", "/a\u{1b}[201~", "/a\u{9b}", "/a\u{202e}b", "/a\u{200b}"] {
            let line = command_line("resume", &RunDir::new(path));
            assert_eq!(line, "`pellucid resume` (the path of the run has characters that cannot be pasted)");
        }
        assert_eq!(quoted_path(Path::new(OsStr::from_bytes(b"/\xff"))), None);
    }
}
