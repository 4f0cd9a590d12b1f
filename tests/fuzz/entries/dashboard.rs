//! What comes from outside to the dashboard: themes, keys, how charts are looked at, and the bytes of a terminal.

use pellucid_dashboard::input::parser::Parser;
use pellucid_dashboard::keymap::Keymap;
use pellucid_dashboard::screens::train::ViewSettings;
use pellucid_dashboard::theme::{Level, Styles, Theme};

/// Files of the user's: taken, or refused in one line.
pub(crate) fn files(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(theme) = Theme::parse(text, "theme.toml") {
        drop(Styles::new(&theme, Level::Ansi256));
    }
    if let Ok(keymap) = Keymap::read(text, "keys.toml") {
        assert!(Keymap::read(&keymap.written(), "keys.toml").is_ok());
    }
    let settings = ViewSettings::parse(text);
    assert_eq!(ViewSettings::parse(&settings.text()), settings);
}

/// Bytes that a terminal sends, in pieces of any size: never more messages than bytes.
pub(crate) fn input(bytes: &[u8]) {
    let size = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
    let mut parser = Parser::default();
    let heard: usize = bytes.chunks(size).map(|piece| parser.feed(piece).len()).sum();
    assert!(heard <= bytes.len());
}
