//! Measured reasons to trust or distrust a map of word scores.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::text::unknown::named;

mod words;

/// What a check says about the scores that it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A gate that the scores passed.
    Passed,
    /// A gate that the scores failed.
    Failed,
    /// A gate without an answer: there is nothing to explain, or the time has ended.
    Open,
    /// A figure to read: no limit would suit all models and texts.
    Informative,
}

/// How much the scores of a map say about the model, in words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Grade {
    /// Nothing that a random map would not say.
    None,
    /// Not known: the time has ended, or the test goes on.
    Undecided,
    /// There is nothing to say: hiding words hardly moves the answer.
    Nothing,
    /// More than a random map, but they do not follow most of what hiding words does.
    Weak,
    /// They follow most of what hiding words does.
    Strong,
}

impl Grade {
    /// The name in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.into()
    }

    /// The grade as a gate.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Grade::Strong | Grade::Weak => Verdict::Passed,
            Grade::None => Verdict::Failed,
            Grade::Nothing | Grade::Undecided => Verdict::Open,
        }
    }
}

/// A measured reason to trust or distrust scores.
///
/// Four are gates with a verdict: completeness, fidelity, chance and undefined. The others are
/// [`Verdict::Informative`]. A check that has no meaning for a text or a method is left out, so every number is
/// finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// Integrated gradients: how far the scores are from adding up to F(input) - F(baseline).
    Completeness {
        /// |sum of scores - (F(input) - F(baseline))| / |F(input) - F(baseline)|.
        gap: f64,
        /// Quadrature nodes used.
        steps: usize,
    },
    /// Surrogate: weighted R2 on the perturbations it was fitted to and on held-out ones.
    Fidelity {
        /// In sample, as `lime` reports it.
        in_sample: f64,
        /// On perturbations that the fit has not seen.
        held_out: f64,
    },
    /// All methods: whether the scores say more about what hiding words does than a random map would.
    Chance {
        /// The outcome.
        grade: Grade,
        /// Correlation between the sums of the scores over random groups of words and the change of the probability
        /// when these are hidden, in [-1, 1]. For scores without a sign: the size of the change.
        correlation: f64,
        /// The probability that one of the text's maps does as well if all of them are random.
        p: f64,
        /// Groups that were hidden.
        rows: usize,
    },
    /// All methods: mean drop of the probability while words are masked from the highest score down
    /// (AOPC), placed between the worst and the best order.
    Faithfulness {
        /// (AOPC - worst) / (best - worst).
        normalised: f64,
        /// The same for random orders, their mean.
        random: f64,
        /// Whether the bounds are exact (all subsets) or found by beam search.
        exact: bool,
    },
    /// The measure is not defined for this text, e.g. it has no words or the probability never moves.
    Undefined,
    /// Methods that sample: how far chance may have moved the scores.
    Sampling {
        /// Maskings or points sampled so far.
        rows: usize,
        /// How many are planned.
        planned: usize,
        /// The largest standard error of a score, in the unit of the scores; 0 if nothing was left to chance.
        error: f64,
    },
    /// SmoothGrad: the noise over which the gradient is averaged.
    Smoothing {
        /// Standard deviation relative to the range of the text's word embeddings.
        sigma: f64,
        /// Noisy copies.
        draws: usize,
    },
    /// ERASER: differences of probabilities, means over the share of words taken by score.
    Eraser {
        /// p(text) - p(text without the highest words): high is good.
        comprehensiveness: f64,
        /// p(text) - p(the highest words alone): low is good.
        sufficiency: f64,
    },
    /// Areas under the probability while words are masked, or put into a text of masks, from the highest
    /// score down.
    Curves {
        /// Masked one after the other: low is good.
        deletion: f64,
        /// Put in one after the other: high is good.
        insertion: f64,
    },
    /// Agreement with leaving out one word at a time.
    LeaveOneOut {
        /// Kendall's tau-b in [-1, 1].
        tau: f64,
    },
    /// Methods that sample: agreement of the scores over seeds.
    Stability {
        /// Seeds, including this one.
        runs: usize,
        /// Mean Spearman correlation over their pairs.
        spearman: f64,
    },
    /// Signed maps: how badly the scores of masked words add up to the drop of the probability.
    Infidelity {
        /// Mean squared error after the best common scaling of the scores, relative to the mean squared
        /// drop: 0 is perfect, 1 no better than a zero map.
        relative: f64,
        /// Maskings.
        draws: usize,
    },
    /// Gradient maps: how far noise in the embeddings moves the scores.
    Sensitivity {
        /// Largest |s(noisy) - s| / |s|.
        max: f64,
        /// Noisy copies.
        draws: usize,
    },
    /// Agreement with the words that a person marked as the rationale.
    Plausibility {
        /// F1 of the highest words, taking as many as are marked.
        f1: f64,
        /// Intersection over union of the same.
        iou: f64,
        /// Area under precision over recall.
        auprc: f64,
    },
}

impl Check {
    /// Largest completeness gap that passes.
    pub const COMPLETENESS_LIMIT: f64 = 0.05;
    /// Smallest held-out R2 that passes.
    pub const FIDELITY_LIMIT: f64 = 0.5;

    /// What this check says about the scores.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let gate = |passed: bool| if passed { Verdict::Passed } else { Verdict::Failed };
        match *self {
            Check::Completeness { gap, .. } => gate(gap <= Self::COMPLETENESS_LIMIT),
            Check::Fidelity { held_out, .. } => gate(held_out >= Self::FIDELITY_LIMIT),
            Check::Chance { grade, .. } => grade.verdict(),
            Check::Undefined => Verdict::Failed,
            Check::Faithfulness { .. }
            | Check::Sampling { .. }
            | Check::Smoothing { .. }
            | Check::Eraser { .. }
            | Check::Curves { .. }
            | Check::LeaveOneOut { .. }
            | Check::Stability { .. }
            | Check::Infidelity { .. }
            | Check::Sensitivity { .. }
            | Check::Plausibility { .. } => Verdict::Informative,
        }
    }

    /// Whether this is a gate that the scores passed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.verdict() == Verdict::Passed
    }

    /// Whether this is a gate that the scores failed.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.verdict() == Verdict::Failed
    }
}

/// How thoroughly scores are checked.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_fn = unknown_checks, parse_err_ty = String)]
pub enum Depth {
    /// None but those that come with the scores.
    None,
    /// Only the gates: whether the map can be trusted.
    #[default]
    Gates,
    /// Also figures to read: faithfulness between the best and the worst order, ERASER, curves, leave-one-out,
    /// infidelity, plausibility. The two orders cost most, about a hundred rows a word.
    Figures,
    /// Also the figures that run the method again: stability over seeds, sensitivity to noise.
    Full,
}

named!(Depth, unknown_checks, "checks");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_is_nan_does_not_pass() {
        let nan = f64::NAN;
        for check in [Check::Completeness { gap: nan, steps: 50 }, Check::Fidelity { in_sample: 1.0, held_out: nan }] {
            assert!(check.fails() && !check.passes(), "{check:?}");
        }
    }

    #[test]
    fn what_has_no_limit_neither_passes_nor_fails() {
        for check in [
            Check::Sampling { rows: 64, planned: 1024, error: 0.5 },
            Check::Faithfulness { normalised: 0.2, random: 0.5, exact: true },
            Check::Smoothing { sigma: 0.01, draws: 16 },
            Check::Eraser { comprehensiveness: -0.5, sufficiency: 0.9 },
            Check::Curves { deletion: 0.9, insertion: 0.1 },
            Check::LeaveOneOut { tau: -1.0 },
            Check::Stability { runs: 3, spearman: -0.2 },
            Check::Infidelity { relative: 1.0, draws: 10 },
            Check::Sensitivity { max: 3.0, draws: 10 },
            Check::Plausibility { f1: 0.0, iou: 0.0, auprc: 0.1 },
        ] {
            assert_eq!(check.verdict(), Verdict::Informative);
            assert!(!check.passes() && !check.fails());
        }
    }

    #[test]
    fn a_grade_is_a_gate() {
        let verdict = |grade| Check::Chance { grade, correlation: 0.5, p: 0.01, rows: 64 }.verdict();
        assert_eq!([Grade::Strong, Grade::Weak].map(verdict), [Verdict::Passed; 2]);
        assert_eq!(verdict(Grade::None), Verdict::Failed);
        assert_eq!([Grade::Nothing, Grade::Undecided].map(verdict), [Verdict::Open; 2]);
        for grade in [Grade::Strong, Grade::Weak, Grade::None, Grade::Nothing, Grade::Undecided] {
            assert_eq!(serde_json::to_string(&grade).unwrap(), format!("\"{}\"", grade.key()));
        }
    }

    #[test]
    fn names_of_depths_read_back() {
        for &depth in Depth::ALL {
            assert_eq!(depth.key().parse::<Depth>(), Ok(depth));
            assert_eq!(serde_json::to_string(&depth).unwrap(), format!("\"{depth}\""));
        }
        assert!("all".parse::<Depth>().unwrap_err().contains("figures"));
    }

    #[test]
    fn the_lines_of_old_logs_are_read() {
        let old = r#"{"check":"faithfulness","normalised":0.8,"random":0.5,"exact":true}"#;
        let check: Check = serde_json::from_str(old).unwrap();
        assert_eq!(check, Check::Faithfulness { normalised: 0.8, random: 0.5, exact: true });
        assert_eq!(serde_json::to_string(&check).unwrap(), old);
        assert_eq!(serde_json::to_string(&Check::Undefined).unwrap(), r#"{"check":"undefined"}"#);
    }
}
