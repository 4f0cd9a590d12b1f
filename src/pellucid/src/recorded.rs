//! The record of a run read whole, for commands that print.

use std::io;

use pellucid_protocol::Record;
use pellucid_record::log::reader::LogReader;
use pellucid_record::{Piece, RunDir, RunSummary};

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
    if let Some(told) = log.damage().message(&path) {
        console::note(&format!("warning: {told}"));
    }
    Ok(pieces)
}

/// Whether `run` has ended. One whose log cannot be read has not.
pub(crate) fn is_over(run: &RunDir) -> bool {
    RunSummary::read(run).is_ok_and(|summary| summary.is_over())
}
