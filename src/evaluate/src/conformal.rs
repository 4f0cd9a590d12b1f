//! Sets of classes that hold the true one with a promised probability.
//!
//! The promise is by class (Mondrian): of the examples of each class, at least the promised share have it in their set, over
//! all draws of the examples that the thresholds were made from.
//!
//! Source: Vovk, Gammerman and Shafer 2005, section 4.5; the score of Sadinle, Lei and Wasserman 2019 (least ambiguous sets).

use super::probabilities::Answered;

/// For each class the least probability at which it is in a set.
#[derive(Debug, Clone, PartialEq)]
pub struct SetThresholds {
    /// By class; 0 where there are too few examples for the promise: then the class is in every set.
    pub at_least: Vec<f64>,
    /// The promised share.
    pub coverage: f64,
}

impl SetThresholds {
    /// The thresholds that these answers give. They must not have trained or chosen the model.
    #[must_use]
    pub fn new(answers: &Answered, coverage: f64) -> Self {
        let of_class = |class: usize| {
            let examples = (0..answers.len()).filter(|example| answers.truth()[*example] == class);
            let mut probabilities: Vec<f64> = examples.map(|example| answers.of(example)[class]).collect();
            probabilities.sort_unstable_by(|a, b| b.total_cmp(a));
            // The ceil((n + 1) c)-th highest: one more than a quantile, for the example that is to come.
            let rank = ((probabilities.len() + 1) as f64 * coverage).ceil() as usize;
            probabilities.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        Self { at_least: (0..answers.classes()).map(of_class).collect(), coverage }
    }

    /// The classes in the set of an answer.
    #[must_use]
    pub fn set(&self, probabilities: &[f64]) -> Vec<usize> {
        let is_in = |class: &usize| probabilities[*class] >= self.at_least[*class];
        (0..probabilities.len()).filter(is_in).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Answers whose true class is drawn by the probabilities that they give, more or less.
    fn drawn(rows: usize, generator: &mut ChaCha8Rng) -> Answered {
        let mut answers = Answered::new(3);
        for _ in 0..rows {
            let raw: [f64; 3] = std::array::from_fn(|_| generator.random_range(0.01..1.0_f64).powi(2));
            let sum: f64 = raw.iter().sum();
            let truth = match generator.random_range(0.0..1.0) {
                u if u < 0.7 * raw[0] / sum => 0,
                u if u < 0.8 => 1,
                _ => 2,
            };
            answers.push(raw.map(|p| p / sum), truth).unwrap();
        }
        answers
    }

    #[test]
    fn each_class_is_covered_as_promised() {
        let mut generator = ChaCha8Rng::seed_from_u64(4);
        let mut covered = [(0_usize, 0_usize); 3];
        for _ in 0..200 {
            let thresholds = SetThresholds::new(&drawn(60, &mut generator), 0.9);
            let new = drawn(100, &mut generator);
            for (example, &truth) in new.truth().iter().enumerate() {
                covered[truth].0 += usize::from(thresholds.set(new.of(example)).contains(&truth));
                covered[truth].1 += 1;
            }
        }
        for (hits, of) in covered {
            let share = hits as f64 / of as f64;
            // At least what is promised, and with n examples of a class at most 1 / (n + 1) more; n is 15 to 30 here.
            assert!((0.89..0.97).contains(&share), "{share} of {of}");
        }
    }

    #[test]
    fn with_too_few_examples_every_class_is_in_the_set() {
        let mut answers = Answered::new(2);
        answers.push([0.9, 0.1], 0).unwrap();
        let thresholds = SetThresholds::new(&answers, 0.9);
        assert_eq!(thresholds.at_least, [0.0, 0.0]);
        assert_eq!(thresholds.set(&[1.0, 0.0]), [0, 1]);
    }
}
