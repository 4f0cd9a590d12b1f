//! What the outputs of a model mean, whatever the task.

use pellucid_explain::Outcome;
use pellucid_protocol::explanation::Scalar;
use tch::Tensor;

/// What the outputs of a model mean.
pub trait Output: Sync {
    /// The probability of each output.
    fn probabilities(&self, logits: &[f32]) -> Vec<f64>;

    /// The output that is the answer.
    fn answer(&self, probabilities: &[f64]) -> usize;

    /// What explainers are told about output `target`.
    fn outcome(&self, logits: &[f64], target: usize) -> Outcome;

    /// The number of each row that is explained, `[rows]`, from logits `[rows, outputs]`.
    fn explained(&self, logits: &Tensor, target: usize, scalar: Scalar) -> Tensor;
}
