//! What the probabilities of all 2^n maskings of a short text say, without asking the model again.

use pellucid_protocol::Check;
use pellucid_protocol::surrogate::{Exhaustive, Interaction};

use crate::context::Samples;
use crate::faithfulness::bounds::Extreme;
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::subsets::Subsets;
use crate::sampling::subset_draw::binomial;
use crate::surrogate::lime::{few_words, lime_of};
use crate::surrogate::neighbourhood::Neighbourhood;
use crate::surrogate::tree::tree_of;

/// Texts of up to this number of words have few enough maskings to ask for all of them: at most 4096.
pub const TABLE_WORDS: usize = 12;
/// Share of the text's probability that a set of words must keep alone to be sufficient.
pub const SUFFICIENT: f64 = 0.9;
/// Most sufficient sets that are given.
pub const SUFFICIENT_SETS: usize = 8;

/// All that `subsets` says apart from the scores of the words. The cache of `masking` must hold all maskings of the
/// text, so that the oracle is asked nothing. Line and tree are weighted as for `samples.scale` samples.
///
/// # Errors
/// As [`Subsets::ask`].
pub fn exhaustive(masking: &mut Masking, subsets: &Subsets, samples: Samples) -> Answer<Exhaustive> {
    let whole = Neighbourhood::whole(subsets.words(), samples);
    let linear = if subsets.words() < 2 { few_words(masking)? } else { lime_of(masking, &whole, &mut |_| {})? };
    let grown = tree_of(masking, &whole)?;
    let tree_fidelity = match grown.check {
        Check::Fidelity { held_out, .. } => Some(held_out),
        _ => None,
    };
    Ok(Exhaustive {
        nothing: subsets.all_masked(),
        interactions: interactions(subsets),
        sufficient: sufficient(subsets),
        surrogate: linear.surrogate,
        surrogate_fidelity: linear.held_out,
        tree: grown.tree,
        tree_fidelity,
        best_order: subsets.order(Extreme::Best),
        worst_order: subsets.order(Extreme::Worst),
    })
}

/// The Shapley interaction index of all pairs, the strongest first: p(S, i, j) - p(S, i) - p(S, j) + p(S), averaged
/// over all S of one size without i and j, and then over the sizes.
///
/// Source: Grabisch and Roubens 1999, "An axiomatic approach to the concept of interaction among players in
/// cooperative games"; `shapiq`'s index `SII`. `shap`'s interaction values are half of it.
#[must_use]
pub fn interactions(subsets: &Subsets) -> Vec<Interaction> {
    let words = subsets.words();
    let pairs = (0..words).flat_map(|first| (first + 1..words).map(move |second| (first, second)));
    let mut found: Vec<_> =
        pairs.map(|words| Interaction { words, value: interaction(subsets, words.0, words.1) }).collect();
    found.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
    found
}

fn interaction(subsets: &Subsets, first: usize, second: usize) -> f64 {
    let words = subsets.words();
    let (one, other) = (1 << first, 1 << second);
    let weights: Vec<_> = (0..words - 1).map(|size| 1.0 / ((words - 1) as f64 * binomial(words - 2, size))).collect();
    let without = (0..subsets.rows()).filter(|set| set & (one | other) == 0);
    let together = |set: usize| {
        // The bits are masked words: with neither of the two masked it is p(S, i, j), with both p(S).
        let alone = subsets.drop(set | one) + subsets.drop(set | other);
        alone - subsets.drop(set) - subsets.drop(set | one | other)
    };
    without.map(|set| weights[size(set)] * together(set)).sum()
}

/// The smallest sets of words that keep at least [`SUFFICIENT`] of the text's probability when all other words are
/// masked: at most [`SUFFICIENT_SETS`], those with the highest probability first. If the probability stays with all
/// words masked, it is the empty set.
///
/// Source: sufficient input subsets, Carter et al. 2019, arXiv 1810.03805, which finds them by greedy descent; here no
/// smaller set exists.
#[must_use]
pub fn sufficient(subsets: &Subsets) -> Vec<Vec<usize>> {
    let (words, limit) = (subsets.words(), SUFFICIENT * subsets.full());
    let all = subsets.rows() - 1;
    let enough = |present: &usize| subsets.probability(all & !present) >= limit;
    let Some(smallest) = (0..subsets.rows()).filter(enough).map(size).min() else { return Vec::new() };
    let mut found: Vec<_> = (0..subsets.rows()).filter(|set| size(*set) == smallest && enough(set)).collect();
    found.sort_by(|a, b| subsets.probability(all & !b).total_cmp(&subsets.probability(all & !a)));
    found.truncate(SUFFICIENT_SETS);
    found.into_iter().map(|set| (0..words).filter(|word| set >> word & 1 == 1).collect()).collect()
}

fn size(set: usize) -> usize {
    set.count_ones() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::faithfulness::aopc;
    use crate::fakes::Game;
    use crate::oracle::masking::OutcomeCache;

    fn subsets(game: &mut Game) -> Subsets {
        Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()
    }

    #[test]
    fn what_belongs_together_is_seen() {
        // "not" and "good" turn each other round; "film" does nothing.
        let found = interactions(&subsets(&mut Game::new(3, |words| match (words[0], words[2]) {
            (true, true) => 0.1,
            (false, true) => 0.9,
            _ => 0.5,
        })));
        assert_eq!(found[0].words, (0, 2));
        assert!((found[0].value + 0.8).abs() < 1e-12, "{found:?}");
        assert!(found[1..].iter().all(|pair| pair.value.abs() < 1e-12));
        let added = interactions(&subsets(&mut Game::additive(0.1, &[0.2, -0.1, 0.3, 0.0])));
        assert!(added.len() == 6 && added.iter().all(|pair| pair.value.abs() < 1e-12));
    }

    #[test]
    fn smallest_sufficient_words() {
        // Two words together, or a third alone with less.
        let mut game = Game::new(4, |words| {
            if words[1] && words[3] {
                1.0
            } else if words[0] {
                0.85
            } else {
                0.1
            }
        });
        assert_eq!(sufficient(&subsets(&mut game)), [[1, 3]]);
        let mut either = Game::new(3, |words| {
            if words[2] {
                0.9
            } else if words[0] {
                0.85
            } else {
                0.0
            }
        });
        assert_eq!(sufficient(&subsets(&mut either)), [[2], [0]]);
        assert_eq!(sufficient(&subsets(&mut Game::new(4, |_| 0.7))), [Vec::<usize>::new()]);
        assert_eq!(sufficient(&subsets(&mut Game::new(0, |_| 0.7))), [Vec::<usize>::new()]);
        let many = sufficient(&subsets(&mut Game::new(10, |words| f64::from(u8::from(words.contains(&true))))));
        assert!(many.len() == SUFFICIENT_SETS && many.iter().all(|set| set.len() == 1));
    }

    #[test]
    fn the_line_and_the_tree_are_those_of_all_maskings() {
        let weights: Vec<_> = (0..11).map(|word| f64::from(word % 4) / 3.0 - 0.4).collect();
        let mut game = Game::new(11, move |words| crate::fakes::logistic(crate::fakes::present_sum(words, &weights)));
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut game, &mut cache);
        let subsets = Subsets::ask(&mut masking).unwrap();
        let found = exhaustive(&mut masking, &subsets, Samples::default()).unwrap();
        assert!(found.surrogate_fidelity.unwrap() > found.tree_fidelity.unwrap());
        assert_eq!(found.tree.linear_held_out, found.surrogate_fidelity);
        let sampled = crate::surrogate::lime::lime(&mut masking, Samples::default(), 1, &mut |_| {}).unwrap();
        for ((exact, estimate), error) in
            found.surrogate.coefficients.iter().zip(&sampled.surrogate.coefficients).zip(&sampled.errors)
        {
            assert!((exact - estimate).abs() < 5.0 * error + 1e-4, "{estimate} +- {error}, not {exact}");
        }
        assert_eq!(cache.rows(), 2048);
    }

    proptest! {
        #[test]
        fn pairs_share_what_two_words_do((a, b, both) in (0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64)) {
            let found = interactions(&subsets(&mut Game::table(2, vec![0.2, a, b, both])));
            prop_assert!((found[0].value - (both - a - b + 0.2)).abs() < 1e-12);
        }

        #[test]
        fn the_orders_given_reach_the_bounds((words, values) in (1..=7_usize).prop_flat_map(|words| {
            (Just(words), prop::collection::vec(0.0..1.0_f64, 1 << words))
        })) {
            let mut game = Game::table(words, values);
            let mut cache = OutcomeCache::default();
            let mut masking = Masking::new(&mut game, &mut cache);
            let subsets = Subsets::ask(&mut masking).unwrap();
            let found = exhaustive(&mut masking, &subsets, Samples::default()).unwrap();
            let bounds = subsets.bounds();
            prop_assert!((aopc(&mut masking, &found.best_order).unwrap() - bounds.best).abs() < 1e-12);
            prop_assert!((aopc(&mut masking, &found.worst_order).unwrap() - bounds.worst).abs() < 1e-12);
            let sorted = |order: &[usize]| { let mut order = order.to_vec(); order.sort_unstable(); order };
            prop_assert_eq!(sorted(&found.best_order), (0..words).collect::<Vec<_>>());
            let present = found.sufficient[0].iter().map(|word| 1 << word).sum::<usize>();
            let all = (1 << words) - 1;
            prop_assert!(subsets.probability(all & !present) >= SUFFICIENT * subsets.full());
        }
    }
}
