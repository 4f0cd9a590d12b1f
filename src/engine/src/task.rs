//! What a model is trained to do: what its labels are, its loss, its scores, and which metric decides what is best.
//!
//! Each task has a folder: [`classification`] gives each text one of several classes. A new task implements
//! [`Task`] and [`Output`] there.

pub mod classification;
mod output;

use std::fmt::Debug;

use pellucid_protocol::metric::{Direction, definition};
use pellucid_protocol::{Metrics, Prediction};
use tch::{Device, Tensor};

use self::classification::ClassOutput;
pub use self::output::Output;
use crate::model::classifier::Classifier;

/// The metric that settles a tie between two evaluations: lower is better.
const LOSS: &str = "valid/loss";

/// What training asks of a task.
pub trait Task: Debug {
    /// Which task it is.
    fn kind(&self) -> pellucid_protocol::Task;

    /// `labels` as the loss takes them, `[rows, ..]`.
    fn targets(&self, labels: &[usize], device: Device) -> Tensor;

    /// The sum of the loss over rows, `[]`, from logits `[rows, outputs]` and [`Task::targets`].
    fn loss(&self, logits: &Tensor, targets: &Tensor) -> Tensor;

    /// What the summed loss of rows with `labels` is divided by to become a mean.
    fn loss_weight(&self, labels: &[usize]) -> f64;

    /// The metric of [`Task::step_score`].
    fn step_metric(&self) -> &'static str;

    /// The sum over rows of a score of training rows, `[]`, e.g. how many are right.
    fn step_score(&self, logits: &Tensor, targets: &Tensor) -> Tensor;

    /// What the logits of a model, and those of its teacher, say about a text with `label`.
    fn predict(&self, label: usize, logits: &[f32], teacher: Option<&[f32]>) -> Prediction;

    /// The scores of the predictions about texts with `labels`.
    fn scores(&self, predictions: &[Prediction], labels: &[usize]) -> Metrics;

    /// The metric, one of [`Task::scores`], that decides which evaluation is best.
    fn primary_metric(&self) -> &'static str {
        self.kind().primary_metric()
    }

    /// The metric that reports [`Task::primary_metric`] on texts with masked words.
    fn masked_metric(&self) -> &'static str;

    /// The output that a training term on explanations looks at, for a text with `label`.
    fn explained_output(&self, label: usize) -> usize;

    /// Whether `metrics` are better than `best`: by the primary metric, and by the loss where that is the same.
    fn is_better(&self, metrics: &Metrics, best: &Metrics) -> bool {
        let of = |metrics: &Metrics, name| metrics.get(name).unwrap_or(f64::NAN);
        let (new, old) = (of(metrics, self.primary_metric()), of(best, self.primary_metric()));
        let direction = definition(self.primary_metric()).map(|definition| definition.direction);
        let higher = if direction == Some(Direction::Down) { new < old } else { new > old };
        higher || (new == old && of(metrics, LOSS) < of(best, LOSS))
    }
}

/// What the outputs of a model mean: those of every model that can be loaded so far are classes.
#[must_use]
pub fn output_of(_: &Classifier) -> &'static dyn Output {
    &ClassOutput
}
