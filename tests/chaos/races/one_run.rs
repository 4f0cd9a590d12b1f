//! Whether a folder holds one run, whole: its settings, its log and its weights.

use std::collections::BTreeMap;

use pellucid_protocol::Event;
use pellucid_protocol::event::{Outcome, Started};
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;

use super::{KILLED_AT, STEPS};
use crate::trial::first_letters;

/// Checks that the log is of one training: one begin, resumes where it was, steps one after the other, one end.
pub(super) fn in_one_piece(run: &RunDir, seed: u64) -> Result<(), String> {
    let mut log = LogReader::new(&run.events());
    let records = log.read_new().map_err(|error| format!("events.jsonl: {error}"))?;
    if let Some(damage) = log.damage().message(&run.events()) {
        return Err(first_letters(&damage));
    }
    let (mut last, mut furthest, mut begun, mut ended) = (0, 0, 0, false);
    for record in &records {
        match &record.event {
            Event::Started(started) => {
                last = begin(started, furthest, seed)?;
                begun += u64::from(started.resumed.is_none());
                ended = false;
            }
            Event::Step(step) if step.step == last + 1 && step.step <= STEPS && !ended => last = step.step,
            Event::Step(step) => return Err(format!("step {} follows step {last}, ended: {ended}", step.step)),
            Event::Ended(end) => {
                ended = true;
                if end.outcome == Outcome::Finished && end.step != STEPS {
                    return Err(format!("it finished at step {}", end.step));
                }
            }
            _ => {}
        }
        furthest = furthest.max(last);
    }
    let starts_right = matches!(records.first().map(|first| &first.event), Some(Event::Started(_)));
    match (starts_right, begun, ended) {
        (false, ..) => Err("the log does not begin with a begin".to_owned()),
        (_, 1, true) => has_its_weights(run, last),
        // The run that was killed, as it was.
        (_, 1, false) if seed == 0 && furthest == KILLED_AT => Ok(()),
        (_, 1, false) => Err("the log has no end".to_owned()),
        (_, begun, _) => Err(format!("{begun} begins in one log")),
    }
}

/// The step from which the log goes on.
fn begin(started: &Started, furthest: u64, seed: u64) -> Result<u64, String> {
    if started.settings.seed != seed {
        return Err(format!("run.toml is of seed {seed}, the log of seed {}", started.settings.seed));
    }
    let from = started.resumed.unwrap_or(0);
    if from > furthest { Err(format!("it goes on from step {from} after step {furthest}")) } else { Ok(from) }
}

/// Checks that the last weights of a run that finished are there.
fn has_its_weights(run: &RunDir, last: u64) -> Result<(), String> {
    let weights = run.root().join("checkpoints/last/model.safetensors");
    if last == STEPS && !weights.is_file() { Err("it ended without weights".to_owned()) } else { Ok(()) }
}

/// The numbers of each step, but for those of speed; a step that was done twice must have the same.
pub(super) fn steps(run: &RunDir) -> Result<BTreeMap<u64, BTreeMap<String, u64>>, String> {
    let records = LogReader::new(&run.events()).read_new().map_err(|error| error.to_string())?;
    let mut all = BTreeMap::new();
    for record in records {
        let Event::Step(step) = record.event else { continue };
        let kept = step.metrics.iter().filter(|(name, _)| !name.starts_with("speed/") && !name.starts_with("system/"));
        let metrics: BTreeMap<String, u64> = kept.map(|(name, value)| (name.to_owned(), value.to_bits())).collect();
        if all.insert(step.step, metrics.clone()).is_some_and(|before| before != metrics) {
            return Err(format!("step {} has two results", step.step));
        }
    }
    Ok(all)
}
