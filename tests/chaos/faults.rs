//! Writes that fail below the run folder: no record that was told of is lost, nothing panics or hangs, and the run goes on.

use std::fs;
use std::path::Path;

use pellucid_protocol::{Event, Record};
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_tests::fault_library;
use serde_json::{Value, json};

use crate::model::{Outcome, Place, log, resume};
use crate::worker::{Worker, panics};

/// Faults in all, at least.
const FAULTS: u64 = 1000;
/// Runs at most: should they have too few faults, that is said.
const RUNS: u64 = 400;
const STEPS: u64 = 60;
const EVERY: (u64, u64) = (5, 10);
/// Faults in 10,000 calls, in one run after the other.
const RATES: [u64; 4] = [3000, 300, 1000, 2000];
/// Faults in one run at most, so that it comes to an end.
const LIMIT: u64 = 50;
/// Calls that are well before the first fault, in one run after the other: a run needs some thirty to stand.
const AFTER: [u64; 3] = [40, 0, 60];

/// What became of the runs.
#[derive(Default)]
struct Tally {
    runs: u64,
    calls: u64,
    faults: [u64; 3],
    never_began: u64,
    ended_early: u64,
    resumed: u64,
    acknowledged: u64,
    lost: Vec<String>,
}

pub(crate) fn faults(place: &Place, seed: u64) -> Value {
    let (_, expected) = place.undisturbed("calm", STEPS, EVERY);
    let library = fault_library(&place.path("."));
    let mut tally = Tally::default();
    while tally.faults.iter().sum::<u64>() < FAULTS && tally.runs < RUNS {
        let number = seed * 1000 + tally.runs;
        let rate = RATES[number as usize % RATES.len()];
        let found = one(place, &library, (number, rate), &expected, &mut tally);
        tally.runs += 1;
        if let Err(why) = found {
            tally.lost.push(format!("run {number}, rate {rate}: {why}"));
        }
        eprint!("\r{} faults in {} runs, {} lost ", tally.faults.iter().sum::<u64>(), tally.runs, tally.lost.len());
    }
    let all: u64 = tally.faults.iter().sum();
    if all < FAULTS {
        tally.lost.push(format!("only {all} faults came about"));
    }
    let [full, broken, short] = tally.faults;
    json!({"faults": all, "no_space": full, "io_error": broken, "short_write": short, "calls": tally.calls,
        "runs": tally.runs, "never_began": tally.never_began, "ended_early": tally.ended_early,
        "resumed": tally.resumed, "records_told": tally.acknowledged, "lost": tally.lost})
}

/// One run under faults, and what was wrong with it.
fn one(
    place: &Place,
    library: &Path,
    (seed, rate): (u64, u64),
    expected: &Outcome,
    tally: &mut Tally,
) -> Result<(), String> {
    let (run, work) = place.training("faulty", STEPS, EVERY);
    let _ = fs::remove_dir_all(run.root());
    let (counts, stderr) = (place.path("tally"), place.path("stderr"));
    let _ = fs::remove_file(&counts);
    let variables = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAULTS_FOLDER", run.root().display().to_string()),
        ("FAULTS_TALLY", counts.display().to_string()),
        ("FAULTS_SEED", seed.to_string()),
        ("FAULTS_RATE", rate.to_string()),
        ("FAULTS_AFTER", AFTER[seed as usize % AFTER.len()].to_string()),
        ("FAULTS_LIMIT", LIMIT.to_string()),
    ];
    let mut worker = Worker::start(&work, &stderr, &variables);
    let ready = worker.wait_until_ready();
    let heard = ready.is_ok().then(|| worker.listen(&run));
    let ended = watch(&run, &mut worker);
    // Whatever became of it, it is over, and with it its last line to a client.
    worker.kill();
    let heard = heard.map(|heard| heard.join().unwrap_or_default()).unwrap_or_default();
    count(&counts, tally);
    ended?;
    if let Some(line) = panics(&[&stderr, &run.log()]) {
        return Err(line);
    }
    if let Err(message) = ready {
        tally.never_began += 1;
        return if message.lines().count() == 1 { Ok(()) } else { Err(format!("not one line: {message}")) };
    }
    told_is_kept(&run, &heard, tally)?;
    go_on(place, &run, expected, tally)
}

fn count(counts: &Path, tally: &mut Tally) {
    let bytes = fs::read(counts).unwrap_or_default();
    let numbers: Vec<u64> =
        bytes.chunks_exact(8).map(|number| u64::from_ne_bytes(number.try_into().unwrap())).collect();
    tally.calls += numbers.first().copied().unwrap_or(0);
    for (kind, faults) in tally.faults.iter_mut().enumerate() {
        *faults += numbers.get(kind + 1).copied().unwrap_or(0);
    }
}

/// Waits for the worker's end. What the log has of whole records at any moment it has for good.
fn watch(run: &RunDir, worker: &mut Worker) -> Result<(), String> {
    let mut records = Vec::new();
    let start = std::time::Instant::now();
    while !worker.has_ended() && start.elapsed().as_secs() < 60 {
        let now = LogReader::new(&run.events()).read_new().unwrap_or_default();
        if !now.starts_with(&records) {
            return Err(format!("{} records were in the log and are not any more", records.len()));
        }
        records = now;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let status = worker.wait().ok_or("the worker hangs")?;
    if status.code().is_none() { Err(format!("the worker died: {status}")) } else { Ok(()) }
}

/// Every record that was told to a client and belongs in the log is in it, unless the worker said of some that they are
/// not.
fn told_is_kept(run: &RunDir, heard: &[Record], tally: &mut Tally) -> Result<(), String> {
    let kept = LogReader::new(&run.events()).read_new().map_err(|error| error.to_string())?;
    let told: Vec<&Record> = heard.iter().filter(|record| record.event.is_recorded()).collect();
    tally.acknowledged += told.len() as u64;
    let missing: Vec<&&Record> = told.iter().filter(|record| !kept.contains(record)).collect();
    match missing.first() {
        Some(first) => Err(format!("{} records were told of and are not in the log, e.g. {first:?}", missing.len())),
        None => Ok(()),
    }
}

/// Without faults the run is taken up again and ends as it should.
fn go_on(place: &Place, run: &RunDir, expected: &Outcome, tally: &mut Tally) -> Result<(), String> {
    if is_finished(run) && Outcome::of(run) == *expected {
        return Ok(());
    }
    tally.ended_early += 1;
    if log(run).is_empty() {
        return Ok(());
    }
    let mut worker = Worker::start(&resume(run), &place.path("stderr"), &[]);
    worker.wait_until_ready().map_err(|message| format!("it is not taken up again: {message}"))?;
    let heard = worker.listen(run);
    worker.wait().ok_or("the resumed worker hangs")?;
    heard.join().unwrap_or_default();
    tally.resumed += 1;
    let found = Outcome::of(run);
    found.differs(expected).map_or(Ok(()), |what| Err(format!("the resumed run differs: {what}")))
}

fn is_finished(run: &RunDir) -> bool {
    let records = LogReader::new(&run.events()).read_new().unwrap_or_default();
    records.iter().any(|record| matches!(&record.event, Event::Ended(ended) if ended.message.is_none()))
}
