//! Intervals of figures that have no formula: from examples drawn again, with replacement.
//!
//! Draws are stratified: of each true class as many examples are drawn as there are. For a figure of the confusion matrix it
//! is enough to draw, of each true class, how many fall on each predicted class: that is a multinomial draw, whatever the
//! number of examples. Other figures get a weight for each example.
//!
//! Source: Efron and Tibshirani 1993, chapters 8 and 13 (percentiles).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};
use serde::Serialize;

use super::confusion::Confusion;
use super::proportion::Interval;

/// How often is drawn, and by which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Draws {
    /// How often.
    pub count: usize,
    /// The seed; it is recorded beside the interval.
    pub seed: u64,
}

impl Default for Draws {
    fn default() -> Self {
        Self { count: 1000, seed: 0 }
    }
}

/// The 95 % intervals of several figures of a confusion matrix; `None` for one that is undefined in a draw. The figures must
/// be as many for each matrix.
#[must_use]
pub fn of_confusion<F>(confusion: &Confusion, draws: Draws, figures: F) -> Vec<Option<Interval>>
where
    F: Fn(&Confusion) -> Vec<Option<f64>>,
{
    let mut generator = ChaCha8Rng::seed_from_u64(draws.seed);
    let of_draws: Vec<Vec<Option<f64>>> =
        (0..draws.count).map(|_| figures(&drawn(confusion, &mut generator))).collect();
    intervals(&of_draws)
}

/// The 95 % interval of each figure over draws that have the same figures; `None` for one that is undefined in a draw.
#[must_use]
pub fn intervals(of_draws: &[Vec<Option<f64>>]) -> Vec<Option<Interval>> {
    let figure = |at: usize| of_draws.iter().map(|draw| draw[at]).collect::<Option<Vec<f64>>>();
    (0..of_draws.first().map_or(0, Vec::len)).map(|at| figure(at).and_then(percentiles)).collect()
}

/// A matrix of examples drawn from `confusion`, with as many of each true class.
fn drawn(confusion: &Confusion, generator: &mut ChaCha8Rng) -> Confusion {
    let classes = confusion.classes();
    let counts = (0..classes).flat_map(|truth| multinomial(confusion.row(truth), generator));
    Confusion::of_counts(classes, counts.collect())
}

/// As many draws as there are counts, each falling on a place in proportion to its count: binomial after binomial.
fn multinomial(counts: &[usize], generator: &mut ChaCha8Rng) -> Vec<usize> {
    let (mut draws, mut mass) = (counts.iter().sum::<usize>(), counts.iter().sum::<usize>());
    let mut place = |count: &usize| {
        let share = if mass > 0 { *count as f64 / mass as f64 } else { 0.0 };
        let here = Binomial::new(draws as u64, share.min(1.0)).map_or(0, |fall| fall.sample(generator) as usize);
        (draws, mass) = (draws - here, mass - count);
        here
    };
    counts.iter().map(&mut place).collect()
}

/// Weights of the examples of one draw: how often each was drawn. Examples with the same number in `strata` are drawn among
/// themselves.
#[derive(Debug)]
pub struct Weights {
    /// The examples of each stratum.
    strata: Vec<Vec<usize>>,
    examples: usize,
    seed: u64,
}

impl Weights {
    /// Draws by the stratum of each example.
    #[must_use]
    pub fn new(strata: &[usize], seed: u64) -> Self {
        let mut members = vec![Vec::new(); strata.iter().max().map_or(0, |most| most + 1)];
        strata.iter().enumerate().for_each(|(example, stratum)| members[*stratum].push(example));
        Self { strata: members, examples: strata.len(), seed }
    }

    /// The weights of draw number `number`, whatever was drawn before.
    #[must_use]
    pub fn draw(&self, number: u64) -> Vec<u32> {
        let (mut weights, mut generator) = (vec![0; self.examples], ChaCha8Rng::seed_from_u64(self.seed));
        generator.set_stream(number);
        for members in self.strata.iter().filter(|members| !members.is_empty()) {
            for _ in 0..members.len() {
                weights[members[generator.random_range(0..members.len())]] += 1;
            }
        }
        weights
    }
}

/// The 95 % interval between percentiles of drawn figures, interpolated as numpy does; `None` of none, and where they are all
/// the same: examples that are all right are right in every draw, and that says nothing about others.
#[must_use]
pub fn percentiles(mut figures: Vec<f64>) -> Option<Interval> {
    figures.sort_unstable_by(f64::total_cmp);
    let last = figures.len().checked_sub(1)? as f64;
    let at = |share: f64| {
        let place = share * last;
        let (below, above) = (figures[place.floor() as usize], figures[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    Some(Interval { low: at(0.025), high: at(0.975) }).filter(|interval| interval.low < interval.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::accuracy;
    use crate::class_scores::ClassScores;

    const DRAWS: Draws = Draws { count: 4000, seed: 3 };

    fn close(found: Interval, low: f64, high: f64, within: f64) {
        assert!((found.low - low).abs() < within && (found.high - high).abs() < within, "{found:?}");
    }

    #[test]
    fn the_interval_of_a_recall_is_that_of_its_binomial_distribution() {
        // 80 of 100 and 30 of 50: scipy 1.17, binom(100, 0.8).ppf([0.025, 0.975]) / 100 = [0.72, 0.87].
        let confusion = Confusion::of_counts(2, vec![80, 20, 20, 30]);
        let figures = |drawn: &Confusion| {
            vec![
                ClassScores::of(drawn, 0).recall.share(),
                accuracy(drawn),
                drawn.count(1, 1).checked_sub(1000).map(|_| 0.0),
            ]
        };
        let found = of_confusion(&confusion, DRAWS, figures);
        close(found[0].unwrap(), 0.72, 0.87, 0.0101);
        // Both strata: variance (100 * 0.16 + 50 * 0.24) / 150^2, normal to the eye.
        let half = 1.96 * (28.0_f64).sqrt() / 150.0;
        close(found[1].unwrap(), 110.0 / 150.0 - half, 110.0 / 150.0 + half, 0.007);
        assert_eq!(found[2], None, "not defined in a draw");
        assert_eq!(found, of_confusion(&confusion, DRAWS, figures), "the seed decides");
    }

    #[test]
    fn as_many_are_drawn_of_each_class_as_there_are() {
        let confusion = Confusion::of_counts(3, vec![5, 0, 2, 0, 0, 0, 1, 1, 1000]);
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..50 {
            let drawn = drawn(&confusion, &mut generator);
            assert_eq!([0, 1, 2].map(|class| drawn.support(class)), [7, 0, 1002]);
            assert_eq!(drawn.count(0, 1), 0, "what never happened is not drawn");
        }
        let weights = Weights::new(&[0, 2, 0, 2, 2], 9);
        for number in 0..50 {
            let drawn = weights.draw(number);
            assert_eq!((drawn[0] + drawn[2], drawn[1] + drawn[3] + drawn[4]), (2, 3));
        }
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy: np.percentile([3, 1, 2, 10], [2.5, 97.5]) = [1.075, 9.475]
        close(percentiles(vec![3.0, 1.0, 2.0, 10.0]).unwrap(), 1.075, 9.475, 1e-12);
        assert_eq!((percentiles(Vec::new()), percentiles(vec![1.0; 9])), (None, None));
    }
}
