//! The control sequences that pellucid itself sends to a terminal; everything else is foreign.

use pellucid_protocol::scrub::scrub;

/// Private modes that are set and reset: alternate screen, pasting, cursor, mouse, whole frames.
const MODES: [&str; 6] = ["?1049", "?2004", "?25", "?1002", "?1006", "?2026"];
/// Moving, painting, and erasing, with numbers alone.
const COMMANDS: &[char] = &['H', 'G', 'A', 'B', 'C', 'D', 'm', 'J', 'K'];
/// The question for the background's colour.
const QUESTION: &str = "\u{1b}]11;?\u{1b}\\";

/// What in `bytes`, sent to a terminal, is none of ours.
pub(crate) fn foreign(bytes: &[u8]) -> Vec<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return vec![format!("no UTF-8 at byte {}", error.valid_up_to())],
    };
    let (mut rest, mut found) = (text, Vec::new());
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\u{1b}' => own(rest),
            // To the start of the line, straight down.
            '\r' | '\n' => Some(1),
            _ if scrub(&rest[..c.len_utf8()]) == rest[..c.len_utf8()] => Some(c.len_utf8()),
            _ => None,
        };
        if length.is_none() {
            found.push(format!("{:?}", rest.chars().take(24).collect::<String>()));
        }
        rest = &rest[length.unwrap_or(c.len_utf8())..];
    }
    found
}

/// Bytes of the sequence of ours that `text` begins with, if it is one.
fn own(text: &str) -> Option<usize> {
    if text.starts_with(QUESTION) {
        return Some(QUESTION.len());
    }
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| c.is_ascii_alphabetic())?;
    let (parameters, command) = (&body[..end], body[end..].chars().next()?);
    let mode = matches!(command, 'h' | 'l') && MODES.contains(&parameters);
    let numbers = parameters.chars().all(|c| c.is_ascii_digit() || c == ';');
    (mode || (numbers && COMMANDS.contains(&command))).then_some(2 + end + 1)
}

/// What in a program's output, which is not sent to a terminal, could steer one: the lines that have any.
pub(crate) fn steering(bytes: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return vec!["no UTF-8".to_owned()] };
    let lines = text.split('\n').filter(|line| line.split('\t').any(|part| scrub(part) != part));
    lines.map(|line| format!("{:?}", line.chars().take(200).collect::<String>())).collect()
}

#[test]
fn foreign_sequences_are_told_from_ours() {
    assert!(foreign("\u{1b}[?1049h\u{1b}[2J\u{1b}[1;38;5;75mé漢\u{1b}[m\r\n\u{1b}]11;?\u{1b}\\".as_bytes()).is_empty());
    for bad in [
        "\u{1b}[6n",
        "\u{1b}]0;x\u{7}",
        "\u{1b}[?1000h",
        "\u{7}",
        "\u{9b}2J",
        "\u{202e}",
        "\u{1b}c",
        "\u{1b}P",
        "\t",
        "\u{8}",
    ] {
        assert!(!foreign(bad.as_bytes()).is_empty(), "{bad:?}");
    }
    assert!(!foreign(b"\x9b2J").is_empty());
    assert!(steering(b"a\tb\nc\n").is_empty() && !steering(b"a\x1b[m\n").is_empty() && !steering(b"\xff").is_empty());
}
