//! Steps that a device does ahead of the host: their numbers stay where they are until several are read together.
//!
//! A read waits until the device has done all that it was told, and then the device waits for the host. So nothing of a
//! step is read: the device itself leaves out a step whose numbers are not finite, and all that follow it. (A term on
//! reasons reads its reference's map of a text, the first time that it meets the text.)

use std::time::Instant;

use pellucid_protocol::{Event, Metrics};
use tch::{Device, Kind, Tensor};

use super::Trainer;
use super::step::{Detail, Facts, SPARSITY_EVERY, Work, five};
use crate::error::Result;
use crate::host::read;
use crate::train::measured::Measured;
use crate::train::optimiser::{Gate, StepRule};

/// Steps whose numbers are on the device.
pub(super) struct Ahead {
    waiting: Vec<Waiting>,
    /// Whether every number so far was finite, `[]`, bool.
    well: Tensor,
    /// Seconds that the steps that wait took on the host.
    seconds: f64,
    /// How many wait at most.
    most: usize,
}

struct Waiting {
    facts: Facts,
    /// Sums, squared norms, penalties: `[5 + 1 + layers + 3]`, f64.
    numbers: Tensor,
}

impl Ahead {
    /// None for the CPU, where a read costs nothing.
    pub(super) fn on(device: Device) -> Option<Self> {
        (device != Device::Cpu).then(|| Self::of(device, SPARSITY_EVERY as usize))
    }

    fn of(device: Device, most: usize) -> Self {
        let well = Tensor::ones([0i64; 0], (Kind::Bool, device));
        Self { waiting: Vec::new(), well, seconds: 0.0, most }
    }

    /// The gate of the next step.
    fn gate(&mut self, sums: &Tensor, squares: &Tensor, clip_norm: f64) -> Gate {
        // [1 + layers] -> []
        let norm = squares.get(0).sqrt();
        self.well = self.well.logical_and(&sums.isfinite().all()).logical_and(&norm.isfinite());
        Gate::new(&self.well, &norm, clip_norm)
    }
}

impl Trainer {
    /// Computes as on a device whose memory is not ours, wherever it is: with tensor operations, and reading the numbers
    /// of `most` steps together.
    pub fn step_as_on_a_device(&mut self, most: usize) {
        self.ahead = Some(Ahead::of(self.device, most));
    }

    pub(super) fn step_ahead(&mut self, emit: &mut dyn FnMut(Event)) -> Result<()> {
        self.sound()?;
        let start = Instant::now();
        let Work { sums, gradient, facts } = self.passes()?;
        let Some(mut ahead) = self.ahead.take() else { return Ok(()) };
        let rule = self.step_rule(self.penalty());
        let squares = self.optimiser.squares(self.model.params(), &gradient, &rule.penalty);
        let gate = ahead.gate(&sums, &squares, rule.clip_norm);
        let penalties = self.penalties(&rule);
        self.optimiser.step_gated(self.model.params(), gradient, rule, &gate);
        if self.settings.group_l1 > 0.0 {
            let threshold = rule.rate * self.settings.group_l1;
            self.optimiser.shrink_units(self.model.params(), &self.units, threshold, Some(&gate));
        }
        self.pass(&facts);
        let detail = facts.detail;
        ahead.waiting.push(Waiting { facts, numbers: Tensor::cat(&[sums, squares, penalties], 0) });
        ahead.seconds += start.elapsed().as_secs_f64();
        let due = detail == Detail::Layers || ahead.waiting.len() >= ahead.most;
        self.ahead = Some(ahead);
        if due {
            self.settle(emit);
        }
        self.sound()
    }

    /// What L1, coupled L2 and the group lasso come to, `[3]`, f64; 0 where they take no part.
    fn penalties(&self, rule: &StepRule) -> Tensor {
        let params = self.model.params();
        let group = match self.settings.group_l1 {
            0.0 => Tensor::zeros([0i64; 0], (Kind::Double, self.device)),
            lambda => self.units.norm(params) * lambda,
        };
        // [] -> [1]
        Tensor::cat(&[self.optimiser.penalties(params, &rule.penalty), group.unsqueeze(0)], 0)
    }

    /// Reads the numbers of the steps that wait, and tells `emit` of each. Before anything else is told, saved or judged:
    /// if one was not taken, [`Trainer::sound`] says so, and the run stands where it was before it.
    pub fn settle(&mut self, emit: &mut dyn FnMut(Event)) {
        let Some(ahead) = self.ahead.as_mut().filter(|ahead| !ahead.waiting.is_empty()) else { return };
        let waiting = std::mem::take(&mut ahead.waiting);
        let mut seconds = std::mem::take(&mut ahead.seconds);
        let start = Instant::now();
        // The one sync of these steps from device to host.
        let found = self.read_all(&waiting);
        seconds += start.elapsed().as_secs_f64();
        let each = seconds / waiting.len() as f64;
        let told = found.and_then(|(numbers, sparsity)| self.tell(&waiting, (&numbers, sparsity), (each, emit)));
        if let Err(error) = told {
            self.failure.get_or_insert(error);
        }
    }

    /// The numbers of all steps one after the other, and the zeros among the weights if they are due.
    fn read_all(&self, waiting: &[Waiting]) -> Result<(Vec<f64>, Metrics)> {
        let mut parts: Vec<Tensor> = waiting.iter().map(|waiting| waiting.numbers.shallow_clone()).collect();
        let counted = waiting.last().is_some_and(|last| last.facts.detail == Detail::Layers);
        let length = parts.iter().map(|part| part.numel()).sum();
        if counted {
            parts.extend(self.zeros());
        }
        let mut numbers = read(&Tensor::cat(&parts, 0))?;
        let zeros = numbers.split_off(length);
        Ok((numbers, if counted { self.sparsity_among(&zeros) } else { Metrics::default() }))
    }

    fn tell(
        &mut self,
        waiting: &[Waiting],
        (numbers, mut sparsity): (&[f64], Metrics),
        (seconds, emit): (f64, &mut dyn FnMut(Event)),
    ) -> Result<()> {
        let size = numbers.len() / waiting.len();
        for (number, (Waiting { facts, .. }, numbers)) in waiting.iter().zip(numbers.chunks_exact(size)).enumerate() {
            let layers: Vec<f64> = numbers[6..size - 3].iter().map(|square| square.sqrt()).collect();
            let measured = Measured::of(five(numbers), facts.totals, numbers[5].sqrt());
            if let Err(error) = measured.check_finite(facts.step - 1) {
                self.take_back(&waiting[number..]);
                return Err(error);
            }
            let mut facts = facts.clone();
            let [l1, l2, group] = [numbers[size - 3], numbers[size - 2], numbers[size - 1]];
            let report = &mut facts.report;
            (report.l1, report.l2) = (report.l1.map(|_| l1), report.l2.map(|_| l2));
            report.group = report.group.map(|_| group);
            let mut metrics = facts.metrics(&measured, &layers);
            if facts.detail == Detail::Layers {
                metrics.extend(std::mem::take(&mut sparsity));
            }
            let step = self.timed(&facts, metrics, seconds);
            emit(Event::Step(step));
        }
        Ok(())
    }

    /// These steps were not taken.
    fn take_back(&mut self, steps: &[Waiting]) {
        self.progress.step -= steps.len() as u64;
        self.progress.tokens -= steps.iter().map(|waiting| waiting.facts.tokens as u64).sum::<u64>();
        self.optimiser.forget_steps(steps.len() as u64);
    }

    /// Whether all steps that were settled were taken.
    ///
    /// # Errors
    /// Why one was not, once.
    pub fn sound(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }
}
