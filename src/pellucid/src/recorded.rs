//! The record of a run read whole, for commands that print.

use std::io;

use pellucid_protocol::{Event, Record};
use pellucid_record::log_reader::LogReader;
use pellucid_record::{Piece, RunDir};

use pellucid_client::console;

/// All records of `run`; what is damaged is left out and said on stderr.
///
/// # Errors
/// What the file system says.
pub(crate) fn read(run: &RunDir) -> io::Result<Vec<Record>> {
    Ok(pieces(run)?.into_iter().flat_map(Piece::into_records).collect())
}

/// As [`read`], with steps in blocks.
///
/// # Errors
/// As [`read`].
pub(crate) fn pieces(run: &RunDir) -> io::Result<Vec<Piece>> {
    let path = run.events();
    let mut log = LogReader::new(&path);
    let pieces = log.read_pieces(u64::MAX)?;
    if let Some(told) = log.damage().told(&path) {
        console::note(&format!("warning: {told}"));
    }
    Ok(pieces)
}

/// How much of the end of a record is looked at for its last words.
const TAIL: u64 = 256 * 1024;

/// Whether the run of this record has ended, as far as its end says.
pub(crate) fn is_over(run: &RunDir) -> bool {
    let tail = LogReader::tail(&run.events(), TAIL).unwrap_or_default();
    let said = tail.iter().rev().find_map(|record| match record.event {
        Event::Ended(_) => Some(true),
        Event::Started(_) | Event::Step(_) => Some(false),
        _ => None,
    });
    said.unwrap_or(false)
}
