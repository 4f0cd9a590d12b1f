//! The numbers of a step by the names of their metrics: on the device, and when they have been read.

use std::borrow::Cow;

use pellucid_protocol::Metrics;
use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::host::read;

/// The metric of the norm of the gradient.
pub const GRAD_NORM: &str = "optim/grad_norm";

/// Which metric a raw number of a step becomes, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The metric.
    pub metric: Cow<'static, str>,
    /// How the metric is made of the raw number.
    pub form: Form,
    /// What it counts for in the total loss, if it is a term of it.
    pub share: Option<Share>,
}

/// How a metric is made of a raw number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// The number divided by this.
    Mean(f64),
    /// Its square root.
    Root,
    /// The number itself.
    Value,
}

/// What a term counts for in the total loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The group with which it is added up.
    pub group: Group,
    /// What its metric is multiplied by.
    pub weight: f64,
}

/// Terms of the loss that are added up before the groups are, in the order of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The task and distillation.
    Task,
    /// Penalties on the weights.
    Penalty,
    /// Terms on explanations.
    Reasons,
}

/// Numbers of a step that are still on the device.
#[derive(Debug)]
pub struct DeviceNumbers {
    quantities: Vec<Quantity>,
    /// `[quantities]`, f64.
    values: Tensor,
}

/// The numbers of a step as metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured(Vec<(Quantity, f64)>);

impl Group {
    const ALL: [Self; 3] = [Self::Task, Self::Penalty, Self::Reasons];
}

impl Quantity {
    /// A number that is a metric but no term of the loss.
    pub fn new(metric: impl Into<Cow<'static, str>>, form: Form) -> Self {
        Self { metric: metric.into(), form, share: None }
    }

    /// A penalty on the weights, lambda included.
    #[must_use]
    pub fn penalty(metric: &'static str) -> Self {
        let share = Some(Share { group: Group::Penalty, weight: 1.0 });
        Self { metric: metric.into(), form: Form::Value, share }
    }

    fn is_penalty(&self) -> bool {
        self.share.is_some_and(|share| share.group == Group::Penalty)
    }
}

impl DeviceNumbers {
    /// Each number, `[]`, with what it stands for; all of one kind.
    #[must_use]
    pub fn new(numbers: Vec<(Quantity, Tensor)>) -> Self {
        let (quantities, values): (Vec<_>, Vec<_>) = numbers.into_iter().unzip();
        let values = match &values[..] {
            [] => Tensor::from_slice::<f64>(&[]),
            values => Tensor::stack(values, 0).to_kind(Kind::Double),
        };
        Self { quantities, values }
    }

    /// All numbers of `parts`, in their order.
    #[must_use]
    pub fn join(parts: Vec<Self>) -> Self {
        let parts: Vec<Self> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let values = Tensor::cat(&parts.iter().map(|part| &part.values).collect::<Vec<_>>(), 0);
        Self { quantities: parts.into_iter().flat_map(|part| part.quantities).collect(), values }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.quantities.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.quantities.is_empty()
    }

    /// The raw numbers, `[numbers]`, f64.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The raw numbers as metrics: one sync from device to host.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn read(&self) -> Result<Measured> {
        Ok(self.measured(&read(&self.values)?))
    }

    /// As [`DeviceNumbers::read`], of raw numbers that were read together with others.
    #[must_use]
    pub fn measured(&self, raw: &[f64]) -> Measured {
        let mut measured = Measured::default();
        self.quantities.iter().zip(raw).for_each(|(quantity, &raw)| measured.push(quantity.clone(), raw));
        measured
    }
}

impl Measured {
    /// Adds the metric that `raw` becomes.
    pub fn push(&mut self, quantity: Quantity, raw: f64) {
        let value = match quantity.form {
            Form::Mean(divisor) => raw / divisor,
            Form::Root => raw.sqrt(),
            Form::Value => raw,
        };
        self.0.push((quantity, value));
    }

    /// Refuses the step after `done` steps if a number of its passes is not finite.
    ///
    /// # Errors
    /// The first such number by name.
    pub fn check_finite(&self, done: u64) -> Result<()> {
        // A penalty is a function of weights that have been checked.
        let mut checked = self.0.iter().filter(|(quantity, _)| !quantity.is_penalty());
        match checked.find(|(_, value)| !value.is_finite()) {
            Some((quantity, value)) => {
                Err(Error::NotFinite { step: done + 1, term: quantity.metric.to_string(), value: *value, kept: done })
            }
            None => Ok(()),
        }
    }

    /// The metrics, with the total loss.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let mut metrics = Metrics::default();
        self.0.iter().for_each(|(quantity, value)| metrics.set(&*quantity.metric, *value));
        metrics.set("loss/total", Group::ALL.into_iter().map(|group| self.sum(group)).sum());
        metrics
    }

    /// The terms of `group` times their weights, added up.
    fn sum(&self, group: Group) -> f64 {
        let weighted = |(quantity, value): &(Quantity, f64)| {
            let share = quantity.share.filter(|share| share.group == group)?;
            Some(share.weight * value)
        };
        self.0.iter().filter_map(weighted).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(metric: &'static str, group: Group, weight: f64) -> Quantity {
        Quantity { metric: metric.into(), form: Form::Mean(2.0), share: Some(Share { group, weight }) }
    }

    fn measured(numbers: Vec<(Quantity, f64)>) -> Measured {
        let mut measured = Measured::default();
        numbers.into_iter().for_each(|(quantity, raw)| measured.push(quantity, raw));
        measured
    }

    #[test]
    fn the_terms_add_up() {
        let step = measured(vec![
            (term("loss/task", Group::Task, 0.25), 2.0),
            (term("loss/kd", Group::Task, 0.75), 4.0),
            (term("loss/rrr", Group::Reasons, 0.5), 8.0),
            (Quantity::penalty("loss/l1"), 0.25),
            (Quantity::new(GRAD_NORM, Form::Root), 9.0),
        ]);
        let metrics = step.metrics();
        assert_eq!(metrics.get("loss/total"), Some(0.25 + 1.5 + 0.25 + 2.0));
        assert_eq!((metrics.get("loss/kd"), metrics.get("loss/l2")), (Some(2.0), None));
        assert_eq!((metrics.get("loss/rrr"), metrics.get(GRAD_NORM)), (Some(4.0), Some(3.0)));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        let of = |task: f64, kd: f64, l1: f64| {
            let kd = (term("loss/kd", Group::Task, 0.5), kd);
            measured(vec![(Quantity::penalty("loss/l1"), l1), (term("loss/task", Group::Task, 0.5), task), kd])
        };
        assert!(of(1.0, 2.0, f64::INFINITY).check_finite(7).is_ok(), "a penalty is checked with the weights");
        let message = of(1.0, f64::NAN, 0.0).check_finite(7).unwrap_err().to_string();
        assert!(message.starts_with("step 8: loss/kd became NaN"), "{message}");
        assert!(of(f64::INFINITY, f64::NAN, 0.0).check_finite(7).unwrap_err().to_string().contains("loss/task"));
    }

    #[test]
    fn numbers_keep_their_names_on_the_device() {
        let number = |value: f64| Tensor::from(value);
        let sums = DeviceNumbers::new(vec![(term("loss/task", Group::Task, 1.0), number(3.0))]);
        let norm = DeviceNumbers::new(vec![(Quantity::new(GRAD_NORM, Form::Root), number(16.0))]);
        let all = DeviceNumbers::join(vec![sums, DeviceNumbers::new(Vec::new()), norm]);
        assert_eq!(all.len(), 2);
        let metrics = all.read().unwrap().metrics();
        assert_eq!((metrics.get("loss/total"), metrics.get(GRAD_NORM)), (Some(1.5), Some(4.0)));
    }
}
