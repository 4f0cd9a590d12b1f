//! Text in cells: widths, clipping, wrapping; and numbers and durations as people read them.

pub(crate) mod clock;

use std::borrow::Cow;

pub use pellucid_protocol::readable::{duration, number, percent};
use pellucid_protocol::scrub::scrub;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.graphemes(true).map(grapheme_width).sum() }
}

/// Whether all of it is printable ASCII, of which each byte is a column: most text is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Columns of one grapheme, as the terminal buffer counts them.
fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width()
}

/// `text`, scrubbed and cut to `columns`, with `…` where something is missing.
#[must_use]
pub fn clip(text: &str, columns: usize) -> Cow<'_, str> {
    if is_plain(text) && text.len() <= columns {
        return Cow::Borrowed(text);
    }
    let clean = scrub(text);
    if width(&clean) <= columns {
        return clean;
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in clean.graphemes(true) {
        used += grapheme_width(grapheme);
        if used + 1 > columns {
            break;
        }
        kept.push_str(grapheme);
    }
    if columns > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// `text` broken into lines of at most `columns`, at blanks where there are any.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let clean = scrub(text);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in clean.split_inclusive(' ') {
        // The blank after the last word of a line need not fit.
        if used + width(word.trim_end()) > columns && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if used == 0 && word.trim().is_empty() {
            continue;
        }
        let fits = if used + width(word) > columns { word.trim_end() } else { word };
        used = append(&mut lines, fits, used, columns);
    }
    lines
}

/// Appends one word, broken where it is longer than a line; returns the columns used in the last line.
fn append(lines: &mut Vec<String>, word: &str, mut used: usize, columns: usize) -> usize {
    for grapheme in word.graphemes(true) {
        // One that is wider than a line cannot be shown; something can.
        let (grapheme, wide) = match grapheme_width(grapheme) {
            wide if wide > columns && columns > 0 => ("…", 1),
            wide => (grapheme, wide),
        };
        if used + wide > columns && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(grapheme);
        }
        used += wide;
    }
    used
}

/// The remaining time, coarse where it is long, so that it does not flicker: `8 s`, `3 m 10 s`, `25 m`.
#[must_use]
pub fn remaining(seconds: f64) -> String {
    let step = match seconds {
        s if s < 20.0 => 1.0,
        s if s < 120.0 => 5.0,
        s if s < 600.0 => 10.0,
        _ => 60.0,
    };
    let text = duration((seconds / step).round() * step);
    if (600.0..3600.0).contains(&seconds) { text.trim_end_matches(" 00 s").to_owned() } else { text }
}

/// `count` things, in the singular where it is one.
#[must_use]
pub fn plural(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_remaining_time_is_coarse() {
        assert_eq!([8.2, 192.0, 1500.0, 7500.0].map(remaining), ["8 s", "3 m 10 s", "25 m", "2 h 05 m"]);
    }

    #[test]
    fn wide_characters_are_clipped_whole() {
        assert_eq!(clip("漢字漢字", 5), "漢字…");
        assert_eq!(clip("漢字漢字", 8), "漢字漢字");
        assert_eq!(clip("ab", 0), "");
        assert_eq!(clip("a\u{1b}[2Jb", 10), "a␛[2Jb");
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\u{1d360}\u{bc1}b", 2), ["a…", "b"], "three columns wide");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in any::<String>(), columns in 2usize..40) {
            prop_assert!(width(&clip(&text, columns)) <= columns);
            for line in wrap(&text, columns) {
                prop_assert!(width(&line) <= columns);
            }
        }
    }
}
