//! Explanations of validation texts that are made for a report, where the run itself has recorded too few.

use std::collections::BTreeSet;

use pellucid_client::console;
use pellucid_client::failure::Failure;
use pellucid_client::worker;
use pellucid_protocol::check::Depth;
use pellucid_protocol::settings::Device;
use pellucid_protocol::work::{ExplainFormat, ExplainWork, Texts, Work};
use pellucid_protocol::{Baseline, Explanation, Method, Removal, Sample};
use pellucid_record::{RunDir, run_dir};

use super::super::wait;
use super::record::Recorded;

/// Recorded explanations with which a report does without more: as many as it shows examples.
const ENOUGH: usize = 6;
/// Methods that are used: with a sign, and cheap.
const METHODS: [Method; 3] = [Method::GradientInput, Method::IntegratedGradients, Method::Occlusion];

/// Where the explanations of a report are from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// The record of the run alone.
    #[default]
    Record,
    /// So many were made for the report, the rest is recorded.
    Made(usize),
    /// More were to be made and could not be, and why.
    Failed(String),
}

impl Origin {
    /// What a report says of it.
    pub(super) fn told(&self, recorded: usize) -> String {
        let explained = |count: usize| match count {
            0 => "No text was explained while the run went on".to_owned(),
            1 => "1 text was explained while the run went on".to_owned(),
            _ => format!("{count} texts were explained while the run went on"),
        };
        match self {
            Origin::Record => format!("{}.", explained(recorded)),
            Origin::Made(made) => format!(
                "{}. For this account {made} more of the validation set, spread evenly over it, were explained with the \
                 best weights, by {}; nobody has chosen them.",
                explained(recorded - made),
                METHODS.map(Method::title).join(", "),
            ),
            Origin::Failed(why) => {
                format!("{}; more could not be explained for this account: {why}.", explained(recorded))
            }
        }
    }
}

/// Explains `count` validation texts with the best weights of `run`, if `recorded` has too few explanations.
pub(super) fn complete(run: &RunDir, recorded: &mut Recorded, count: usize) {
    if count == 0 || recorded.explanations.len() >= ENOUGH {
        return;
    }
    match made(run, recorded, count) {
        Ok(made) => {
            recorded.origin = Origin::Made(made.len());
            recorded.explanations.extend(made);
        }
        Err(why) => recorded.origin = Origin::Failed(why),
    }
}

fn made(run: &RunDir, recorded: &Recorded, count: usize) -> Result<Vec<Explanation>, String> {
    let samples = run.read_samples().map_err(|error| format!("{}: {error}", run.samples().display()))?;
    let known: BTreeSet<&str> = recorded.explanations.iter().map(|made| made.text.as_str()).collect();
    let fresh: Vec<usize> = (0..samples.len()).filter(|&index| !known.contains(samples[index].text.as_str())).collect();
    let chosen: Vec<usize> = spread(fresh.len(), count).map(|place| fresh[place]).collect();
    if chosen.is_empty() {
        return Err("there are no validation texts".to_owned());
    }
    console::note(&format!("explaining {} validation texts for the report; --explain 0 leaves that out", chosen.len()));
    let step = recorded.best.as_ref().map_or(0, |(step, _)| *step);
    let lines = explained(run, chosen.iter().map(|&index| &samples[index]))?;
    let explanations = chosen.into_iter().zip(lines).map(|(index, made)| Explanation {
        step,
        sample: Some(index),
        label: Some(samples[index].label),
        ..made
    });
    Ok(explanations.collect())
}

/// `count` places of `all`, at equal distances.
fn spread(all: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(all);
    (0..count).map(move |index| index * all / count)
}

/// The worker's explanations of these samples, in their order.
fn explained<'a>(run: &RunDir, samples: impl Iterator<Item = &'a Sample>) -> Result<Vec<Explanation>, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let path = folder.path().join("texts.jsonl");
    let samples: Vec<&Sample> = samples.collect();
    run_dir::write_lines(&path, &samples).map_err(|error| format!("{}: {error}", path.display()))?;
    let work = Work::Explain(ExplainWork {
        model: run.root().join(RunDir::checkpoint_name("best")),
        texts: Texts::File { path, limit: None },
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
        format: ExplainFormat::Record,
        out: None,
    });
    let output = wait(async { worker::output(&work).await }).map_err(|error: Failure| error.to_string())?;
    let lines = output.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let explanations: Result<Vec<Explanation>, _> = lines.map(serde_json::from_slice).collect();
    let explanations = explanations.map_err(|error| format!("the worker's answer cannot be read: {error}"))?;
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
        complete(&run, &mut recorded, 0);
        assert_eq!(recorded.origin, Origin::Record);
        complete(&run, &mut recorded, 24);
        assert!(
            matches!(&recorded.origin, Origin::Failed(why) if why.contains("samples.jsonl")),
            "{:?}",
            recorded.origin
        );
        std::fs::write(run.samples(), "").unwrap();
        complete(&run, &mut recorded, 24);
        let told = recorded.origin.told(1);
        assert_eq!(
            told,
            "1 text was explained while the run went on; more could not be explained for this account: there are no \
             validation texts."
        );
        assert!(
            Origin::Made(24)
                .told(24)
                .starts_with("No text was explained while the run went on. For this account 24 more")
        );
    }
}
