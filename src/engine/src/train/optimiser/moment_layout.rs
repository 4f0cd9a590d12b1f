//! Where the optimiser keeps its numbers for each weight: only weights that train have any.

use std::ops::Range;

use tch::Tensor;

use super::LeafRule;
use super::prunable_units::UnitBlock;
use crate::model::weights::params::FlatParams;

/// The places of parameters in a buffer that leaves out the frozen ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MomentLayout {
    /// Where each parameter begins; a frozen one begins where the next one does.
    starts: Vec<i64>,
    /// The weights that train, as ranges of the flat buffer of all weights.
    trained: Vec<Range<i64>>,
    size: i64,
    /// Length of the flat buffer of all weights.
    all: i64,
}

impl MomentLayout {
    /// The layout for `params`, each under the rule of the same index.
    #[must_use]
    pub(super) fn new(params: &FlatParams, rules: &[LeafRule]) -> Self {
        let mut layout = Self { starts: Vec::new(), trained: Vec::new(), size: 0, all: params.len() as i64 };
        for ((_, range), rule) in params.ranges().zip(rules) {
            layout.starts.push(layout.size);
            if !rule.is_frozen() {
                layout.size += range.end - range.start;
                layout.add(range);
            }
        }
        layout
    }

    fn add(&mut self, range: Range<i64>) {
        match self.trained.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.trained.push(range),
        }
    }

    /// Where the numbers of parameter `leaf` begin.
    #[must_use]
    pub(super) fn start(&self, leaf: usize) -> i64 {
        self.starts[leaf]
    }

    /// `block` in a buffer of this layout.
    #[must_use]
    pub(super) fn of_block(&self, block: &UnitBlock) -> UnitBlock {
        block.moved(self.start(block.leaf), self.start(block.columns_leaf))
    }

    /// Numbers in a buffer.
    #[must_use]
    pub(super) fn size(&self) -> i64 {
        self.size
    }

    /// The numbers of the weights that train, `[size]`, of those of all weights, `[weights]`.
    pub(super) fn gather(&self, all: &Tensor) -> Tensor {
        match &self.trained[..] {
            [] => all.narrow(0, 0, 0).copy(),
            [range] => all.narrow(0, range.start, range.end - range.start).copy(),
            ranges => {
                Tensor::cat(&ranges.iter().map(|r| all.narrow(0, r.start, r.end - r.start)).collect::<Vec<_>>(), 0)
            }
        }
    }

    /// A kept buffer in this layout; `None` for one of another model. Earlier versions kept a number for every weight,
    /// frozen or not.
    #[must_use]
    pub(super) fn adopt(&self, kept: &Tensor) -> Option<Tensor> {
        match kept.size()[..] {
            [size] if size == self.size => Some(kept.shallow_clone()),
            [size] if size == self.all => Some(self.gather(kept)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::model::weights::spec::SpecList;

    #[test]
    fn frozen_parameters_take_no_room_and_buffers_with_them_are_still_read() {
        let mut list = SpecList::default();
        ["a", "b", "c", "d"].into_iter().zip(2..).for_each(|(name, size)| list.bias(name, size));
        let params = FlatParams::zeros(list.finish(), Device::Cpu);
        let rule = |rate| LeafRule { l1: true, l2: true, rate };
        let layout = MomentLayout::new(&params, &[rule(1.0), rule(0.0), rule(0.5), rule(1.0)]);
        assert_eq!((layout.size(), layout.start(0), layout.start(2), layout.start(3)), (11, 0, 2, 6));
        let all = Tensor::arange(14, (Kind::Float, Device::Cpu));
        let kept = Vec::<f32>::try_from(layout.adopt(&all).unwrap()).unwrap();
        assert_eq!(kept, [0.0, 1.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]);
        assert!(layout.adopt(&Tensor::from_slice(&kept)).is_some() && layout.adopt(&all.narrow(0, 0, 5)).is_none());
    }
}
