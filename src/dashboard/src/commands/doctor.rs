//! `pellucid doctor`: what is there and what is missing, each with its remedy.

use std::env;
use std::io::IsTerminal;
use std::path::Path;

use pellucid_protocol::work::Work;
use serde_json::{Map, Value};

use super::{most_colors, print, variable, wait};
use crate::demo;
use crate::failure::{Ending, Failure};
use crate::link::worker;

/// The smallest screen that shows everything.
const COMFORTABLE: (u16, u16) = (80, 24);
/// The longest path that a Unix socket may have, on any of the systems that are supported.
const LONGEST_SOCKET: usize = 103;
/// The longest file name below a run folder that a socket may have.
const SOCKET_NAME: usize = 24;

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    subject: &'static str,
    verdict: Verdict,
    detail: String,
}

/// Whether it is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// It works, but less well.
    Warning,
    /// Something cannot be done.
    Bad,
}

/// `pellucid doctor`.
pub(super) fn doctor() -> Result<Ending, Failure> {
    let mut findings = vec![terminal(), colors(), locale(), data(), socket(), program()];
    if worker::find().is_ok() {
        findings.push(libtorch(wait(worker::output(&Work::Doctor))));
    }
    for finding in &findings {
        print(&line(finding))?;
    }
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if bad { Ending::Failed } else { Ending::Done })
}

fn line(finding: &Finding) -> String {
    let mark = match finding.verdict {
        Verdict::Good => "ok",
        Verdict::Warning => "warning",
        Verdict::Bad => "missing",
    };
    format!("{mark:8} {:9} {}", finding.subject, finding.detail)
}

fn found(subject: &'static str, verdict: Verdict, detail: impl Into<String>) -> Finding {
    Finding { subject, verdict, detail: detail.into() }
}

fn terminal() -> Finding {
    if !std::io::stdout().is_terminal() {
        return found("terminal", Verdict::Warning, "stdout is no terminal: no dashboard, --headless works");
    }
    match crossterm::terminal::size() {
        Ok(size) => terminal_of(size),
        Err(error) => found("terminal", Verdict::Warning, format!("does not tell its size: {error}")),
    }
}

fn terminal_of((columns, rows): (u16, u16)) -> Finding {
    let size = format!("{columns}x{rows}, TERM={}", variable("TERM"));
    if columns >= COMFORTABLE.0 && rows >= COMFORTABLE.1 {
        found("terminal", Verdict::Good, size)
    } else {
        found("terminal", Verdict::Warning, format!("{size}; 80x24 or more shows everything"))
    }
}

fn colors() -> Finding {
    if !variable("NO_COLOR").is_empty() {
        return found("colours", Verdict::Good, "none, as NO_COLOR says");
    }
    let most = most_colors(&variable("COLORTERM"), &variable("TERM"));
    found("colours", Verdict::Good, format!("{most:?}; --color overrules"))
}

fn locale() -> Finding {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    locale_of(&names.iter().map(|name| variable(name)).find(|value| !value.is_empty()).unwrap_or_default())
}

fn locale_of(value: &str) -> Finding {
    let plain = value.to_lowercase().replace('-', "");
    if plain.contains("utf8") {
        found("locale", Verdict::Good, value)
    } else {
        let shown = if value.is_empty() { "not set" } else { value };
        found("locale", Verdict::Warning, format!("{shown}; LC_ALL=C.UTF-8 is safer for curves and other scripts"))
    }
}

fn data() -> Finding {
    match demo::data_folder() {
        Ok(folder) => found("demo data", Verdict::Good, folder.display().to_string()),
        Err(failure) => found("demo data", Verdict::Warning, failure.to_string()),
    }
}

fn socket() -> Finding {
    let run = env::current_dir().unwrap_or_default().join("runs").join("20260101-000000-name");
    socket_of(&run, &env::var_os("XDG_RUNTIME_DIR").map_or_else(env::temp_dir, Into::into))
}

fn socket_of(run: &Path, runtime: &Path) -> Finding {
    let length = run.as_os_str().len() + SOCKET_NAME;
    if length <= LONGEST_SOCKET {
        found("sockets", Verdict::Good, format!("about {length} bytes in ./runs, of {LONGEST_SOCKET} possible"))
    } else if runtime.as_os_str().len() + SOCKET_NAME <= LONGEST_SOCKET {
        found("sockets", Verdict::Good, format!("in {}: paths in ./runs would be too long", runtime.display()))
    } else {
        found("sockets", Verdict::Warning, "paths in ./runs are too long; set TMPDIR to a short one, or --runs")
    }
}

fn program() -> Finding {
    match worker::find() {
        Ok(path) => found("worker", Verdict::Good, path.display().to_string()),
        Err(failure) => found("worker", Verdict::Bad, failure.to_string()),
    }
}

/// What the worker says of its libtorch: a JSON object.
fn libtorch(said: Result<Vec<u8>, Failure>) -> Finding {
    match said.map(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes)) {
        Ok(Ok(facts)) => {
            let facts: Vec<_> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            found("libtorch", Verdict::Good, facts.join(", "))
        }
        Ok(Err(error)) => found("libtorch", Verdict::Bad, format!("the worker does not make sense: {error}")),
        Err(failure) => found("libtorch", Verdict::Bad, format!("{failure}; `make libtorch build` puts it there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_worker_says_becomes_a_line() {
        let finding = libtorch(Ok(br#"{"threads":2,"cuda_available":false}"#.to_vec()));
        assert_eq!(line(&finding), "ok       libtorch  cuda_available false, threads 2");
        assert_eq!(libtorch(Ok(b"[]".to_vec())).verdict, Verdict::Bad);
        let failed = libtorch(Err(Failure::Failed("it did not start".into())));
        assert!(failed.verdict == Verdict::Bad && failed.detail.contains("make libtorch"));
    }

    #[test]
    fn a_small_terminal_is_named_with_what_it_should_be() {
        assert_eq!(terminal_of((80, 24)).verdict, Verdict::Good);
        let small = terminal_of((79, 24));
        assert!(small.verdict == Verdict::Warning && small.detail.contains("80x24"), "{small:?}");
    }

    #[test]
    fn a_locale_without_utf8_is_told() {
        for good in ["C.UTF-8", "de_DE.utf8"] {
            assert_eq!(locale_of(good).verdict, Verdict::Good);
        }
        for bad in ["", "C", "POSIX", "en_US.ISO-8859-1"] {
            assert_eq!(locale_of(bad).verdict, Verdict::Warning, "{bad}");
        }
    }

    #[test]
    fn long_paths_are_told() {
        let (long, short) = (format!("/{}", "x".repeat(120)), "/run/user/1".to_owned());
        assert_eq!(socket_of(Path::new(&short), Path::new(&long)).verdict, Verdict::Good);
        assert_eq!(socket_of(Path::new(&long), Path::new(&short)).verdict, Verdict::Good);
        assert_eq!(socket_of(Path::new(&long), Path::new(&long)).verdict, Verdict::Warning);
    }
}
