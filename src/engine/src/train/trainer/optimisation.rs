//! How the weights move: the optimiser, the learning rate, and the heads and neurons that may be pruned.

use super::setup::Setup;
use crate::train::optimiser::prunable_units::PrunableUnits;
use crate::train::optimiser::schedule::Schedule;
use crate::train::optimiser::{Optimiser, OptimiserForm, StepRule, rules};

/// How the weights move.
pub(super) struct Optimisation {
    pub(super) optimiser: Optimiser,
    pub(super) units: PrunableUnits,
    pub(super) schedule: Schedule,
}

impl Optimisation {
    /// That of a run with `steps_per_epoch` steps in an epoch, at its start.
    pub(super) fn new(setup: &Setup, steps_per_epoch: u64) -> Self {
        let Setup { settings, model, .. } = setup;
        let architecture = &model.config().architecture;
        let form = OptimiserForm { kind: settings.optimizer, momentum: settings.momentum, anchor: settings.l2_anchor };
        let total = settings.total_steps(steps_per_epoch);
        let warmup = Schedule::rise(settings.warmup, total);
        Self {
            optimiser: Optimiser::new(form, model.params(), &|spec| rules::rule(settings, architecture, spec)),
            units: PrunableUnits::new(architecture, model.params()),
            schedule: Schedule { kind: settings.schedule, peak: settings.lr, warmup, total },
        }
    }

    /// What the optimiser needs for the step after `done` steps, but the norm of its gradient.
    pub(super) fn step_rule(&self, setup: &Setup, done: u64) -> StepRule {
        let rate = self.schedule.rate(done);
        StepRule { rate, clip_norm: setup.settings.clip_norm, norm: f64::NAN, penalty: setup.penalty() }
    }
}
