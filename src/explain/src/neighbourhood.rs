//! The maskings near a text to which surrogates are fitted and on which they are judged.

use std::collections::HashSet;

use pellucid_protocol::Removal;

use crate::control_variate::Law;
use crate::oracle::Answer;
use crate::ridge::{Ridge, Weighted};
use crate::sampling::{Purpose, distance, generator, perturbations, weight};
use crate::strata::{Plan, Stratum, Taken, allocate};
use crate::subset_draw::{binomial, distinct};
use crate::table::{Masking, ROWS_PER_CALL};
use crate::word_set::WordSet;

/// How many maskings are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// To fit to, the text itself being the first; at least one.
    pub fit: usize,
    /// To judge a tree on; a line is judged on the rows it is fitted to, each left out in turn.
    pub held_out: usize,
    /// How many of `lime`'s samples the maskings stand for, the text being one of them: what the ridge's
    /// penalty is weighed against, however many are drawn.
    pub scale: usize,
}

impl Default for Samples {
    /// 1024 and 256: up to 10 words, that is all of them. They stand for 5000, `lime`'s own default.
    fn default() -> Self {
        Self { fit: 1024, held_out: 256, scale: 5000 }
    }
}

/// Rows of a size go by its weight to this power: between 1, which is best if all sizes scatter alike, and 0,
/// which is best if they scatter the more the less they weigh. The optimum is flat: on real texts with all maskings known
/// nothing from 0.3 to 0.9 errs less than the others, and the lower it is, the shorter are rows of deletions.
const ALLOCATION: f64 = 0.5;

/// Maskings of the first fit to a text of fewer words than that.
const FIRST_ROWS: usize = 32;

/// Tokens of a text beside its words, in words: what begins and ends it.
const FRAME: f64 = 2.0;

/// What a row with `masked` of `words` words out costs. Where words are deleted, rows of many deletions are short
/// and cheap, so that more of them are worth their price.
///
/// Source: optimum allocation with costs, weight / sqrt(cost), Cochran 1977, "Sampling Techniques", section 5.5.
fn cost(masked: usize, words: usize, removal: Removal) -> f64 {
    match removal {
        Removal::Mask => 1.0,
        Removal::Delete => (words - masked) as f64 + FRAME,
    }
}

/// What `lime` draws, with less left to chance.
///
/// `lime`'s law: the text itself once, then N - 1 rows, each with m ~ U{1..n} words masked, every set of
/// that size equally likely, and weight kernel(m). Here the sets of a size are a [`Stratum`] that weighs
/// what the law expects of N = [`Samples::scale`], (N - 1) kernel(m) / n, however many of its sets are taken: so
/// the normal equations are those of `lime` in the mean, and those of infinitely many samples where all sets are
/// taken. More rows
/// go to the sizes that weigh more, because the far ones hardly count, and to those that cost less.
///
/// Source of the law: `lime` 0.2.0.1, `lime_text.py`, `__data_labels_distances`; of stratifying by what
/// weighs most, Neyman 1934.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhood {
    words: usize,
    plan: Plan,
    held_out: Vec<WordSet>,
}

impl Neighbourhood {
    /// Draws the maskings of a text of `words` words that are taken out in this way.
    #[must_use]
    pub fn new(words: usize, removal: Removal, samples: Samples, seed: u64) -> Self {
        Self::with_rows(words, (samples, removal), seed, samples.fit.saturating_sub(1))
    }

    /// All maskings of a short text, with the weights of `samples.scale` samples.
    #[must_use]
    pub fn whole(words: usize, samples: Samples) -> Self {
        Self::with_rows(words, (samples, Removal::Mask), 0, (1 << words) - 1)
    }

    fn with_rows(words: usize, (samples, removal): (Samples, Removal), seed: u64, rows: usize) -> Self {
        let lime_rows = samples.scale.saturating_sub(1) as f64;
        let sizes: Vec<_> = (1..=words)
            .map(|size| (lime_rows * weight(distance(size, words)) / words as f64, binomial(words, size)))
            .collect();
        let random = &mut generator(seed, Purpose::Fit);
        let share = |(index, (weight, sets)): (usize, &(f64, f64))| {
            (weight.powf(ALLOCATION) / cost(index + 1, words, removal).sqrt(), *sets)
        };
        let shares: Vec<_> = sizes.iter().enumerate().map(share).collect();
        let strata = sizes.iter().zip(allocate(&shares, rows)).enumerate().map(|(index, (size, count))| Stratum {
            sets: distinct(words, index + 1, count, random),
            population: size.1,
            weight: size.0,
            together: 1,
        });
        let plan = Plan::new(strata.collect());
        let held_out = match plan.is_complete() {
            true => Vec::new(),
            false => perturbations(words, samples.held_out, &mut generator(seed, Purpose::HeldOut)),
        };
        Self { words, plan, held_out }
    }

    /// Whether all maskings are fitted to.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.plan.is_complete()
    }

    /// What the maskings of each size weigh together, taken or not; the text weighs 1.
    #[must_use]
    pub fn law(&self) -> Law {
        Law { sizes: std::iter::once(1.0).chain(self.plan.weights()).collect() }
    }

    /// Different maskings to fit to, the text included.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.plan.rows() + 1
    }

    /// How many maskings to fit to, one attempt after the other: from more than there are words, so that the first is
    /// soon there and yet worth a look, doubling up to [`Neighbourhood::planned`].
    #[must_use]
    pub fn rounds(&self) -> Vec<usize> {
        let first = if self.words < FIRST_ROWS { FIRST_ROWS } else { ROWS_PER_CALL };
        let doubling = std::iter::successors(Some(first), |rows| Some(rows * 2));
        doubling.take_while(|rows| *rows < self.planned()).chain([self.planned()]).collect()
    }

    /// Different maskings in all, the held-out ones included.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        let mut sets = self.plan.take(self.plan.rows()).sets;
        sets.push(WordSet::empty(self.words));
        sets.iter().chain(&self.held_out).collect::<HashSet<_>>().len()
    }

    /// The text and the first maskings, `rows` in all.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn ask(&self, masking: &mut Masking, rows: usize) -> Answer<Seen> {
        let taken = self.plan.take(rows.saturating_sub(1));
        let sets = [WordSet::empty(self.words)].into_iter().chain(taken.sets.iter().cloned()).collect::<Vec<_>>();
        let weights = [1.0].into_iter().chain(taken.weights.iter().copied()).collect();
        Seen::ask(masking, &sets, weights, taken)
    }

    /// The maskings that no tree is fitted to, drawn after the same law from a stream of their own,
    /// without the text itself. Where all maskings are fitted to, there are no others, and these are all but
    /// the text: on them the true fidelity is measured, without the weight of the text alone, which can lift
    /// the one in sample.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn ask_held_out(&self, masking: &mut Masking) -> Answer<Seen> {
        if self.plan.is_complete() {
            let taken = self.plan.take(self.plan.rows());
            return Seen::ask(masking, &taken.sets, taken.weights.clone(), Taken::default());
        }
        let weights = self.held_out.iter().map(|set| weight(distance(set.len(), self.words))).collect();
        Seen::ask(masking, &self.held_out, weights, Taken::default())
    }
}

/// Maskings as a regression sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    rows: Vec<Vec<f64>>,
    probabilities: Vec<f64>,
    weights: Vec<f64>,
    taken: Taken,
}

impl Seen {
    fn ask(masking: &mut Masking, masked: &[WordSet], weights: Vec<f64>, taken: Taken) -> Answer<Self> {
        let words = masking.words();
        let presence = |set: &WordSet| set.presence(words).into_iter().map(|present| f64::from(u8::from(present)));
        Ok(Self {
            rows: masked.iter().map(|set| presence(set).collect()).collect(),
            probabilities: masking.values(masked)?,
            weights,
            taken,
        })
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

    /// For a regression: 1 for a word that is present, 0 for one that is masked.
    #[must_use]
    pub fn data(&self) -> Weighted<'_> {
        Weighted { rows: &self.rows, targets: &self.probabilities, weights: &self.weights }
    }

    /// All but the text itself, whose weight alone can lift an R2.
    fn without_text(&self) -> Weighted<'_> {
        let rest = 1.min(self.rows.len())..;
        Weighted {
            rows: &self.rows[rest.clone()],
            targets: &self.probabilities[rest.clone()],
            weights: &self.weights[rest],
        }
    }

    /// Weighted R2 of a ridge regression on maskings that it has not seen: on each but the text, that of the fit
    /// to all the others. `None` as for [`Weighted::r2`].
    #[must_use]
    pub fn left_out_r2(&self, line: &Ridge, penalty: f64) -> Option<f64> {
        let predictions = line.left_out(&self.data(), penalty);
        self.without_text().r2_of(predictions.get(1..).unwrap_or_default())
    }

    /// [`Taken::errors`] for influences of which the text's own, not drawn, is the first.
    #[must_use]
    pub fn errors(&self, influences: &[Vec<f64>]) -> Vec<f64> {
        let errors = self.taken.errors(influences.get(1..).unwrap_or_default());
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
    fn weights_are_what_limes_law_expects() {
        for words in [2, 8, 20, 60] {
            let samples = Samples { fit: 501, held_out: 0, scale: 501 };
            let found = Neighbourhood::new(words, Removal::Mask, samples, 3);
            let law: f64 = (1..=words).map(|size| 500.0 * weight(distance(size, words)) / words as f64).sum();
            assert!((total(&found, 500) - law).abs() < 1e-9 * law);
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
