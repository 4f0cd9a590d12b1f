//! What an explainer may ask of a model about one text and one class, and nothing else.

pub mod masking;
pub mod subsets;
pub mod word_groups;
pub mod word_set;

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};

/// What a gradient costs, in forward passes of the same row: one forward, and about two for the way back.
pub const GRADIENT_COST: f64 = 3.0;

/// Why an oracle gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OracleError {
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// The time that the answer may take has ended.
    #[error("the time had ended")]
    OutOfTime,
    /// The question has no meaning for this text or model, whatever else can be asked.
    #[error("{0}")]
    Unsupported(String),
    /// The model could not be evaluated.
    #[error("{0}")]
    Failed(String),
}

/// The answer of an oracle.
pub type Answer<T> = Result<T, OracleError>;

/// What a model computes for one row and the explained class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The logit of the class.
    pub logit: f64,
    /// The softmax probability of the class.
    pub probability: f64,
    /// The logit of the class minus the highest of the other classes; the logit if there is no other class.
    pub margin: f64,
}

impl Outcome {
    /// The number that is explained. Attention is not a number of a row; the probability stands for it.
    #[must_use]
    pub fn of(self, scalar: Scalar) -> f64 {
        match scalar {
            Scalar::Logit => self.logit,
            Scalar::Margin => self.margin,
            Scalar::Probability | Scalar::Attention => self.probability,
        }
    }

    /// As [`check_numbers`], for the three numbers of each row.
    pub(crate) fn check(outcomes: &[Outcome], expected: usize) -> Answer<()> {
        let of = |scalar| outcomes.iter().map(|outcome| outcome.of(scalar)).collect::<Vec<_>>();
        check_numbers(&of(Scalar::Probability), expected, "probabilities")?;
        check_numbers(&of(Scalar::Logit), expected, "logits")?;
        check_numbers(&of(Scalar::Margin), expected, "margins")
    }
}

/// What a model answers for the text with some of its words removed.
pub trait Predict {
    /// Number of words, all of which the model sees.
    fn words(&self) -> usize;

    /// One outcome for each row of `presence`; `presence[r][w]` says whether word `w` stays as it is (`true`) or is
    /// removed with all its pieces (`false`): masked, or deleted, which makes the text shorter. Special tokens stay.
    /// If deleting leaves no token at all, one token without meaning takes their place.
    ///
    /// # Errors
    /// When the model could not be evaluated or nobody waits for the answer any more.
    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>>;
}

/// What lies inside the model: gradients of the explained scalar by the word embeddings, and attention.
pub trait Slopes: Predict {
    /// The gradient at the input. Per word: the sum of gradient x embedding over its pieces and the hidden axis, and
    /// the norm of the gradient over the same.
    ///
    /// # Errors
    /// As [`Predict::outcomes`].
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient>;

    /// The model at the points `baseline + alpha * (input - baseline)`, one for each of `alphas`. The pieces of every
    /// word start from the `baseline`; special tokens stay, and so do the positions of all tokens.
    ///
    /// # Errors
    /// As [`Predict::outcomes`].
    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>>;

    /// Gradients of `noise.scalar` at the noisy inputs `first..first + count` of `noise`. Per word: the norm of the
    /// gradient, and its product with the input without noise.
    ///
    /// # Errors
    /// As [`Predict::outcomes`].
    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>>;

    /// Attention at the input.
    ///
    /// # Errors
    /// As [`Predict::outcomes`].
    fn attention(&mut self) -> Answer<Attention>;
}

/// Attention of one layer, the mean over its heads: row i holds how much token i attends to each token.
pub type AttentionMatrix = Vec<Vec<f64>>;

/// What attends to what.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// The layers from the first to the last; each is tokens x tokens, special tokens included.
    pub layers: Vec<AttentionMatrix>,
    /// The share that the last state of each token has in what the classification head reads: 1 for the first or the
    /// last token, or the same for all tokens.
    pub reader: Vec<f64>,
    /// The word of each token; `None` for special tokens.
    pub word_of_token: Vec<Option<usize>>,
}

/// Gaussian noise on the embeddings of the words' pieces; special tokens get none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Standard deviation, relative to the range (largest minus smallest number) of the text's word embeddings.
    pub sigma: f64,
    /// Each seed gives one sequence of noisy inputs.
    pub seed: u64,
    /// The number whose gradients are wanted.
    pub scalar: Scalar,
}

/// Gradient of the explained scalar at one input.
#[derive(Debug, Clone, PartialEq)]
pub struct WordGradient {
    /// Per word, the sum of gradient x embedding.
    pub times_input: Vec<f64>,
    /// Per word, the L2 norm of the gradient.
    pub norm: Vec<f64>,
}

/// The model at one point between baseline and input.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPoint {
    /// The explained scalar.
    pub value: f64,
    /// Per word, the sum of gradient x (input - baseline) over its pieces and the hidden axis.
    pub slopes: Vec<f64>,
}

/// Refuses an answer that is not `expected` finite numbers: nothing computed from it could be trusted, and the log of
/// a run cannot hold it.
///
/// # Errors
/// [`OracleError::Failed`], which names `what` was asked for.
pub(crate) fn check_numbers(numbers: &[f64], expected: usize, what: &str) -> Answer<()> {
    if numbers.len() != expected {
        return Err(OracleError::Failed(format!("the model gave {} {what}, not {expected}", numbers.len())));
    }
    if let Some(bad) = numbers.iter().find(|number| !number.is_finite()) {
        return Err(OracleError::Failed(format!("the model gave {what} that are not finite ({bad})")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_numbers_are_named() {
        assert_eq!(check_numbers(&[0.5, 0.5], 2, "probabilities"), Ok(()));
        let short = check_numbers(&[0.5], 2, "probabilities").unwrap_err();
        assert_eq!(short.to_string(), "the model gave 1 probabilities, not 2");
        let nan = check_numbers(&[0.5, f64::NAN], 2, "probabilities").unwrap_err();
        assert_eq!(nan.to_string(), "the model gave probabilities that are not finite (NaN)");
    }
}
