//! The log cut at every byte of its last records: it opens, keeps what is before, and the run goes on.

use std::fs;
use std::process::{Command, Stdio};

use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_record::log::writer::LogWriter;
use pellucid_tests::program;
use serde_json::{Value, json};

use crate::model::{Outcome, Place, copy, log, resume};
use crate::worker::Worker;

const STEPS: u64 = 40;
const EVERY: (u64, u64) = (5, 10);
/// Records at the end that are cut.
const RECORDS: usize = 4;
/// Of the cuts, one in so many is taken up again by a worker.
const RESUMED: usize = 40;

pub(crate) fn cuts(place: &Place, _seed: u64) -> Value {
    let (run, expected) = place.undisturbed("cut", STEPS, EVERY);
    let bytes = log(&run);
    let ends: Vec<usize> = (1..).zip(&bytes).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let first = ends[ends.len() - 1 - RECORDS];
    let mut lost = Vec::new();
    let (mut opened, mut resumed) = (0, 0);
    for cut in first..=bytes.len() {
        let torn = RunDir::new(place.path("torn"));
        let _ = fs::remove_dir_all(torn.root());
        copy(run.root(), torn.root());
        fs::write(torn.events(), &bytes[..cut]).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        match LogReader::new(&torn.events()).read_new() {
            Ok(records) if records.len() == whole => opened += 1,
            Ok(records) => lost.push(format!("cut at byte {cut}: {} records of {whole}", records.len())),
            Err(error) => lost.push(format!("cut at byte {cut}: {error}")),
        }
        let mut export = Command::new(program("pellucid"));
        export.args(["export".as_ref(), torn.root().as_os_str()]).stdout(Stdio::null()).stderr(Stdio::null());
        if !export.status().unwrap().success() {
            lost.push(format!("cut at byte {cut}: `pellucid export` fails"));
        }
        if (cut - first).is_multiple_of(RESUMED) {
            resumed += 1;
            lost.extend(taken_up(place, &torn, &expected).map(|why| format!("cut at byte {cut}: {why}")));
        }
        if LogWriter::open(&torn.events()).is_err() {
            lost.push(format!("cut at byte {cut}: it cannot be written to"));
        }
    }
    json!({"cuts": bytes.len() - first + 1, "opened": opened, "resumed": resumed, "lost": lost})
}

/// What is wrong with the run once it was taken up again, if anything is.
fn taken_up(place: &Place, run: &RunDir, expected: &Outcome) -> Option<String> {
    let mut worker = Worker::start(&resume(run), &place.path("stderr"), &[]);
    if let Err(message) = worker.wait_until_ready() {
        return Some(format!("it is not taken up again: {message}"));
    }
    let heard = worker.listen(run);
    worker.wait();
    heard.join().unwrap();
    let found = Outcome::of(run);
    found.differs(expected)
}
