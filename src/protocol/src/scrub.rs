//! The one scrubber: text from data, models and logs passes here before any terminal, log line or HTML.

use std::borrow::Cow;

/// Replaces every character that could steer a terminal or reorder text by one that is seen.
///
/// One character becomes one character, so spans of characters keep their meaning: tabs and line
/// breaks become spaces, C0 controls and DEL their Unicode pictures (`ESC` -> `␛`), C1 controls, bidi
/// overrides and isolates, zero-width marks and other invisible format characters U+FFFD.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| visible(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(visible).collect())
    }
}

fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
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
        assert!(matches!(scrub("plain é 漢 👩‍⚕"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left_and_nothing_moves(text in any::<String>()) {
            let clean = scrub(&text);
            prop_assert_eq!(clean.chars().count(), text.chars().count());
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert_eq!(scrub(&clean).into_owned(), clean.clone().into_owned());
        }
    }
}
