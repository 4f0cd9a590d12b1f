//! The terminal: its size, what it can show, and how it answers questions.

use std::env;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use pellucid_dashboard::ColorChoice;
use pellucid_dashboard::theme::{Glyphs, Level};
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::finding::Finding;
/// The smallest terminal, in columns and rows, in which every screen shows everything.
const COMFORTABLE: Size = Size { width: 80, height: 24 };
/// How long the terminal may take to answer: enough for a connection twice around the world.
const PATIENCE: Duration = Duration::from_millis(600);
/// Asks for the background colour (OSC 11), whether frames can be shown whole (DECRQM 2026), and for the attributes of
/// the terminal (DA1). Every terminal answers the last, so that the end of the answers is known.
const QUESTIONS: &[u8] = b"\x1b]11;?\x1b\\\x1b[?2026$p\x1b[c";
/// The most bytes of answers that are read.
const LONGEST: usize = 4096;

pub(super) fn findings() -> Vec<Finding> {
    let environment = |name: &str| env::var(name).ok();
    let mut findings = vec![size(), colors(environment), glyphs(environment), locale()];
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        findings.extend(abilities(&Answers::parse(&ask().unwrap_or_default()), environment));
    }
    findings.extend(connection(environment));
    findings
}

fn size() -> Finding {
    if !std::io::stdout().is_terminal() {
        return Finding::warning("terminal", "stdout is no terminal: no dashboard", "train with --headless");
    }
    match crossterm::terminal::size() {
        Ok((columns, rows)) => size_of(Size::new(columns, rows)),
        Err(error) => Finding::warning("terminal", format!("does not say its size: {error}"), "try `resize`"),
    }
}

fn size_of(size: Size) -> Finding {
    let detail = format!("{}x{}, TERM={}", size.width, size.height, env::var("TERM").unwrap_or_default());
    if size.width >= COMFORTABLE.width && size.height >= COMFORTABLE.height {
        Finding::good("terminal", detail)
    } else {
        Finding::warning("terminal", detail, "make it 80x24 or larger to see everything")
    }
}

fn colors(variable: impl Fn(&str) -> Option<String>) -> Finding {
    let (name, overrule) = match Level::choose(ColorChoice::Auto, variable) {
        Level::None => ("none", "--color always shows some"),
        Level::Ansi16 => ("16", "if the terminal has more, try --color 256"),
        Level::Ansi256 => ("256", "if the terminal has more, try --color truecolor"),
        Level::Truecolor => ("truecolor", "if it has fewer, try --color 256"),
    };
    Finding::good("colours", format!("{name}; {overrule}"))
}

fn glyphs(variable: impl Fn(&str) -> Option<String>) -> Finding {
    let (name, why) = match Glyphs::detect(variable) {
        Glyphs::Ascii => ("ASCII", "because the locale is not UTF-8; --glyphs braille draws finer curves"),
        Glyphs::Braille => ("braille", "if the font has none, try --glyphs ascii"),
        Glyphs::Octant => ("octants", "if the font has none, try --glyphs braille"),
    };
    Finding::good("glyphs", format!("{name}; {why}"))
}

fn locale() -> Finding {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    locale_of(&names.iter().filter_map(|name| env::var(name).ok()).find(|value| !value.is_empty()).unwrap_or_default())
}

fn locale_of(value: &str) -> Finding {
    let plain = value.to_lowercase().replace('-', "");
    if plain.contains("utf8") {
        Finding::good("locale", value)
    } else {
        let shown = if value.is_empty() { "not set" } else { value };
        Finding::warning("locale", shown, "set LC_ALL=C.UTF-8 to be sure of curves and of other scripts")
    }
}

/// What the terminal answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    /// Whether it answered at all.
    any: bool,
    /// Its background colour, as it wrote it.
    background: Option<String>,
    /// Whether it can show frames whole.
    frames: bool,
    /// Whether programs can write to its clipboard.
    clipboard: bool,
}

impl Answers {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let between = |start: &str, ends: &[char]| {
            let rest = &text[text.find(start)? + start.len()..];
            rest.find(ends).map(|end| rest[..end].to_owned())
        };
        let frames = between("\u{1b}[?2026;", &['$']);
        let attributes = text.match_indices("\u{1b}[?").find_map(|(at, start)| {
            let rest = &text[at + start.len()..];
            let end = rest.find(|c: char| c.is_ascii_alphabetic() || c == '$')?;
            rest[end..].starts_with('c').then(|| rest[..end].to_owned())
        });
        Self {
            any: !bytes.is_empty(),
            background: between("\u{1b}]11;", &['\u{7}', '\u{1b}']),
            frames: matches!(frames.as_deref(), Some("1" | "2" | "3")),
            clipboard: attributes.is_some_and(|all| all.split(';').any(|one| one == "52")),
        }
    }
}

/// Asks the terminal, and returns the bytes of its answers.
fn ask() -> std::io::Result<Vec<u8>> {
    crossterm::terminal::enable_raw_mode()?;
    let answers = exchange();
    crossterm::terminal::disable_raw_mode()?;
    answers
}

fn exchange() -> std::io::Result<Vec<u8>> {
    let mut out = std::io::stdout().lock();
    out.write_all(QUESTIONS)?;
    out.flush()?;
    let stdin = std::io::stdin();
    let (start, mut answers) = (Instant::now(), Vec::new());
    while answers.len() < LONGEST && !is_complete(&answers) {
        let left = PATIENCE.saturating_sub(start.elapsed());
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        if left.is_zero() || poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&wait))? == 0 {
            break;
        }
        let mut bytes = [0; 256];
        let count = rustix::io::read(&stdin, &mut bytes)?;
        if count == 0 {
            break;
        }
        answers.extend_from_slice(&bytes[..count]);
    }
    Ok(answers)
}

/// Whether the last answer has come.
fn is_complete(answers: &[u8]) -> bool {
    let last = answers.windows(3).rposition(|three| three == b"\x1b[?");
    last.is_some_and(|at| answers[at..].ends_with(b"c"))
}

fn abilities(answers: &Answers, variable: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    if !answers.any {
        let detail = "the terminal answers no questions";
        return vec![Finding::warning("answers", detail, "if its background is light, use --theme light")];
    }
    let background = match &answers.background {
        Some(color) => Finding::good("background", format!("{color} (OSC 11); the theme is dark or light accordingly")),
        None => {
            Finding::warning("background", "unknown (OSC 11), assumed to be dark", "if it is light, use --theme light")
        }
    };
    let frames = if answers.frames {
        Finding::good("frames", "are shown whole (DEC mode 2026)")
    } else {
        Finding::warning("frames", "are not shown whole (DEC mode 2026) and may flicker", "--fps 4 makes them fewer")
    };
    let in_tmux = variable("TMUX").is_some();
    let clipboard = match (answers.clipboard, in_tmux) {
        (true, _) => Finding::good("clipboard", "can be written to (OSC 52)"),
        (false, true) => {
            Finding::warning("clipboard", "OSC 52 depends on tmux", "allow it with `set -s set-clipboard on`")
        }
        (false, false) => {
            Finding::good("clipboard", "OSC 52 is tried; the terminal does not say whether it supports it")
        }
    };
    vec![background, frames, clipboard]
}

/// What lies between this program and the terminal.
fn connection(variable: impl Fn(&str) -> Option<String>) -> Option<Finding> {
    let known = [
        ("TMUX", "tmux"),
        ("STY", "screen"),
        ("ZELLIJ", "zellij"),
        ("SSH_CONNECTION", "SSH"),
        ("MOSH_CONNECTION", "mosh"),
    ];
    let between: Vec<&str> = known.iter().filter(|(name, _)| variable(name).is_some()).map(|(_, way)| *way).collect();
    if between.is_empty() {
        return None;
    }
    let remote = between.contains(&"SSH");
    let fewer = if remote { "; 4 frames a second, --fps changes that" } else { "" };
    Some(Finding::good("connection", format!("through {}{fewer}; runs go on if it breaks", between.join(" and "))))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_small_terminal_is_named_with_what_it_should_be() {
        assert_eq!(size_of(Size::new(80, 24)).verdict, Verdict::Good);
        let small = size_of(Size::new(79, 24));
        assert!(small.verdict == Verdict::Warning && small.line().contains("80x24"), "{small:?}");
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
    fn answers_are_understood() {
        let told = b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?2026;2$y\x1b[?62;4;52c";
        let answers = Answers::parse(told);
        let wanted =
            Answers { any: true, background: Some("rgb:1e1e/1e1e/2e2e".to_owned()), frames: true, clipboard: true };
        assert_eq!(answers, wanted);
        assert!(is_complete(told) && !is_complete(&told[..told.len() - 1]) && !is_complete(&told[..38]));
        let poor = Answers::parse(b"\x1b[?2026;0$y\x1b[?1;2c");
        assert_eq!(poor, Answers { any: true, ..Answers::default() });
        assert_eq!(Answers::parse(b""), Answers::default());
        assert_eq!(Answers::parse(b"\xff\x1b[?\x1b]11;").background, None);
    }

    #[test]
    fn what_the_terminal_lacks_is_told_with_a_remedy() {
        let lines = |answers: Answers, tmux: bool| {
            let found = abilities(&answers, |name| (tmux && name == "TMUX").then(String::new));
            found.iter().map(Finding::line).collect::<Vec<_>>().join("\n")
        };
        let poor = lines(Answers { any: true, ..Answers::default() }, true);
        assert!(poor.contains("--theme light") && poor.contains("--fps 4") && poor.contains("set-clipboard"), "{poor}");
        assert!(lines(Answers::default(), false).contains("answers no questions"));
        let rich = Answers { any: true, background: Some("x".into()), frames: true, clipboard: true };
        assert!(!lines(rich, false).contains("warning"));
    }

    #[test]
    fn the_connection_to_the_terminal_is_told() {
        let through =
            |names: &'static [&str]| connection(move |name| names.contains(&name).then(String::new)).map(|f| f.detail);
        assert_eq!(through(&[]), None);
        assert!(through(&["TMUX", "SSH_CONNECTION"]).unwrap().starts_with("through tmux and SSH; 4 frames"));
    }
}
