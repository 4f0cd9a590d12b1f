//! The metrics of a run: their names, units, direction and definition, and a map of values.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Metric values by name. Values that are not finite are written as `null` and read back as NaN.
#[derive(Debug, Clone, Default)]
pub struct Metrics(pub BTreeMap<String, f64>);

impl Metrics {
    /// The value of `name`, if it was measured.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Sets `name` to `value`.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        self.0.insert(name.into(), value);
    }

    /// Adds all values of `other`; where both have one, that of `other` stays.
    pub fn extend(&mut self, other: Metrics) {
        self.0.extend(other.0);
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// Equal if the same names have the same values; NaN equals NaN.
impl PartialEq for Metrics {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.iter().zip(other.iter()).all(|((a, x), (b, y))| a == b && (x == y || (x.is_nan() && y.is_nan())))
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value.is_finite().then_some(*value))))
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
        Ok(Self(values.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect()))
    }
}

/// Which way a metric should move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
    /// Neither is better as such.
    Neutral,
}

/// What a metric means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The name in events and exports.
    pub name: &'static str,
    /// The unit, empty for plain numbers.
    pub unit: &'static str,
    /// Which way it should move.
    pub direction: Direction,
    /// One sentence.
    pub meaning: &'static str,
    /// Its range, and what the ends mean; empty if the unit says it.
    pub range: &'static str,
    /// The paper or program that it comes from; empty if it needs none.
    pub source: &'static str,
}

const fn define(name: &'static str, unit: &'static str, direction: Direction, meaning: &'static str) -> Definition {
    Definition { name, unit, direction, meaning, range: "", source: "" }
}

impl Definition {
    const fn within(self, range: &'static str) -> Self {
        Self { range, ..self }
    }

    const fn after(self, source: &'static str) -> Self {
        Self { source, ..self }
    }
}

const HINTON: &str = "Hinton, Vinyals and Dean 2015, arXiv 1503.02531";
const LIME: &str = "the local fidelity of LIME: Ribeiro, Singh and Guestrin 2016, arXiv 1602.04938";
const ERASER: &str = "AUPRC of ERASER: DeYoung et al. 2020, arXiv 1911.03429";
const DRIFT: &str = "rank correlation of Spearman; over training after Reasoning Stabilization Point, arXiv 2601.11625";
const AGREEMENT: &str = "feature agreement and sign agreement of OpenXAI: Agarwal et al. 2022, arXiv 2206.11104";
const JSD: &str =
    "Lin 1991, Divergence measures based on the Shannon entropy; between models after Delta-Audit, arXiv 2508.19589";
const ENTROPY: &str =
    "complexity of a map: Bhatt, Weller and Moura 2020, arXiv 2005.00631; Quantus has it as Complexity";
const GINI: &str = "sparseness of a map: Chalasani et al. 2020, arXiv 1810.06583; Quantus has it as Sparseness";
const OWN: &str = "of this program: what the alarm has found, asked of the model by masking";

const RANKS: &str = "0 same order of words, 1 no relation, 2 reversed";
const SHARE: &str = "0 to 1";
const APART: &str = "0 same shares, 1 nothing in common";
const OVERLAP: &str = "0 no word in common, 1 the same words";

/// Every metric with a fixed name. `sparsity/layer/<i>`, `sparsity/dead_heads/<i>`, `sparsity/dead_neurons/<i>` and
/// `optim/grad_norm/layer/<i>` exist as well, one for each encoder layer.
pub const DEFINITIONS: &[Definition] = &[
    define("loss/total", "nats", Direction::Down, "what the optimiser minimises: task, distillation and penalties"),
    define("loss/task", "nats", Direction::Down, "cross entropy with the labels, batch mean"),
    define("loss/l1", "", Direction::Down, "lambda times the sum of |w| over the penalised weights"),
    define("loss/l2", "", Direction::Down, "lambda times the sum of w squared over the matrices; coupled form only"),
    define("loss/group_l1", "", Direction::Down, "lambda times the norms of heads and neurons, each times root size"),
    define("loss/kd", "nats", Direction::Down, "T^2 KL(teacher/T to student/T), batch mean, before its weight alpha")
        .after(HINTON),
    define(
        "loss/rrr",
        "",
        Direction::Down,
        "squared gradient of the label's logit by words that must not be a reason, batch mean, before its weight",
    )
    .after("right for the right reasons: Ross, Hughes and Doshi-Velez 2017, arXiv 1703.03717"),
    define(
        "loss/consistency",
        "",
        Direction::Down,
        "1 - cosine between gradient x input of the model and of its reference, mean, before its weight",
    )
    .within("0 same direction, 1 no relation, 2 opposite")
    .after("attributions as what is distilled: AD-KD, Wu et al. 2023"),
    define(
        "train/accuracy",
        "",
        Direction::Up,
        "share of correct answers in the batch, dropout on, masked copies included",
    )
    .within(SHARE),
    define("valid/loss", "nats", Direction::Down, "cross entropy on the validation set"),
    define("valid/accuracy", "", Direction::Up, "share of correct answers, validation set").within(SHARE),
    define(
        "valid/f1",
        "",
        Direction::Up,
        "F1 on the validation set, mean over the classes that are present or predicted",
    )
    .within(SHARE),
    define(
        "valid/masked_accuracy",
        "",
        Direction::Up,
        "share of correct answers with a random share of each text's words masked, validation set",
    )
    .within(SHARE)
    .after("masked fine-tuning: FMM, arXiv 2310.07819"),
    define(
        "test/loss",
        "nats",
        Direction::Down,
        "cross entropy on the test rows, by the best weights, once at the end",
    ),
    define("test/accuracy", "", Direction::Up, "share of correct answers, test rows, by the best weights at the end")
        .within(SHARE),
    define(
        "test/f1",
        "",
        Direction::Up,
        "F1 on the test rows, mean over the classes that are present or predicted, by the best weights at the end",
    )
    .within(SHARE),
    define("sparsity/exact", "", Direction::Up, "share of encoder matrix weights that are exactly zero").within(SHARE),
    define("sparsity/near", "", Direction::Up, "share of encoder matrix weights under 1e-3 of their tensor's RMS")
        .within(SHARE),
    define("sparsity/dead_heads", "", Direction::Neutral, "attention heads none of whose weights is left"),
    define("sparsity/dead_neurons", "", Direction::Neutral, "feed-forward neurons none of whose weights is left"),
    define("kd/kl", "nats", Direction::Down, "KL(teacher to student) at temperature 1 on the validation set")
        .after(HINTON),
    define("kd/agreement", "", Direction::Up, "share of the validation set where both give the same answer")
        .within(SHARE),
    define("kd/accuracy_gap", "", Direction::Down, "teacher accuracy less student accuracy, validation set")
        .within("-1 to 1; below 0 the student is better"),
    define("optim/lr", "", Direction::Neutral, "learning rate of the step"),
    define("optim/grad_norm", "", Direction::Neutral, "norm of the gradient before clipping"),
    define("speed/step_ms", "ms", Direction::Down, "wall time of a step"),
    define("speed/examples_per_s", "1/s", Direction::Up, "training examples a second"),
    define("speed/tokens_per_s", "1/s", Direction::Up, "real tokens a second, padding not counted"),
    define("speed/probe_share", "", Direction::Down, "share of the time so far that explaining the probe set took"),
    define("system/cpu", "%", Direction::Neutral, "processor time used on the machine, of all its cores"),
    define("system/worker_cpu", "%", Direction::Neutral, "processor time of the worker; 100 is one core"),
    define("system/memory", "MB", Direction::Neutral, "memory in use on the machine"),
    define("system/worker_memory", "MB", Direction::Neutral, "resident memory of the worker"),
    define("system/gpu", "%", Direction::Neutral, "time in which the GPU that trains was busy"),
    define("system/gpu_memory", "MB", Direction::Neutral, "memory in use on that GPU"),
    define("system/gpu_power", "W", Direction::Neutral, "power that it draws"),
    define(
        "explain/faithfulness",
        "",
        Direction::Up,
        "correlation of gradient x input with what hiding words does, over the probe set: 1 says it all, 0 nothing",
    )
    .within("-1 to 1; 0 is what a random map says")
    .after("hidden groups of words as in Kernel SHAP: Lundberg and Lee 2017, arXiv 1705.07874"),
    define("explain/fidelity", "", Direction::Up, "weighted R2 of the surrogate on held-out perturbations, probe set")
        .within("at most 1; 0 says no more than the mean, below 0 less")
        .after(LIME),
    define(
        "explain/plausibility",
        "",
        Direction::Up,
        "area under precision over recall of the maps against the marked rationales, probe set",
    )
    .within(SHARE)
    .after(ERASER),
    define(
        "explain/drift",
        "",
        Direction::Down,
        "1 - Spearman between this and the previous evaluation's maps, probe set",
    )
    .within(RANKS)
    .after(DRIFT),
    define(
        "explain/drift_start",
        "",
        Direction::Neutral,
        "1 - Spearman between the maps of now and before the first step",
    )
    .within(RANKS)
    .after(DRIFT),
    define(
        "explain/drift_teacher",
        "",
        Direction::Down,
        "1 - Spearman between the maps of the model and of its teacher",
    )
    .within(RANKS)
    .after(DRIFT),
    define(
        "explain/jaccard",
        "",
        Direction::Up,
        "overlap of the fifth of words with the largest scores, with the previous evaluation: 1 is the same words",
    )
    .within(OVERLAP)
    .after(AGREEMENT),
    define("explain/jaccard_start", "", Direction::Neutral, "that overlap with the maps before the first step")
        .within(OVERLAP)
        .after(AGREEMENT),
    define("explain/jaccard_teacher", "", Direction::Up, "that overlap with the teacher's maps")
        .within(OVERLAP)
        .after(AGREEMENT),
    define(
        "explain/sign",
        "",
        Direction::Up,
        "share of the fifth of words with the largest scores that the previous evaluation has too, with the same sign",
    )
    .within(SHARE)
    .after(AGREEMENT),
    define("explain/sign_start", "", Direction::Neutral, "that share against the maps before the first step")
        .within(SHARE)
        .after(AGREEMENT),
    define("explain/sign_teacher", "", Direction::Up, "that share against the teacher's maps")
        .within(SHARE)
        .after(AGREEMENT),
    define(
        "explain/jsd",
        "bits",
        Direction::Down,
        "Jensen-Shannon divergence of the words' shares of a map from the previous evaluation's: 0 same, 1 apart",
    )
    .within(APART)
    .after(JSD),
    define("explain/jsd_start", "bits", Direction::Neutral, "that divergence from the maps before the first step")
        .within(APART)
        .after(JSD),
    define("explain/jsd_teacher", "bits", Direction::Down, "that divergence from the teacher's maps")
        .within(APART)
        .after(JSD),
    define(
        "explain/shortcut",
        "",
        Direction::Down,
        "probability that masking the most used shortcut word takes from its class, validation set; 0 if none is found",
    )
    .within(SHARE)
    .after(OWN),
    define("explain/entropy", "nats", Direction::Neutral, "how many words a map spreads over: 0 one, ln n all n alike")
        .within("0 to ln n for a text of n words")
        .after(ENTROPY),
    define(
        "explain/gini",
        "",
        Direction::Neutral,
        "how unevenly a map spreads over its words: 0 all alike, near 1 one",
    )
    .within(SHARE)
    .after(GINI),
];

/// The definition of `name`, if it is one of [`DEFINITIONS`].
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

/// The name without its family: `accuracy` of `valid/accuracy`.
#[must_use]
pub fn short(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, short)| short)
}

/// The name of the sparsity of encoder layer `index`.
#[must_use]
pub fn layer_sparsity(index: usize) -> String {
    format!("sparsity/layer/{index}")
}

/// The name of the number of dead attention heads of layer `index`.
#[must_use]
pub fn layer_dead_heads(index: usize) -> String {
    format!("sparsity/dead_heads/{index}")
}

/// The name of the number of dead feed-forward neurons of layer `index`.
#[must_use]
pub fn layer_dead_neurons(index: usize) -> String {
    format!("sparsity/dead_neurons/{index}")
}

/// The name of the norm of the gradient, before clipping, of encoder layer `index`.
#[must_use]
pub fn layer_grad_norm(index: usize) -> String {
    format!("optim/grad_norm/layer/{index}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_finite_travel_as_null() {
        let mut metrics = Metrics::default();
        metrics.set("a", f64::NAN);
        metrics.set("b", 0.5);
        let line = serde_json::to_string(&metrics).unwrap();
        assert_eq!(line, r#"{"a":null,"b":0.5}"#);
        assert_eq!(serde_json::from_str::<Metrics>(&line).unwrap(), metrics);
    }

    #[test]
    fn what_is_said_of_explanations_has_a_range_and_a_source() {
        let told = DEFINITIONS.iter().filter(|known| known.name.starts_with("explain/"));
        let lacking: Vec<_> = told.filter(|known| known.range.is_empty() || known.source.is_empty()).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = DEFINITIONS.iter().map(|definition| definition.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DEFINITIONS.len());
    }
}
