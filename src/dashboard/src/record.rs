//! The record of a run read whole, for commands that print.

use std::io;

use pellucid_protocol::log_reader::LogReader;
use pellucid_protocol::{Record, RunDir};

use crate::console;

/// All records of `run`; what is damaged is left out and said on stderr.
///
/// # Errors
/// What the file system says.
pub(crate) fn read(run: &RunDir) -> io::Result<Vec<Record>> {
    let path = run.events();
    let mut log = LogReader::new(&path);
    let records = log.read_new()?;
    if let Some(told) = log.damage().told(&path) {
        console::note(&format!("warning: {told}"));
    }
    Ok(records)
}
