//! How far a masking is from the text, and how much it weighs for that, as in `lime`.

/// Width of the kernel, in the units of [`distance`].
pub const KERNEL_WIDTH: f64 = 25.0;

/// Distance of a text with `masked` of `words` words masked from the whole text: 100 x the cosine distance of the
/// presence vectors, 100 (1 - sqrt((n - m) / n)). It is 0 for the text itself and 100 if all words are masked.
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `distance_fn`.
#[must_use]
pub fn distance(masked: usize, words: usize) -> f64 {
    if masked == 0 {
        return 0.0;
    }
    100.0 * (1.0 - (words.saturating_sub(masked) as f64 / words.max(1) as f64).sqrt())
}

/// Weight of a sample at `distance`: sqrt(exp(-distance^2 / width^2)), in (0, 1].
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `kernel`, with its default width.
#[must_use]
pub fn weight(distance: f64) -> f64 {
    (-(distance / KERNEL_WIDTH).powi(2)).exp().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_that_lime_gives_for_ten_words() {
        let weights: Vec<_> = (0..=10).map(|masked| weight(distance(masked, 10))).collect();
        let close = |index: usize, expected: f64| (weights[index] - expected).abs() < 5e-4;
        assert_eq!(weights[0], 1.0);
        assert!(close(1, 0.979) && close(2, 0.915) && close(5, 0.503) && close(10, 0.0003));
        assert_eq!(distance(10, 10), 100.0);
        assert_eq!(distance(0, 0), 0.0);
    }
}
