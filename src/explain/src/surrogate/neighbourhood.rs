//! The maskings of a text that surrogates are fitted to and judged on.

use std::collections::HashSet;

use pellucid_protocol::Removal;

use super::kernel::{distance, weight};
use crate::context::Samples;
use crate::oracle::Answer;
use crate::oracle::masking::{Masking, ROWS_PER_CALL};
use crate::oracle::word_set::WordSet;
use crate::regression::Weighted;
use crate::regression::pair_model::SizeWeights;
use crate::regression::ridge::Ridge;
use crate::sampling::strata::{SamplingPlan, StratifiedSample, Stratum, StratumSize, allocate};
use crate::sampling::subset_draw::{binomial, distinct};
use crate::sampling::{Purpose, generator, perturbations};

/// The rows of a size are in proportion to its weight to this power. 1 is best if all sizes scatter alike, 0 if sizes
/// scatter more the less they weigh. The optimum is flat: on real texts whose maskings are all known, no value from 0.3
/// to 0.9 has clearly smaller errors. The lower it is, the shorter are rows with deleted words.
const ALLOCATION: f64 = 0.5;

/// Maskings of the first fit, for texts that have fewer words than this.
const FIRST_ROWS: usize = 32;

/// Special tokens at the start and the end of a text.
const SPECIAL_TOKENS: f64 = 2.0;

/// The cost of a row with `masked` of `words` words removed. Rows with many deleted words are short and cheap, so more
/// of them are drawn.
///
/// Source: optimum allocation with costs, weight / sqrt(cost), Cochran 1977, "Sampling Techniques", section 5.5.
fn cost(masked: usize, words: usize, removal: Removal) -> f64 {
    match removal {
        Removal::Mask => 1.0,
        Removal::Delete => (words - masked) as f64 + SPECIAL_TOKENS,
    }
}

/// The maskings that `lime` draws, with less left to chance.
///
/// `lime` takes the text itself once, then N - 1 rows. Each has m ~ U{1..n} words masked, all sets of that size equally
/// likely, and the weight kernel(m). Here the sets of a size are a [`Stratum`] with the weight that `lime` gives them
/// on average for N = [`Samples::scale`], (N - 1) kernel(m) / n, however many of them are taken. So the normal
/// equations are those of `lime` on average, and those of infinitely many samples if all sets are taken. Sizes with
/// more weight get more rows, because maskings far from the text hardly count, and so do sizes whose rows cost less.
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `__data_labels_distances`; strata in proportion to what they contribute:
/// Neyman 1934.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhood {
    words: usize,
    plan: SamplingPlan,
    held_out: Vec<WordSet>,
}

impl Neighbourhood {
    /// Draws maskings of a text with this number of words, which are removed in this way.
    #[must_use]
    pub fn new(words: usize, removal: Removal, samples: Samples, seed: u64) -> Self {
        Self::with_rows(words, removal, samples, samples.fit.saturating_sub(1), seed)
    }

    /// All maskings of a short text, with the weights of `samples.scale` samples.
    #[must_use]
    pub fn whole(words: usize, samples: Samples) -> Self {
        Self::with_rows(words, Removal::Mask, samples, (1 << words) - 1, 0)
    }

    fn with_rows(words: usize, removal: Removal, samples: Samples, rows: usize, seed: u64) -> Self {
        let lime_rows = samples.scale.saturating_sub(1) as f64;
        let size = |masked: usize| StratumSize {
            weight: lime_rows * weight(distance(masked, words)) / words as f64,
            population: binomial(words, masked),
        };
        let wanted = |masked: usize| {
            let size = size(masked);
            StratumSize { weight: size.weight.powf(ALLOCATION) / cost(masked, words, removal).sqrt(), ..size }
        };
        let counts = allocate(&(1..=words).map(wanted).collect::<Vec<_>>(), rows);
        let random = &mut generator(seed, Purpose::Fit);
        let strata = (1..=words).zip(counts).map(|(masked, count)| Stratum {
            sets: distinct(words, masked, count, random),
            size: size(masked),
            sets_per_draw: 1,
        });
        let plan = SamplingPlan::new(strata.collect());
        let held_out = match plan.is_complete() {
            true => Vec::new(),
            false => perturbations(words, samples.held_out, &mut generator(seed, Purpose::HeldOut)),
        };
        Self { words, plan, held_out }
    }

    /// Whether the maskings to fit to are all that the text has.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.plan.is_complete()
    }

    /// The weight of all maskings of each size together, drawn or not; the text weighs 1.
    #[must_use]
    pub fn size_weights(&self) -> SizeWeights {
        SizeWeights { weights: std::iter::once(1.0).chain(self.plan.weights()).collect() }
    }

    /// Number of different maskings to fit to, the text included.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.plan.rows() + 1
    }

    /// The number of maskings of each fit, one fit after the other. The first has more maskings than there are words:
    /// it is soon done and already says something. The number doubles up to [`Neighbourhood::planned`].
    #[must_use]
    pub fn rounds(&self) -> Vec<usize> {
        let first = if self.words < FIRST_ROWS { FIRST_ROWS } else { ROWS_PER_CALL };
        let doubling = std::iter::successors(Some(first), |rows| Some(rows * 2));
        doubling.take_while(|rows| *rows < self.planned()).chain([self.planned()]).collect()
    }

    /// The maskings to fit to, the text included.
    #[must_use]
    pub fn sets(&self) -> Vec<WordSet> {
        let mut sets = self.plan.take(self.plan.rows()).sets;
        sets.push(WordSet::empty(self.words));
        sets
    }

    /// Number of different maskings, the held-out ones included.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.sets().iter().chain(&self.held_out).collect::<HashSet<_>>().len()
    }

    /// Asks for the text and the first maskings, `rows` in all.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn ask(&self, masking: &mut Masking, rows: usize) -> Answer<Perturbations> {
        let taken = self.plan.take(rows.saturating_sub(1));
        let sets = [WordSet::empty(self.words)].into_iter().chain(taken.sets.iter().cloned()).collect::<Vec<_>>();
        let weights = [1.0].into_iter().chain(taken.weights.iter().copied()).collect();
        Perturbations::ask(masking, &sets, weights, taken)
    }

    /// Asks for the held-out maskings: drawn as `lime` draws, from a stream of their own, without the text itself.
    /// Where a surrogate is fitted to all maskings, there are no others, and these are all but the text. The fidelity
    /// on them is the true one: the weight of the text, which can raise the fidelity in sample, is left out.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn ask_held_out(&self, masking: &mut Masking) -> Answer<Perturbations> {
        if self.plan.is_complete() {
            let taken = self.plan.take(self.plan.rows());
            return Perturbations::ask(masking, &taken.sets, taken.weights.clone(), StratifiedSample::default());
        }
        let weights = self.held_out.iter().map(|set| weight(distance(set.len(), self.words))).collect();
        Perturbations::ask(masking, &self.held_out, weights, StratifiedSample::default())
    }
}

/// Maskings with the answers of the model, as data for a regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Perturbations {
    rows: Vec<Vec<f64>>,
    values: Vec<f64>,
    weights: Vec<f64>,
    sample: StratifiedSample,
}

impl Perturbations {
    fn ask(masking: &mut Masking, masked: &[WordSet], weights: Vec<f64>, sample: StratifiedSample) -> Answer<Self> {
        let words = masking.words();
        let rows = masked.iter().map(|set| set.row(words)).collect();
        Ok(Self { rows, values: masking.values(masked)?, weights, sample })
    }

    /// Number of maskings.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// The data: a feature is 1 for a word that is present and 0 for one that is masked.
    #[must_use]
    pub fn data(&self) -> Weighted<'_> {
        Weighted { rows: &self.rows, targets: &self.values, weights: &self.weights }
    }

    /// All but the text itself, whose weight alone can raise R2.
    fn without_text(&self) -> Weighted<'_> {
        let rest = 1.min(self.rows.len())..;
        Weighted { rows: &self.rows[rest.clone()], targets: &self.values[rest.clone()], weights: &self.weights[rest] }
    }

    /// Weighted R2 of a ridge regression on maskings that it has not seen: each masking but the text is predicted by
    /// the fit to all others. `None` as for [`Weighted::r2`].
    #[must_use]
    pub fn left_out_r2(&self, linear: &Ridge, penalty: f64) -> Option<f64> {
        let predictions = linear.left_out(&self.data(), penalty);
        self.without_text().r2_of(predictions.get(1..).unwrap_or_default())
    }

    /// [`StratifiedSample::errors`] of these influences. The first is that of the text, which is not drawn.
    #[must_use]
    pub fn errors(&self, influences: &[Vec<f64>]) -> Vec<f64> {
        let errors = self.sample.errors(influences.get(1..).unwrap_or_default());
        if errors.is_empty() { vec![0.0; self.words()] } else { errors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(neighbourhood: &Neighbourhood, rows: usize) -> f64 {
        neighbourhood.plan.take(rows).weights.iter().sum()
    }

    #[test]
    fn weights_are_those_of_lime_on_average() {
        for words in [2, 8, 20, 60] {
            let samples = Samples { fit: 501, held_out: 0, scale: 501 };
            let found = Neighbourhood::new(words, Removal::Mask, samples, 3);
            let expected: f64 = (1..=words).map(|size| 500.0 * weight(distance(size, words)) / words as f64).sum();
            assert!((total(&found, 500) - expected).abs() < 1e-9 * expected);
            assert!(found.planned() <= 501);
        }
    }

    #[test]
    fn a_short_text_is_taken_whole_and_judged_on_all_but_itself() {
        let found = Neighbourhood::new(10, Removal::Mask, Samples::default(), 1);
        assert_eq!((found.planned(), found.evaluations()), (1024, 1024));
        assert!(found.plan.is_complete() && found.held_out.is_empty());
        assert!(!Neighbourhood::new(11, Removal::Mask, Samples::default(), 1).plan.is_complete());
    }

    #[test]
    fn the_whole_weighs_as_its_samples() {
        let samples = Samples { fit: 300, held_out: 9, scale: 300 };
        let whole = Neighbourhood::whole(9, samples);
        assert!(whole.is_complete() && whole.planned() == 512);
        assert!((total(&whole, 511) - total(&Neighbourhood::new(9, Removal::Mask, samples, 1), 299)).abs() < 1e-9);
    }

    #[test]
    fn rounds_double_and_end_with_all() {
        let rounds = |words, fit| {
            Neighbourhood::new(words, Removal::Mask, Samples { fit, held_out: 5, scale: 1000 }, 1).rounds()
        };
        assert_eq!(rounds(30, 1000), [32, 64, 128, 256, 512, 1000]);
        assert_eq!(rounds(32, 300), [64, 128, 256, 300]);
        assert_eq!((rounds(30, 20), rounds(2, 1000), rounds(30, 0)), (vec![20], vec![4], vec![1]));
    }

    #[test]
    fn more_rows_are_drawn_where_they_are_short() {
        let of = |removal| Neighbourhood::new(20, removal, Samples { fit: 1000, held_out: 0, scale: 1000 }, 1);
        let kept =
            |found: &Neighbourhood| -> usize { found.plan.take(999).sets.iter().map(|set| 20 - set.len()).sum() };
        let (masked, deleted) = (of(Removal::Mask), of(Removal::Delete));
        assert_eq!(masked.planned(), deleted.planned());
        assert!(kept(&deleted) < kept(&masked) * 96 / 100, "{} of {}", kept(&deleted), kept(&masked));
        assert!((total(&masked, 999) - total(&deleted, 999)).abs() < 1e-9);
    }
}
