//! The explainer for Shapley values: exact for short texts, by random orders for long ones.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Method, Removal};

use super::exact::exact;
use super::exhaustive::{TABLE_WORDS, exhaustive};
use super::kernel_shap::up_to_size;
use super::owen::{Draws, GroupValues, Owen, owen};
use super::{Shapley, cost, permutation};
use crate::explainer::{Explainer, Removes, Text, Work};
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::subsets::Subsets;

/// [`Method::Shapley`].
pub(crate) const EXPLAINER: Explainer =
    Explainer::new(Method::Shapley, Scalar::Probability, Removes::Words(Removal::Mask), Work { score, cost });

fn score(Text { explainer, oracle, context, watch }: Text) -> Answer<Attribution> {
    let (samples, seed, blank) = (context.samples, context.seed, explainer.blank(context));
    if oracle.words() <= TABLE_WORDS {
        let mut show = |found: &Shapley| watch(&found.attribution(&blank));
        ask_by_size(&mut explainer.masking(oracle, context), &mut show)?;
        context.ask_all_subsets(oracle)?;
    }
    if let Some(subsets) = &context.subsets {
        let mut masking = Masking::new(oracle, &mut context.masked);
        let found = exhaustive(&mut masking, subsets, samples)?;
        // The scalar to be explained, from the same rows.
        let explained = Subsets::ask(&mut masking.with_scalar(blank.scalar))?;
        return Ok(Attribution { exhaustive: Some(found), ..exact(&explained).attribution(&blank) });
    }
    let blank = Attribution { seed: Some(seed), ..blank };
    if let Some(groups) = context.groups(oracle.words()) {
        let draws = Draws { groups: GroupValues::Drawn, samples, seed };
        let mut show = |found: &Owen| watch(&found.attribution(&blank));
        let found = owen(&mut explainer.masking(oracle, context), &groups, draws, &mut show)?;
        return Ok(found.attribution(&blank));
    }
    let mut show = |found: &Shapley| watch(&found.attribution(&blank));
    let found = permutation::sampled(&mut explainer.masking(oracle, context), samples, seed, &mut show)?;
    Ok(found.attribution(&blank))
}

/// Asks for all maskings of a short text from the outer sizes inward: first those with one word masked or one word
/// left, then with two, and so on. These sizes come first because they weigh most in the kernel of Kernel SHAP.
///
/// `watch` gets the values so far: the solution of Kernel SHAP for the sizes known. Its errors are how far each value
/// has moved since the size before. The last size is not shown: with it the values are exact.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn ask_by_size(masking: &mut Masking, watch: &mut dyn FnMut(&Shapley)) -> Answer<()> {
    let words = masking.words();
    let mut before = vec![0.0; words];
    for size in 1..(words / 2).max(1) {
        let mut found = up_to_size(masking, size)?;
        found.errors = found.scores.iter().zip(&before).map(|(now, before)| (now - before).abs()).collect();
        before.clone_from(&found.scores);
        watch(&found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::score;
    use crate::context::{Context, Depth, Samples};
    use crate::faithfulness::ranking;
    use crate::fakes::{Game, Smooth, logistic, present_sum};
    use crate::oracle::masking::OutcomeCache;
    use crate::oracle::word_groups::WordGroups;

    #[test]
    fn a_long_text_is_explained_by_its_groups_where_it_was_cut() {
        let weights: Vec<f64> = (0..150).map(|word| if word % 50 == 7 { 1.5 } else { 0.0 }).collect();
        let samples = Samples { fit: 700, ..Samples::default() };
        let groups = |length: usize| {
            let ranges = (0..150 / length).map(|group| group * length..(group + 1) * length);
            WordGroups::new(150, ranges.collect())
        };
        let made = |method, groups| {
            let mut context = Context::new(1).with_samples(samples).with_depth(Depth::Gates).with_groups(groups);
            score(&mut Smooth::linear(-2.0, &weights), method, &mut context, &mut |_| {}).unwrap()
        };
        for method in [Method::Shapley, Method::KernelShap, Method::Lime] {
            let found = made(method, groups(10));
            assert_eq!(found.groups.len(), 15, "{method}");
            for group in &found.groups {
                let words: f64 = found.scores[group.words.0..group.words.1].iter().sum();
                assert!((words - group.value).abs() < 1e-9, "{method}");
            }
            assert_eq!(ranking(&found.scores, method)[..3].iter().map(|word| word % 50).collect::<Vec<_>>(), [7; 3]);
            // Not cut, cut into one piece, and cut as another text.
            for groups in [None, groups(150), WordGroups::new(1, std::iter::once(0..1).collect())] {
                assert!(made(method, groups).groups.is_empty(), "{method}");
            }
        }
        assert!(made(Method::Occlusion, groups(10)).groups.is_empty());
    }

    #[test]
    fn the_table_is_asked_for_by_size_and_gets_better() {
        let weights: Vec<_> = (0..10).map(|word| f64::from(word % 5) / 2.0 - 0.7).collect();
        let mut game = Game::new(10, move |words| logistic(present_sum(words, &weights)));
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut game, &mut cache);
        let mut shown = Vec::new();
        ask_by_size(&mut masking, &mut |found| shown.push(found.clone())).unwrap();
        let truth = exact(&Subsets::ask(&mut masking).unwrap()).scores;
        let sum = |sizes: &[f64]| 2 * (sizes.iter().sum::<f64>() as usize);
        let rows: Vec<_> = shown.iter().map(|found| found.rows).collect();
        let expected =
            [&[1.0, 10.0][..], &[1.0, 10.0, 45.0], &[1.0, 10.0, 45.0, 120.0], &[1.0, 10.0, 45.0, 120.0, 210.0]];
        assert_eq!(rows, expected.map(sum));
        let far = |found: &Shapley| found.scores.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        assert!(shown.windows(2).all(|pair| far(&pair[1]) < far(&pair[0])));
        assert!(shown.iter().all(|found| found.planned == 1024 && found.errors.iter().all(|error| *error > 0.0)));
        assert_eq!(cache.rows(), 1024);
        for words in 0..=2 {
            let mut few = Game::additive(0.1, &[0.2, 0.3][..words]);
            assert!(
                ask_by_size(&mut Masking::new(&mut few, &mut cache.clone()), &mut |_| panic!("nothing between"))
                    .is_ok()
            );
        }
    }
}
