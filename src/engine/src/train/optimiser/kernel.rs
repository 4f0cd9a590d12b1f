//! One pass over weights, gradient and moments on the CPU: clip, penalise, decay, step, threshold.

use multiversion::multiversion;

/// The numbers of a step that are the same for a whole parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    /// The factor of the gradient.
    pub clip: f32,
    /// Lambda of subgradient L1, added to the gradient with the sign of the weight.
    pub l1_gradient: f32,
    /// 2 lambda of coupled L2, added to the gradient times the weight's distance from its anchor.
    pub l2_gradient: f32,
    /// Learning rate times lambda of decoupled L2.
    pub decay: f32,
    /// Learning rate, for Adam divided by the first bias correction.
    pub rate: f32,
    /// For Adam: one over the root of the second bias correction.
    pub unbias: f32,
    /// Learning rate times lambda of proximal L1, in the metric of plain gradient descent.
    pub threshold: f32,
    /// Momentum of SGD.
    pub momentum: f32,
}

/// Adam's betas and epsilon, as torch has them.
pub const BETA1: f32 = 0.9;
/// See [`BETA1`].
pub const BETA2: f32 = 0.999;
/// See [`BETA1`].
pub const EPSILON: f32 = 1e-8;

/// A piece of one parameter.
#[derive(Debug)]
pub struct Piece<'a> {
    /// Weights.
    pub weights: &'a mut [f32],
    /// Their gradient; `None` for zero.
    pub gradient: Option<&'a [f32]>,
    /// What L2 pulls them towards; `None` for zero.
    pub anchor: Option<&'a [f32]>,
    /// Adam's mean of gradients, SGD's velocity.
    pub first: &'a mut [f32],
    /// Adam's mean of squared gradients; empty for SGD.
    pub second: &'a mut [f32],
}

/// How many numbers are worked on at a time, so that they stay in the nearest cache between two loops.
const BLOCK: usize = 1024;

/// The gradient of a block with its penalties, clipped, in `into`.
#[inline(always)]
fn penalised(into: &mut [f32], piece: &Piece<'_>, at: usize, c: &Coefficients) {
    let weights = &piece.weights[at..at + into.len()];
    match piece.gradient {
        Some(gradient) => into.copy_from_slice(&gradient[at..at + into.len()]),
        None => into.fill(0.0),
    }
    if c.l1_gradient != 0.0 {
        for (g, &w) in into.iter_mut().zip(weights) {
            let sign = if w > 0.0 { 1.0 } else { 0.0 } - if w < 0.0 { 1.0 } else { 0.0 };
            *g += c.l1_gradient * sign;
        }
    }
    if c.l2_gradient != 0.0 {
        match piece.anchor {
            Some(anchor) => {
                for ((g, &w), &a) in into.iter_mut().zip(weights).zip(&anchor[at..]) {
                    *g += c.l2_gradient * (w - a);
                }
            }
            None => into.iter_mut().zip(weights).for_each(|(g, &w)| *g += c.l2_gradient * w),
        }
    }
    if c.clip != 1.0 {
        into.iter_mut().for_each(|g| *g *= c.clip);
    }
}

#[inline(always)]
fn decay(weights: &mut [f32], anchor: Option<&[f32]>, rate: f32) {
    if rate == 0.0 {
        return;
    }
    match anchor {
        Some(anchor) => weights.iter_mut().zip(anchor).for_each(|(w, &a)| *w -= rate * (*w - a)),
        None => weights.iter_mut().for_each(|w| *w *= 1.0 - rate),
    }
}

/// sign(w) max(|w| - t, 0), and +0 wherever |w| <= t.
#[inline(always)]
fn soft(w: f32, t: f32) -> f32 {
    w - w.max(-t).min(t)
}

/// AdamW with decoupled decay (Loshchilov and Hutter 2019, algorithm 2) and the proximal operator of L1 in its metric.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "aarch64+neon"))]
pub fn adamw<'a>(piece: &mut Piece<'a>, c: &Coefficients) {
    let mut gradient = [0f32; BLOCK];
    let mut at = 0;
    while at < piece.weights.len() {
        let size = BLOCK.min(piece.weights.len() - at);
        let gradient = &mut gradient[..size];
        penalised(gradient, piece, at, c);
        let weights = &mut piece.weights[at..at + size];
        decay(weights, piece.anchor.map(|anchor| &anchor[at..at + size]), c.decay);
        let (first, second) = (&mut piece.first[at..at + size], &mut piece.second[at..at + size]);
        for (((w, &g), m), v) in weights.iter_mut().zip(&*gradient).zip(first).zip(second) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * (g * g);
            let metric = v.sqrt() * c.unbias + EPSILON;
            *w = soft(*w - c.rate * (*m / metric), c.threshold / metric);
        }
        at += size;
    }
}

/// SGD with momentum, decoupled decay and the proximal operator of L1.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "aarch64+neon"))]
pub fn sgd<'a>(piece: &mut Piece<'a>, c: &Coefficients) {
    let mut gradient = [0f32; BLOCK];
    let mut at = 0;
    while at < piece.weights.len() {
        let size = BLOCK.min(piece.weights.len() - at);
        let gradient = &mut gradient[..size];
        penalised(gradient, piece, at, c);
        let weights = &mut piece.weights[at..at + size];
        decay(weights, piece.anchor.map(|anchor| &anchor[at..at + size]), c.decay);
        for ((w, &g), m) in weights.iter_mut().zip(&*gradient).zip(&mut piece.first[at..at + size]) {
            *m = c.momentum * *m + g;
            *w = soft(*w - c.rate * *m, c.threshold);
        }
        at += size;
    }
}

/// Sum of squares of the gradient with its penalties, before clipping.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "aarch64+neon"))]
pub fn squares<'a>(piece: &Piece<'a>, c: &Coefficients) -> f64 {
    let unclipped = Coefficients { clip: 1.0, ..*c };
    if c.l1_gradient == 0.0 && c.l2_gradient == 0.0 {
        return piece.gradient.map_or(0.0, |gradient| sum(gradient, |g| g * g));
    }
    let mut gradient = [0f32; BLOCK];
    let (mut total, mut at) = (0.0, 0);
    while at < piece.weights.len() {
        let size = BLOCK.min(piece.weights.len() - at);
        penalised(&mut gradient[..size], piece, at, &unclipped);
        total += sum(&gradient[..size], |g| g * g);
        at += size;
    }
    total
}

/// Sum of |w|.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "aarch64+neon"))]
pub fn absolutes(weights: &[f32]) -> f64 {
    sum(weights, f32::abs)
}

/// Sum of (w - a)^2.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "aarch64+neon"))]
pub fn distances(weights: &[f32], anchor: Option<&[f32]>) -> f64 {
    let Some(anchor) = anchor else { return sum(weights, |w| w * w) };
    let mut way = [0f32; BLOCK];
    let blocks = weights.chunks(BLOCK).zip(anchor.chunks(BLOCK));
    blocks
        .map(|(weights, anchor)| {
            let way = &mut way[..weights.len()];
            for ((d, &w), &a) in way.iter_mut().zip(weights).zip(anchor) {
                *d = w - a;
            }
            sum(way, |d| d * d)
        })
        .sum()
}

/// How many numbers are exactly zero, and how many have at most the size `limit`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2", "aarch64+neon"))]
pub fn zeros(weights: &[f32], limit: f32) -> (u64, u64) {
    let (mut zero, mut near) = (0, 0);
    for block in weights.chunks(BLOCK) {
        let (mut z, mut n) = (0u32, 0u32);
        for &w in block {
            z += u32::from(w == 0.0);
            n += u32::from(w.abs() <= limit);
        }
        zero += u64::from(z);
        near += u64::from(n);
    }
    (zero, near)
}

/// How many running sums are kept side by side, so that one instruction adds to all; always in the same order.
const LANES: usize = 16;

#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    let mut total = 0f64;
    for block in values.chunks(BLOCK) {
        let mut lanes = [0f32; LANES];
        let rows = block.chunks_exact(LANES);
        let rest = rows.remainder();
        for row in rows {
            for (lane, &value) in lanes.iter_mut().zip(row) {
                *lane += of(value);
            }
        }
        for (lane, &value) in lanes.iter_mut().zip(rest) {
            *lane += of(value);
        }
        total += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Coefficients = Coefficients {
        clip: 1.0,
        l1_gradient: 0.0,
        l2_gradient: 0.0,
        decay: 0.0,
        rate: 0.1,
        unbias: 1.0,
        threshold: 0.0,
        momentum: 0.5,
    };

    fn wave(size: usize, step: f32) -> Vec<f32> {
        (0..size).map(|n| (n as f32 * step).sin()).collect()
    }

    #[test]
    fn the_soft_threshold_gives_exact_zeros_without_a_sign() {
        let values = [0.3f32, -0.3, 0.05, -0.05, 0.1, -0.1, 0.0, -0.0].map(|w| soft(w, 0.1));
        assert!((values[0] - 0.2).abs() < 1e-7 && (values[1] + 0.2).abs() < 1e-7);
        assert_eq!(values[2..].iter().map(|w| w.to_bits()).collect::<Vec<_>>(), [0; 6]);
    }

    #[test]
    fn sums_equal_those_in_double_precision() {
        let values = wave(5_003, 0.7);
        let exact: f64 = values.iter().map(|&w| f64::from(w).abs()).sum();
        assert!((absolutes(&values) / exact - 1.0).abs() < 1e-6);
        let anchor = wave(5_003, 0.3);
        let exact: f64 = values.iter().zip(&anchor).map(|(&w, &a)| (f64::from(w) - f64::from(a)).powi(2)).sum();
        assert!((distances(&values, Some(&anchor)) / exact - 1.0).abs() < 1e-6);
    }

    #[test]
    fn zeros_are_counted() {
        assert_eq!(zeros(&[0.0, -0.0, 1e-9, -0.5, 0.5], 1e-6), (2, 3));
    }

    #[test]
    fn penalties_are_part_of_the_norm_and_of_the_step() {
        let gradient = wave(3_000, 0.1);
        let anchor = wave(3_000, 0.2);
        let mut weights = wave(3_000, 0.3);
        let before = weights.clone();
        let (mut velocity, mut none) = (vec![0f32; 3_000], []);
        let c = Coefficients { clip: 0.5, l1_gradient: 0.01, l2_gradient: 0.2, ..PLAIN };
        let mut piece = Piece {
            weights: &mut weights,
            gradient: Some(&gradient),
            anchor: Some(&anchor),
            first: &mut velocity,
            second: &mut none,
        };
        let whole = |n: usize| gradient[n] + 0.01 * before[n].signum() + 0.2 * (before[n] - anchor[n]);
        let exact: f64 = (1..3_000).map(|n| f64::from(whole(n)).powi(2)).sum();
        assert!((squares(&piece, &c) / exact - 1.0).abs() < 1e-5);
        sgd(&mut piece, &c);
        for n in 1..3_000 {
            assert!((weights[n] - (before[n] - 0.1 * 0.5 * whole(n))).abs() < 1e-6);
        }
    }
}
