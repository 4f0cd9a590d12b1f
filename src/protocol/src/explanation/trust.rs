//! How far to trust a map, in words, and which map of a text to trust most.

use std::cmp::Ordering;

use super::check::{Check, Grade, Verdict};
use super::{Attribution, Explanation, Sign};
use crate::text::readable::percent;

impl Grade {
    /// The grade as three dots, the fuller the better.
    #[must_use]
    pub fn dots(self) -> &'static str {
        match self {
            Grade::Strong => "●●●",
            Grade::Weak => "●●○",
            Grade::None => "○○○",
            Grade::Nothing => "–––",
            Grade::Undecided => UNTESTED,
        }
    }
}

/// The dots of a map that is not tested.
const UNTESTED: &str = "···";

impl Attribution {
    /// The correlation of the scores with what hiding words does; `None` while it is not tested.
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        self.checks.iter().find_map(|check| match check {
            Check::Chance { correlation, .. } => Some(*correlation),
            _ => None,
        })
    }

    /// Which of two maps deserves more trust: by the grade, then by the correlation. One that is not tested comes before one
    /// that has failed.
    #[must_use]
    pub fn compare_trust(&self, other: &Self) -> Ordering {
        let correlation = |made: &Self| made.correlation().unwrap_or(f64::NEG_INFINITY);
        let grade = |made: &Self| made.grade().unwrap_or(Grade::Undecided);
        grade(self).cmp(&grade(other)).then_with(|| correlation(self).total_cmp(&correlation(other)))
    }

    /// The grade as three dots: `●●●`, `●●○`, `○○○`; `–––` where there is nothing to explain, `···` before the test.
    #[must_use]
    pub fn dots(&self) -> &'static str {
        self.grade().map_or(UNTESTED, Grade::dots)
    }

    /// The grade in words.
    #[must_use]
    pub fn trust(&self) -> &'static str {
        let by_chance = self.checks.iter().any(|check| matches!(check, Check::Chance { grade: Grade::None, .. }));
        match self.grade() {
            Some(Grade::None) if self.is_undefined() => "cannot be tested",
            Some(Grade::None) if !by_chance => "fails its own check",
            Some(grade) => grade.told(),
            None => "not tested",
        }
    }

    /// Why the map has its grade, in a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        self.excuse().unwrap_or_else(|| match self.chance() {
            Some((share, p)) if self.is_trusted() => format!("its scores follow {share}; {}", trusted_by(p)),
            Some((share, p)) => format!("its scores follow {share}, but {}", doubted_by(p)),
            None => "nobody knows whether to trust it".to_owned(),
        })
    }

    /// The same for less room: shorter, and shorter still.
    #[must_use]
    pub fn short_reasons(&self) -> [String; 2] {
        if let Some(excuse) = self.excuse() {
            return [excuse.clone(), excuse];
        }
        match self.chance() {
            Some((share, p)) => {
                let by = if self.is_trusted() { trusted_by(p) } else { doubted_by(p) };
                [format!("follows {share}; {by}"), format!("follows {share}")]
            }
            None => ["nobody knows whether to trust it"; 2].map(str::to_owned),
        }
    }

    /// The share of what hiding words does that the scores follow, in words, and the probability of as much by chance.
    fn chance(&self) -> Option<(String, f64)> {
        let Check::Chance { correlation, p, .. } =
            self.checks.iter().find(|check| matches!(check, Check::Chance { .. }))?
        else {
            return None;
        };
        let share = percent(correlation.max(0.0).powi(2));
        let what = match self.method.sign() {
            Sign::ForOrAgainst => "what hiding words does",
            Sign::None => "how much hiding words moves the answer",
        };
        Some((format!("{share} of {what}"), *p))
    }

    /// Whether all that speaks against it is that there was nothing to test.
    fn is_undefined(&self) -> bool {
        let mut failed = self.checks.iter().filter(|check| check.verdict() == Verdict::Failed).peekable();
        failed.peek().is_some() && failed.all(|check| *check == Check::Undefined)
    }

    /// What is to be said instead of the figures of the test.
    fn excuse(&self) -> Option<String> {
        let own =
            || self.checks.iter().filter(|check| !matches!(check, Check::Chance { .. })).find_map(Check::objection);
        match self.grade() {
            Some(Grade::Nothing) => {
                Some("Hiding words hardly moves the answer: an empty text gets nearly the same".to_owned())
            }
            Some(Grade::Undecided) => {
                Some("too few groups of words were hidden so far to tell it from a random map".to_owned())
            }
            Some(Grade::None) if self.is_undefined() && self.scores.len() < 2 => {
                Some("a single word has nothing to be compared with".to_owned())
            }
            Some(Grade::None) => own(),
            None => self.checks.iter().find_map(refining),
            Some(Grade::Strong | Grade::Weak) => None,
        }
    }
}

impl Explanation {
    /// The maps in order of trust, the best first; those of the same trust in the order of the methods.
    #[must_use]
    pub fn by_trust(&self) -> Vec<&Attribution> {
        let mut made: Vec<&Attribution> = self.attributions.iter().collect();
        made.sort_by(|a, b| b.compare_trust(a).then_with(|| a.method.cmp(&b.method)));
        made
    }

    /// The map to look at first: of those with the best grade the one that correlates most, one with a direction if there
    /// is one. Correlations of maps without a direction are with something else, and say less.
    #[must_use]
    pub fn best(&self) -> Option<&Attribution> {
        let order = self.by_trust();
        let first = order.first().copied()?;
        let mut equal = order.into_iter().take_while(|made| made.grade() == first.grade());
        equal.find(|made| made.method.is_signed()).or(Some(first))
    }
}

/// That the scores are still being refined.
fn refining(check: &Check) -> Option<String> {
    match *check {
        Check::Sampling { rows, planned, .. } if rows < planned => {
            Some(format!("refined with {rows} of {planned} samples so far, then tested"))
        }
        _ => None,
    }
}

/// What the probability of chance says for a map. It is corrected for the looks and the maps of the text, so it is a bound:
/// of how many texts one of as many random maps would do as well.
fn trusted_by(p: f64) -> String {
    let texts = match p {
        _ if p < 0.001 => "fewer than 1 of 1,000 texts".to_owned(),
        _ if p < 0.0095 => format!("at most {:.0} of 1,000 texts", p * 1000.0),
        _ => format!("at most {:.0} of 100 texts", p * 100.0),
    };
    format!("random maps do so in {texts}")
}

/// What it says against one.
fn doubted_by(p: f64) -> String {
    if p < 0.995 {
        format!("random maps may do so in {:.0} of 100 texts", p * 100.0)
    } else {
        "so may random maps".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation::method::Method;

    fn with(method: Method, checks: &[Check]) -> Attribution {
        let text = format!(
            r#"{{"method":"{method}","scalar":"probability","scores":[0.5],"checks":[],"surrogate":null,
            "evaluations":2,"seed":1,"ms":3.0}}"#
        );
        Attribution { checks: checks.to_vec(), ..serde_json::from_str(&text).unwrap() }
    }

    fn chance(grade: Grade, correlation: f64, p: f64) -> Check {
        Check::Chance { grade, correlation, p, rows: 64 }
    }

    const UNFIT: Check = Check::Fidelity { in_sample: 0.9, held_out: 0.2 };

    #[test]
    fn each_grade_has_dots_a_name_and_a_reason() {
        let of = |method, checks: &[Check]| {
            let made = with(method, checks);
            (made.dots(), made.trust(), made.reason())
        };
        let (dots, trust, reason) = of(Method::Occlusion, &[chance(Grade::Strong, 0.81, 0.0001)]);
        assert_eq!((dots, trust), ("●●●", "strong"));
        assert_eq!(
            reason,
            "its scores follow 66 % of what hiding words does; random maps do so in fewer than 1 of 1,000 texts"
        );
        let (dots, trust, reason) = of(Method::Gradient, &[chance(Grade::None, -0.3, 0.41)]);
        assert_eq!((dots, trust), ("○○○", "not told from chance"));
        assert_eq!(
            reason,
            "its scores follow 0 % of how much hiding words moves the answer, but random maps may do so in 41 of 100 texts"
        );
        let (dots, trust, reason) = of(Method::Lime, &[UNFIT, chance(Grade::Strong, 0.9, 0.001)]);
        assert_eq!((dots, trust), ("○○○", "fails its own check"), "never said to be like chance");
        assert!(reason.contains("R² 0.20"), "{reason}");
        let (dots, _, reason) = of(Method::Lime, &[UNFIT, chance(Grade::Nothing, 0.9, 0.001)]);
        assert_eq!(dots, "–––");
        assert!(reason.contains("empty text"), "{reason}");
        assert_eq!(of(Method::Lime, &[chance(Grade::Undecided, 0.9, 0.2)]).1, "not decided");
        assert_eq!(of(Method::Lime, &[]).1, "not tested");
        let (_, trust, reason) = of(Method::Lime, &[Check::Undefined]);
        assert_eq!((trust, reason.as_str()), ("cannot be tested", "a single word has nothing to be compared with"));
    }

    #[test]
    fn chance_is_told_in_cases() {
        let told = [0.0001, 0.0042, 0.012].map(trusted_by);
        let texts = ["fewer than 1 of 1,000", "at most 4 of 1,000", "at most 1 of 100"];
        assert_eq!(told, texts.map(|texts| format!("random maps do so in {texts} texts")));
        assert_eq!([0.41, 1.0].map(doubted_by), ["random maps may do so in 41 of 100 texts", "so may random maps"]);
        let [short, shorter] = with(Method::Lime, &[chance(Grade::Weak, 0.5, 0.012)]).short_reasons();
        assert_eq!(short, "follows 25 % of what hiding words does; random maps do so in at most 1 of 100 texts");
        assert!(short.starts_with(&shorter) && shorter.ends_with("does"));
    }

    #[test]
    fn the_best_map_has_the_best_grade_then_the_highest_correlation() {
        let line = r#"{"request":1,"step":9,"sample":null,"text":"a","words":[[0,1]],"probabilities":[1.0],
            "teacher_probabilities":null,"target":0,"label":null,"rationale":[],"truncated_words":0,
            "attributions":[],"partial":false}"#;
        let mut explained: Explanation = serde_json::from_str(line).unwrap();
        assert_eq!(explained.best(), None);
        explained.attributions = vec![
            with(Method::GradientInput, &[]),
            with(Method::Lime, &[UNFIT, chance(Grade::Strong, 0.99, 0.0)]),
            with(Method::Shapley, &[chance(Grade::Weak, 0.7, 0.01)]),
            with(Method::Occlusion, &[chance(Grade::Weak, 0.6, 0.01)]),
            with(Method::Gradient, &[chance(Grade::Undecided, 0.6, 0.1)]),
        ];
        let order: Vec<_> = explained.by_trust().iter().map(|made| made.method).collect();
        assert_eq!(order, [Method::Shapley, Method::Occlusion, Method::Gradient, Method::GradientInput, Method::Lime]);
        explained.attributions.push(with(Method::Rollout, &[chance(Grade::Weak, 0.9, 0.01)]));
        assert_eq!(explained.by_trust()[0].method, Method::Rollout);
        assert_eq!(explained.best().unwrap().method, Method::Shapley, "of equal grade, one with a direction");
    }
}
