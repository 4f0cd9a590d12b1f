//! The loss of the task itself.

use tch::Tensor;

use super::{Compute, Forward, Group, Inputs, LossTerm, MeanOver, References, distillation};

/// The task's own loss: the share that distillation leaves.
pub(super) const TERM: LossTerm = LossTerm {
    metric: "loss/task",
    group: Group::Task,
    weight,
    mean: MeanOver::LossWeight,
    compute: Compute::Logits(sum),
};

fn weight(inputs: &Inputs<'_>, references: &References) -> Option<f64> {
    Some(1.0 - distillation::weight(inputs, references).unwrap_or(0.0))
}

fn sum(inputs: &Inputs<'_>, _: &mut References, pass: &Forward<'_>) -> Tensor {
    inputs.task.loss(pass.logits, pass.targets)
}
