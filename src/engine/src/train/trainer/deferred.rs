//! Steps whose numbers stay on the device until several are read together.
//!
//! A read waits until the device has done everything it was told, and then the device waits for the host. So a step reads
//! nothing: the device itself leaves out a step whose numbers are not finite, and all that follow it. (A term on
//! explanations reads its reference's map of a text, the first time that it meets the text.)

use std::time::Instant;

use pellucid_protocol::metric::layer_grad_norm;
use pellucid_protocol::{Event, Metrics};
use tch::{Device, Kind, Tensor};

use super::Trainer;
use super::step::{Detail, Facts, SPARSITY_EVERY, Work};
use crate::error::Result;
use crate::host::read;
use crate::train::measured::{DeviceNumbers, Form, GRAD_NORM, Measured, Quantity};
use crate::train::optimiser::penalty::Penalty;
use crate::train::optimiser::prunable_units::GROUP_L1;
use crate::train::optimiser::{Gate, SquaredNorms};

/// Steps whose numbers are on the device.
pub(super) struct Deferred {
    waiting: Vec<Waiting>,
    /// Whether every number so far was finite, `[]`, bool.
    all_finite: Tensor,
    /// Seconds that the waiting steps took on the host.
    seconds: f64,
    /// How many wait at most.
    most: usize,
}

struct Waiting {
    facts: Facts,
    numbers: DeviceNumbers,
}

/// What one read brings.
struct Read {
    /// The numbers of each waiting step.
    steps: Vec<Measured>,
    /// The zeros among the weights, if they are due.
    sparsity: Metrics,
    /// Seconds of one step.
    seconds: f64,
}

impl Deferred {
    /// `None` for the CPU, where a read costs nothing.
    pub(super) fn on(device: Device) -> Option<Self> {
        (device != Device::Cpu).then(|| Self::new(device, SPARSITY_EVERY as usize))
    }

    fn new(device: Device, most: usize) -> Self {
        let all_finite = Tensor::ones([0i64; 0], (Kind::Bool, device));
        Self { waiting: Vec::new(), all_finite, seconds: 0.0, most }
    }

    /// The gate of the next step, whose gradient has the norm `norm`, `[]`.
    fn gate(&mut self, sums: &DeviceNumbers, norm: &Tensor, clip_norm: f64) -> Gate {
        let finite = sums.values().isfinite().all().logical_and(&norm.isfinite());
        self.all_finite = self.all_finite.logical_and(&finite);
        Gate::new(&self.all_finite, norm, clip_norm)
    }
}

impl Trainer {
    /// Computes as on a GPU, wherever the tensors are: with tensor operations, reading the numbers of `most` steps
    /// together. For tests of that arithmetic on the CPU.
    pub fn defer_numbers(&mut self, most: usize) {
        self.deferred = Some(Deferred::new(self.setup.device, most));
    }

    pub(super) fn step_deferred(&mut self, emit: &mut dyn FnMut(Event)) -> Result<()> {
        self.check()?;
        let start = Instant::now();
        let Work { sums, gradient, facts } = self.passes()?;
        let Some(mut deferred) = self.deferred.take() else { return Ok(()) };
        let rule = self.optimisation.step_rule(&self.setup, self.progress.step);
        let squares = self.optimisation.optimiser.squares(self.setup.model.params(), &gradient, &rule.penalty);
        let norm = squares.total.to_kind(Kind::Double).sqrt();
        let gate = deferred.gate(&sums, &norm, rule.clip_norm);
        let penalties = self.penalties(&rule.penalty);
        self.optimisation.optimiser.step_gated(self.setup.model.params(), gradient, rule, &gate);
        self.shrink(rule.rate, &gate);
        self.advance(&facts);
        let detail = facts.detail;
        let numbers = DeviceNumbers::join(vec![sums, norms(squares, detail), penalties]);
        deferred.waiting.push(Waiting { facts, numbers });
        deferred.seconds += start.elapsed().as_secs_f64();
        let due = detail == Detail::Layers || deferred.waiting.len() >= deferred.most;
        self.deferred = Some(deferred);
        if due {
            self.flush(emit);
        }
        self.check()
    }

    /// Prunes heads and neurons after a step at the learning rate `rate`.
    fn shrink(&mut self, rate: f64, gate: &Gate) {
        let (params, group_l1) = (self.setup.model.params(), self.setup.settings.group_l1);
        if group_l1 > 0.0 {
            self.optimisation.optimiser.shrink_units(params, &self.optimisation.units, rate * group_l1, Some(gate));
        }
    }

    /// The penalties that are terms of the loss.
    fn penalties(&self, penalty: &Penalty) -> DeviceNumbers {
        let params = self.setup.model.params();
        let mut terms = self.optimisation.optimiser.penalties(params, penalty);
        let group_l1 = self.setup.settings.group_l1;
        if group_l1 > 0.0 {
            terms.push((Quantity::penalty(GROUP_L1), self.optimisation.units.norm(params) * group_l1));
        }
        DeviceNumbers::new(terms)
    }

    /// Reads the numbers of the waiting steps and gives each step to `emit`. Anything else that is told, saved or judged
    /// comes after it: if a step was not taken, [`Trainer::check`] says so, and the run stands where it was before.
    pub fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        let Some(deferred) = self.deferred.as_mut().filter(|deferred| !deferred.waiting.is_empty()) else { return };
        let waiting = std::mem::take(&mut deferred.waiting);
        let seconds = std::mem::take(&mut deferred.seconds);
        let told = self.read_all(&waiting, seconds).and_then(|read| self.tell(&waiting, read, emit));
        if let Err(error) = told {
            self.failure.get_or_insert(error);
        }
    }

    /// The numbers of all waiting steps, and the zeros among the weights if they are due: the one sync of these steps from
    /// device to host. So far they took `seconds`.
    fn read_all(&self, waiting: &[Waiting], seconds: f64) -> Result<Read> {
        let start = Instant::now();
        let mut parts: Vec<Tensor> = waiting.iter().map(|waiting| waiting.numbers.values().shallow_clone()).collect();
        let counted = waiting.last().is_some_and(|last| last.facts.detail == Detail::Layers);
        if counted {
            parts.extend(self.zeros());
        }
        let raw = read(&Tensor::cat(&parts, 0))?;
        let mut rest = raw.as_slice();
        let mut steps = Vec::with_capacity(waiting.len());
        for Waiting { numbers, .. } in waiting {
            let (own, later) = rest.split_at(numbers.len());
            steps.push(numbers.measured(own));
            rest = later;
        }
        let sparsity = if counted { self.sparsity_among(rest) } else { Metrics::default() };
        let seconds = (seconds + start.elapsed().as_secs_f64()) / waiting.len() as f64;
        Ok(Read { steps, sparsity, seconds })
    }

    fn tell(&mut self, waiting: &[Waiting], mut read: Read, emit: &mut dyn FnMut(Event)) -> Result<()> {
        for (number, (Waiting { facts, .. }, measured)) in waiting.iter().zip(&read.steps).enumerate() {
            if let Err(error) = measured.check_finite(facts.step - 1) {
                self.take_back(&waiting[number..]);
                return Err(self.traced(error));
            }
            let mut metrics = facts.metrics(measured);
            if facts.detail == Detail::Layers {
                metrics.extend(std::mem::take(&mut read.sparsity));
            }
            emit(Event::Step(self.timed(facts, metrics, read.seconds)));
        }
        Ok(())
    }

    /// These steps were not taken.
    fn take_back(&mut self, steps: &[Waiting]) {
        self.progress.step -= steps.len() as u64;
        self.progress.tokens -= steps.iter().map(|waiting| waiting.facts.tokens as u64).sum::<u64>();
        self.optimisation.optimiser.forget_steps(steps.len() as u64);
    }

    /// Whether all steps that were flushed were taken.
    ///
    /// # Errors
    /// Why one was not, once.
    pub fn check(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// The norms of a gradient by name; those of layers if the step has them.
fn norms(squares: SquaredNorms, detail: Detail) -> DeviceNumbers {
    let mut numbers = vec![(Quantity::new(GRAD_NORM, Form::Root), squares.total)];
    if detail == Detail::Layers {
        let layers = squares.layers.into_iter().enumerate();
        numbers.extend(layers.map(|(layer, square)| (Quantity::new(layer_grad_norm(layer), Form::Root), square)));
    }
    DeviceNumbers::new(numbers)
}
