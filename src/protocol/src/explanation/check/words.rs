//! Checks in words: what was measured, and why scores are not to be trusted.

use crate::text::readable::{number, percent};

use super::{Check, Grade, Verdict};

impl Check {
    /// What was measured: `R² 0.93, held out 0.88`.
    #[must_use]
    pub fn measured(&self) -> String {
        match *self {
            Check::Completeness { gap, steps } => format!("completeness gap {} at {steps} steps", percent(gap)),
            Check::Fidelity { in_sample, held_out } => format!("R² {in_sample:.2}, held out {held_out:.2}"),
            Check::Chance { grade: Grade::Nothing, .. } => "hiding words hardly moves the answer".to_owned(),
            Check::Chance { grade: Grade::Undecided, rows, .. } => {
                format!("not decided after hiding {rows} groups of words")
            }
            Check::Chance { correlation, p, .. } => {
                format!("r {correlation:.2} with what hiding words does, by chance p {}", chance(p))
            }
            Check::Faithfulness { normalised, random, .. } => {
                format!("faithfulness {normalised:.2}, random {random:.2}")
            }
            Check::Undefined => "no check is possible".to_owned(),
            Check::Sampling { rows, planned, error } if rows < planned => {
                format!("refining: {rows} of {planned} samples, ±{}", number(error))
            }
            Check::Sampling { rows, error: 0.0, .. } => format!("exact: all {rows} ways to hide words"),
            Check::Sampling { rows, error, .. } => format!("{rows} samples, ±{}", number(error)),
            Check::Smoothing { sigma, draws } => format!("noise σ {sigma} over {draws} copies"),
            Check::Eraser { comprehensiveness, sufficiency } => {
                format!("comprehensiveness {comprehensiveness:+.2}, sufficiency {sufficiency:+.2}")
            }
            Check::Curves { deletion, insertion } => format!("deletion {deletion:.2}, insertion {insertion:.2}"),
            Check::LeaveOneOut { tau } => format!("leave-one-out τ {tau:+.2}"),
            Check::Stability { runs, spearman } => format!("stability {spearman:+.2} over {runs} seeds"),
            Check::Infidelity { relative, .. } => format!("infidelity {relative:.2}"),
            Check::Sensitivity { max, .. } => format!("sensitivity {max:.2}"),
            Check::Plausibility { f1, iou, auprc } => {
                format!("plausibility F1 {f1:.2}, IoU {iou:.2}, AUPRC {auprc:.2}")
            }
        }
    }

    /// What was measured, for a narrow column; `None` for what does not fit one number.
    #[must_use]
    pub fn brief(&self) -> Option<String> {
        match *self {
            Check::Completeness { gap, .. } => Some(format!("gap {}", percent(gap))),
            Check::Fidelity { held_out, .. } => Some(format!("R² {held_out:.2}")),
            Check::Undefined => Some("no check possible".to_owned()),
            Check::Chance { grade, .. } => Some(grade.told().to_owned()),
            Check::Sampling { error: 0.0, .. } => Some("exact".to_owned()),
            Check::Sampling { error, .. } => Some(format!("±{}", number(error))),
            _ => None,
        }
    }

    /// Why the scores are not to be trusted; `None` unless this is a gate that was not passed.
    #[must_use]
    pub fn objection(&self) -> Option<String> {
        match *self {
            _ if self.verdict() != Verdict::Failed => None,
            Check::Completeness { gap, .. } => Some(format!(
                "the scores miss {} of the change they should add up to (limit {})",
                percent(gap),
                percent(Self::COMPLETENESS_LIMIT)
            )),
            Check::Fidelity { held_out, .. } => Some(format!(
                "the simple model behind it does not answer as the real one: R² {held_out:.2} on held-out texts, needs {:.2}",
                Self::FIDELITY_LIMIT
            )),
            Check::Chance { p, .. } => Some(format!(
                "a random map may do as well: hiding words does not do what these scores say (p {})",
                chance(p)
            )),
            _ => Some("no check is possible: nothing moves the model here, or all scores are alike".to_owned()),
        }
    }
}

impl Grade {
    /// The grade in a word or two.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Grade::Strong => "strong",
            Grade::Weak => "weak",
            Grade::None => "not told from chance",
            Grade::Nothing => "nothing to explain",
            Grade::Undecided => "not decided",
        }
    }
}

/// A probability of chance: `0.02`, or `< 0.001`.
fn chance(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_says_why_and_what_passes_says_nothing() {
        let all = [
            (
                Check::Completeness { gap: 0.2, steps: 16 },
                "miss 20 % of the change they should add up to (limit 5.0 %)",
            ),
            (Check::Fidelity { in_sample: 0.9, held_out: 0.31 }, "R² 0.31 on held-out texts, needs 0.50"),
            (Check::Chance { grade: Grade::None, correlation: 0.1, p: 0.4, rows: 64 }, "(p 0.400)"),
            (Check::Undefined, "no check is possible"),
        ];
        for (check, part) in all {
            assert!(check.objection().is_some_and(|told| told.contains(part)), "{check:?}");
        }
        assert_eq!(Check::Completeness { gap: 0.01, steps: 16 }.objection(), None);
        assert_eq!(Check::LeaveOneOut { tau: -1.0 }.objection(), None);
    }

    #[test]
    fn a_sample_tells_how_far_it_has_come() {
        let sampling = |rows, error| Check::Sampling { rows, planned: 1024, error };
        assert_eq!(sampling(64, 0.05).measured(), "refining: 64 of 1024 samples, ±0.050");
        assert_eq!(sampling(1024, 0.0123).measured(), "1024 samples, ±0.012");
        assert_eq!(sampling(1024, 0.0).measured(), "exact: all 1024 ways to hide words");
        assert_eq!(
            (sampling(1024, 0.0).brief().as_deref(), sampling(64, 0.05).brief().as_deref()),
            (Some("exact"), Some("±0.050"))
        );
    }
}
