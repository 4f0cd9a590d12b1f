//! What an explainer may ask of a model about one text and one class, and nothing else.

use pellucid_protocol::Baseline;

/// Why an oracle gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OracleError {
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// The model could not be evaluated.
    #[error("{0}")]
    Failed(String),
}

/// The answer of an oracle.
pub type Answer<T> = Result<T, OracleError>;

/// Probabilities of the explained class for the text with some of its words masked.
pub trait Predict {
    /// Number of words, all of which the model sees.
    fn words(&self) -> usize;

    /// Probability of the explained class for each row of `presence`; `presence[r][w]` says whether
    /// word `w` is left as it is (`true`) or masked, all its pieces together (`false`).
    ///
    /// # Errors
    /// When the model could not be evaluated or nobody waits any more.
    fn probabilities(&mut self, presence: &[Vec<bool>]) -> Answer<Vec<f64>>;

    /// The same with the words that are not present deleted, all their pieces together, so that the text
    /// gets shorter. Special tokens stay; of a text with no token left, one stands for it that means
    /// nothing.
    ///
    /// # Errors
    /// As [`Predict::probabilities`].
    fn shortened(&mut self, presence: &[Vec<bool>]) -> Answer<Vec<f64>>;
}

/// What lies inside the model: gradients of the explained logit by the word embeddings, and attention.
pub trait Slopes: Predict {
    /// At the input: per word, the sum over pieces and hidden axis of gradient x embedding, and the
    /// norm of the gradient over pieces and hidden axis.
    ///
    /// # Errors
    /// As [`Predict::probabilities`].
    fn gradient(&mut self) -> Answer<WordGradient>;

    /// At the points `baseline + alpha * (input - baseline)`, one for each of `alphas`. Every word's pieces
    /// start from the `baseline`; special tokens stay, and so do the positions of all tokens.
    ///
    /// # Errors
    /// As [`Predict::probabilities`].
    fn path(&mut self, baseline: Baseline, alphas: &[f64]) -> Answer<Vec<PathPoint>>;

    /// At the noisy inputs `first..first + count` of `noise`: the gradient there, per word its norm and its
    /// product with the input as it is without noise.
    ///
    /// # Errors
    /// As [`Predict::probabilities`].
    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>>;

    /// Attention at the input.
    ///
    /// # Errors
    /// As [`Predict::probabilities`].
    fn attention(&mut self) -> Answer<Attention>;
}

/// Attention of one layer, the mean over its heads: one row for each token, of what it takes from each.
pub type AttentionMatrix = Vec<Vec<f64>>;

/// What attends to what.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// The layers from the first to the last; tokens x tokens each, special ones included.
    pub layers: Vec<AttentionMatrix>,
    /// The share of each token's last state in what the head reads: all of the first or the last, or the same
    /// of each.
    pub reader: Vec<f64>,
    /// The word of each token; `None` for special ones.
    pub word_of_token: Vec<Option<usize>>,
}

/// Gaussian noise on the embeddings of the words' pieces; special tokens have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Standard deviation, relative to the range (largest minus smallest number) of the text's word
    /// embeddings.
    pub sigma: f64,
    /// One seed, one sequence of noisy inputs.
    pub seed: u64,
}

/// Gradient of the logit at the input.
#[derive(Debug, Clone, PartialEq)]
pub struct WordGradient {
    /// Per word, gradient x embedding, summed.
    pub times_input: Vec<f64>,
    /// Per word, L2 norm of the gradient.
    pub norm: Vec<f64>,
}

/// The model at one point between baseline and input.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPoint {
    /// The explained logit.
    pub logit: f64,
    /// Per word, gradient x (input - baseline), summed over pieces and hidden axis.
    pub slopes: Vec<f64>,
}

/// Refuses an answer that is not `expected` finite numbers: nothing computed from it could be trusted,
/// and a run's log cannot hold it.
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
