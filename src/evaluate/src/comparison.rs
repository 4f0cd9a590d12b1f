//! Whether one classifier is better than another on the same examples.

use statrs::distribution::{Binomial, DiscreteCDF};

/// The examples on which two classifiers differ in being right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differing {
    /// Right by the first only.
    pub first_only: usize,
    /// Right by the second only.
    pub second_only: usize,
}

impl Differing {
    /// Counts them, example by example.
    #[must_use]
    pub fn count(
        first_is_right: impl IntoIterator<Item = bool>,
        second_is_right: impl IntoIterator<Item = bool>,
    ) -> Self {
        let mut found = Self::default();
        for pair in first_is_right.into_iter().zip(second_is_right) {
            match pair {
                (true, false) => found.first_only += 1,
                (false, true) => found.second_only += 1,
                _ => {}
            }
        }
        found
    }

    /// The probability of a difference as large as this, or larger, if both were equally good: McNemar's exact test, two-sided.
    ///
    /// Source: McNemar 1947, with the binomial distribution; statsmodels' `mcnemar(exact=True)`.
    #[must_use]
    pub fn p(self) -> f64 {
        let (less, all) = (self.first_only.min(self.second_only), self.first_only + self.second_only);
        let Ok(fair) = Binomial::new(0.5, all as u64) else { return 1.0 };
        if all == 0 { 1.0 } else { (2.0 * fair.cdf(less as u64)).min(1.0) }
    }
}
