//! Stratified samples of maskings: some sets of each size, weighed so that they stand for all of that size.

use std::ops::Range;

use crate::word_set::WordSet;

/// Maskings that are alike to a law, of which some are sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// The sampled sets of masked words, all different, in random order.
    pub sets: Vec<WordSet>,
    /// How many such sets there are.
    pub population: f64,
    /// What they weigh together, sampled or not.
    pub weight: f64,
    /// How many neighbouring sets are drawn as one: 2 for pairs of a set and its complement.
    pub together: usize,
}

/// How many of `rows` each stratum gets, of `(weight, population)` each: in proportion to its weight, one at
/// least while rows last, and none more than it has. What a small stratum has no use for goes to the others.
#[must_use]
pub fn allocate(strata: &[(f64, f64)], rows: usize) -> Vec<usize> {
    let mut counts = vec![0; strata.len()];
    let mut heaviest: Vec<_> = (0..strata.len()).collect();
    heaviest.sort_by(|a, b| strata[*b].0.total_cmp(&strata[*a].0));
    for _ in 0..rows {
        // The stratum whose rows weigh most would gain most by one more.
        let weight_of_one = |index: usize| strata[index].0 / counts[index] as f64;
        let open = heaviest.iter().copied().filter(|index| (counts[*index] as f64) < strata[*index].1);
        let Some(next) = open.reduce(|a, b| if weight_of_one(b) > weight_of_one(a) { b } else { a }) else { break };
        counts[next] += 1;
    }
    counts
}

/// Strata with the order in which their sets are asked for: every part from the start is a stratified sample
/// as well.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    strata: Vec<Stratum>,
    /// For each step, its stratum; a step takes the sets that are drawn as one.
    steps: Vec<usize>,
}

impl Plan {
    /// Interleaves the strata.
    #[must_use]
    pub fn new(strata: Vec<Stratum>) -> Self {
        let mut steps: Vec<(f64, usize)> = Vec::new();
        for (index, stratum) in strata.iter().enumerate() {
            let own = stratum.sets.len().div_ceil(stratum.together);
            steps.extend((0..own).map(|step| ((step as f64 + 0.5) / own as f64, index)));
        }
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { strata, steps: steps.into_iter().map(|(_, index)| index).collect() }
    }

    /// Sets in all.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.strata.iter().map(|stratum| stratum.sets.len()).sum()
    }

    /// Weight of each stratum.
    pub fn weights(&self) -> impl Iterator<Item = f64> {
        self.strata.iter().map(|stratum| stratum.weight)
    }

    /// Whether no set is left out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.strata.iter().all(|stratum| stratum.sets.len() as f64 >= stratum.population)
    }

    /// The first `rows` sets of the plan, and at most one more, so that none is without its complement.
    #[must_use]
    pub fn take(&self, rows: usize) -> Taken {
        let mut counts = vec![0; self.strata.len()];
        let mut total = 0;
        for index in &self.steps {
            if total >= rows {
                break;
            }
            let stratum = &self.strata[*index];
            let step = stratum.together.min(stratum.sets.len() - counts[*index]);
            counts[*index] += step;
            total += step;
        }
        Taken::new(&self.strata, &counts)
    }
}

/// Sets of a plan with their weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// The sets, those of a stratum side by side.
    pub sets: Vec<WordSet>,
    /// The weight of each: its stratum's, divided by how many of it were taken.
    pub weights: Vec<f64>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    rows: Range<usize>,
    /// Share of the stratum that was not taken.
    left: f64,
    together: usize,
}

impl Taken {
    fn new(strata: &[Stratum], counts: &[usize]) -> Self {
        let mut taken = Self::default();
        for (stratum, &count) in strata.iter().zip(counts).filter(|(_, count)| **count > 0) {
            let start = taken.sets.len();
            taken.sets.extend_from_slice(&stratum.sets[..count]);
            if count as f64 >= stratum.population {
                // Sums over all sets are then the same to the last bit, whatever the seed.
                taken.sets[start..].sort_unstable();
            }
            taken.weights.resize(start + count, stratum.weight / count as f64);
            let left = (1.0 - count as f64 / stratum.population).max(0.0);
            taken.parts.push(Part { rows: start..start + count, left, together: stratum.together });
        }
        taken
    }

    /// Standard errors of numbers of which `influences` has what each set has contributed, weight included.
    ///
    /// Source: variance of a stratified sample without replacement, Cochran 1977, "Sampling Techniques",
    /// theorem 5.3: that within the strata, and none where a stratum was taken whole. Sets that are dealt
    /// from one deck scatter less than that, so these errors are on the careful side. A stratum with one draw
    /// has no scatter of its own; there the draw's whole contribution is taken for its error.
    #[must_use]
    pub fn errors(&self, influences: &[Vec<f64>]) -> Vec<f64> {
        let mut variance = vec![0.0; influences.first().map_or(0, Vec::len)];
        for part in self.parts.iter().filter(|part| part.left > 0.0) {
            let draws: Vec<Vec<f64>> = influences[part.rows.clone()].chunks(part.together).map(sum).collect();
            for (number, sum) in variance.iter_mut().enumerate() {
                *sum += part.left * scatter(&draws, number);
            }
        }
        variance.into_iter().map(f64::sqrt).collect()
    }
}

fn sum(rows: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; rows.first().map_or(0, Vec::len)];
    rows.iter().for_each(|row| sum.iter_mut().zip(row).for_each(|(sum, number)| *sum += number));
    sum
}

/// Variance of the sum of so many draws of one number.
fn scatter(draws: &[Vec<f64>], number: usize) -> f64 {
    let count = draws.len() as f64;
    if draws.len() < 2 {
        return draws.iter().map(|draw| draw[number].powi(2)).sum();
    }
    let mean = draws.iter().map(|draw| draw[number]).sum::<f64>() / count;
    let squares: f64 = draws.iter().map(|draw| (draw[number] - mean).powi(2)).sum();
    squares * count / (count - 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sampling::{Purpose, generator};
    use crate::subset_draw::distinct;

    fn stratum(words: usize, size: usize, count: usize, weight: f64) -> Stratum {
        let sets = distinct(words, size, count, &mut generator(size as u64, Purpose::Fit));
        Stratum { sets, population: crate::subset_draw::binomial(words, size), weight, together: 1 }
    }

    #[test]
    fn rows_go_by_weight_within_what_there_is() {
        assert_eq!(allocate(&[(1.0, 100.0), (3.0, 100.0)], 40), [10, 30]);
        assert_eq!(allocate(&[(1.0, 100.0), (30.0, 5.0), (1.0, f64::INFINITY)], 25), [10, 5, 10]);
        assert_eq!(allocate(&[(1.0, 2.0), (0.0, 3.0)], 99), [2, 3]);
        assert_eq!(allocate(&[(1e-9, 9.0), (1.0, 9.0), (1.0, 9.0)], 5), [1, 2, 2]);
        assert_eq!(allocate(&[(1.0, 9.0), (2.0, 9.0)], 1), [0, 1]);
        assert_eq!((allocate(&[], 3), allocate(&[(1.0, 4.0)], 0)), (vec![], vec![0]));
    }

    #[test]
    fn every_part_of_a_plan_weighs_as_the_whole() {
        let plan = Plan::new(vec![stratum(9, 1, 9, 0.2), stratum(9, 4, 40, 0.7), stratum(9, 9, 1, 0.1)]);
        assert!(plan.rows() == 50 && !plan.is_complete());
        for rows in [20, 33, 50, 99] {
            let taken = plan.take(rows);
            assert_eq!((taken.sets.len(), taken.weights.len()), (rows.min(50), rows.min(50)));
            let expected = if rows > 25 { 1.0 } else { 0.9 };
            assert!((taken.weights.iter().sum::<f64>() - expected).abs() < 1e-12, "{rows}: {:?}", taken.weights);
        }
        assert_eq!(plan.take(0), Taken::default());
    }

    #[test]
    fn pairs_stay_together() {
        let sets: Vec<_> = (0..6).map(|word| WordSet::empty(6).with(word)).collect();
        let plan = Plan::new(vec![Stratum { sets, population: 6.0, weight: 1.0, together: 2 }]);
        assert_eq!([1, 2, 3, 6].map(|rows| plan.take(rows).sets.len()), [2, 2, 4, 6]);
    }

    #[test]
    fn what_was_taken_whole_has_no_error() {
        let plan = Plan::new(vec![stratum(4, 2, 6, 1.0)]);
        assert!(plan.is_complete());
        let influences: Vec<_> = (0..6).map(|row| vec![f64::from(row)]).collect();
        assert_eq!(plan.take(6).errors(&influences), [0.0]);
        assert!(plan.take(3).errors(&influences[..3])[0] > 0.0);
        assert_eq!(Taken::default().errors(&[]), Vec::<f64>::new());
    }

    proptest! {
        /// The mean of a number over a stratum, estimated from a sample of it: the errors are as large as
        /// they are said to be.
        #[test]
        fn errors_are_those_of_a_mean(values in prop::collection::vec(-1.0..1.0_f64, 20)) {
            let (mut squares, mut claimed) = (0.0, 0.0);
            let truth = values.iter().sum::<f64>() / 20.0;
            let runs = 400;
            for seed in 0..runs {
                let sets = distinct(20, 1, 8, &mut generator(seed, Purpose::Fit));
                let stratum = Stratum { sets, population: 20.0, weight: 1.0, together: 1 };
                let taken = Plan::new(vec![stratum]).take(8);
                let value = |set: &WordSet| values[(0..20).find(|word| set.contains(*word)).unwrap()];
                let influences: Vec<_> =
                    taken.sets.iter().zip(&taken.weights).map(|(set, weight)| vec![weight * value(set)]).collect();
                squares += (influences.iter().map(|one| one[0]).sum::<f64>() - truth).powi(2);
                claimed += taken.errors(&influences)[0].powi(2);
            }
            prop_assert!((squares / claimed - 1.0_f64).abs() < 0.4, "{squares} and {claimed}");
        }
    }
}
