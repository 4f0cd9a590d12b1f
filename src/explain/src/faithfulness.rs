//! Faithfulness: whether the words with the highest scores are those that the model uses.

pub mod beam;
pub mod bounds;

use pellucid_protocol::{Check, Method};

use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::subsets::Subsets;
use crate::oracle::word_set::WordSet;
use crate::sampling::{Purpose, generator, random_order};
use beam::beam_bounds;
use bounds::Bounds;

/// Up to this number of words all subsets are evaluated and the bounds are exact.
pub const EXACT_WORDS: usize = 10;
/// Random orders with which the scores of a long text are compared.
pub const RANDOM_ORDERS: usize = 8;

/// The words from the highest score down. Signed scores rank with their sign, so that words against the class come
/// last; scores without a sign rank by magnitude. Equal scores keep the order of the text.
#[must_use]
pub fn ranking(scores: &[f64], method: Method) -> Vec<usize> {
    let height = |word: usize| if method.is_signed() { scores[word] } else { scores[word].abs() };
    let mut order: Vec<_> = (0..scores.len()).collect();
    order.sort_by(|a, b| height(*b).total_cmp(&height(*a)));
    order
}

/// Area over the perturbation curve, a mean difference of probabilities: the words are masked one after the other in
/// `order`, which holds each once; the result is the mean over all n steps of p(text) - p(text without the first k).
/// 0 for a text without words.
///
/// Cost: one row for each word, and one for the text.
///
/// Source: Samek et al. 2017, arXiv 1509.06321; comprehensiveness of DeYoung et al. 2020,
/// arXiv 1911.03429; all n steps as NAOPC, arXiv 2408.08137.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn aopc(masking: &mut Masking, order: &[usize]) -> Answer<f64> {
    let steps = steps(masking.words(), order);
    Ok(masking.drops(&steps)?.iter().sum::<f64>() / order.len().max(1) as f64)
}

/// The sets of the first k words of `order`, for k = 1, 2 ...
pub(crate) fn steps(words: usize, order: &[usize]) -> Vec<WordSet> {
    let mut masked = WordSet::empty(words);
    let longer = |word: &usize| {
        masked.insert(*word);
        masked.clone()
    };
    order.iter().map(longer).collect()
}

/// The measure for the scores of one text, the same for all methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Faithfulness {
    bounds: Bounds,
    /// Mean AOPC of random orders.
    random: f64,
    scored: Vec<(Method, f64)>,
}

impl Faithfulness {
    /// Finds the bounds and the AOPC of random orders.
    ///
    /// Up to [`EXACT_WORDS`] words both are exact: they come from all subsets (2^words rows), and the mean is over all
    /// orders. For longer texts the bounds come from [`beam_bounds`] and from [`RANDOM_ORDERS`] orders drawn by `seed`,
    /// and the mean is over these orders (8 more rows a word).
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn prepare(masking: &mut Masking, seed: u64) -> Answer<Self> {
        if masking.words() <= EXACT_WORDS {
            return Ok(Self::exact(&Subsets::ask(masking)?));
        }
        let bounds = beam_bounds(masking)?;
        Ok(Self::new(bounds, &random(masking, seed)?))
    }

    /// The measure with exact bounds, from all subsets.
    #[must_use]
    pub fn exact(subsets: &Subsets) -> Self {
        Self::new(subsets.bounds(), &[subsets.mean()])
    }

    /// The same measure with exact bounds, once all subsets are known.
    #[must_use]
    pub fn tightened(self, subsets: &Subsets) -> Self {
        Self { scored: self.scored, ..Self::exact(subsets) }
    }

    fn new(mut bounds: Bounds, randoms: &[f64]) -> Self {
        let random = randoms.iter().sum::<f64>() / randoms.len().max(1) as f64;
        // The mean too: rounding can put it outside bounds that are almost equal.
        randoms.iter().chain([&random]).for_each(|aopc| bounds.include(*aopc));
        Self { bounds, random, scored: Vec::new() }
    }

    /// The bounds, which include all orders scored so far.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Measures the order of a method. Its AOPC widens the bounds if it lies outside them; that may change the
    /// [`Faithfulness::check`] of methods scored before.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn score(&mut self, masking: &mut Masking, method: Method, order: &[usize]) -> Answer<Check> {
        let aopc = aopc(masking, order)?;
        self.bounds.include(aopc);
        self.scored.retain(|(scored, _)| *scored != method);
        self.scored.push((method, aopc));
        Ok(self.check(method))
    }

    /// [`Check::Faithfulness`] of a method scored before, by the bounds as they are now; [`Check::Undefined`] for other
    /// methods, and where all orders are equally good.
    #[must_use]
    pub fn check(&self, method: Method) -> Check {
        let aopc = self.scored.iter().find(|(scored, _)| *scored == method).map(|(_, aopc)| *aopc);
        let normalised = aopc.and_then(|aopc| self.bounds.normalise(aopc));
        match (normalised, self.bounds.normalise(self.random)) {
            (Some(normalised), Some(random)) => Check::Faithfulness { normalised, random, exact: self.bounds.exact },
            _ => Check::Undefined,
        }
    }
}

/// AOPC of random orders.
fn random(masking: &mut Masking, seed: u64) -> Answer<Vec<f64>> {
    let words = masking.words();
    let mut generator = generator(seed, Purpose::Orders);
    let orders: Vec<_> = (0..RANDOM_ORDERS).map(|_| random_order(words, &mut generator)).collect();
    // First asked for all orders at once: full calls instead of one for each order.
    let sets: Vec<_> = orders.iter().flat_map(|order| steps(words, order)).collect();
    masking.values(&sets)?;
    orders.iter().map(|order| aopc(masking, order)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;

    fn check(game: &mut Game, scores: &[f64]) -> Check {
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(game, &mut cache);
        let mut faithfulness = Faithfulness::prepare(&mut masking, 1).unwrap();
        let order = ranking(scores, Method::Occlusion);
        faithfulness.score(&mut masking, Method::Occlusion, &order).unwrap()
    }

    #[test]
    fn orders_by_sign_or_by_magnitude_and_stably() {
        let scores = [0.1, -0.5, 0.1, 0.3];
        assert_eq!(ranking(&scores, Method::Lime), [3, 0, 2, 1]);
        assert_eq!(ranking(&scores, Method::Gradient), [1, 3, 0, 2]);
        assert_eq!(ranking(&[], Method::Lime), Vec::<usize>::new());
    }

    #[test]
    fn aopc_by_hand() {
        let mut game = Game::additive(0.2, &[0.1, 0.4, 0.0]);
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut game, &mut cache);
        assert!((aopc(&mut masking, &[1, 0, 2]).unwrap() - 1.4 / 3.0).abs() < 1e-12);
        assert!((aopc(&mut masking, &[2, 0, 1]).unwrap() - 0.6 / 3.0).abs() < 1e-12);
        assert_eq!(cache.rows(), 6);
    }

    #[test]
    fn the_right_order_is_one_and_the_wrong_one_zero() {
        let weights = [0.1, 0.3, -0.1, 0.05];
        let best = check(&mut Game::additive(0.2, &weights), &weights);
        let worst = check(&mut Game::additive(0.2, &weights), &weights.map(|weight| -weight));
        let Check::Faithfulness { normalised, random, exact } = best else { panic!("{best:?}") };
        assert!(normalised > 1.0 - 1e-12 && (random - 0.5).abs() < 1e-12 && exact);
        let Check::Faithfulness { normalised, .. } = worst else { panic!("{worst:?}") };
        assert!(normalised < 1e-12);
    }

    #[test]
    fn orders_that_make_no_difference_are_undefined() {
        assert_eq!(check(&mut Game::new(4, |_| 0.6), &[4.0, 3.0, 2.0, 1.0]), Check::Undefined);
        assert_eq!(check(&mut Game::new(15, |_| 0.6), &[1.0; 15]), Check::Undefined);
        assert_eq!(check(&mut Game::additive(0.2, &[0.5]), &[1.0]), Check::Undefined);
        assert_eq!(check(&mut Game::new(0, |_| 0.6), &[]), Check::Undefined);
        let rounding = |words: &[bool]| 0.5 + if words[0] { 1e-8 } else { 0.0 };
        assert_eq!(check(&mut Game::new(3, rounding), &[3.0, 2.0, 1.0]), Check::Undefined);
    }

    #[test]
    fn a_long_text_has_bounds_that_are_not_exact() {
        let weights: Vec<_> = (0..14).map(|word| f64::from(word % 4) / 4.0).collect();
        let scores = weights.clone();
        let found = check(&mut Game::new(14, move |words| logistic(present_sum(words, &weights) - 2.0)), &scores);
        let Check::Faithfulness { normalised, random, exact } = found else { panic!("{found:?}") };
        assert!(normalised > 0.999 && random > 0.2 && random < 0.8 && !exact);
    }

    #[test]
    fn bounds_take_in_random_orders() {
        let found = Faithfulness::new(Bounds { best: 0.5, worst: 0.4, exact: false }, &[0.3, 0.6, 0.45]);
        assert_eq!((found.bounds().best, found.bounds().worst), (0.6, 0.3));
        assert_eq!(found.check(Method::Lime), Check::Undefined);
    }

    #[test]
    fn cancelling_ends_it() {
        let answer = Faithfulness::prepare(&mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()), 1);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn normalised_lies_between_zero_and_one(
            words in 2..14_usize,
            frequency in 0.1..40.0_f64,
            scores in prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 14), 3),
        ) {
            // A rugged game, on which a beam does not find the best order.
            let mut game = Game::new(words, move |present| {
                let code: usize = present.iter().enumerate().map(|(word, p)| usize::from(*p) << word).sum();
                0.5 + 0.5 * (code as f64 * frequency).sin()
            });
            let mut cache = OutcomeCache::default();
            let mut masking = Masking::new(&mut game, &mut cache);
            let mut faithfulness = Faithfulness::prepare(&mut masking, 1).unwrap();
            let methods = [Method::Lime, Method::Occlusion, Method::GradientInput];
            for (scores, method) in scores.iter().zip(methods) {
                let order = ranking(&scores[..words], method);
                faithfulness.score(&mut masking, method, &order).unwrap();
            }
            for method in methods {
                match faithfulness.check(method) {
                    Check::Faithfulness { normalised, random, .. } => {
                        prop_assert!((0.0..=1.0).contains(&normalised) && (0.0..=1.0).contains(&random));
                    }
                    check => prop_assert_eq!(check, Check::Undefined),
                }
            }
        }
    }
}
