//! LIME of a long text: first by groups of words, then by the words of those groups that matter.

use std::collections::HashSet;
use std::ops::Range;

use pellucid_protocol::Surrogate;
use pellucid_protocol::explanation::{Scored, WordGroup};

use super::{LimeFit, lime, lime_of};
use crate::context::Samples;
use crate::opening::{Known, Movement, evenly};
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::word_groups::WordGroups;
use crate::oracle::word_set::WordSet;
use crate::sampling::{Means, Purpose, generator, random_order};
use crate::surrogate::neighbourhood::Neighbourhood;

/// Share of the rows to which the groups are fitted.
pub(super) const GROUP_SHARE: usize = 4;
/// Rows for each word of an opened group, and each group that stays closed. With more, the fit would hardly gain.
const ROWS_A_UNIT: usize = 6;

/// A surrogate of a long text.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedFit {
    /// The surrogate of the words.
    pub fit: LimeFit,
    /// The groups, with what their words add up to; none if the words were fitted without groups.
    pub groups: Vec<WordGroup>,
}

/// Fits the surrogate of [`lime`] twice: with the groups as words, and then with the words of the groups
/// that [`Movement`] opens beside the other groups, which stay whole. The words of a group add up to the coefficient
/// of the group: what they lack is distributed equally, as least squares do under such a constraint where all words
/// are drawn alike. The words of a group that is not opened share its coefficient equally, and [`WordGroup::scored`]
/// says so. Intercept and prediction are those of the groups; the fidelity is that of the worse of both fits.
///
/// If more than half of the words are in groups that are opened, groups would cost more rows than they save: then the
/// words alone are fitted, by [`lime`], and there are no groups.
///
/// `watch` gets the earlier fits of the words.
///
/// Cost: at most `samples.fit` rows, unless the groups and the search for groups to open leave fewer than two for each
/// word of an opened group, which are drawn in any case; less if few groups are opened: six rows for each such word.
/// For the words alone, at most what the search leaves of `samples.fit`, but at least half of it.
///
/// Source: Ribeiro et al. 2016, arXiv 1602.04938, whose interpretable components may be any parts of a text; in levels
/// as `shap`'s `PartitionExplainer`, which values clauses before words.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn grouped(
    masking: &mut Masking,
    groups: &WordGroups,
    (samples, seed): (Samples, u64),
    watch: &mut dyn FnMut(&GroupedFit),
) -> Answer<GroupedFit> {
    let (movement, mut asked) = movement(masking, groups, seed)?;
    let split = Split::new(groups, &movement.open(groups));
    if 2 * split.opened > groups.words() {
        let rest = Samples { fit: samples.fit.saturating_sub(asked.len()).max(samples.fit / 2), ..samples };
        let alone = |fit: LimeFit| GroupedFit { fit, groups: Vec::new() };
        return lime(masking, rest, seed, &mut |fit| watch(&alone(fit.clone()))).map(alone);
    }
    let few = Samples { fit: samples.fit / GROUP_SHARE, ..samples };
    let first = Neighbourhood::new(groups.len(), masking.removal(), few, seed);
    let of_groups = lime_of(&mut masking.of_units(groups.sets()), &first, &mut |_| {})?;
    asked.extend(first.sets().iter().map(|set| groups.words_of(set)));
    let mut levels = Levels { groups, of_groups, movement, split, asked, planned: 0 };
    levels.planned = levels.asked.len();
    if levels.split.opened == 0 {
        return Ok(levels.join(None));
    }
    let (units, opened) = (levels.split.sets.len(), levels.split.opened);
    let room = samples.fit.saturating_sub(levels.asked.len());
    let some = Samples { fit: room.min(ROWS_A_UNIT * units).max(2 * opened), ..samples };
    let second = Neighbourhood::new(units, masking.removal(), some, seed);
    levels.planned += second.planned();
    let sets = levels.split.sets.clone();
    let mut show = |fit: &LimeFit| watch(&levels.join(Some(fit)));
    let of_units = lime_of(&mut masking.of_units(&sets), &second, &mut show)?;
    levels.asked.extend(second.sets().iter().map(|set| set.union_of(&sets, groups.words())));
    levels.planned = levels.asked.len();
    Ok(levels.join(Some(&of_units)))
}

/// What the words of the groups do in two surroundings: the whole text, and the text without some of its groups, drawn
/// as LIME draws. With all maskings that were asked for.
fn movement(masking: &mut Masking, groups: &WordGroups, seed: u64) -> Answer<(Movement, HashSet<WordSet>)> {
    let mut random = generator(seed, Purpose::Orders);
    let mut surroundings = Vec::new();
    for group in 0..groups.len() {
        let others: Vec<usize> =
            random_order(groups.len(), &mut random).into_iter().filter(|other| *other != group).collect();
        // The sizes are taken in turn.
        let some =
            others[..=group % others.len()].iter().fold(WordSet::empty(groups.len()), |set, other| set.with(*other));
        surroundings.push(vec![WordSet::empty(groups.words()), groups.words_of(&some)]);
    }
    let ends = |(around, group): (&Vec<WordSet>, &WordSet)| {
        around.iter().flat_map(|around| [around.clone(), around.union(group)]).collect::<Vec<_>>()
    };
    let rows: Vec<WordSet> = surroundings.iter().zip(groups.sets()).flat_map(ends).collect();
    let values = masking.values(&rows)?;
    let step = |values: &[f64]| (values[0] - values[1]).abs().max((values[2] - values[3]).abs());
    let known = surroundings
        .into_iter()
        .zip(values.chunks(4))
        .map(|(surroundings, values)| Known { surroundings, step: step(values) });
    let found = Movement::ask(masking, groups, &known.collect::<Vec<_>>())?;
    let asked = rows.into_iter().chain(found.asked.iter().cloned()).collect();
    Ok((found, asked))
}

/// The parts of the text that the second fit removes.
struct Split {
    /// Their words.
    sets: Vec<WordSet>,
    /// For each group, the parts that it consists of.
    of_group: Vec<Range<usize>>,
    /// Words that are parts of their own.
    opened: usize,
}

impl Split {
    fn new(groups: &WordGroups, open: &[bool]) -> Self {
        let mut split = Self { sets: Vec::new(), of_group: Vec::new(), opened: 0 };
        for ((range, set), is_open) in groups.ranges().iter().zip(groups.sets()).zip(open) {
            let start = split.sets.len();
            if *is_open {
                split.sets.extend(range.clone().map(|word| WordSet::empty(groups.words()).with(word)));
                split.opened += range.len();
            } else {
                split.sets.push(set.clone());
            }
            split.of_group.push(start..split.sets.len());
        }
        split
    }
}

/// What is known of both levels.
struct Levels<'a> {
    groups: &'a WordGroups,
    of_groups: LimeFit,
    movement: Movement,
    split: Split,
    asked: HashSet<WordSet>,
    planned: usize,
}

impl Levels<'_> {
    /// The surrogate of the words, from the fit of the parts, if there is one.
    fn join(&self, fit: Option<&LimeFit>) -> GroupedFit {
        let (mut coefficients, mut errors, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (group, range) in self.groups.ranges().iter().enumerate() {
            let (value, error) = (self.of_groups.surrogate.coefficients[group], self.of_groups.errors[group]);
            let parts = self.split.of_group[group].clone();
            let opened = fit.filter(|_| parts.len() > 1);
            let words = match opened {
                Some(fit) => adding_up(&fit.surrogate.coefficients[parts.clone()], &fit.errors[parts], value, error),
                None => evenly(value, error, self.movement.steps[group], range.len()),
            };
            let scored = if opened.is_some() || range.len() == 1 { Scored::ByWord } else { Scored::Evenly };
            groups.push(WordGroup { words: (range.start, range.end), value, scored });
            coefficients.extend(words.means);
            errors.extend(words.errors);
        }
        let worse = |of: fn(&LimeFit) -> Option<f64>| match fit {
            Some(fit) => of(&self.of_groups).zip(of(fit)).map(|(groups, words)| groups.min(words)),
            None => of(&self.of_groups),
        };
        let Surrogate { intercept, local_prediction, .. } = self.of_groups.surrogate;
        let fit = LimeFit {
            surrogate: Surrogate { intercept, coefficients, local_prediction },
            errors,
            in_sample: worse(|fit| fit.in_sample),
            held_out: worse(|fit| fit.held_out),
            rows: self.asked.len() + fit.filter(|fit| fit.rows < fit.planned).map_or(0, |fit| fit.rows),
            planned: self.planned,
        };
        GroupedFit { fit, groups }
    }
}

/// The coefficients of the words of a group, moved equally so that they add up to that of the group.
fn adding_up(words: &[f64], errors: &[f64], value: f64, error: f64) -> Means {
    let count = words.len() as f64;
    let lacking = (value - words.iter().sum::<f64>()) / count;
    Means {
        means: words.iter().map(|word| word + lacking).collect(),
        errors: errors.iter().map(|own| own.hypot(error / count)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Game, logistic};
    use crate::oracle::masking::OutcomeCache;

    fn groups(count: usize, length: usize) -> WordGroups {
        let ranges = (0..count).map(|group| group * length..(group + 1) * length);
        WordGroups::new(count * length, ranges.collect()).unwrap()
    }

    fn explain(game: &mut Game, groups: &WordGroups, fit: usize, seed: u64) -> GroupedFit {
        let mut cache = OutcomeCache::default();
        let samples = Samples { fit, ..Samples::default() };
        let found = grouped(&mut Masking::new(game, &mut cache), groups, (samples, seed), &mut |_| {}).unwrap();
        if !found.groups.is_empty() {
            assert_eq!((found.fit.rows, found.fit.planned), (cache.rows(), cache.rows()), "what is counted is asked");
        }
        found
    }

    fn check_sums(found: &GroupedFit) {
        let surrogate = &found.fit.surrogate;
        for group in &found.groups {
            let words: f64 = surrogate.coefficients[group.words.0..group.words.1].iter().sum();
            assert!((words - group.value).abs() < 1e-9);
        }
        let all = surrogate.intercept + surrogate.coefficients.iter().sum::<f64>();
        assert!((all - surrogate.local_prediction).abs() < 1e-9);
    }

    #[test]
    fn a_rule_that_is_planted_in_a_long_text_is_found() {
        let value = |present: &[bool]| {
            let on = |word: usize| f64::from(u8::from(present[word]));
            logistic(3.0 * on(47) * on(52) - 1.5 * on(200) - 0.5)
        };
        let groups = groups(20, 15);
        for seed in 0..5 {
            let found = explain(&mut Game::new(300, value), &groups, 1024, seed);
            check_sums(&found);
            let scores = &found.fit.surrogate.coefficients;
            let mut order: Vec<usize> = (0..300).collect();
            order.sort_by(|a, b| scores[*b].abs().total_cmp(&scores[*a].abs()));
            order[..3].sort_unstable();
            assert_eq!(order[..3], [47, 52, 200], "{scores:?}");
            assert!(scores[47] > 0.15 && scores[52] > 0.15 && scores[200] < -0.1, "{scores:?}");
            let opened = found.groups.iter().filter(|group| group.scored == Scored::ByWord).count();
            assert!(opened == 2 && found.fit.rows < 900, "{opened} of 20, {} rows", found.fit.rows);
            assert!(found.fit.check().passes());
        }
    }

    #[test]
    fn words_that_cancel_each_other_in_a_group_are_found() {
        let value = |present: &[bool]| {
            let on = |word: usize| f64::from(u8::from(present[word]));
            0.4 + 0.3 * on(47) - 0.3 * on(52) + 0.2 * on(200)
        };
        let found = explain(&mut Game::new(300, value), &groups(20, 15), 1024, 1);
        check_sums(&found);
        let scores = &found.fit.surrogate.coefficients;
        assert!((scores[47] - 0.3).abs() < 0.02 && (scores[52] + 0.3).abs() < 0.02 && (scores[200] - 0.2).abs() < 0.02);
        assert_eq!((found.groups[3].scored, found.groups[4].scored), (Scored::ByWord, Scored::Evenly));
    }

    /// 72 words, of which the first 20 matter.
    fn some_of_72() -> Game {
        Game::new(72, |present| {
            let weight = |word: usize| ((word * 7 + 3) % 11) as f64 / 4.0 - 1.2;
            logistic((0..20).filter(|word| present[*word]).map(weight).sum())
        })
    }

    #[test]
    fn where_most_words_matter_they_are_fitted_alone() {
        let (groups, mut cache) = (groups(18, 8), OutcomeCache::default());
        let weights: Vec<f64> = (0..144).map(|word| f64::from(word % 5 + 1) / 1000.0).collect();
        let found = explain(&mut Game::additive(0.1, &weights), &groups, 1024, 1);
        assert!(found.groups.is_empty() && found.fit.surrogate.coefficients.len() == 144);
        let samples = Samples::default();
        let mut game = Game::additive(0.1, &weights);
        let masking = &mut Masking::new(&mut game, &mut cache);
        grouped(masking, &groups, (samples, 1), &mut |found| assert!(found.groups.is_empty())).unwrap();
        assert!(cache.rows() <= samples.fit && cache.rows() > samples.fit - 40, "{}", cache.rows());
    }

    #[test]
    fn a_constant_is_not_trusted_and_few_rows_are_defined() {
        let groups = groups(9, 8);
        let found = explain(&mut Game::new(72, |_| 0.7), &groups, 1024, 1);
        assert!(found.fit.surrogate.coefficients == [0.0; 72] && found.fit.held_out.is_none());
        for fit in [0, 1, 30, 200] {
            let found = explain(&mut some_of_72(), &groups, fit, 1);
            check_sums(&found);
            assert_eq!(found.groups.len(), 9);
            assert!(found.fit.surrogate.coefficients.iter().chain(&found.fit.errors).all(|number| number.is_finite()));
        }
    }

    #[test]
    fn a_seed_repeats_and_watchers_see_it() {
        let groups = groups(9, 8);
        let mut seen = Vec::new();
        let mut cache = OutcomeCache::default();
        let samples = Samples { fit: 600, ..Samples::default() };
        let mut watch = |found: &GroupedFit| {
            check_sums(found);
            seen.push((found.fit.rows, found.fit.planned));
        };
        let mut game = some_of_72();
        let first = grouped(&mut Masking::new(&mut game, &mut cache), &groups, (samples, 3), &mut watch).unwrap();
        assert_eq!(first, explain(&mut some_of_72(), &groups, 600, 3));
        assert_ne!(first, explain(&mut some_of_72(), &groups, 600, 4));
        assert!(seen.len() > 1 && seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "{seen:?}");
        assert!(seen.iter().all(|(rows, planned)| rows < planned) && first.fit.rows <= 600, "{seen:?}");
    }
}
