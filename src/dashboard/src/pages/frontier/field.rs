//! Runs as points: what each was set to, what it came to, and which configurations no other one beats.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use pellucid_protocol::metric::{Direction, definition};
use pellucid_protocol::{Metrics, Task};

use crate::theme::Tone;

/// The measure that goes up.
pub const HEIGHT: &str = Task::SingleLabelClassification.primary_metric();

/// The measures that it can be plotted against.
pub(super) const ACROSS: [&str; 8] = [
    "sparsity/exact",
    "explain/faithfulness",
    "explain/drift_start",
    "explain/drift_teacher",
    "explain/drift",
    "explain/plausibility",
    "explain/fidelity",
    "explain/shortcut",
];

/// Settings in which two runs of one configuration may differ.
const APART: [&str; 2] = ["seed", "run_dir"];

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// How it is, with a sign.
    pub state: (Tone, &'static str),
    /// Whether it has come to its end, so that it counts in means and on the front.
    pub counts: bool,
    /// Settings by name, as they are written.
    pub settings: BTreeMap<String, String>,
    /// The metrics of its best evaluation; those not measured there come from the last evaluation that measured them.
    pub metrics: Metrics,
}

impl Entry {
    /// A measure, where it is a number.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).filter(|value| value.is_finite())
    }

    fn configuration(&self) -> BTreeMap<&str, &str> {
        let all = self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        all.filter(|(key, _)| !APART.contains(key)).collect()
    }
}

/// Mean, least and most over the runs of a configuration that count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (!values.is_empty()).then_some(Self { mean, least, most })
    }
}

/// Runs that differ in their seed alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The settings in which it differs from another configuration, as `key value`.
    pub title: String,
    /// Its runs, as places among all.
    pub runs: Vec<usize>,
}

/// All runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field {
    entries: Vec<Entry>,
    configurations: Vec<Configuration>,
    varied: Vec<String>,
}

impl Field {
    /// Of `entries`. The order of configurations goes by their settings, not by when a run was made, so that each keeps
    /// its colour and sign while others come.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let varied = varied(&entries);
        let value = |entry: &Entry, key: &String| entry.settings.get(key).cloned().unwrap_or_else(|| "–".to_owned());
        let mut groups: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let values: Vec<String> = varied.iter().map(|key| value(entry, key)).collect();
            match groups.iter_mut().find(|(known, _)| *known == values) {
                Some((_, runs)) => runs.push(index),
                None => groups.push((values, vec![index])),
            }
        }
        groups.sort_by(|a, b| natural(&a.0, &b.0));
        let configuration = |(values, runs): (Vec<String>, Vec<usize>)| {
            let parts = varied.iter().zip(&values).map(|(key, value)| format!("{key} {}", short(value)));
            let title = parts.collect::<Vec<_>>().join("  ");
            Configuration { title: if title.is_empty() { "all settings are the same".to_owned() } else { title }, runs }
        };
        let configurations = groups.into_iter().map(configuration).collect();
        Self { entries, configurations, varied }
    }

    /// The runs, by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The configurations, in the order of their settings.
    #[must_use]
    pub fn configurations(&self) -> &[Configuration] {
        &self.configurations
    }

    /// The settings that are not the same in all configurations.
    #[must_use]
    pub fn varied(&self) -> &[String] {
        &self.varied
    }

    /// The configuration of a run.
    #[must_use]
    pub fn configuration_of(&self, run: usize) -> usize {
        self.configurations.iter().position(|known| known.runs.contains(&run)).unwrap_or(0)
    }

    /// The measures that any run has and that accuracy can be plotted against.
    #[must_use]
    pub fn across(&self) -> Vec<&'static str> {
        let is_known = |metric: &&str| self.entries.iter().any(|entry| entry.value(metric).is_some());
        ACROSS.into_iter().filter(|metric| is_known(metric)).collect()
    }

    /// Where a run lies, where both were measured.
    #[must_use]
    pub fn place(&self, run: usize, across: &str) -> Option<(f64, f64)> {
        let entry = self.entries.get(run)?;
        Some((entry.value(across)?, entry.value(HEIGHT)?))
    }

    /// A measure over the runs of a configuration that count.
    #[must_use]
    pub fn spread(&self, configuration: usize, metric: &str) -> Option<Spread> {
        let runs = self.configurations.get(configuration)?.runs.iter().map(|&run| &self.entries[run]);
        Spread::of(runs.filter(|entry| entry.counts).filter_map(|entry| entry.value(metric)))
    }

    /// The configurations whose means no other configuration's means are as good as in both measures and better in one,
    /// from left to right.
    #[must_use]
    pub fn front(&self, across: &str) -> Vec<usize> {
        let mean = |index| Some((self.spread(index, across)?.mean, self.spread(index, HEIGHT)?.mean));
        let all: Vec<(usize, (f64, f64))> =
            (0..self.configurations.len()).filter_map(|index| Some((index, mean(index)?))).collect();
        let sign = sign(across);
        let beats = |a: (f64, f64), b: (f64, f64)| {
            let (across, height) = ((a.0 - b.0) * sign, a.1 - b.1);
            across >= 0.0 && height >= 0.0 && (across > 0.0 || height > 0.0)
        };
        let mut front: Vec<_> =
            all.iter().filter(|(_, own)| !all.iter().any(|(_, other)| beats(*other, *own))).copied().collect();
        front.sort_by(|a, b| a.1.0.total_cmp(&b.1.0).then(a.1.1.total_cmp(&b.1.1)));
        front.into_iter().map(|(index, _)| index).collect()
    }
}

/// 1 where more of a measure is better, -1 where less is. Drift is taken as something to have little of, also from the
/// start: the question here is what a better model costs of its explanations.
#[must_use]
pub(super) fn sign(metric: &str) -> f64 {
    match definition(metric).map(|known| known.direction) {
        Some(Direction::Up) => 1.0,
        _ => -1.0,
    }
}

/// The settings that differ among `entries`, without those that may differ within a configuration.
fn varied(entries: &[Entry]) -> Vec<String> {
    let all: Vec<BTreeMap<&str, &str>> = entries.iter().map(Entry::configuration).collect();
    let keys: BTreeSet<&str> = all.iter().flat_map(|one| one.keys().copied()).collect();
    let differs = |key: &&str| all.windows(2).any(|two| two[0].get(key) != two[1].get(key));
    keys.into_iter().filter(differs).map(str::to_owned).collect()
}

/// Numbers by their size, all else by the alphabet.
fn natural(a: &[String], b: &[String]) -> Ordering {
    let one = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        _ => a.cmp(b),
    };
    std::iter::zip(a, b).map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// A path as its last two parts; all else as it is.
pub(super) fn short(value: &str) -> &str {
    let start = value.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    if value.starts_with('/') { &value[start..] } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn entry(name: &str, settings: &[(&str, &str)], figures: &[(&str, f64)]) -> Entry {
        let mut metrics = Metrics::default();
        figures.iter().for_each(|(metric, value)| metrics.set(*metric, *value));
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Entry { name: name.to_owned(), state: (Tone::Good, "✔ finished"), counts: true, settings, metrics }
    }

    fn point(number: usize, across: f64, height: f64) -> Entry {
        let setting = number.to_string();
        entry(&format!("r{number:02}"), &[("l1", &setting)], &[("sparsity/exact", across), (HEIGHT, height)])
    }

    #[test]
    fn runs_that_differ_in_their_seed_alone_are_one_configuration() {
        let run = |name, l1, seed| entry(name, &[("l1", l1), ("lr", "0.001"), ("seed", seed), ("run_dir", name)], &[]);
        let field = Field::new(vec![run("d", "10", "1"), run("a", "2", "1"), run("b", "2", "2"), run("c", "0", "1")]);
        let titles: Vec<_> = field.configurations().iter().map(|one| (one.title.as_str(), one.runs.len())).collect();
        assert_eq!(titles, [("l1 0", 1), ("l1 2", 2), ("l1 10", 1)], "by size, and what all share is not told");
        assert_eq!(field.varied(), ["l1"]);
        let more = Field::new(vec![run("z", "0", "9"), run("c", "0", "1"), run("a", "2", "1"), run("d", "10", "1")]);
        let of = |field: &Field| field.configurations().iter().map(|one| one.title.clone()).collect::<Vec<_>>();
        assert_eq!(of(&more), of(&field), "the order is that of the settings, whatever came first");
    }

    #[test]
    fn only_runs_that_count_are_in_means_and_on_the_front() {
        let mut going = point(1, 0.9, 0.99);
        going.counts = false;
        let field = Field::new(vec![point(0, 0.1, 0.9), going, point(2, 0.5, 0.8), point(3, 0.4, 0.7)]);
        assert_eq!(field.front("sparsity/exact"), [0, 2]);
        assert_eq!(field.spread(1, HEIGHT), None);
        assert_eq!(field.front("explain/drift"), [0; 0], "nothing has that");
    }

    #[test]
    fn less_drift_is_better() {
        let run =
            |name, l1, drift, height| entry(name, &[("l1", l1)], &[("explain/drift_start", drift), (HEIGHT, height)]);
        let field = Field::new(vec![run("a", "0", 0.2, 0.9), run("b", "1", 0.6, 0.9), run("c", "2", 0.1, 0.8)]);
        assert_eq!(field.front("explain/drift_start"), [2, 0]);
    }

    #[test]
    fn figures_that_are_no_numbers_lie_nowhere() {
        let field = Field::new(vec![point(0, f64::NAN, 0.9), point(1, f64::INFINITY, 0.9)]);
        assert_eq!((field.place(0, "sparsity/exact"), field.across()), (None, vec![]));
        assert!(field.front("sparsity/exact").is_empty() && Field::new(Vec::new()).front(HEIGHT).is_empty());
    }

    #[test]
    fn paths_are_short() {
        assert_eq!(
            ["/a/data/triage/train.jsonl", "/x", "1e-5", "a/b/c"].map(short),
            ["triage/train.jsonl", "/x", "1e-5", "a/b/c"]
        );
    }

    proptest! {
        #[test]
        fn whatever_is_off_the_front_is_beaten_by_something_on_it(points in prop::collection::vec((0.0..1.0, 0.0..1.0), 1..20)) {
            let field = Field::new(points.iter().enumerate().map(|(number, &(x, y))| point(number, x, y)).collect());
            let front = field.front("sparsity/exact");
            prop_assert!(!front.is_empty());
            for (index, own) in points.iter().enumerate() {
                let beaten = front.iter().any(|&other| {
                    let other = points[other];
                    other.0 >= own.0 && other.1 >= own.1 && other != *own
                });
                prop_assert_eq!(front.contains(&index), !beaten);
            }
            // From left to right, the front goes down.
            prop_assert!(front.windows(2).all(|two| points[two[0]].0 <= points[two[1]].0 && points[two[0]].1 >= points[two[1]].1));
        }
    }
}
