//! Shares of a count, with their intervals.

use serde::Serialize;

/// `hits` of `of` cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Proportion {
    /// Cases that count.
    pub hits: usize,
    /// All cases.
    pub of: usize,
}

/// An interval with its two ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The normal quantile of a 95 % interval.
const Z: f64 = 1.959963984540054;

impl Proportion {
    /// The share, in [0, 1]; `None` of no cases.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The 95 % interval of the share by Wilson's score; `None` of no cases.
    ///
    /// Source: Wilson 1927; statsmodels' `proportion_confint(method="wilson")`.
    #[must_use]
    pub fn interval(self) -> Option<Interval> {
        let (share, n) = (self.share()?, self.of as f64);
        let spread = Z * Z / n;
        let middle = (share + spread / 2.0) / (1.0 + spread);
        let half = Z / (1.0 + spread) * (share * (1.0 - share) / n + spread / (4.0 * n)).sqrt();
        // Rounding must not leave the share outside.
        Some(Interval { low: (middle - half).clamp(0.0, share), high: (middle + half).clamp(share, 1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // statsmodels 0.14.5: proportion_confint(hits, of, method="wilson").
    #[test]
    fn intervals_are_those_of_statsmodels() {
        let golden = [
            ((88, 116), (0.6732697472168292, 0.8273917149385299)),
            ((0, 20), (0.0, 0.1611251580528194)),
            ((20, 20), (0.8388748419471804, 1.0)),
            ((1, 1), (0.2065493143772374, 1.0)),
        ];
        for ((hits, of), (low, high)) in golden {
            let found = Proportion { hits, of }.interval().unwrap();
            assert!((found.low - low).abs() < 1e-9 && (found.high - high).abs() < 1e-9, "{hits} of {of}: {found:?}");
        }
        assert_eq!((Proportion { hits: 0, of: 0 }.share(), Proportion { hits: 0, of: 0 }.interval()), (None, None));
    }
}
