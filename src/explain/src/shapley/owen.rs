//! Owen values: Shapley values of the words of a long text that stand in groups.

use std::collections::HashSet;

use pellucid_protocol::Attribution;
use pellucid_protocol::explanation::{Scored, WordGroup};

use super::Shapley;
use super::group_orders::{Chain, GroupOrders};
use crate::context::Samples;
use crate::opening::{Known, Movement, evenly};
use crate::oracle::Answer;
use crate::oracle::masking::{Masking, ROWS_PER_CALL};
use crate::oracle::word_groups::WordGroups;
use crate::oracle::word_set::WordSet;
use crate::sampling::Means;

/// Share of the rows that the values of the groups may cost.
pub(super) const GROUP_SHARE: usize = 4;
/// No more rows are drawn once the standard errors of all words together are this share of their values.
const ENOUGH: f64 = 0.1;
/// Rows between two looks at where more are needed.
const ROUND: usize = 2 * ROWS_PER_CALL;

/// Where the values of the groups come from.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupValues {
    /// They are means over random orders of the groups.
    Drawn,
    /// They are known.
    Known {
        /// The values with their standard errors.
        values: Means,
        /// The maskings that they rest on.
        asked: Vec<WordSet>,
    },
}

/// How Owen values are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    /// Where the values of the groups come from.
    pub groups: GroupValues,
    /// How many maskings are drawn.
    pub samples: Samples,
    /// The same seed draws the same.
    pub seed: u64,
}

/// Owen values or an estimate of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Owen {
    /// The values of the words; see [`Shapley`].
    pub values: Shapley,
    /// The groups, with what their words add up to.
    pub groups: Vec<WordGroup>,
}

impl Owen {
    /// The scores of an explainer whose attribution is `blank` without them.
    pub(super) fn attribution(&self, blank: &Attribution) -> Attribution {
        Attribution { groups: self.groups.clone(), ..self.values.attribution(blank) }
    }
}

/// Estimates Owen values: the mean drop when a word is masked, over all orders of the words in which those of a group
/// stand together. So a word is looked at while the other words of its group are present or masked one by one and the
/// other groups as wholes.
///
/// The words of a group add up to the Shapley value of the group in the game whose players are the groups, and all
/// groups to p(text) - p(all masked), both but for rounding.
///
/// First come the values of the groups, unless they are known: by random orders in pairs of an order and its reverse.
/// Then [`Movement`] says which groups to open. In an opened group the words are masked one by one
/// in random order, behind the groups that come first in an order of the groups; then in the reverse order behind the
/// other groups. Rows go where they take most off the variance. What the words of a group lack to its value is
/// distributed in proportion to their variances, which is the least squares estimate under the constraint. The words of
/// a group that is not opened share its value equally, and [`WordGroup::scored`] says so. If words interact at most in
/// pairs, the values of words in opened groups are exact for any seed.
///
/// `watch` gets earlier estimates.
///
/// Cost: at most `samples.fit` rows, or more where the groups (at least two pairs of orders), the search for groups to
/// open and one pair of orders of the words of each opened group need more. Less where all standard errors together
/// are at most a tenth of the values.
///
/// Source: Owen 1977, "Values of games with a priori unions"; as explanations of texts: `shap`'s `PartitionExplainer`,
/// Lundberg and Lee 2017, arXiv 1705.07874; by random orders that keep groups together: Saavedra-Nieves et al. 2018,
/// "Sampling methods to estimate the Owen value".
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn owen(masking: &mut Masking, groups: &WordGroups, draws: Draws, watch: &mut dyn FnMut(&Owen)) -> Answer<Owen> {
    let mut search = Search::begin(masking, groups, draws)?;
    loop {
        let found = search.estimate();
        let chains = search.next_round(&found.values);
        if chains.is_empty() {
            let rows = found.values.rows;
            return Ok(Owen { values: Shapley { planned: rows, ..found.values }, ..found });
        }
        watch(&found);
        search.draw(masking, chains)?;
    }
}

/// The drops of the words of a group in its chains: each is followed by the reverse one.
#[derive(Debug, Clone, Default)]
struct Drawn {
    chains: Vec<Vec<f64>>,
}

impl Drawn {
    fn pairs(&self) -> usize {
        self.chains.len() / 2
    }

    /// Means over the pairs. A single pair shows no scatter; the whole drop counts as its error.
    fn means(&self) -> Means {
        if self.pairs() < 2 {
            let squares: Vec<Vec<f64>> =
                self.chains.iter().map(|chain| chain.iter().map(|drop| drop * drop).collect()).collect();
            let errors = mean(&squares).into_iter().map(f64::sqrt).collect();
            return Means { means: mean(&self.chains), errors };
        }
        Means::of(&self.chains.chunks(2).map(mean).collect::<Vec<_>>())
    }

    /// The variances of a pair, of all words together.
    fn variance(&self) -> f64 {
        self.means().errors.iter().map(|error| error * error * self.pairs() as f64).sum()
    }
}

struct Search<'a> {
    groups: &'a WordGroups,
    fit: usize,
    orders: GroupOrders<'a>,
    /// Values and standard errors of the groups.
    of_groups: Means,
    movement: Movement,
    open: Vec<bool>,
    /// What was drawn of the words of each group.
    drawn: Vec<Drawn>,
    asked: HashSet<WordSet>,
    /// Rows so far, as if no two chains had a masking in common: a short text soon has none that is not known.
    spent: usize,
    all_masked: f64,
}

impl<'a> Search<'a> {
    fn begin(masking: &mut Masking, groups: &'a WordGroups, draws: Draws) -> Answer<Self> {
        let Draws { groups: values, samples, seed } = draws;
        let share = match values {
            GroupValues::Drawn => samples.fit / GROUP_SHARE,
            // These orders are only what stands around a group whose words are looked at.
            GroupValues::Known { .. } => samples.fit / GROUP_SHARE / 2,
        };
        let pairs = (share / (2 * (groups.len() - 1)).max(1)).max(2);
        let orders = GroupOrders::draw(groups, pairs, seed);
        let mut asked: HashSet<WordSet> = orders.paths().into_iter().collect();
        let drops = orders.drops(masking)?;
        let of_groups = match values {
            GroupValues::Drawn => Means::of(&drops.chunks(2).map(mean).collect::<Vec<_>>()),
            GroupValues::Known { values, asked: rows } => {
                asked.extend(rows);
                values
            }
        };
        let known = |group: usize| Known {
            surroundings: orders.surroundings(group),
            step: drops.iter().map(|drops| drops[group].abs()).fold(0.0, f64::max),
        };
        let movement = Movement::ask(masking, groups, &(0..groups.len()).map(known).collect::<Vec<_>>())?;
        asked.extend(movement.asked.iter().cloned());
        let all_masked = masking.values(&[WordSet::full(groups.words())])?[0];
        let (open, fit) = (movement.open(groups), samples.fit);
        let (drawn, spent) = (vec![Drawn::default(); groups.len()], asked.len());
        Ok(Self { groups, fit, orders, of_groups, movement, open, drawn, asked, spent, all_masked })
    }

    /// The chains to be drawn next: those of all opened groups first, then where they take most off the variance.
    /// Empty if the values are exact enough, or there is no room for more.
    fn next_round(&mut self, found: &Shapley) -> Vec<Chain> {
        let opened = (0..self.groups.len()).filter(|group| self.open[*group]);
        let (opened, mut chains) = (opened.collect::<Vec<_>>(), Vec::new());
        if opened.iter().any(|group| self.drawn[*group].pairs() == 0) {
            self.spent += opened.iter().map(|group| self.orders.cost(*group, 0)).sum::<usize>();
            opened.into_iter().for_each(|group| chains.extend(self.orders.chains(group, 0)));
            return chains;
        }
        let length = |numbers: &[f64]| numbers.iter().map(|number| number * number).sum::<f64>().sqrt();
        if length(&found.errors) <= ENOUGH * length(&found.scores) {
            return chains;
        }
        let variance: Vec<f64> = self.drawn.iter().map(Drawn::variance).collect();
        let mut counts: Vec<usize> = self.drawn.iter().map(Drawn::pairs).collect();
        let end = self.spent + ROUND;
        while self.spent < end {
            let cost = |group: usize| self.orders.cost(group, counts[group]);
            let gain = |group: usize| variance[group] / (counts[group] * (counts[group] + 1) * cost(group)) as f64;
            let Some(&group) = opened.iter().max_by(|a, b| gain(**a).total_cmp(&gain(**b))) else { break };
            if self.spent + cost(group) > self.fit {
                break;
            }
            self.spent += cost(group);
            chains.extend(self.orders.chains(group, counts[group]));
            counts[group] += 1;
        }
        chains
    }

    fn draw(&mut self, masking: &mut Masking, chains: Vec<Chain>) -> Answer<()> {
        // First asked for together: fuller calls.
        let all: Vec<WordSet> = chains.iter().flat_map(|chain| chain.steps.iter().cloned()).collect();
        masking.values(&all)?;
        self.asked.extend(all);
        for chain in chains {
            let drops = chain.drops(masking, self.groups)?;
            self.drawn[chain.group].chains.push(drops);
        }
        Ok(())
    }

    fn estimate(&self) -> Owen {
        let (mut scores, mut errors, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (group, range) in self.groups.ranges().iter().enumerate() {
            let (value, error) = (self.of_groups.means[group], self.of_groups.errors[group]);
            let is_drawn = self.drawn[group].pairs() > 0;
            let words = match is_drawn {
                true => constrained(&self.drawn[group].means(), value, error),
                false => evenly(value, error, self.movement.steps[group], range.len()),
            };
            // The only word of a group has its value, which is its own.
            let scored = if is_drawn || range.len() == 1 { Scored::ByWord } else { Scored::Evenly };
            groups.push(WordGroup { words: (range.start, range.end), value, scored });
            scores.extend(words.means);
            errors.extend(words.errors);
        }
        let rows = self.asked.len();
        let values = Shapley { scores, errors, all_masked: self.all_masked, rows, planned: self.fit.max(rows) };
        Owen { values, groups }
    }
}

/// The estimates that are closest to those of the words, by their variances, and add up to the value of the group.
fn constrained(words: &Means, value: f64, error: f64) -> Means {
    let variances: Vec<f64> = words.errors.iter().map(|error| error * error).collect();
    let total: f64 = variances.iter().sum();
    let share = |variance: &f64| if total > 0.0 { variance / total } else { 1.0 / variances.len() as f64 };
    let lacking = value - words.means.iter().sum::<f64>();
    let means = words.means.iter().zip(&variances).map(|(mean, variance)| mean + share(variance) * lacking);
    let errors = words.errors.iter().zip(&variances).map(|(own, variance)| own.hypot(share(variance) * error));
    Means { means: means.collect(), errors: errors.collect() }
}

/// Mean of the rows, column by column.
fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    Means::of(rows).means
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fakes::{Cancelled, Game, bits, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;
    use crate::shapley::kernel_shap::of_groups;

    fn groups(lengths: &[usize]) -> WordGroups {
        let mut start = 0;
        let range = |length: &usize| {
            start += length;
            start - length..start
        };
        WordGroups::new(lengths.iter().sum(), lengths.iter().map(range).collect()).unwrap()
    }

    /// All orders of these.
    fn orders(items: &[usize]) -> Vec<Vec<usize>> {
        if items.is_empty() {
            return vec![vec![]];
        }
        let behind = |first: &usize| {
            let rest: Vec<usize> = items.iter().copied().filter(|item| item != first).collect();
            let first = *first;
            orders(&rest).into_iter().map(move |rest| [vec![first], rest].concat())
        };
        items.iter().flat_map(behind).collect()
    }

    /// The definition: the mean drop over all orders in which the words of each group stand together.
    fn brute_force(value: &dyn Fn(&[bool]) -> f64, groups: &WordGroups) -> Vec<f64> {
        let (mut sums, mut count) = (vec![0.0; groups.words()], 0.0);
        for of_groups in orders(&(0..groups.len()).collect::<Vec<_>>()) {
            let inner = of_groups.iter().fold(vec![vec![]], |begun: Vec<Vec<usize>>, group| {
                let words = orders(&groups.ranges()[*group].clone().collect::<Vec<_>>());
                begun.iter().flat_map(|begun| words.iter().map(|more| [begun.clone(), more.clone()].concat())).collect()
            });
            for order in inner {
                let mut present = vec![true; groups.words()];
                count += 1.0;
                for word in order {
                    let before = value(&present);
                    present[word] = false;
                    sums[word] += before - value(&present);
                }
            }
        }
        sums.into_iter().map(|sum| sum / count).collect()
    }

    fn explain(game: &mut Game, groups: &WordGroups, fit: usize, seed: u64) -> Owen {
        let draws = Draws { groups: GroupValues::Drawn, samples: Samples { fit, ..Samples::default() }, seed };
        let mut cache = OutcomeCache::default();
        let found = owen(&mut Masking::new(game, &mut cache), groups, draws, &mut |_| {}).unwrap();
        assert_eq!((found.values.rows, found.values.planned), (cache.rows(), cache.rows()), "what is counted is asked");
        found
    }

    fn by_regression(game: &mut Game, groups: &WordGroups, fit: usize, seed: u64) -> Owen {
        let samples = Samples { fit, ..Samples::default() };
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(game, &mut cache);
        let draws = Draws { groups: of_groups(&mut masking, groups, samples, seed).unwrap(), samples, seed };
        let found = owen(&mut masking, groups, draws, &mut |_| {}).unwrap();
        assert_eq!(found.values.rows, cache.rows(), "what is counted is asked");
        found
    }

    fn far(found: &[f64], expected: &[f64]) -> f64 {
        found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    fn in_pairs(words: usize) -> impl Fn(&[bool]) -> f64 + Clone {
        move |present: &[bool]| {
            let on = |word: usize| f64::from(u8::from(present[word]));
            let alone: f64 = (0..words).map(|word| on(word) * (word as f64).sin()).sum();
            let pairs = (0..words).flat_map(|first| (0..first).map(move |second| (first, second)));
            alone + pairs.map(|(a, b)| on(a) * on(b) * ((a * 5 + b * 3) as f64).cos()).sum::<f64>()
        }
    }

    fn check_sums(found: &Owen, groups: &WordGroups, total: f64) {
        for (group, range) in found.groups.iter().zip(groups.ranges()) {
            let words: f64 = found.values.scores[range.clone()].iter().sum();
            assert!((words - group.value).abs() < 1e-9 && group.words == (range.start, range.end), "{found:?}");
        }
        assert!((found.values.scores.iter().sum::<f64>() - total).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn what_words_do_in_pairs_is_exact_for_any_seed() {
        for lengths in [&[2, 3, 2][..], &[1, 4, 1], &[3, 3], &[2, 1, 1, 2]] {
            let groups = groups(lengths);
            let value = in_pairs(groups.words());
            let truth = brute_force(&value, &groups);
            for seed in 0..5 {
                for find in [explain, by_regression] {
                    let found = find(&mut Game::new(groups.words(), value.clone()), &groups, 200, seed);
                    assert!(far(&found.values.scores, &truth) < 1e-6, "{lengths:?}: {found:?}, not {truth:?}");
                }
            }
        }
    }

    #[test]
    fn more_rows_come_closer_to_all_orders() {
        let groups = groups(&[3, 1, 2, 2]);
        let rugged = |present: &[bool]| 0.5 + 0.5 * (bits(present) as f64 * 1.7).sin();
        let truth = brute_force(&rugged, &groups);
        let error = |fit| {
            let one = |seed| far(&explain(&mut Game::new(8, rugged), &groups, fit, seed).values.scores, &truth).powi(2);
            ((0..10).map(one).sum::<f64>() / 10.0).sqrt()
        };
        let found = [60, 240, 960, 16_000].map(error);
        assert!(found.windows(2).all(|pair| pair[1] < pair[0]) && found[3] < found[0] / 5.0, "{found:?}");
    }

    #[test]
    fn errors_are_about_as_large_as_they_are_said_to_be() {
        let groups = groups(&[3, 2, 3]);
        let weights = [1.2, -0.7, 0.4, 0.9, -1.1, 0.3, 0.8, -0.2];
        let value = move |present: &[bool]| logistic(3.0 * present_sum(present, &weights) - 1.0);
        let truth = brute_force(&value, &groups);
        let (mut squares, mut claimed) = (0.0, 0.0);
        for seed in 0..40 {
            let found = explain(&mut Game::new(8, value), &groups, 60, seed);
            squares += far(&found.values.scores, &truth).powi(2);
            claimed += found.values.errors.iter().map(|error| error * error).sum::<f64>();
        }
        println!("{squares} and {claimed}");
        assert!(squares < 1.5 * claimed && squares > claimed / 20.0, "{squares} and {claimed}");
    }

    /// 300 words in 20 groups, of which few matter: two words that belong together, and one against them.
    fn planted(present: &[bool]) -> f64 {
        let on = |word: usize| present[word];
        logistic(f64::from(i8::from(on(47) && on(52))) * 4.0 - f64::from(i8::from(on(200))) * 1.5 - 1.0)
    }

    #[test]
    fn a_rule_that_is_planted_in_a_long_text_is_found() {
        let groups = groups(&[15; 20]);
        for seed in 0..5 {
            for find in [explain, by_regression] {
                let found = find(&mut Game::new(300, planted), &groups, 1024, seed);
                check_sums(&found, &groups, planted(&[true; 300]) - planted(&[false; 300]));
                let scores = &found.values.scores;
                let mut order: Vec<usize> = (0..300).collect();
                order.sort_by(|a, b| scores[*b].abs().total_cmp(&scores[*a].abs()));
                order[..3].sort_unstable();
                assert_eq!(order[..3], [47, 52, 200]);
                assert!(scores[47] > 0.2 && (scores[47] - scores[52]).abs() < 0.1 && scores[200] < -0.1, "{scores:?}");
                assert!((0..300).all(|word| [47, 52, 200].contains(&word) || scores[word].abs() < 1e-9));
                let opened = found.groups.iter().filter(|group| group.scored == Scored::ByWord).count();
                assert!(opened == 2 && found.values.rows <= 1024, "{opened} of 20, {} rows", found.values.rows);
            }
        }
    }

    #[test]
    fn words_that_cancel_each_other_in_a_group_are_found() {
        let groups = groups(&[15; 20]);
        // Group 3 does nothing as a whole.
        let value = |present: &[bool]| {
            let on = |word: usize| f64::from(u8::from(present[word]));
            0.4 + 0.3 * on(47) - 0.3 * on(52) + 0.2 * on(200)
        };
        for seed in 0..5 {
            let found = explain(&mut Game::new(300, value), &groups, 1024, seed);
            check_sums(&found, &groups, 0.2);
            let scores = &found.values.scores;
            assert!(
                (scores[47] - 0.3).abs() < 1e-9 && (scores[52] + 0.3).abs() < 1e-9 && (scores[200] - 0.2).abs() < 1e-9
            );
            assert_eq!(found.groups[3].scored, Scored::ByWord);
            assert_eq!(found.groups[4].scored, Scored::Evenly);
        }
    }

    #[test]
    fn a_seed_repeats_watchers_see_it_and_cancelling_ends_it() {
        let groups = groups(&[8; 9]);
        let game = || Game::interacting(72);
        let samples = Samples { fit: 600, ..Samples::default() };
        let draws = |seed| Draws { groups: GroupValues::Drawn, samples, seed };
        let mut seen = Vec::new();
        let mut watch = |found: &Owen| seen.push((found.values.rows, found.values.planned));
        let mut cache = OutcomeCache::default();
        let first = owen(&mut Masking::new(&mut game(), &mut cache), &groups, draws(3), &mut watch).unwrap();
        assert_eq!(first, explain(&mut game(), &groups, 600, 3));
        assert_ne!(first, explain(&mut game(), &groups, 600, 4));
        assert!(seen.len() > 1 && seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "{seen:?}");
        assert!(seen.iter().all(|(rows, planned)| rows <= planned) && first.values.rows <= 600, "{seen:?}");
        let three = WordGroups::new(3, vec![0..1, 1..3]).unwrap();
        let answer = owen(&mut Masking::new(&mut Cancelled, &mut cache.clone()), &three, draws(1), &mut |_| {});
        assert!(matches!(answer, Err(OracleError::Cancelled)));
    }

    #[test]
    fn a_constant_is_nothing_and_too_few_rows_are_more() {
        let groups = groups(&[8; 9]);
        let found = explain(&mut Game::new(72, |_| 0.7), &groups, 1024, 1);
        assert_eq!(found.values.scores, [0.0; 72]);
        assert!(found.groups.iter().all(|group| group.scored == Scored::Evenly));
        for fit in [0, 1, 30] {
            let found = explain(&mut Game::interacting(72), &groups, fit, 1);
            // Two pairs of orders of 9 groups, and a pair of orders of 8 words for each.
            assert!(found.values.rows <= 2 + 4 * 8 + 9 * 14 + 9 * 6, "{}", found.values.rows);
            assert!(found.groups.iter().any(|group| group.scored == Scored::ByWord));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn groups_and_words_add_up(
            lengths in prop::collection::vec(1..5_usize, 2..5), fit in 0..300_usize, frequency in 0.1..9.0_f64,
            seed in any::<u64>(),
        ) {
            let groups = groups(&lengths);
            let words = groups.words();
            let rugged = move |present: &[bool]| 0.5 + 0.5 * (bits(present) as f64 * frequency).sin();
            let total = rugged(&vec![true; words]) - rugged(&vec![false; words]);
            for find in [explain, by_regression] {
                let found = find(&mut Game::new(words, rugged), &groups, fit, seed);
                check_sums(&found, &groups, total);
                prop_assert!(found.values.scores.iter().chain(&found.values.errors).all(|number| number.is_finite()));
            }
        }
    }
}
