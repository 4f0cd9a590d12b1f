//! Dropout whose masks depend only on the run's seed, the step and the place in the model: a resumed run draws the masks
//! that it would have drawn, and several threads draw at the same time.

use multiversion::multiversion;
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::host::numbers_mut;

/// Whether activations are dropped, and which ones.
#[derive(Debug, Clone, Copy)]
pub enum Dropout {
    /// None: evaluation, explanation.
    Off,
    /// None, in a pass that is differentiated twice: fused kernels without a second derivative are not used.
    Twice,
    /// Training.
    On(Draws),
}

/// The masks of one forward pass.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    key: u64,
    drawn: u64,
}

impl Dropout {
    /// The masks of step `step` of a run.
    #[must_use]
    pub fn of_step(seed: u64, step: u64) -> Self {
        Dropout::On(Draws { key: mix(mix(seed) ^ step), drawn: 0 })
    }

    /// Seeds libtorch's own generator, from which masks are drawn on a GPU.
    pub fn seed_device(&self, device: Device) {
        if let (Dropout::On(draws), true) = (self, device.is_cuda()) {
            tch::manual_seed(draws.key as i64);
        }
    }

    /// Whether something may be dropped at `rate`.
    #[must_use]
    pub fn is_on(&self, rate: f64) -> bool {
        matches!(self, Dropout::On(_)) && rate > 0.0
    }

    /// Whether fused kernels, which have no second derivative, may be used.
    #[must_use]
    pub fn may_fuse(&self) -> bool {
        !matches!(self, Dropout::Twice)
    }

    /// `x` with a share `rate` of its elements set to zero, the rest scaled up to keep the mean.
    pub fn apply(&mut self, x: Tensor, rate: f64) -> Tensor {
        match self.mask(&x, rate) {
            Some(mask) => x * mask,
            None => x,
        }
    }

    /// `residual` plus `x` with dropout.
    pub fn add(&mut self, residual: &Tensor, x: &Tensor, rate: f64) -> Tensor {
        match self.mask(x, rate) {
            Some(mask) => residual.addcmul(x, &mask),
            None => residual + x,
        }
    }

    /// 0 or `1 / (1 - rate)` for each element of `like`; `None` when nothing is dropped.
    pub fn mask(&mut self, like: &Tensor, rate: f64) -> Option<Tensor> {
        let Dropout::On(draws) = self else { return None };
        if rate <= 0.0 {
            return None;
        }
        draws.drawn += 1;
        if like.device() != Device::Cpu {
            return Some(Tensor::ones(like.size(), (Kind::Float, like.device())).dropout(rate, true));
        }
        let mut mask = Tensor::empty(like.size(), (Kind::Float, Device::Cpu));
        if mask.numel() > 0 {
            draw(numbers_mut(&mut mask), mix(draws.key ^ mix(draws.drawn)), rate);
        }
        Some(mask)
    }
}

/// How the elements of a mask are drawn.
#[derive(Clone, Copy)]
struct MaskRule {
    /// The two halves of the key.
    low: u32,
    high: u32,
    /// An element whose hash is below it is dropped.
    limit: u32,
    /// The value of an element that is not.
    kept: f32,
}

/// Elements that one thread draws at a time.
const PIECE: usize = 1 << 15;

fn draw(mask: &mut [f32], key: u64, rate: f64) {
    let limit = (rate * 4_294_967_296.0) as u32;
    let kept = (1.0 / (1.0 - rate)) as f32;
    mask.par_chunks_mut(PIECE).enumerate().for_each(|(number, piece)| {
        let rule = MaskRule { low: key as u32, high: (key >> 32) as u32, limit, kept };
        fill(piece, (number * PIECE) as u32, rule);
    });
}

/// One draw for each element: a hash of its number under a key, twice through the mixer `lowbias32` (Wellons 2018,
/// "Prospecting for Hash Functions").
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "x86_64+sse4.1"))]
fn fill(piece: &mut [f32], start: u32, rule: MaskRule) {
    let MaskRule { low, high, limit, kept } = rule;
    for (at, element) in piece.iter_mut().enumerate() {
        let mut x = (start.wrapping_add(at as u32)) ^ low;
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x = (x ^ (x >> 16)).wrapping_add(high);
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        *element = if x < limit { 0.0 } else { kept };
    }
}

/// The mixer of `SplitMix64` (Steele, Lea and Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(seed: u64, step: u64, count: i64, rate: f64) -> Vec<f32> {
        let like = Tensor::zeros([count], (Kind::Float, Device::Cpu));
        Dropout::of_step(seed, step).mask(&like, rate).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_share_and_the_mean_are_right() {
        for rate in [0.1, 0.5] {
            let mask = mask(1, 2, 1_000_000, rate);
            let dropped = mask.iter().filter(|&&m| m == 0.0).count() as f64 / 1e6;
            let mean = mask.iter().map(|&m| f64::from(m)).sum::<f64>() / 1e6;
            // Six standard deviations of a share of a million.
            assert!((dropped - rate).abs() < 6.0 * 0.5e-3, "{dropped}");
            assert!((mean - 1.0).abs() < 6e-3, "{mean}");
        }
    }

    #[test]
    fn masks_repeat_by_seed_and_step_and_differ_otherwise() {
        let count = 100_000;
        assert_eq!(mask(1, 2, count, 0.5), mask(1, 2, count, 0.5));
        let first = mask(1, 2, count, 0.5);
        for other in [mask(1, 3, count, 0.5), mask(2, 2, count, 0.5), mask(2, 1, count, 0.5)] {
            let same = first.iter().zip(&other).filter(|(a, b)| a == b).count() as f64 / count as f64;
            assert!((same - 0.5).abs() < 0.01, "{same}");
        }
    }

    #[test]
    fn two_places_of_a_pass_and_neighbours_are_independent() {
        let like = Tensor::zeros([100_000], (Kind::Float, Device::Cpu));
        let mut dropout = Dropout::of_step(7, 0);
        let [a, b]: [Vec<f32>; 2] = [0; 2].map(|_| dropout.mask(&like, 0.5).unwrap().try_into().unwrap());
        let share = |pairs: &mut dyn Iterator<Item = bool>| {
            let (same, all) = pairs.fold((0.0, 0.0), |(s, n), p| (s + f64::from(u8::from(p)), n + 1.0));
            same / all
        };
        assert!((share(&mut a.iter().zip(&b).map(|(x, y)| x == y)) - 0.5).abs() < 0.01);
        for lag in [1, 2, 64, 384, 1 << 15] {
            let same = share(&mut a.iter().zip(&a[lag..]).map(|(x, y)| x == y));
            assert!((same - 0.5).abs() < 0.01, "lag {lag}: {same}");
        }
    }

    #[test]
    fn off_leaves_everything() {
        let x = Tensor::ones([4], (Kind::Float, Device::Cpu));
        assert!(Dropout::Off.mask(&x, 0.5).is_none());
        assert!(Dropout::of_step(1, 1).mask(&x, 0.0).is_none());
    }
}
