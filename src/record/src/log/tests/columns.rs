//! The copy of a log's steps beside the log: reader and writer together.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pellucid_protocol::event::{Alert, Event, Record, Step};
use pellucid_protocol::metric::Metrics;
use proptest::prelude::*;

use crate::log::columns::{ColumnsReader, Stretch, beside};
use crate::log::reader::{LogReader, Piece};
use crate::log::writer::LogWriter;

/// The record of this number of a run that measures more at each tenth step and says something at each thousandth.
fn record(number: u64) -> Record {
    if number.is_multiple_of(1000) {
        return Record { time: 0.5, event: Event::Alert(Alert::info(number, "a thousand")) };
    }
    let mut metrics = Metrics::default();
    metrics.set("loss/total", 1.0 / number as f64);
    metrics.set("optim/lr", f64::from(0.1f32));
    if number.is_multiple_of(10) {
        metrics.set("sparsity/exact", f64::NAN);
    }
    // It was taken up again at step 2,500.
    let step = if number > 3000 { number - 500 } else { number };
    Record { time: number as f64, event: Event::Step(Step { step, epoch: step as f64 / 7.0, metrics }) }
}

/// A log of so many records and what was copied of it.
fn written(folder: &Path, count: u64) -> PathBuf {
    let path = folder.join("events.jsonl");
    let mut log = LogWriter::open(&path).unwrap();
    (1..=count).for_each(|number| assert!(log.append(&record(number)).is_ok()));
    path
}

/// All that a reader makes of a log, as text that tells all numbers apart.
fn read(path: &Path, ends: &[u64]) -> (Vec<String>, LogReader) {
    let mut reader = LogReader::new(path);
    let mut pieces = Vec::new();
    for &end in ends.iter().chain(&[u64::MAX]) {
        pieces.extend(reader.read_pieces(end).unwrap());
    }
    let records = pieces.into_iter().flat_map(Piece::into_records);
    (records.map(|record| serde_json::to_string(&record).unwrap()).collect(), reader)
}

/// That the copy makes no difference to what is read.
fn makes_no_difference(path: &Path, ends: &[u64]) {
    let (with, reader) = read(path, ends);
    let copy = fs::read(beside(path)).unwrap();
    fs::remove_file(beside(path)).unwrap();
    let (without, plain) = read(path, &[]);
    fs::write(beside(path), copy).unwrap();
    assert_eq!(with.len(), without.len());
    assert!(with == without, "other records");
    assert_eq!((reader.offset(), reader.damage()), (plain.offset(), plain.damage()));
}

fn stretches(path: &Path) -> Vec<Stretch> {
    let columns = ColumnsReader::open(path, fs::metadata(path).unwrap().len());
    let mut all = Vec::new();
    while let Some(next) = columns.next(all.last().map_or(0, Stretch::end)) {
        all.push(next.clone());
    }
    all
}

#[test]
fn nearly_all_of_a_log_is_copied_and_read_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 20_000);
    let length = fs::metadata(&path).unwrap().len();
    let copied: u64 = stretches(&path).iter().map(Stretch::length).sum();
    assert!(copied as f64 > 0.9 * length as f64, "{copied} of {length}");
    assert_eq!(fs::metadata(beside(&path)).unwrap().permissions().mode() & 0o777, 0o600);
    makes_no_difference(&path, &[]);
    // A copy that says something else is believed, so that is where it came from.
    let mut copy = fs::read(beside(&path)).unwrap();
    let place = copy.windows(8).position(|bytes| bytes == b"optim/lr").unwrap();
    let size = u32::from_le_bytes(copy[24..28].try_into().unwrap()) as usize;
    copy[place + 6..place + 8].copy_from_slice(b"rl");
    let sum = crate::log::line::checksum(&copy[32..32 + size]);
    copy[28..32].copy_from_slice(&sum.to_le_bytes());
    fs::write(beside(&path), copy).unwrap();
    assert!(read(&path, &[]).0[0].contains("optim/rl"));
}

#[test]
fn a_run_of_few_steps_has_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!beside(&written(folder.path(), 50)).exists());
}

#[test]
fn a_log_that_is_written_on_is_copied_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), 6000);
    let before = stretches(&path);
    // Killed amid a record, and amid a block.
    let torn = fs::metadata(&path).unwrap().len() - 7;
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(torn).unwrap();
    fs::write(beside(&path), [fs::read(beside(&path)).unwrap(), vec![1; 30]].concat()).unwrap();
    makes_no_difference(&path, &[]);
    let mut log = LogWriter::open(&path).unwrap();
    (6000..12_000).for_each(|number| assert!(log.append(&record(number)).is_ok()));
    let after = stretches(&path);
    assert!(after.starts_with(&before) && after.len() > before.len() + 3, "{} {}", before.len(), after.len());
    makes_no_difference(&path, &[]);
}

#[test]
fn what_is_no_copy_is_written_anew_and_what_cannot_be_written_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(beside(&path), "something else").unwrap();
    assert_eq!(written(folder.path(), 6000), path);
    assert!(stretches(&path).len() > 5);
    fs::remove_file(beside(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(beside(&path)).unwrap();
    written(folder.path(), 6000);
    assert_eq!(read(&path, &[]).0.len(), 6000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Also where the log or the copy was changed or cut, and wherever the reader stops on its way.
    #[test]
    fn a_copy_makes_no_difference(
        in_log: bool, at in any::<prop::sample::Index>(), bit in 0u8..8, cut: bool, ends in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), 9000);
        let length = fs::metadata(&path).unwrap().len();
        let file = if in_log { path.clone() } else { beside(&path) };
        let mut bytes = fs::read(&file).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if cut {
            bytes.truncate(at);
        }
        fs::write(&file, bytes).unwrap();
        let mut ends: Vec<u64> = ends.iter().map(|end| end.index(length as usize) as u64).collect();
        ends.sort_unstable();
        makes_no_difference(&path, &ends);
    }
}
