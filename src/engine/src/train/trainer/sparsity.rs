//! Zeros among the weights, and dead heads and neurons: counted at once on the CPU, on a device as part of a read.

use pellucid_protocol::Metrics;
use tch::{Kind, Tensor};

use super::Trainer;
use crate::error::Result;
use crate::host::read;
use crate::train::penalty::{self, sparsity};
use crate::train::units::UnitBlock;

impl Trainer {
    /// Shares of zeros among the weights, and of dead heads and neurons.
    pub(super) fn sparsity(&self) -> Result<Metrics> {
        if self.ahead.is_some() {
            return Ok(self.sparsity_among(&read(&Tensor::cat(&self.zeros(), 0))?));
        }
        let mut metrics = sparsity(self.model.params(), self.model.config().architecture.layers);
        metrics.extend(self.units.dead(self.model.params()));
        Ok(metrics)
    }

    /// What is counted of the weights on a device.
    pub(super) fn zeros(&self) -> [Tensor; 2] {
        let params = self.model.params();
        [penalty::zeros(params), self.units.all_squares(params)].map(|counts| counts.to_kind(Kind::Double))
    }

    /// The shares, from what was counted.
    pub(super) fn sparsity_among(&self, numbers: &[f64]) -> Metrics {
        let (params, layers) = (self.model.params(), self.model.config().architecture.layers);
        let units: i64 = self.units.blocks().iter().map(UnitBlock::count).sum();
        let (zeros, squares) = numbers.split_at(numbers.len().saturating_sub(units as usize));
        let mut metrics = penalty::sparsity_of(params, layers, zeros);
        metrics.extend(self.units.dead_among(squares));
        metrics
    }
}
