//! The sparsity of the weights now: counted at once on the CPU, as part of a read on a device.

use pellucid_protocol::Metrics;
use tch::{Kind, Tensor};

use super::Trainer;
use crate::error::Result;
use crate::host::read;
use crate::train::optimiser::prunable_units::UnitBlock;
use crate::train::sparsity::{sparsity, sparsity_of, zeros};

impl Trainer {
    /// Shares of zeros among the weights, and of dead heads and neurons.
    pub(super) fn sparsity(&self) -> Result<Metrics> {
        if self.deferred.is_some() {
            return Ok(self.sparsity_among(&read(&Tensor::cat(&self.zeros(), 0))?));
        }
        let model = &self.setup.model;
        let mut metrics = sparsity(model.params(), model.config().architecture.layers);
        metrics.extend(self.optimisation.units.dead(model.params()));
        Ok(metrics)
    }

    /// What is counted of the weights on a device.
    pub(super) fn zeros(&self) -> [Tensor; 2] {
        let params = self.setup.model.params();
        [zeros(params), self.optimisation.units.all_squares(params)].map(|counts| counts.to_kind(Kind::Double))
    }

    /// The shares, from what was counted.
    pub(super) fn sparsity_among(&self, counted: &[f64]) -> Metrics {
        let (params, layers) = (self.setup.model.params(), self.setup.model.config().architecture.layers);
        let units: i64 = self.optimisation.units.blocks().iter().map(UnitBlock::count).sum();
        let (zeros, squares) = counted.split_at(counted.len().saturating_sub(units as usize));
        let mut metrics = sparsity_of(params, layers, zeros);
        metrics.extend(self.optimisation.units.dead_among(squares));
        metrics
    }
}
