//! Random orders of the words of a text in which the words of a group stand together.

use rand_chacha::ChaCha8Rng;

use super::permutation::marginal;
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::word_groups::WordGroups;
use crate::oracle::word_set::WordSet;
use crate::sampling::{Purpose, generator, random_order, shuffle};

/// Random orders of the groups; each is followed by its reverse.
pub(super) struct GroupOrders<'a> {
    groups: &'a WordGroups,
    orders: Vec<Vec<usize>>,
    /// Pairs that were drawn at first.
    pairs: usize,
    random: ChaCha8Rng,
}

/// The words of a group, masked one by one behind all words of other groups.
pub(super) struct Chain {
    /// The group.
    pub(super) group: usize,
    /// Its words in the order in which they are masked.
    words: Vec<usize>,
    /// What is masked before the first word and after each.
    pub(super) steps: Vec<WordSet>,
}

impl<'a> GroupOrders<'a> {
    /// Draws pairs of an order and its reverse.
    pub(super) fn draw(groups: &'a WordGroups, pairs: usize, seed: u64) -> Self {
        let mut drawn = Self { groups, orders: Vec::new(), pairs, random: generator(seed, Purpose::Orders) };
        (0..pairs).for_each(|_| drawn.draw_pair());
        drawn
    }

    fn draw_pair(&mut self) {
        let order = random_order(self.groups.len(), &mut self.random);
        let reverse = order.iter().rev().copied().collect();
        self.orders.extend([order, reverse]);
    }

    /// All maskings by which the groups are masked one by one.
    pub(super) fn paths(&self) -> Vec<WordSet> {
        let groups = self.groups.len();
        let path = |order: &Vec<usize>| (0..=groups).map(|count| self.masked(&order[..count])).collect::<Vec<_>>();
        self.orders.iter().flat_map(path).collect()
    }

    /// For each order and group, how far the answer drops when the group is masked after those before it.
    pub(super) fn drops(&self, masking: &mut Masking) -> Answer<Vec<Vec<f64>>> {
        // First asked for together: fuller calls.
        masking.values(&self.paths())?;
        self.orders.iter().map(|order| marginal(&mut masking.of_units(self.groups.sets()), order)).collect()
    }

    /// What is masked before the group, in each order.
    pub(super) fn surroundings(&self, group: usize) -> Vec<WordSet> {
        self.orders.iter().map(|order| self.masked(before(order, group))).collect()
    }

    /// A random order of the group's words behind what comes before it in pair number `pair`, and the reverse order
    /// behind what comes after it. Pairs that are missing are drawn.
    pub(super) fn chains(&mut self, group: usize, pair: usize) -> [Chain; 2] {
        while self.orders.len() < 2 * pair + 2 {
            self.draw_pair();
        }
        let mut words: Vec<usize> = self.groups.ranges()[group].clone().collect();
        let count = words.len();
        shuffle(&mut words, count, &mut self.random);
        let reverse = words.iter().rev().copied().collect();
        [self.chain(group, 2 * pair, words), self.chain(group, 2 * pair + 1, reverse)]
    }

    /// Rows of the chains of a pair; their ends are known if the groups were masked in its orders.
    pub(super) fn cost(&self, group: usize, pair: usize) -> usize {
        let words = self.groups.ranges()[group].len();
        if pair < self.pairs { 2 * (words - 1) } else { 2 * (words + 1) }
    }

    fn chain(&self, group: usize, order: usize, words: Vec<usize>) -> Chain {
        let mut masked = self.masked(before(&self.orders[order], group));
        let mut steps = vec![masked.clone()];
        for word in &words {
            masked.insert(*word);
            steps.push(masked.clone());
        }
        Chain { group, words, steps }
    }

    fn masked(&self, groups: &[usize]) -> WordSet {
        let all = groups.iter().fold(WordSet::empty(self.groups.len()), |set, group| set.with(*group));
        self.groups.words_of(&all)
    }
}

impl Chain {
    /// How far the answer drops with each word of the group, in the order of the text.
    pub(super) fn drops(&self, masking: &mut Masking, groups: &WordGroups) -> Answer<Vec<f64>> {
        let values = masking.values(&self.steps)?;
        let first = groups.ranges()[self.group].start;
        let mut drops = vec![0.0; self.words.len()];
        for (word, pair) in self.words.iter().zip(values.windows(2)) {
            drops[word - first] = pair[0] - pair[1];
        }
        Ok(drops)
    }
}

/// The groups before this one.
fn before(order: &[usize], group: usize) -> &[usize] {
    order.split(|other| *other == group).next().unwrap_or_default()
}
