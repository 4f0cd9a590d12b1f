//! The loss of a step: its terms by name, each in a file of its own.
//!
//! `TERMS` lists them. A term is either a function of the logits of the training pass (all of these are
//! differentiated together) or has a pass of its own and brings its gradient. Penalties on the weights are the
//! optimiser's.

pub mod attribution;
pub mod consistency;
pub mod distillation;
pub mod reasons;
mod task_loss;
mod wrong_reasons;

use pellucid_protocol::Settings;
use tch::{Device, Kind, Tensor};

use self::consistency::ReferenceMaps;
use self::reasons::Reasons;
use super::measured::{Form, Group, Quantity, Share};
use super::optimiser::gradient::{Gradient, Lookup};
use crate::data::examples::Examples;
use crate::data::tokenise::TextEncoder;
use crate::error::Result;
use crate::model::classifier::Classifier;
use crate::model::teacher::TeacherState;
use crate::task::Task;

/// The terms, in the order in which they are computed and in which the first that is not finite is named.
static TERMS: &[LossTerm] = &[task_loss::TERM, distillation::TERM, wrong_reasons::TERM, consistency::TERM];

/// A term of the loss.
struct LossTerm {
    /// The metric of its mean before its weight.
    metric: &'static str,
    group: Group,
    /// Its weight in the next step; `None` if it takes no part.
    weight: fn(&Inputs<'_>, &References) -> Option<f64>,
    /// What its sum over the step is divided by.
    mean: MeanOver,
    compute: Compute,
}

/// How a term is computed.
enum Compute {
    /// From the logits of the training pass: its sum over a batch, `[]`.
    Logits(fn(&Inputs<'_>, &mut References, &Forward<'_>) -> Tensor),
    /// By a pass of its own.
    OwnPass(fn(&Inputs<'_>, &mut References, &OwnPass<'_>) -> Result<OwnTerm>),
}

/// What a sum over a step is divided by to become a mean.
enum MeanOver {
    /// [`Task::loss_weight`] of the rows, masked copies included.
    LossWeight,
    /// The number of examples.
    Examples,
}

/// What a term may read.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The settings as they are now.
    pub settings: &'a Settings,
    /// Steps done.
    pub step: u64,
    /// The task.
    pub task: &'a dyn Task,
    /// The model.
    pub model: &'a Classifier,
    /// Its tokenizer.
    pub encoder: &'a TextEncoder,
    /// The training examples.
    pub train: &'a Examples,
    /// Where to compute.
    pub device: Device,
}

/// What the model is compared with.
pub struct References {
    /// The teacher.
    pub teacher: Option<TeacherState>,
    /// The model before its first step.
    pub start: Option<Classifier>,
    /// The words that must not be a reason.
    pub reasons: Reasons,
    /// The maps of training texts that explanations are to stay close to, as far as they were needed.
    pub maps: ReferenceMaps,
}

/// The training pass over a batch.
pub struct Forward<'a> {
    /// `[rows, outputs]`.
    pub logits: &'a Tensor,
    /// [`Task::targets`] of the rows.
    pub targets: &'a Tensor,
    /// The examples of the first rows; the others are masked copies of some of them.
    pub whole: &'a [usize],
}

/// What a term with a pass of its own is computed for.
struct OwnPass<'a> {
    /// The examples of the batch.
    examples: &'a [usize],
    /// What the term's sum over the batch counts for in the loss of the step.
    share: f64,
}

/// A term over a batch with its gradient.
struct OwnTerm {
    /// Its sum, `[]`.
    sum: Tensor,
    /// The gradient of its share of the loss; `None` where the term is zero whatever the weights are.
    gradient: Option<Gradient>,
}

/// What the sums of a step are divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// [`Task::loss_weight`] of the rows.
    pub loss_weight: f64,
    /// Number of examples.
    pub examples: f64,
    /// Number of examples and of their masked copies.
    pub rows: f64,
}

/// The terms that take part in a step.
pub struct StepLoss {
    terms: Vec<ActiveTerm>,
}

struct ActiveTerm {
    term: &'static LossTerm,
    weight: f64,
    divisor: f64,
}

/// A sum over rows, on the device.
#[derive(Debug)]
pub struct Sum {
    /// The metric that it becomes.
    pub metric: &'static str,
    /// `[]`.
    pub value: Tensor,
}

impl Inputs<'_> {
    fn zero(&self) -> Tensor {
        Tensor::zeros([], (Kind::Float, self.device))
    }
}

impl StepLoss {
    /// The terms of the next step, whose sums are divided by `totals`.
    #[must_use]
    pub fn new(inputs: &Inputs<'_>, references: &References, totals: Totals) -> Self {
        let active = |term: &'static LossTerm| {
            let divisor = match term.mean {
                MeanOver::LossWeight => totals.loss_weight,
                MeanOver::Examples => totals.examples,
            };
            (term.weight)(inputs, references).map(|weight| ActiveTerm { term, weight, divisor })
        };
        Self { terms: TERMS.iter().filter_map(active).collect() }
    }

    /// What the sums of the terms become.
    pub fn quantities(&self) -> impl Iterator<Item = Quantity> {
        self.terms.iter().map(|active| Quantity {
            metric: active.term.metric.into(),
            form: Form::Mean(active.divisor),
            share: Some(Share { group: active.term.group, weight: active.weight }),
        })
    }

    /// The sums over a batch of the terms that are functions of the logits, and their gradient.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn of_logits(
        &self,
        inputs: &Inputs<'_>,
        references: &mut References,
        pass: &Forward<'_>,
        lookup: Option<&Lookup>,
    ) -> Result<(Vec<Sum>, Gradient)> {
        let mut sums = Vec::new();
        let mut weighted = Vec::new();
        for active in &self.terms {
            if let Compute::Logits(compute) = active.term.compute {
                let value = compute(inputs, references, pass);
                sums.push(Sum { metric: active.term.metric, value: value.detach() });
                weighted.push((value, active));
            }
        }
        let gradient = Gradient::of(&weighted_sum(&weighted), inputs.model.params(), lookup)?;
        Ok((sums, gradient))
    }

    /// The sums over a batch of the terms that have a pass of their own; adds their gradients to `gradient`.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn of_own_passes(
        &self,
        inputs: &Inputs<'_>,
        references: &mut References,
        examples: &[usize],
        gradient: &mut Gradient,
    ) -> Result<Vec<Sum>> {
        let mut sums = Vec::new();
        for active in &self.terms {
            if let Compute::OwnPass(compute) = active.term.compute {
                let term = compute(inputs, references, &OwnPass { examples, share: active.share() })?;
                if let Some(new) = term.gradient {
                    gradient.add(new);
                }
                sums.push(Sum { metric: active.term.metric, value: term.sum });
            }
        }
        Ok(sums)
    }
}

impl ActiveTerm {
    /// What a sum counts for in the loss.
    fn share(&self) -> f64 {
        self.weight / self.divisor
    }
}

/// The terms times their shares, added up in their order.
fn weighted_sum(terms: &[(Tensor, &ActiveTerm)]) -> Tensor {
    match terms {
        // Divided, as torch's own mean is: a product with the reciprocal differs in the last bit.
        [(sum, only)] if only.weight == 1.0 => sum / only.divisor,
        [(first, of_first), rest @ ..] => {
            rest.iter().fold(first * of_first.share(), |loss, (sum, active)| loss + sum * active.share())
        }
        [] => unreachable!("the task always has a loss"),
    }
}
