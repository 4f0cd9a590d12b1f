//! What a model bases one answer on: a score for each word from each method, with the method's own checks.

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use crate::text::unknown::unknown;

pub mod agreement;
pub mod check;
pub mod edit;
pub mod method;
pub mod privacy;
pub mod progress;
pub mod rank;
pub mod scale;
pub mod span;
pub mod stand_in;
pub mod surrogate;
mod trust;
pub mod word_group;
pub mod word_importance;

pub use check::{Check, Grade, Verdict};
pub use edit::WordEdit;
pub use method::{Baseline, Method, Removal};
pub use privacy::Privacy;
pub use progress::Progress;
pub use scale::{Scale, Sign, Unit};
pub use span::Span;
pub use stand_in::StandIn;
pub use surrogate::{Condition, Exhaustive, Interaction, Rule, Surrogate, Tree};
pub use word_group::{Scored, WordGroup};

/// The number that is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scalar {
    /// The logit of the class.
    Logit,
    /// The softmax probability of the class.
    Probability,
    /// The logit of the class minus the highest of the other classes.
    Margin,
    /// None: a share of attention, the same for every class.
    Attention,
}

/// Only those that a person can choose.
impl FromStr for Scalar {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Scalar::CHOICES.into_iter().find(|scalar| scalar.key() == name);
        found.ok_or_else(|| unknown("scalar", name, &Scalar::CHOICES.map(Scalar::key)))
    }
}

impl Scalar {
    /// Those that a person can choose.
    pub const CHOICES: [Scalar; 3] = [Scalar::Logit, Scalar::Probability, Scalar::Margin];

    /// The name on the command line and in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.into()
    }
}

/// Explanations of one text by one state of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Number of the request it answers.
    pub request: u64,
    /// Steps done by the model it explains.
    pub step: u64,
    /// Index among the validation samples, when it is one of them.
    pub sample: Option<usize>,
    /// The text.
    pub text: String,
    /// Words as spans of characters of `text`.
    pub words: Vec<Span>,
    /// Probability of each class.
    pub probabilities: Vec<f64>,
    /// Probability of each class by the teacher, with distillation.
    pub teacher_probabilities: Option<Vec<f64>>,
    /// The class that is explained.
    pub target: usize,
    /// The correct class, if known.
    pub label: Option<usize>,
    /// Characters that a person marked as the rationale, if known.
    pub rationale: Vec<Span>,
    /// Words beyond the model's length limit, which it does not see.
    pub truncated_words: usize,
    /// Tokens that the model lacks, with those that stand in for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stand_ins: Vec<StandIn>,
    /// One entry for each method done so far.
    pub attributions: Vec<Attribution>,
    /// Whether more is still to come for this request.
    pub partial: bool,
    /// How far it is, while more is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Methods that were asked for and are left out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// The changes that led from the original text to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<WordEdit>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Asker::is_person")]
    pub asker: Asker,
    /// Whether the text may be written down.
    #[serde(default, skip_serializing_if = "Privacy::is_public")]
    pub privacy: Privacy,
}

/// A method that was asked for and has no scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The method.
    pub method: Method,
    /// Why, e.g. `the time had ended`.
    pub why: String,
}

/// Who asked for an explanation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    /// A person, for this one.
    #[default]
    Person,
    /// A survey of many samples.
    Survey,
}

impl Asker {
    fn is_person(&self) -> bool {
        *self == Asker::Person
    }
}

impl Explanation {
    /// The characters of a word.
    #[must_use]
    pub fn word(&self, word: usize) -> String {
        let span = self.words.get(word).copied().unwrap_or(Span { start: 0, end: 0 });
        self.text.chars().skip(span.start).take(span.end.saturating_sub(span.start)).collect()
    }

    /// What may be written down of it: all but its progress, and without the letters of its text, if that is private.
    #[must_use]
    pub fn recordable(&self) -> Cow<'_, Self> {
        match &self.privacy {
            Privacy::Public | Privacy::Masked(_) if self.progress.is_some() => {
                Cow::Owned(Self { progress: None, ..self.clone() })
            }
            Privacy::Public | Privacy::Masked(_) => Cow::Borrowed(self),
            Privacy::Named(row) => Cow::Owned(Self {
                text: privacy::masked(&self.text),
                privacy: Privacy::Masked(row.clone()),
                progress: None,
                ..self.clone()
            }),
        }
    }

    /// The share of the text's words that the model sees.
    #[must_use]
    pub fn seen(&self) -> f64 {
        let words = self.words.len() + self.truncated_words;
        if words == 0 { 1.0 } else { self.words.len() as f64 / words as f64 }
    }

    /// The scores of one method.
    #[must_use]
    pub fn by(&self, method: Method) -> Option<&Attribution> {
        self.attributions.iter().find(|attribution| attribution.method == method)
    }
}

/// One method's scores with the checks that say how far to trust them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// The method.
    pub method: Method,
    /// The number that is explained.
    pub scalar: Scalar,
    /// One score for each word of the explanation; positive speaks for the class.
    pub scores: Vec<f64>,
    /// Standard error of each score, for methods that sample; empty for the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<f64>,
    /// How far to trust the scores; empty only while they are not checked yet.
    pub checks: Vec<Check>,
    /// The surrogate, for methods that fit a linear one.
    pub surrogate: Option<Surrogate>,
    /// The surrogate, for the method that fits a tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
    /// The results from all maskings of a short text, for the method that evaluates them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhaustive: Option<Exhaustive>,
    /// The groups of words that were removed as wholes, for methods that do so in a long text; empty for the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<WordGroup>,
    /// Where the path of integrated gradients begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// How words were removed from the text, for methods that remove words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,
    /// What the scores are added to, for methods whose scores add up: the explained number with all words
    /// masked, at the baseline, or of the surrogate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// Evaluations of the model.
    pub evaluations: usize,
    /// Seed, for methods that sample.
    pub seed: Option<u64>,
    /// Wall time of the scores in milliseconds, without their checks.
    pub ms: f64,
}

impl Attribution {
    /// The two ends that the scores connect, for methods whose scores add up: [`Self::start`], and the same plus all
    /// scores.
    #[must_use]
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.start.map(|start| (start, start + self.scores.iter().sum::<f64>()))
    }

    /// Whether the scores failed a gate.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.checks.iter().any(Check::fails)
    }

    /// Whether a gate was checked; before that, nothing is known about the scores.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checks.iter().any(|check| check.verdict() != Verdict::Informative)
    }

    /// How much the scores say: nothing if they failed any gate, else what the test against chance found. `None` while
    /// they are not tested.
    #[must_use]
    pub fn grade(&self) -> Option<Grade> {
        let tested = self.checks.iter().find_map(|check| match check {
            Check::Chance { grade, .. } => Some(*grade),
            _ => None,
        });
        match tested {
            Some(Grade::Nothing) => tested,
            _ if self.fails() => Some(Grade::None),
            _ => tested,
        }
    }

    /// Whether nothing is to come for these scores but figures: they were tested, and the test is decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.is_checked() && self.grade() != Some(Grade::Undecided)
    }

    /// Whether the scores passed the test against chance and failed no gate. Scores that are still being refined have not
    /// passed it yet.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self.grade(), Some(Grade::Strong | Grade::Weak))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(checks: &[Check]) -> Attribution {
        let old = r#"{"method":"lime","scalar":"probability","scores":[0.5],"checks":[],"surrogate":null,
            "evaluations":2,"seed":1,"ms":3.0}"#;
        let attribution: Attribution = serde_json::from_str(old).unwrap();
        Attribution { checks: checks.to_vec(), ..attribution }
    }

    #[test]
    fn names_of_scalars_read_back() {
        for scalar in Scalar::CHOICES {
            assert_eq!(scalar.key().parse::<Scalar>(), Ok(scalar));
            assert_eq!(serde_json::to_string(&scalar).unwrap(), format!("\"{scalar}\""));
        }
        assert!("attention".parse::<Scalar>().unwrap_err().contains("margin"));
    }

    #[test]
    fn trust_comes_from_gates_alone() {
        let (gap, bad) = (Check::Completeness { gap: 0.0, steps: 16 }, Check::Undefined);
        let graded = |grade| Check::Chance { grade, correlation: 0.5, p: 0.01, rows: 64 };
        let (good, figure) = (graded(Grade::Weak), Check::LeaveOneOut { tau: -1.0 });
        let trusted = |checks: &[Check]| with(checks).is_trusted();
        assert!(trusted(&[good]) && trusted(&[gap, good, figure]) && !trusted(&[gap]));
        assert!(!trusted(&[good, bad]) && !trusted(&[bad, figure]));
        assert!(!trusted(&[figure]) && !trusted(&[]));
        assert_eq!(with(&[gap]).grade(), None);
        assert_eq!(with(&[bad, graded(Grade::Undecided)]).grade(), Some(Grade::None));
        assert_eq!(with(&[bad, graded(Grade::Nothing)]).grade(), Some(Grade::Nothing));
        assert!(!with(&[figure]).fails() && !with(&[figure]).is_checked() && with(&[bad, figure]).fails());
    }
}
