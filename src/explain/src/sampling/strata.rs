//! Stratified samples of maskings: some sets of each size, weighted so that they stand for all sets of that size.

use std::ops::Range;

use crate::oracle::word_set::WordSet;

/// Maskings with the same weight, of which some are sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// The sampled sets of masked words, all different, in random order.
    pub sets: Vec<WordSet>,
    /// How much all of its sets weigh, and how many there are.
    pub size: StratumSize,
    /// How many neighbouring sets are one draw: 2 for pairs of a set and its complement.
    pub sets_per_draw: usize,
}

/// How large a stratum is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StratumSize {
    /// The weight of all its sets together, sampled or not.
    pub weight: f64,
    /// The number of its sets, sampled or not.
    pub population: f64,
}

/// How many of `rows` each stratum gets: in proportion to its weight, at least one while rows last, and at most its
/// population. Rows that a small stratum cannot use go to the others.
#[must_use]
pub fn allocate(strata: &[StratumSize], rows: usize) -> Vec<usize> {
    let mut counts = vec![0; strata.len()];
    let mut heaviest: Vec<_> = (0..strata.len()).collect();
    heaviest.sort_by(|a, b| strata[*b].weight.total_cmp(&strata[*a].weight));
    for _ in 0..rows {
        // The stratum whose rows weigh most gains most by one more.
        let weight_of_one = |index: usize| strata[index].weight / counts[index] as f64;
        let open = heaviest.iter().copied().filter(|index| (counts[*index] as f64) < strata[*index].population);
        let Some(next) = open.reduce(|a, b| if weight_of_one(b) > weight_of_one(a) { b } else { a }) else { break };
        counts[next] += 1;
    }
    counts
}

/// Strata with the order in which their sets are asked for. Any first part of this order is a stratified sample too.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingPlan {
    strata: Vec<Stratum>,
    /// The stratum of each step; a step takes the sets of one draw.
    steps: Vec<usize>,
}

impl SamplingPlan {
    /// Interleaves the strata.
    #[must_use]
    pub fn new(strata: Vec<Stratum>) -> Self {
        let mut steps: Vec<(f64, usize)> = Vec::new();
        for (index, stratum) in strata.iter().enumerate() {
            let own = stratum.sets.len().div_ceil(stratum.sets_per_draw);
            steps.extend((0..own).map(|step| ((step as f64 + 0.5) / own as f64, index)));
        }
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { strata, steps: steps.into_iter().map(|(_, index)| index).collect() }
    }

    /// Number of sampled sets.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.strata.iter().map(|stratum| stratum.sets.len()).sum()
    }

    /// Weight of each stratum.
    pub fn weights(&self) -> impl Iterator<Item = f64> {
        self.strata.iter().map(|stratum| stratum.size.weight)
    }

    /// Whether every set of every stratum is sampled.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.strata.iter().all(|stratum| stratum.sets.len() as f64 >= stratum.size.population)
    }

    /// The first `rows` sets of the plan, and at most one more, so that no set is without its complement.
    #[must_use]
    pub fn take(&self, rows: usize) -> StratifiedSample {
        let mut counts = vec![0; self.strata.len()];
        let mut total = 0;
        for index in &self.steps {
            if total >= rows {
                break;
            }
            let stratum = &self.strata[*index];
            let step = stratum.sets_per_draw.min(stratum.sets.len() - counts[*index]);
            counts[*index] += step;
            total += step;
        }
        StratifiedSample::new(&self.strata, &counts)
    }
}

/// Some sets of each stratum, with their weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StratifiedSample {
    /// The sets; those of a stratum stand side by side.
    pub sets: Vec<WordSet>,
    /// The weight of each set: that of its stratum, divided by the number of sets taken from it.
    pub weights: Vec<f64>,
    parts: Vec<StratumSample>,
}

/// The rows that were taken from one stratum.
#[derive(Debug, Clone, PartialEq)]
struct StratumSample {
    rows: Range<usize>,
    /// Share of the stratum that was not taken.
    not_taken: f64,
    sets_per_draw: usize,
}

impl StratifiedSample {
    fn new(strata: &[Stratum], counts: &[usize]) -> Self {
        let mut sample = Self::default();
        for (stratum, &count) in strata.iter().zip(counts).filter(|(_, count)| **count > 0) {
            let start = sample.sets.len();
            sample.sets.extend_from_slice(&stratum.sets[..count]);
            if count as f64 >= stratum.size.population {
                // Sums over all sets are then the same to the last bit, whatever the seed.
                sample.sets[start..].sort_unstable();
            }
            sample.weights.resize(start + count, stratum.size.weight / count as f64);
            let not_taken = (1.0 - count as f64 / stratum.size.population).max(0.0);
            let rows = start..start + count;
            sample.parts.push(StratumSample { rows, not_taken, sets_per_draw: stratum.sets_per_draw });
        }
        sample
    }

    /// Standard errors of sums over the sets. `influences` holds what each set contributes to each sum, its weight
    /// included.
    ///
    /// Source: variance of a stratified sample without replacement, Cochran 1977, "Sampling Techniques",
    /// theorem 5.3: the variance within the strata, and none from a stratum that was taken whole. Sets dealt from one
    /// deck scatter less than that, so these errors are rather too large than too small. A stratum with a single draw
    /// shows no scatter; the whole contribution of the draw counts as its error.
    #[must_use]
    pub fn errors(&self, influences: &[Vec<f64>]) -> Vec<f64> {
        let mut variance = vec![0.0; influences.first().map_or(0, Vec::len)];
        for part in self.parts.iter().filter(|part| part.not_taken > 0.0) {
            let draws: Vec<Vec<f64>> = influences[part.rows.clone()].chunks(part.sets_per_draw).map(sum).collect();
            for (number, sum) in variance.iter_mut().enumerate() {
                *sum += part.not_taken * scatter(&draws, number);
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

/// Variance of the sum of one number over the draws.
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
    use crate::sampling::subset_draw::distinct;
    use crate::sampling::{Purpose, generator};

    fn stratum(words: usize, size: usize, count: usize, weight: f64) -> Stratum {
        let sets = distinct(words, size, count, &mut generator(size as u64, Purpose::Fit));
        let population = crate::sampling::subset_draw::binomial(words, size);
        Stratum { sets, size: StratumSize { weight, population }, sets_per_draw: 1 }
    }

    #[test]
    fn rows_go_by_weight_within_what_there_is() {
        let allocate = |sizes: &[(f64, f64)], rows| {
            let sizes = sizes.iter().map(|&(weight, population)| StratumSize { weight, population });
            allocate(&sizes.collect::<Vec<_>>(), rows)
        };
        assert_eq!(allocate(&[(1.0, 100.0), (3.0, 100.0)], 40), [10, 30]);
        assert_eq!(allocate(&[(1.0, 100.0), (30.0, 5.0), (1.0, f64::INFINITY)], 25), [10, 5, 10]);
        assert_eq!(allocate(&[(1.0, 2.0), (0.0, 3.0)], 99), [2, 3]);
        assert_eq!(allocate(&[(1e-9, 9.0), (1.0, 9.0), (1.0, 9.0)], 5), [1, 2, 2]);
        assert_eq!(allocate(&[(1.0, 9.0), (2.0, 9.0)], 1), [0, 1]);
        assert_eq!((allocate(&[], 3), allocate(&[(1.0, 4.0)], 0)), (vec![], vec![0]));
    }

    #[test]
    fn every_part_of_a_plan_weighs_as_the_whole() {
        let plan = SamplingPlan::new(vec![stratum(9, 1, 9, 0.2), stratum(9, 4, 40, 0.7), stratum(9, 9, 1, 0.1)]);
        assert!(plan.rows() == 50 && !plan.is_complete());
        for rows in [20, 33, 50, 99] {
            let taken = plan.take(rows);
            assert_eq!((taken.sets.len(), taken.weights.len()), (rows.min(50), rows.min(50)));
            let expected = if rows > 25 { 1.0 } else { 0.9 };
            assert!((taken.weights.iter().sum::<f64>() - expected).abs() < 1e-12, "{rows}: {:?}", taken.weights);
        }
        assert_eq!(plan.take(0), StratifiedSample::default());
    }

    #[test]
    fn pairs_stay_together() {
        let sets: Vec<_> = (0..6).map(|word| WordSet::empty(6).with(word)).collect();
        let plan = SamplingPlan::new(vec![Stratum {
            sets,
            size: StratumSize { weight: 1.0, population: 6.0 },
            sets_per_draw: 2,
        }]);
        assert_eq!([1, 2, 3, 6].map(|rows| plan.take(rows).sets.len()), [2, 2, 4, 6]);
    }

    #[test]
    fn what_was_taken_whole_has_no_error() {
        let plan = SamplingPlan::new(vec![stratum(4, 2, 6, 1.0)]);
        assert!(plan.is_complete());
        let influences: Vec<_> = (0..6).map(|row| vec![f64::from(row)]).collect();
        assert_eq!(plan.take(6).errors(&influences), [0.0]);
        assert!(plan.take(3).errors(&influences[..3])[0] > 0.0);
        assert_eq!(StratifiedSample::default().errors(&[]), Vec::<f64>::new());
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
                let size = StratumSize { weight: 1.0, population: 20.0 };
                let stratum = Stratum { sets, size, sets_per_draw: 1 };
                let taken = SamplingPlan::new(vec![stratum]).take(8);
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
