//! One key: as pressed, as shown, and as written in a file.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key as pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

pub(super) const fn ch(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: false }
}

pub(super) const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}

pub(super) const fn on(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

/// Keys with a name, as it is written and as it is shown.
const NAMED: [(KeyCode, &str, &str); 15] = [
    (KeyCode::Char(' '), "Space", "Space"),
    (KeyCode::Enter, "Enter", "Enter"),
    (KeyCode::Esc, "Esc", "Esc"),
    (KeyCode::Tab, "Tab", "Tab"),
    (KeyCode::BackTab, "Shift-Tab", "Shift-Tab"),
    (KeyCode::Backspace, "Backspace", "Backspace"),
    (KeyCode::Delete, "Delete", "Delete"),
    (KeyCode::Up, "Up", "↑"),
    (KeyCode::Down, "Down", "↓"),
    (KeyCode::Left, "Left", "←"),
    (KeyCode::Right, "Right", "→"),
    (KeyCode::PageUp, "PageUp", "PgUp"),
    (KeyCode::PageDown, "PageDown", "PgDn"),
    (KeyCode::Home, "Home", "Home"),
    (KeyCode::End, "End", "End"),
];

impl Key {
    /// The key that was pressed.
    #[must_use]
    pub fn of(event: &KeyEvent) -> Self {
        Key { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// As if it were pressed.
    #[must_use]
    pub fn event(&self) -> KeyEvent {
        KeyEvent::new(self.code, if self.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    /// As shown on screen.
    #[must_use]
    pub fn name(&self) -> String {
        self.named(|(_, _, shown)| shown)
    }

    /// As written in a file.
    #[must_use]
    pub fn written(&self) -> String {
        self.named(|(_, written, _)| written)
    }

    fn named(&self, pick: fn((KeyCode, &'static str, &'static str)) -> &'static str) -> String {
        let known = NAMED.into_iter().find(|(code, ..)| *code == self.code).map(pick);
        let name = match (known, self.code) {
            (Some(name), _) => name.to_owned(),
            (None, KeyCode::Char(c)) if self.ctrl => c.to_ascii_uppercase().to_string(),
            (None, KeyCode::Char(c)) => c.to_string(),
            (None, KeyCode::F(number)) => format!("F{number}"),
            (None, other) => format!("{other:?}"),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }

    /// As written in a file: `p`, `S`, `Ctrl-L`, `F1`, `Space`, `PageDown`, ...
    ///
    /// # Errors
    /// One line that says what can be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unknown = || {
            let names: Vec<_> = NAMED.iter().map(|(_, name, _)| *name).collect();
            format!("`{text}` is no key: use a character, F1 to F12, Ctrl- and a letter, or {}", names.join(", "))
        };
        if let Some(letter) = text.strip_prefix("Ctrl-") {
            let mut letters = letter.chars();
            return match (letters.next(), letters.next()) {
                (Some(c), None) if c.is_ascii_alphabetic() => Ok(ctrl(c.to_ascii_lowercase())),
                _ => Err(unknown()),
            };
        }
        if let Some((code, ..)) = NAMED.into_iter().find(|(_, name, _)| *name == text) {
            return Ok(on(code));
        }
        let mut characters = text.chars();
        match (characters.next(), characters.as_str()) {
            (Some(c), "") if !c.is_control() => Ok(ch(c)),
            (Some('F'), number) => number
                .parse()
                .ok()
                .filter(|number| (1..=12).contains(number))
                .map(|n| on(KeyCode::F(n)))
                .ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["p", "S", ":", "Ctrl-P", "F1", "F12", "Space", "Left", "PageDown", "Shift-Tab", "é"] {
            assert_eq!(Key::parse(text).map(|key| key.written()), Ok(text.to_owned()));
            assert_eq!(Key::parse(text).map(|key| Key::of(&key.event())), Key::parse(text));
        }
        for bad in ["", "F0", "F13", "Ctrl-", "Ctrl-Left", "pp", "\u{1b}"] {
            assert!(Key::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(on(KeyCode::Left).name(), "←");
    }
}
