//! Oracles with known right answers, for tests.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};

use crate::oracle::{Answer, Attention, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient};
use crate::sampling::normals;

type Value = Box<dyn Fn(&[bool]) -> f64>;

/// A probability as a function of the words present; it counts the calls.
pub(crate) struct Game {
    words: usize,
    value: Value,
    /// Rows in each call.
    pub(crate) calls: Vec<usize>,
    /// How much lower the probability is for each word that is deleted and not masked.
    pub(crate) gap: f64,
}

impl Game {
    pub(crate) fn new(words: usize, value: impl Fn(&[bool]) -> f64 + 'static) -> Self {
        Self { words, value: Box::new(value), calls: Vec::new(), gap: 0.0 }
    }

    /// `rest` plus the weight of each word present.
    pub(crate) fn additive(rest: f64, weights: &[f64]) -> Self {
        let weights = weights.to_vec();
        Self::new(weights.len(), move |presence| rest + present_sum(presence, &weights))
    }

    /// One value for each subset of *present* words, its index read as bits.
    pub(crate) fn table(words: usize, values: Vec<f64>) -> Self {
        Self::new(words, move |presence| values[bits(presence)])
    }

    /// A logit with a weight for each word, and more for every third pair of neighbours present.
    pub(crate) fn interacting(words: usize) -> Self {
        let weights: Vec<_> = (0..words).map(|word| ((word * 7 + 3) % 11) as f64 / 4.0 - 1.2).collect();
        Self::new(words, move |present| {
            let pairs = present.windows(2).step_by(3).filter(|pair| pair[0] && pair[1]).count() as f64;
            logistic(present_sum(present, &weights) + 0.8 * pairs)
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.calls.iter().sum()
    }

    /// The logit that belongs to a probability; the probability may also be 0, 1 or outside of that.
    pub(crate) fn logit(probability: f64) -> f64 {
        3.0 * probability - 1.0
    }
}

/// Sum of the weights of the words present.
pub(crate) fn present_sum(presence: &[bool], weights: &[f64]) -> f64 {
    presence.iter().zip(weights).filter(|(present, _)| **present).map(|(_, weight)| weight).sum()
}

/// The words present as bits.
pub(crate) fn bits(presence: &[bool]) -> usize {
    presence.iter().enumerate().map(|(word, present)| usize::from(*present) << word).sum()
}

/// The logistic function.
pub(crate) fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

impl Predict for Game {
    fn words(&self) -> usize {
        self.words
    }

    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>> {
        self.calls.push(presence.len());
        let gap = if removal == Removal::Delete { self.gap } else { 0.0 };
        let outcome = |row: &Vec<bool>| {
            let probability = (self.value)(row) - gap * row.iter().filter(|present| !**present).count() as f64;
            let logit = Self::logit(probability);
            Outcome { probability, logit, margin: 2.0 * logit }
        };
        Ok(presence.iter().map(outcome).collect())
    }
}

type Logit = Box<dyn Fn(&[f64]) -> f64>;
type Gradient = Box<dyn Fn(&[f64]) -> Vec<f64>>;

/// A logit that is a function of one number for each word: 1 at the input, 0 at the baseline (0.5 at that of masks).
/// The probability of a masked text is its logistic; deleting is the same as masking.
pub(crate) struct Smooth {
    words: usize,
    logit: Logit,
    gradient: Gradient,
    /// Points in each call of `path`.
    pub(crate) path_calls: Vec<usize>,
}

impl Smooth {
    pub(crate) fn new(
        words: usize,
        logit: impl Fn(&[f64]) -> f64 + 'static,
        gradient: impl Fn(&[f64]) -> Vec<f64> + 'static,
    ) -> Self {
        Self { words, logit: Box::new(logit), gradient: Box::new(gradient), path_calls: Vec::new() }
    }

    /// bias + weights . x
    pub(crate) fn linear(bias: f64, weights: &[f64]) -> Self {
        let (inside, slopes) = (weights.to_vec(), weights.to_vec());
        Self::new(weights.len(), move |x| bias + dot(&inside, x), move |_| slopes.clone())
    }

    /// tanh(weights . x), whose integrated gradients are weight / sum of weights x tanh(that sum).
    pub(crate) fn tanh(weights: &[f64]) -> Self {
        let (inside, slopes) = (weights.to_vec(), weights.to_vec());
        let gradient = move |x: &[f64]| {
            let steepness = 1.0 - dot(&slopes, x).tanh().powi(2);
            slopes.iter().map(|weight| weight * steepness).collect()
        };
        Self::new(weights.len(), move |x| dot(&inside, x).tanh(), gradient)
    }

    /// Sum over terms of coefficient x product of x_i ^ power_i.
    pub(crate) fn polynomial(words: usize, terms: Vec<(f64, Vec<i32>)>) -> Self {
        let inside = terms.clone();
        let gradient =
            move |x: &[f64]| (0..words).map(|word| terms.iter().map(|t| partial(t, x, word)).sum()).collect();
        Self::new(words, move |x| inside.iter().map(|term| monomial(term, x)).sum(), gradient)
    }

    /// There are two classes with opposite logits, so the margin is twice the logit. Gradients of the probability are
    /// left to real models.
    fn scale(&self, scalar: Scalar) -> f64 {
        if scalar == Scalar::Margin { 2.0 } else { 1.0 }
    }

    fn at(&self, x: &[f64], scalar: Scalar) -> WordGradient {
        let gradient: Vec<_> = (self.gradient)(x).into_iter().map(|slope| self.scale(scalar) * slope).collect();
        WordGradient { norm: gradient.iter().map(|slope| slope.abs()).collect(), times_input: gradient }
    }

    /// The logit at the input.
    pub(crate) fn at_input(&self) -> f64 {
        (self.logit)(&vec![1.0; self.words])
    }

    /// The logit at the baseline.
    pub(crate) fn at_baseline(&self) -> f64 {
        (self.logit)(&vec![0.0; self.words])
    }
}

fn dot(weights: &[f64], x: &[f64]) -> f64 {
    weights.iter().zip(x).map(|(weight, x)| weight * x).sum()
}

fn monomial((coefficient, powers): &(f64, Vec<i32>), x: &[f64]) -> f64 {
    coefficient * powers.iter().zip(x).map(|(power, x)| x.powi(*power)).product::<f64>()
}

fn partial((coefficient, powers): &(f64, Vec<i32>), x: &[f64], word: usize) -> f64 {
    let power = powers[word];
    if power == 0 {
        return 0.0;
    }
    let mut lower = powers.clone();
    lower[word] -= 1;
    f64::from(power) * monomial(&(*coefficient, lower), x)
}

impl Predict for Smooth {
    fn words(&self) -> usize {
        self.words
    }

    fn outcomes(&mut self, presence: &[Vec<bool>], _: Removal) -> Answer<Vec<Outcome>> {
        let numbers = |row: &Vec<bool>| row.iter().map(|present| f64::from(u8::from(*present))).collect::<Vec<_>>();
        let outcome = |row: &Vec<bool>| {
            let logit = (self.logit)(&numbers(row));
            Outcome { logit, probability: logistic(logit), margin: self.scale(Scalar::Margin) * logit }
        };
        Ok(presence.iter().map(outcome).collect())
    }
}

impl Slopes for Smooth {
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient> {
        Ok(self.at(&vec![1.0; self.words], scalar))
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>> {
        self.path_calls.push(alphas.len());
        let start = if baseline == Baseline::Mask { 0.5 } else { 0.0 };
        let point = |alpha: &f64| {
            let x = vec![start + alpha * (1.0 - start); self.words];
            let scale = self.scale(scalar);
            let slopes = (self.gradient)(&x).into_iter().map(|slope| scale * slope * (1.0 - start)).collect();
            PathPoint { value: scale * (self.logit)(&x), slopes }
        };
        Ok(alphas.iter().map(point).collect())
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        let input = |index: u64| {
            let drawn = normals(noise.seed, index, self.words);
            drawn.into_iter().map(|number| 1.0 + noise.sigma * number).collect::<Vec<_>>()
        };
        Ok((first..first + count as u64).map(|index| self.at(&input(index), noise.scalar)).collect())
    }

    /// One layer in which every token attends more to later tokens; the first token is special, and the head reads it.
    fn attention(&mut self) -> Answer<Attention> {
        let tokens = self.words + 1;
        let reader = (0..tokens).map(|token| f64::from(u8::from(token == 0))).collect();
        let total = (tokens * (tokens + 1) / 2) as f64;
        let layers = vec![vec![(1..=tokens).map(|token| token as f64 / total).collect(); tokens]];
        Ok(Attention {
            layers,
            reader,
            word_of_token: std::iter::once(None).chain((0..self.words).map(Some)).collect(),
        })
    }
}

/// An oracle whose answers nobody waits for any more.
pub(crate) struct Cancelled;

impl Predict for Cancelled {
    fn words(&self) -> usize {
        3
    }

    fn outcomes(&mut self, _: &[Vec<bool>], _: Removal) -> Answer<Vec<Outcome>> {
        Err(OracleError::Cancelled)
    }
}

impl Slopes for Cancelled {
    fn gradient(&mut self, _: Scalar) -> Answer<WordGradient> {
        Err(OracleError::Cancelled)
    }

    fn path(&mut self, _: Baseline, _: &[f64], _: Scalar) -> Answer<Vec<PathPoint>> {
        Err(OracleError::Cancelled)
    }

    fn noisy_gradients(&mut self, _: Noise, _: u64, _: usize) -> Answer<Vec<WordGradient>> {
        Err(OracleError::Cancelled)
    }

    fn attention(&mut self) -> Answer<Attention> {
        Err(OracleError::Cancelled)
    }
}
