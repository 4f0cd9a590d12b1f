//! The one scrubber: all text from data, models and logs goes through it before a terminal, log line, page or table.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

/// The most marks without a width in a row; no script in use needs more.
const MOST_MARKS: usize = 10;

/// Replaces every character that could control a terminal or reorder text by a visible one.
///
/// One character becomes one character, so spans of characters keep their meaning: tabs and line
/// breaks become spaces, C0 controls and DEL their Unicode pictures (`ESC` -> `␛`), C1 controls, bidi
/// overrides and isolates, zero-width marks and other invisible characters U+FFFD, and so do combining
/// marks beyond ten on one character. Letters that look like others stay as they are.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut pile = Pile::default();
    if text.chars().all(|c| pile.seen(c) == c) {
        return Cow::Borrowed(text);
    }
    let mut pile = Pile::default();
    Cow::Owned(text.chars().map(|c| pile.seen(c)).collect())
}

/// A JSON text in which every character that [`scrub`] would replace is written as an escape: the same value, and
/// nothing in it that steers a terminal.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    // Outside of strings only blanks and line breaks could be replaced, and those stay.
    let hidden = |pile: &mut Pile, c: char| pile.seen(c) != c && c > '\u{1f}';
    let mut pile = Pile::default();
    if !json.contains(|c| hidden(&mut pile, c)) {
        return Cow::Borrowed(json);
    }
    let (mut out, mut pile) = (String::with_capacity(json.len() + 16), Pile::default());
    for c in json.chars() {
        if hidden(&mut pile, c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// `value` as one line of JSON, as [`escape_json`] has it, without a line break.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn to_json(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    Ok(match escape_json(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(safe) => safe,
    })
}

/// The number of marks without a width in a row so far.
#[derive(Default)]
struct Pile(usize);

impl Pile {
    fn seen(&mut self, c: char) -> char {
        let shown = visible(c);
        self.0 = if c.width() == Some(0) { self.0 + 1 } else { 0 };
        if self.0 > MOST_MARKS { '\u{fffd}' } else { shown }
    }
}

fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_shown_not_sent() {
        assert_eq!(scrub("a\u{1b}[31mb\u{9b}2J\u{7}"), "a␛[31mb\u{fffd}2J␇");
        assert_eq!(scrub("pay\u{202e}gnp.exe"), "pay\u{fffd}gnp.exe");
        assert_eq!(scrub("one\ttwo\nthree"), "one two three");
        assert!(matches!(scrub("plain é 漢 👩‍⚕️ ਨਿ ที่ ཧྐྵྨླྺྼྻྂ"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_pile_of_marks_is_cut_down() {
        let pile = "e".to_owned() + &"\u{301}".repeat(100) + "x";
        let clean = scrub(&pile);
        assert_eq!(clean.chars().filter(|&c| c == '\u{301}').count(), MOST_MARKS);
        assert_eq!(clean.chars().count(), pile.chars().count());
    }

    #[test]
    fn json_keeps_its_value_and_loses_what_steers() {
        let text = "\u{7f}\u{9b}2J\u{202e}\u{e0041}\u{1b}é\n";
        let json = serde_json::to_string(text).unwrap() + "\n";
        let safe = escape_json(&json);
        assert_eq!(safe, "\"\\u007f\\u009b2J\\u202e\\udb40\\udc41\\u001bé\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        assert!(matches!(escape_json("{\"a\": [1,\t2]}\n"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left_and_nothing_moves(text in any::<String>()) {
            let clean = scrub(&text);
            prop_assert_eq!(clean.chars().count(), text.chars().count());
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert_eq!(scrub(&clean).into_owned(), clean.clone().into_owned());
        }

        #[test]
        fn escaped_json_is_the_same_value(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let safe = escape_json(&json);
            prop_assert_eq!(scrub(&safe), safe.as_ref());
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }
    }
}
