//! Explanations of validation texts that are made for a report because the run itself has recorded too few.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pellucid_client::console;
use pellucid_client::failure::Failure;
use pellucid_client::worker;
use pellucid_protocol::check::Depth;
use pellucid_protocol::settings::{Device, Switch};
use pellucid_protocol::work::{ExplainFormat, ExplainWork, Texts, Work};
use pellucid_protocol::{Baseline, Explanation, Method, Removal, Sample};
use pellucid_record::{RunDir, run_dir};

use super::record::{Recorded, best_weights};
use crate::job_lines::JobLines;
use crate::runtime::block_on;

/// How many recorded explanations are enough for a report: as many as it shows examples.
const ENOUGH: usize = 6;
/// The methods that are used: they are cheap and their scores have a sign.
const METHODS: [Method; 3] = [Method::GradientInput, Method::IntegratedGradients, Method::Occlusion];

/// Where the explanations of a report come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// All are from the record of the run.
    #[default]
    Record,
    /// This many were made for the report; the rest are from the record.
    Made(usize),
    /// All are from the record: more were needed but could not be made, for this reason.
    Failed(String),
}

impl Origin {
    /// What a report with `all` explanations says of their origin.
    pub(super) fn describe(&self, all: usize) -> String {
        let recorded = |count: usize| match count {
            0 => "No text was explained during the run".to_owned(),
            1 => "1 text was explained during the run".to_owned(),
            _ => format!("{count} texts were explained during the run"),
        };
        match self {
            Origin::Record => format!("{}.", recorded(all)),
            Origin::Made(made) => format!(
                "{}. For this report {made} more texts, spread evenly over the validation set, were explained with the best \
                 weights, by {}; nobody has chosen them.",
                recorded(all - made),
                METHODS.map(Method::title).join(", "),
            ),
            Origin::Failed(why) => format!("{}; more could not be explained for this report: {why}.", recorded(all)),
        }
    }
}

/// If `recorded` has too few explanations, explains `count` validation texts with the best weights of `run` and adds them.
pub(super) fn complete(run: &RunDir, recorded: &mut Recorded, count: usize) -> Origin {
    if count == 0 || recorded.explanations.len() >= ENOUGH {
        return Origin::Record;
    }
    match made(run, recorded, count) {
        Ok(made) => {
            let origin = Origin::Made(made.len());
            recorded.explanations.extend(made);
            origin
        }
        Err(why) => Origin::Failed(why),
    }
}

fn made(run: &RunDir, recorded: &Recorded, count: usize) -> Result<Vec<Explanation>, String> {
    if recorded.started().is_some_and(|started| started.settings.private.is_on()) {
        return Err("the run is private and keeps no texts".to_owned());
    }
    let samples = run.read_samples().map_err(|error| format!("{}: {error}", run.samples().display()))?;
    let known: BTreeSet<&str> = recorded.explanations.iter().map(|made| made.text.as_str()).collect();
    let fresh: Vec<usize> = (0..samples.len()).filter(|&index| !known.contains(samples[index].text.as_str())).collect();
    let chosen: Vec<usize> = spread(fresh.len(), count).map(|place| fresh[place]).collect();
    if chosen.is_empty() {
        return Err("there are no validation texts".to_owned());
    }
    console::note(&format!("explaining {} validation texts for the report; --explain 0 skips that", chosen.len()));
    let step = recorded.best().map_or(0, |(step, _)| *step);
    let lines = explained(best_weights(run, recorded)?, chosen.iter().map(|&index| &samples[index]))?;
    let explanations = chosen.into_iter().zip(lines).map(|(index, made)| Explanation {
        step,
        sample: Some(index),
        label: Some(samples[index].label),
        ..made
    });
    Ok(explanations.collect())
}

/// `count` of the indices below `all`, evenly spread.
fn spread(all: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(all);
    (0..count).map(move |index| index * all / count)
}

/// The explanations that the worker makes of these samples, in their order.
fn explained<'a>(model: PathBuf, samples: impl Iterator<Item = &'a Sample>) -> Result<Vec<Explanation>, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let path = folder.path().join("texts.jsonl");
    let samples: Vec<&Sample> = samples.collect();
    run_dir::write_lines(&path, &samples).map_err(|error| format!("{}: {error}", path.display()))?;
    let work = Work::Explain(ExplainWork {
        model,
        texts: Texts::File { path, limit: None, reading: Box::default(), skipped: None },
        long: None,
        private: Switch::default(),
        methods: METHODS.to_vec(),
        device: Device::default(),
        seed: 0,
        samples: None,
        class: None,
        scalar: None,
        removal: Removal::default(),
        baseline: Baseline::default(),
        steps: None,
        checks: Depth::Gates,
        budget: None,
        format: ExplainFormat::Record,
        out: None,
    });
    let output = block_on(worker::output(&work, JobLines::on_stderr())).map_err(|error: Failure| error.to_string())?;
    let lines = output.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let explanations: Result<Vec<Explanation>, _> = lines.map(serde_json::from_slice).collect();
    let explanations = explanations.map_err(|error| format!("the answer of the worker cannot be read: {error}"))?;
    if explanations.len() == samples.len() {
        return Ok(explanations);
    }
    Err(format!("the worker explained {} of {} texts", explanations.len(), samples.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_spread_over_the_whole_set() {
        assert_eq!(spread(100, 4).collect::<Vec<_>>(), [0, 25, 50, 75]);
        assert_eq!(spread(3, 24).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((spread(0, 24).count(), spread(5, 0).count()), (0, 0));
    }

    #[test]
    fn where_nothing_can_be_explained_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut recorded = Recorded::default();
        assert_eq!(complete(&run, &mut recorded, 0), Origin::Record);
        let origin = complete(&run, &mut recorded, 24);
        assert!(matches!(&origin, Origin::Failed(why) if why.contains("samples.jsonl")), "{origin:?}");
        std::fs::write(run.samples(), "").unwrap();
        assert_eq!(
            complete(&run, &mut recorded, 24).describe(1),
            "1 text was explained during the run; more could not be explained for this report: there are no validation \
             texts."
        );
        let made = Origin::Made(24).describe(24);
        assert!(made.starts_with("No text was explained during the run. For this report 24 more"), "{made}");
    }
}
