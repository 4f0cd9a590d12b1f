//! The record of a run read whole, for commands that print.

use std::io;

use pellucid_protocol::Record;
use pellucid_record::log::reader::LogReader;
use pellucid_record::{Piece, RunDir, RunSummary};

use pellucid_client::console;

/// Gives all records of `run` to `take`, without having them in memory together; what is damaged is left out and said on
/// stderr.
///
/// # Errors
/// What the file system says.
pub(crate) fn each(run: &RunDir, take: &mut dyn FnMut(Record)) -> io::Result<()> {
    let mut log = LogReader::new(&run.events());
    log.read_in_chunks(&mut |piece| piece.into_records().into_iter().for_each(&mut *take))?;
    warn(run, &log);
    Ok(())
}

/// All records of `run`, with steps in blocks; otherwise as [`each`].
///
/// # Errors
/// As [`each`].
pub(crate) fn pieces(run: &RunDir) -> io::Result<Vec<Piece>> {
    let mut log = LogReader::new(&run.events());
    let pieces = log.read_pieces(u64::MAX)?;
    warn(run, &log);
    Ok(pieces)
}

fn warn(run: &RunDir, log: &LogReader) {
    for told in log.damage().message(&run.events()).into_iter().chain(log.later()) {
        console::note(&format!("warning: {told}"));
    }
}

/// Whether `run` has ended. One whose log cannot be read has not.
pub(crate) fn is_over(run: &RunDir) -> bool {
    RunSummary::read(run).is_ok_and(|summary| summary.is_over())
}
