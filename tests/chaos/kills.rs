//! SIGKILLs at random moments over one run: after each the run goes on, and it ends with the numbers of an undisturbed one.

use std::time::Duration;

use pellucid_protocol::Event;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_tests::numbers;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::model::{Outcome, Place, log, resume};
use crate::worker::Worker;

const KILLS: usize = 100;
const STEPS: u64 = 4000;
/// Steps between checkpoints, and between evaluations.
const EVERY: (u64, u64) = (3, 50);
/// Longest wait for a kill that falls anywhere, the start of the worker included.
const ANYWHERE: u64 = 700;

pub(crate) fn kills(place: &Place, seed: u64) -> Value {
    let (_, expected) = place.undisturbed("whole", STEPS, EVERY);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (run, mut work) = place.training("killed", STEPS, EVERY);
    let mut lost = Vec::new();
    let (mut before_ready, mut done) = (0, 0);
    for kill in 0..KILLS {
        let (before, known) = (log(&run), steps(&run));
        let mut worker = Worker::start(&work, &place.path("stderr"), &[]);
        // A third of the kills fall anywhere, most of them into the start; the others some steps later.
        if random.random_bool(0.33) {
            std::thread::sleep(Duration::from_millis(random.random_range(0..ANYWHERE)));
        } else if let Err(message) = worker.wait_until_ready() {
            lost.push(format!("kill {kill}: the run was not taken up again: {message}"));
        } else {
            let more = random.random_range(1..STEPS as usize / KILLS);
            let patience = std::time::Instant::now();
            while steps(&run) < known + more && patience.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(2));
            }
            std::thread::sleep(Duration::from_millis(random.random_range(0..10)));
        }
        done += u64::from(!worker.has_ended());
        worker.kill();
        before_ready += usize::from(log(&run) == before);
        let kept = log(&run);
        let whole = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if !kept.starts_with(&before[..whole]) {
            lost.push(format!("kill {kill}: records that were there are gone"));
        }
        if run.events().is_file() {
            work = resume(&run);
        }
    }
    let steps_at_last_kill = numbers(&run).keys().map(|(step, _)| *step).max();
    let mut worker = Worker::start(&work, &place.path("stderr"), &[]);
    match worker.wait_until_ready() {
        Ok(()) => {
            let heard = worker.listen(&run);
            worker.wait();
            heard.join().unwrap();
        }
        Err(message) => lost.push(format!("the last resume failed: {message}")),
    }
    let found = Outcome::of(&run);
    if found.numbers != expected.numbers {
        lost.push("the metrics differ from those of the undisturbed run".to_owned());
    }
    if found.weights != expected.weights {
        lost.push("the weights differ from those of the undisturbed run".to_owned());
    }
    json!({"kills": done, "resumes": KILLS, "without_a_new_record": before_ready, "steps": STEPS,
        "steps_at_last_kill": steps_at_last_kill, "metrics_compared": expected.numbers.len(), "lost": lost})
}

/// Records of steps in the log; none if it is not there yet.
fn steps(run: &RunDir) -> usize {
    let all = LogReader::new(&run.events()).read_new().unwrap_or_default();
    all.iter().filter(|record| matches!(record.event, Event::Step(_))).count()
}
