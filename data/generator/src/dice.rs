//! Seeded chance: the few draws that the generators need, on a random stream whose values are specified.
//!
//! The draws are made from raw words here, not with `rand`'s distributions, whose results may change with a release.

use rand::RngCore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A seeded source of choices.
pub(crate) struct Dice {
    rng: ChaCha8Rng,
    used: Vec<&'static str>,
}

impl Dice {
    /// Dice for one stream of a seed; streams of the same seed are independent of one another.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng, used: Vec::new() }
    }

    /// A number below `n`, which must not be zero.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "nothing to choose from");
        let wide = u64::from(self.rng.next_u32()) * n as u64;
        (wide >> 32) as usize
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items, each as likely as the next.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// One of the frames, and not one already used in the text at hand while others are left.
    pub(crate) fn fresh(&mut self, frames: &[&'static str]) -> &'static str {
        let unused: Vec<&'static str> = frames.iter().copied().filter(|frame| !self.used.contains(frame)).collect();
        let frame = self.pick(if unused.is_empty() { frames } else { &unused });
        self.used.push(frame);
        frame
    }

    /// Begins a new text, in which every frame may be used again.
    pub(crate) fn new_text(&mut self) {
        self.used.clear();
    }

    /// One of the items of a table of records.
    pub(crate) fn from<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of the items, as likely as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(T, usize)]) -> T {
        let total = items.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total);
        for &(item, weight) in items {
            if left < weight {
                return item;
            }
            left -= weight;
        }
        unreachable!("the draw is below the sum of the weights")
    }

    /// Puts the items into a random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_and_stream_give_the_same_draws() {
        let draws = |stream| {
            let mut dice = Dice::new(7, stream);
            (0..50).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn weights_steer_the_choice() {
        let mut dice = Dice::new(1, 1);
        let heavy = (0..1000).filter(|_| dice.weighted(&[('a', 9), ('b', 1)]) == 'a').count();
        assert!((850..950).contains(&heavy), "{heavy}");
    }

    #[test]
    fn frames_come_back_only_when_all_are_used() {
        let mut dice = Dice::new(4, 4);
        let frames = ["a", "b", "c"];
        let mut drawn: Vec<&str> = (0..3).map(|_| dice.fresh(&frames)).collect();
        drawn.sort_unstable();
        assert_eq!(drawn, frames);
        assert!(frames.contains(&dice.fresh(&frames)));
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<usize> = (0..40).collect();
        Dice::new(3, 0).shuffle(&mut items);
        assert_ne!(items, (0..40).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..40).collect::<Vec<_>>());
    }
}
