//! What a model bases one answer on: scores for each word, each method with its own checks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How importance is attributed to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Norm of the gradient of the logit by the word embedding, the article's |dy/dx_i|.
    #[serde(rename = "grad")]
    Gradient,
    /// Gradient times input, summed over the hidden axis.
    #[serde(rename = "gxi")]
    GradientInput,
    /// Integrated gradients from a baseline to the input.
    #[serde(rename = "ig")]
    IntegratedGradients,
    /// Probability lost when the word is masked.
    Occlusion,
    /// Weighted ridge regression on masked copies of the text.
    Lime,
}

impl Method {
    /// All methods, in the order in which they are shown.
    pub const ALL: [Method; 5] =
        [Method::GradientInput, Method::IntegratedGradients, Method::Occlusion, Method::Lime, Method::Gradient];

    /// The name on the command line and in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Method::Gradient => "grad",
            Method::GradientInput => "gxi",
            Method::IntegratedGradients => "ig",
            Method::Occlusion => "occlusion",
            Method::Lime => "lime",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Method::Gradient => "gradient norm",
            Method::GradientInput => "gradient x input",
            Method::IntegratedGradients => "integrated gradients",
            Method::Occlusion => "occlusion",
            Method::Lime => "LIME",
        }
    }

    /// Whether a score's sign says for or against the class.
    #[must_use]
    pub fn is_signed(self) -> bool {
        self != Method::Gradient
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Method::ALL.into_iter().find(|method| method.key() == name).ok_or_else(|| {
            let known: Vec<_> = Method::ALL.iter().map(|method| method.key()).collect();
            format!("unknown method `{name}`; known are {}", known.join(", "))
        })
    }
}

/// The number that is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// The logit of the class.
    Logit,
    /// The softmax probability of the class.
    Probability,
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
    /// The right class, when known.
    pub label: Option<usize>,
    /// Characters that a person marked as the reason, when known.
    pub rationale: Vec<Span>,
    /// Words beyond the model's length limit, not seen by it.
    pub truncated_words: usize,
    /// One entry for each method done so far.
    pub attributions: Vec<Attribution>,
    /// Whether more methods are still to come for this request.
    pub partial: bool,
}

/// Characters `start..end` of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(usize, usize)", into = "(usize, usize)")]
pub struct Span {
    /// First character.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
}

impl Span {
    /// Whether two spans share a character.
    #[must_use]
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl From<(usize, usize)> for Span {
    fn from((start, end): (usize, usize)) -> Self {
        Self { start, end }
    }
}

impl From<Span> for (usize, usize) {
    fn from(span: Span) -> Self {
        (span.start, span.end)
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
    /// How far to trust the scores; never empty.
    pub checks: Vec<Check>,
    /// The surrogate, for methods that fit one.
    pub surrogate: Option<Surrogate>,
    /// Evaluations of the model.
    pub evaluations: usize,
    /// Seed, for methods that draw.
    pub seed: Option<u64>,
    /// Wall time in milliseconds.
    pub ms: f64,
}

impl Attribution {
    /// Whether every check was passed.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.checks.iter().all(Check::passes)
    }
}

/// A local linear surrogate: probability ~ intercept + sum of the coefficients of the words present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrogate {
    /// Value with all words masked.
    pub intercept: f64,
    /// One coefficient for each word.
    pub coefficients: Vec<f64>,
    /// What the surrogate gives for the whole text.
    pub local_prediction: f64,
}

/// A measured reason to trust or distrust scores.
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
}

impl Check {
    /// Largest completeness gap that passes.
    pub const COMPLETENESS_LIMIT: f64 = 0.05;
    /// Smallest held-out R2 that passes.
    pub const FIDELITY_LIMIT: f64 = 0.5;

    /// Whether the scores may be trusted as far as this check goes.
    #[must_use]
    pub fn passes(&self) -> bool {
        match *self {
            Check::Completeness { gap, .. } => gap <= Self::COMPLETENESS_LIMIT,
            Check::Fidelity { held_out, .. } => held_out >= Self::FIDELITY_LIMIT,
            Check::Faithfulness { normalised, random, .. } => normalised > random,
            Check::Undefined => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_names_read_back() {
        for method in Method::ALL {
            assert_eq!(method.key().parse::<Method>(), Ok(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{}\"", method.key()));
        }
        assert!("magic".parse::<Method>().unwrap_err().contains("gxi"));
    }

    #[test]
    fn a_check_that_is_nan_does_not_pass() {
        assert!(!Check::Completeness { gap: f64::NAN, steps: 50 }.passes());
        assert!(!Check::Fidelity { in_sample: 1.0, held_out: f64::NAN }.passes());
        assert!(!Check::Faithfulness { normalised: f64::NAN, random: 0.0, exact: true }.passes());
    }
}
