//! Checks as words for people: what was measured, and why a map is not to be trusted.

use pellucid_protocol::{Attribution, Check, Verdict};

/// What a check has measured.
#[must_use]
pub fn said(check: Check) -> String {
    match check {
        Check::Completeness { gap, steps } => format!("completeness gap {:.1} % at {steps} steps", gap * 100.0),
        Check::Fidelity { in_sample, held_out } => format!("R2 {in_sample:.2}, held out {held_out:.2}"),
        Check::Faithfulness { normalised, random, .. } => format!("faithfulness {normalised:.2}, random {random:.2}"),
        Check::Undefined => "no check is defined for this text".to_owned(),
        Check::Sampling { rows, error: 0.0, .. } => format!("exact, by {rows} maskings"),
        Check::Sampling { rows, error, .. } => format!("{rows} samples, error at most {error:.4}"),
        Check::Smoothing { sigma, draws } => format!("noise {sigma} over {draws} copies"),
        Check::Eraser { comprehensiveness, sufficiency } => {
            format!("comprehensiveness {comprehensiveness:.2}, sufficiency {sufficiency:.2}")
        }
        Check::Curves { deletion, insertion } => format!("deletion {deletion:.2}, insertion {insertion:.2}"),
        Check::LeaveOneOut { tau } => format!("leave-one-out tau {tau:.2}"),
        Check::Stability { runs, spearman } => format!("stability {spearman:.2} over {runs} seeds"),
        Check::Infidelity { relative, .. } => format!("infidelity {relative:.2}"),
        Check::Sensitivity { max, .. } => format!("sensitivity {max:.2}"),
        Check::Plausibility { f1, iou, auprc } => format!("plausibility F1 {f1:.2}, IoU {iou:.2}, AUPRC {auprc:.2}"),
    }
}

/// The sign of a check's verdict.
#[must_use]
pub fn sign(check: Check) -> &'static str {
    match check.verdict() {
        Verdict::Passed => "✓",
        Verdict::Failed => "✗",
        Verdict::Informative => "·",
    }
}

/// Why a map is not to be trusted; nothing of one that is.
#[must_use]
pub fn reasons(made: &Attribution) -> Vec<String> {
    made.checks.iter().filter_map(|check| reason(*check)).collect()
}

fn reason(check: Check) -> Option<String> {
    match check {
        _ if !check.fails() => None,
        Check::Completeness { gap, .. } => Some(format!(
            "the scores miss what they have to add up to by {:.0} %, more than {:.0} %",
            gap * 100.0,
            Check::COMPLETENESS_LIMIT * 100.0
        )),
        Check::Fidelity { held_out, .. } => Some(format!(
            "the surrogate explains {held_out:.2} of what the model does nearby, less than {:.2}",
            Check::FIDELITY_LIMIT
        )),
        Check::Faithfulness { normalised, random, .. } => Some(format!(
            "its words move the model no more than words in random order do ({normalised:.2} against {random:.2})"
        )),
        _ => Some("no check is defined for it: nothing moves the model here, or all scores are alike".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_says_why_and_what_passes_says_nothing() {
        let all = [
            (Check::Completeness { gap: 0.2, steps: 16 }, "by 20 %, more than 5 %"),
            (Check::Fidelity { in_sample: 0.9, held_out: 0.31 }, "explains 0.31"),
            (Check::Faithfulness { normalised: 0.4, random: 0.5, exact: true }, "0.40 against 0.50"),
            (Check::Undefined, "no check is defined"),
        ];
        for (check, part) in all {
            assert!(reason(check).is_some_and(|told| told.contains(part)), "{check:?}");
            assert_eq!(sign(check), "✗");
        }
        let fine = Check::Completeness { gap: 0.01, steps: 16 };
        assert_eq!((reason(fine), sign(fine)), (None, "✓"));
        assert_eq!(sign(Check::LeaveOneOut { tau: -1.0 }), "·");
    }
}
