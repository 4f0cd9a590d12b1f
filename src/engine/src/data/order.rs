//! The order of examples within an epoch: shuffled by seed, optionally grouped by length.

use pellucid_protocol::settings::Grouping;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// How many batches are sorted together, as with `group_by_length` of transformers' Trainer.
const MEGABATCH: usize = 50;

/// How the examples of an epoch are cut into batches.
#[derive(Debug, Clone, Copy)]
pub struct BatchPlan {
    /// Examples in a batch; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Which examples come into a batch together.
    pub grouping: Grouping,
    /// Seed of the shuffles.
    pub seed: u64,
}

impl BatchPlan {
    /// Number of batches in an epoch of `examples` examples.
    #[must_use]
    pub fn batches(&self, examples: usize) -> usize {
        examples.div_ceil(self.batch_size)
    }

    /// The example indices of each batch of epoch `epoch`.
    #[must_use]
    pub fn epoch(&self, epoch: u64, lengths: &[u32]) -> Vec<Vec<usize>> {
        // Each epoch has a random stream of its own, so that it can be made again without the epochs before it.
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(epoch + 1);
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.shuffle(&mut random);
        if self.grouping == Grouping::Length {
            for group in order.chunks_mut(self.batch_size * MEGABATCH) {
                group.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
            }
        }
        let mut batches: Vec<Vec<usize>> = order.chunks(self.batch_size).map(<[usize]>::to_vec).collect();
        if self.grouping == Grouping::Length {
            batches.shuffle(&mut random);
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(grouping: Grouping) -> BatchPlan {
        BatchPlan { batch_size: 4, grouping, seed: 3 }
    }

    #[test]
    fn every_example_once_an_epoch_and_every_epoch_another_order() {
        let lengths: Vec<u32> = (0..30).map(|n| n * 7 % 13).collect();
        for grouping in [Grouping::Random, Grouping::Length] {
            let first = plan(grouping).epoch(0, &lengths);
            let mut seen: Vec<_> = first.concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..30).collect::<Vec<_>>());
            assert_eq!(first.len(), plan(grouping).batches(30));
            assert_eq!(first, plan(grouping).epoch(0, &lengths));
            assert_ne!(first, plan(grouping).epoch(1, &lengths));
        }
    }

    #[test]
    fn grouping_brings_like_lengths_together() {
        let lengths: Vec<u32> = (0..200).map(|n| n * 37 % 61).collect();
        let spread = |grouping| -> u32 {
            let batches = plan(grouping).epoch(0, &lengths);
            let lengths = |batch: &Vec<usize>| batch.iter().map(|&i| lengths[i]).collect::<Vec<_>>();
            batches.iter().map(lengths).map(|l| l.iter().max().unwrap() - l.iter().min().unwrap()).sum::<u32>()
        };
        assert!(spread(Grouping::Length) * 4 < spread(Grouping::Random));
    }
}
