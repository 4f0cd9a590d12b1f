//! Texts for people: numbers as they read them, and nothing in them that steers a terminal.

pub mod line_at;
pub mod paste;
pub mod readable;
pub mod scrub;
pub(crate) mod unknown;
