//! What stands in a file, cut to what a line can show.

use std::fmt::Display;

/// Characters at most.
const SHOWN: usize = 100;

/// The beginning of what `value` is written as.
pub(crate) fn brief(value: impl Display) -> String {
    value.to_string().chars().take(SHOWN).collect()
}

/// A name in quotes, on one line.
pub(crate) fn quoted(name: &str) -> String {
    format!("{:?}", brief(name))
}
