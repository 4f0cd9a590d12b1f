//! Parses the bytes of a terminal into keys, mouse events and pasted text.
//!
//! Not crossterm's reader: it spins on a terminal that has died (its issue 793), blocks inside a sequence that is cut,
//! and loses the key that comes with a resize. Not termina's parser: it keeps a paste of any length, and looks at all of
//! it again with every byte.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::msg::{Background, Msg, Pointer, PointerKind};

/// Longest sequence that is waited for, in bytes.
const LONGEST: usize = 64;

/// Longest pasted text that is taken, in bytes; the rest is dropped.
const LONGEST_PASTE: usize = 1 << 20;

const PASTE_END: &[u8] = b"\x1b[201~";

/// What the first bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Start {
    /// A key of this many bytes.
    Key(usize, KeyEvent),
    /// A mouse event of this many bytes.
    Mouse(usize, Pointer),
    /// The background of the terminal, in this many bytes.
    Background(usize, Background),
    /// This many bytes without a meaning here.
    Nothing(usize),
    /// The start of pasted text, of this many bytes.
    Paste(usize),
    /// Perhaps the start of something.
    Partial,
}

/// Takes bytes in pieces of any size.
#[derive(Debug, Default)]
pub struct Parser {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

impl Parser {
    /// Takes bytes; returns the messages that are complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Msg> {
        self.pending.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while !self.pending.is_empty() {
            if self.paste.is_some() {
                let Some(text) = self.pasted() else { break };
                messages.push(Msg::Paste(text));
                continue;
            }
            let used = match start(&self.pending) {
                Start::Partial => break,
                Start::Nothing(used) => used,
                Start::Key(used, key) => {
                    messages.push(Msg::Key(key));
                    used
                }
                Start::Mouse(used, pointer) => {
                    messages.push(Msg::Pointer(pointer));
                    used
                }
                Start::Background(used, background) => {
                    messages.push(Msg::Background(background));
                    used
                }
                Start::Paste(used) => {
                    self.paste = Some(Vec::new());
                    used
                }
            };
            self.pending.drain(..used);
        }
        messages
    }

    /// Whether a key has begun that may go on. What a terminal answers is no key: its rest is waited for however slow
    /// the line is, and is never taken for keys.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let is_answer = matches!(self.pending[..], [0x1b, b']', b'0'..=b'9', ..]);
        !self.pending.is_empty() && self.paste.is_none() && !is_answer
    }

    /// Nothing more has come for a while: an escape was the key of that name.
    pub fn flush(&mut self) -> Vec<Msg> {
        let alone = self.pending == [0x1b];
        let alt = (self.pending.len() == 2).then(|| char::from(self.pending[1]));
        self.pending.clear();
        let key = if alone {
            Some(plain(KeyCode::Esc))
        } else {
            alt.map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT))
        };
        key.map(Msg::Key).into_iter().collect()
    }

    /// The pasted text, when its end has come.
    fn pasted(&mut self) -> Option<String> {
        let paste = self.paste.as_mut()?;
        let end = self.pending.windows(PASTE_END.len()).position(|part| part == PASTE_END);
        // The end may be cut: its possible start stays.
        let taken = end.unwrap_or(self.pending.len().saturating_sub(PASTE_END.len() - 1));
        let room = LONGEST_PASTE.saturating_sub(paste.len());
        paste.extend(self.pending.drain(..taken).take(room));
        self.pending.drain(..end.map(|_| PASTE_END.len())?);
        self.paste.take().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn start(bytes: &[u8]) -> Start {
    match bytes {
        [] | [0x1b] => Start::Partial,
        [0x1b, 0x1b, ..] => Start::Key(1, plain(KeyCode::Esc)),
        [0x1b, b'[', rest @ ..] => sequence(rest),
        [0x1b, b']', b'0'..=b'9', ..] => answer(bytes),
        [0x1b, b']'] => Start::Partial,
        [0x1b, b'O'] => Start::Partial,
        [0x1b, b'O', last, ..] => named(*last).map_or(Start::Nothing(3), |code| Start::Key(3, plain(code))),
        [0x1b, rest @ ..] => with_alt(start(rest)),
        [first, ..] if *first < 0x20 || *first == 0x7f => Start::Key(1, control(*first)),
        _ => character(bytes),
    }
}

fn with_alt(inner: Start) -> Start {
    match inner {
        Start::Key(used, key) => Start::Key(used + 1, KeyEvent::new(key.code, key.modifiers | KeyModifiers::ALT)),
        Start::Nothing(used) | Start::Paste(used) | Start::Mouse(used, _) | Start::Background(used, _) => {
            Start::Nothing(used + 1)
        }
        Start::Partial => Start::Partial,
    }
}

fn control(byte: u8) -> KeyEvent {
    match byte {
        b'\r' | b'\n' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x08 | 0x7f => plain(KeyCode::Backspace),
        0 => KeyEvent::new(KeyCode::Char(' '), KeyModifiers::CONTROL),
        1..=26 => KeyEvent::new(KeyCode::Char(char::from(b'a' + byte - 1)), KeyModifiers::CONTROL),
        _ => KeyEvent::new(KeyCode::Char(char::from(b'4' + byte.saturating_sub(0x1c))), KeyModifiers::CONTROL),
    }
}

/// One character of UTF-8; a byte that is none is skipped.
fn character(bytes: &[u8]) -> Start {
    let length = match bytes[0] {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Start::Nothing(1),
    };
    let Some(part) = bytes.get(..length) else { return Start::Partial };
    match std::str::from_utf8(part).ok().and_then(|text| text.chars().next()) {
        Some(c) => Start::Key(length, plain(KeyCode::Char(c))),
        None => Start::Nothing(1),
    }
}

/// What stands after `ESC [`: parameters, then one byte that says what it is.
fn sequence(rest: &[u8]) -> Start {
    // The Linux console has a form of its own for its first five function keys.
    if let [b'[', rest @ ..] = rest {
        return rest.first().map_or(Start::Partial, |_| Start::Nothing(4));
    }
    let Some(end) = rest.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if rest.len() > LONGEST { Start::Nothing(rest.len() + 2) } else { Start::Partial };
    };
    if !(0x40..=0x7e).contains(&rest[end]) {
        // No sequence has that byte: this one was cut off, and what comes is the next key.
        return Start::Nothing(end + 2);
    }
    if rest[0] == b'<' {
        let pointer = pointer(&rest[1..end.max(1)], rest[end]);
        return pointer.map_or(Start::Nothing(end + 3), |pointer| Start::Mouse(end + 3, pointer));
    }
    let numbers = std::str::from_utf8(&rest[..end]).unwrap_or_default().split(';');
    let numbers: Vec<u16> = numbers.map(|number| number.parse().unwrap_or(0)).collect();
    let used = end + 3;
    let code = match rest[end] {
        b'~' if numbers[0] == 200 => return Start::Paste(used),
        b'~' => numbered(numbers[0]),
        other => named(other),
    };
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
    code.map_or(Start::Nothing(used), |code| Start::Key(used, KeyEvent::new(code, modifiers)))
}

/// Bytes of answers about colours.
const ANSWERED: &[u8] = b"0123456789abcdefABCDEFrg:;/#?";

/// What a terminal answers to a question: `ESC ] 11;rgb:RRRR/GGGG/BBBB` up to a bell or `ESC \\`. One that never ends
/// ends at the first byte that no answer has, for that is a key.
fn answer(bytes: &[u8]) -> Start {
    let Some(length) = bytes[2..].iter().position(|byte| !ANSWERED.contains(byte)) else {
        return if bytes.len() > LONGEST { Start::Nothing(bytes.len()) } else { Start::Partial };
    };
    let (said, rest) = bytes[2..].split_at(length);
    let used = match rest {
        [0x07, ..] => length + 3,
        [0x1b, b'\\', ..] => length + 4,
        [0x1b] => return Start::Partial,
        _ => return Start::Nothing(length + 2),
    };
    let said = std::str::from_utf8(said).ok().and_then(|text| text.strip_prefix("11;rgb:"));
    said.and_then(background).map_or(Start::Nothing(used), |background| Start::Background(used, background))
}

/// Light or dark, from three numbers of one to four hexadecimal digits.
fn background(numbers: &str) -> Option<Background> {
    let part = |digits: &str| {
        let largest = 16f64.powi(i32::try_from(digits.len()).ok()?) - 1.0;
        (1..=4).contains(&digits.len()).then_some(f64::from(u16::from_str_radix(digits, 16).ok()?) / largest)
    };
    let parts: Vec<f64> = numbers.split('/').map(part).collect::<Option<_>>()?;
    let [red, green, blue] = parts[..] else { return None };
    // Luma as ITU-R BT.601 weighs it.
    Some(if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 { Background::Light } else { Background::Dark })
}

/// The mouse as terminals report it in mode 1006: button, column and row, `M` when down and `m` when up.
fn pointer(parameters: &[u8], last: u8) -> Option<Pointer> {
    let mut numbers = std::str::from_utf8(parameters).ok()?.split(';').map(|number| number.parse::<u16>().ok());
    let (button, x, y) = (numbers.next()??, numbers.next()??, numbers.next()??);
    // Shift, alt and control are bits of the button.
    let kind = match (button & !0b1_1100, last) {
        (64, b'M') => PointerKind::WheelUp,
        (65, b'M') => PointerKind::WheelDown,
        (0, b'M') => PointerKind::Down,
        (32, b'M') => PointerKind::Drag,
        (0, b'm') => PointerKind::Up,
        _ => return None,
    };
    Some(Pointer { kind, x: x.saturating_sub(1), y: y.saturating_sub(1) })
}

fn modifiers(parameter: u16) -> KeyModifiers {
    let bits = parameter.saturating_sub(1);
    let all = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    all.into_iter().filter(|(bit, _)| bits & bit != 0).fold(KeyModifiers::NONE, |sum, (_, one)| sum | one)
}

fn named(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'Z' => KeyCode::BackTab,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(byte - b'P' + 1),
        _ => return None,
    })
}

fn numbered(number: u16) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23 | 24 => KeyCode::F(number as u8 - 12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<(KeyCode, KeyModifiers)> {
        let mut parser = Parser::default();
        let mut messages = parser.feed(bytes);
        messages.extend(parser.flush());
        let key = |message| if let Msg::Key(key) = message { Some((key.code, key.modifiers)) } else { None };
        messages.into_iter().filter_map(key).collect()
    }

    #[test]
    fn keys_are_read_as_terminals_send_them() {
        let (none, ctrl, alt) = (KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT);
        for (bytes, code, modifiers) in [
            (&b"q"[..], KeyCode::Char('q'), none),
            ("ß".as_bytes(), KeyCode::Char('ß'), none),
            ("漢".as_bytes(), KeyCode::Char('漢'), none),
            (b"\x03", KeyCode::Char('c'), ctrl),
            (b"\r", KeyCode::Enter, none),
            (b"\t", KeyCode::Tab, none),
            (b"\x7f", KeyCode::Backspace, none),
            (b"\x1b", KeyCode::Esc, none),
            (b"\x1b[", KeyCode::Char('['), alt),
            (b"\x1bb", KeyCode::Char('b'), alt),
            (b"\x1b[A", KeyCode::Up, none),
            (b"\x1bOB", KeyCode::Down, none),
            (b"\x1b[1;5C", KeyCode::Right, ctrl),
            (b"\x1b[5~", KeyCode::PageUp, none),
            (b"\x1b[Z", KeyCode::BackTab, none),
            (b"\x1b[4~", KeyCode::End, none),
            (b"\x1bOP", KeyCode::F(1), none),
            (b"\x1b[11~", KeyCode::F(1), none),
            (b"\x1b[24~", KeyCode::F(12), none),
        ] {
            assert_eq!(keys(bytes), [(code, modifiers)], "{bytes:?}");
        }
        assert_eq!(keys(b"\x1b\x1b[Aq").len(), 3, "escape, up, q");
        assert_eq!(keys(b"\x1b[?62;c\x1b[99zq"), [(KeyCode::Char('q'), none)], "answers of the terminal are no keys");
    }

    #[test]
    fn the_mouse_is_read_however_it_is_cut() {
        let bytes = b"\x1b[<64;12;3M\x1b[<0;1;1M\x1b[<32;2;1M\x1b[<0;2;1m\x1b[<35;2;1M\x1b[<0;2M\x1b[<q";
        let kinds = [PointerKind::WheelUp, PointerKind::Down, PointerKind::Drag, PointerKind::Up];
        for cut in 0..bytes.len() {
            let mut parser = Parser::default();
            let mut messages = parser.feed(&bytes[..cut]);
            messages.extend(parser.feed(&bytes[cut..]));
            let seen: Vec<_> =
                messages.iter().filter_map(|m| if let Msg::Pointer(p) = m { Some(p.kind) } else { None }).collect();
            assert_eq!((seen.as_slice(), messages.len()), (&kinds[..], 4), "cut at {cut}");
            assert_eq!(messages[0], Msg::Pointer(Pointer { kind: PointerKind::WheelUp, x: 11, y: 2 }));
        }
    }

    #[test]
    fn light_or_dark_is_read_however_it_is_cut() {
        for (bytes, background) in [
            (&b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\q"[..], Some(Background::Light)),
            (b"\x1b]11;rgb:1e1e/2020/2828\x07q", Some(Background::Dark)),
            (b"\x1b]11;rgb:f/f/f\x07q", Some(Background::Light)),
            (b"\x1b]11;rgb:fffff/f/f\x07q", None),
            (b"\x1b]10;rgb:0/0/0\x07q", None),
        ] {
            for cut in 0..bytes.len() {
                let mut parser = Parser::default();
                let mut messages = parser.feed(&bytes[..cut]);
                messages.extend(parser.feed(&bytes[cut..]));
                let expected: Vec<_> = background.map(Msg::Background).into_iter().collect();
                let key = Msg::Key(plain(KeyCode::Char('q')));
                assert_eq!(messages, expected.into_iter().chain([key]).collect::<Vec<_>>(), "{bytes:?} cut at {cut}");
            }
        }
        assert_eq!(keys(b"\x1b]"), [(KeyCode::Char(']'), KeyModifiers::ALT)]);
    }

    #[test]
    fn a_key_is_a_key_whatever_was_begun_before_it() {
        let q = (KeyCode::Char('q'), KeyModifiers::NONE);
        for begun in [&b"\x1b]11;rgb:1e1e/20"[..], b"\x1b]1", b"\x1b[1;5\x1b[99z", b"\x1b[<64;1\x1b[99z", b"\xe6\xbc"] {
            assert_eq!(keys(&[begun, b"q"].concat()), [q], "{begun:?}");
        }
        assert_eq!(keys(b"\x1b]11;rgb:1e1e/20\x1b[A"), [(KeyCode::Up, KeyModifiers::NONE)]);
        let mut parser = Parser::default();
        assert!(parser.feed(b"\x1b]11;rgb:0/").is_empty());
        assert!(!parser.is_waiting(), "a slow answer is not given up");
        assert_eq!(parser.feed(b"0/0\x07"), [Msg::Background(Background::Dark)]);
    }

    #[test]
    fn pasted_text_is_one_message_however_it_is_cut() {
        let bytes = "\x1b[200~two\nlines q \x1b[31m é\x1b[201~q".as_bytes();
        for cut in 0..bytes.len() {
            let mut parser = Parser::default();
            let mut messages = parser.feed(&bytes[..cut]);
            messages.extend(parser.feed(&bytes[cut..]));
            let paste = Msg::Paste("two\nlines q \x1b[31m é".to_owned());
            assert_eq!(messages, [paste, Msg::Key(plain(KeyCode::Char('q')))], "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_survived(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12)) {
            let mut parser = Parser::default();
            for piece in pieces {
                parser.feed(&piece);
            }
            for rest in [&b""[..], b"\x1b[201~"] {
                parser.feed(rest);
                if parser.is_waiting() {
                    parser.flush();
                }
            }
            prop_assert!(parser.feed(b"q").contains(&Msg::Key(plain(KeyCode::Char('q')))));
        }
    }
}
