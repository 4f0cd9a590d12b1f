//! Lines on stdout, for people and for programs.

use std::io::{self, Write};

use pellucid_client::failure::Failure;
use pellucid_protocol::scrub::{scrub, to_json};
use serde::Serialize;

/// Prints a line of text, scrubbed.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{}", scrub(text))?)
}

/// Prints cells with tabs between them. Each cell is scrubbed, so that a tab is always the end of one.
pub(crate) fn columns(cells: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let cells: Vec<String> = cells.into_iter().map(|cell| scrub(&cell).into_owned()).collect();
    Ok(writeln!(io::stdout().lock(), "{}", cells.join("\t"))?)
}

/// Prints a value as one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let line = to_json(value).map_err(io::Error::from)?;
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

/// Prints bytes as they are: scripts and manual pages that pellucid itself has made.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}
