//! Encodings by name. The WHATWG standard, which browsers follow, reads some names as others and gives letters to bytes that
//! have none; here such bytes are refused, so that what is read is what its name says.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1252, WINDOWS_1254};

/// An encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charset {
    /// What decodes it.
    pub(super) encoding: &'static Encoding,
    /// What it is called.
    pub(super) name: String,
    /// The first of its bytes that are none of its characters, and how many follow.
    refused: Option<(u8, u8)>,
}

impl From<&'static Encoding> for Charset {
    fn from(encoding: &'static Encoding) -> Self {
        Self { encoding, name: encoding.name().to_owned(), refused: None }
    }
}

impl Charset {
    /// The encoding of that name.
    pub(super) fn named(given: &str) -> Option<Self> {
        let name = given.trim().to_ascii_lowercase();
        let name = if name == "latin-1" { "latin1".to_owned() } else { name };
        let encoding = Encoding::for_label(name.as_bytes())?;
        let is_of_windows = name.contains("125") || name.ends_with("874");
        let refused = match name.as_str() {
            "ascii" | "us-ascii" | "ansi_x3.4-1968" => Some((0x80, 0xff)),
            // ISO 8859, of which Windows has more letters in the place of control characters.
            _ if [WINDOWS_1252, WINDOWS_1254, WINDOWS_874].contains(&encoding) && !is_of_windows => Some((0x80, 0x9f)),
            _ => None,
        };
        Some(Self { encoding, name: if refused.is_some() { name } else { encoding.name().to_owned() }, refused })
    }

    /// Whether texts are left as they are.
    pub(super) fn is_utf8(&self) -> bool {
        self.encoding == UTF_8
    }

    /// Whether it is a kind of UTF-16.
    pub(super) fn is_utf16(&self) -> bool {
        [UTF_16LE, UTF_16BE].contains(&self.encoding)
    }

    /// The place of the first byte that the name does not have.
    pub(super) fn refused(&self, bytes: &[u8]) -> Option<usize> {
        let (first, last) = self.refused?;
        bytes.iter().position(|byte| (first..=last).contains(byte))
    }

    /// The place in what was decoded of the first control character that stands for a byte without a meaning.
    pub(super) fn meaningless(&self, text: &[u8]) -> Option<usize> {
        if self.is_utf16() || self.encoding == GB18030 {
            return None;
        }
        text.windows(2).position(|pair| pair[0] == 0xc2 && (0x80..=0x9f).contains(&pair[1]))
    }

    /// What to do about a byte that is none of its characters.
    pub(super) fn advice(&self) -> &'static str {
        match self.refused {
            Some((_, 0x9f)) if self.encoding == WINDOWS_1252 => "; windows-1252 may be meant",
            _ => "; name its --encoding",
        }
    }
}
