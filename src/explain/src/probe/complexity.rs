//! How many words a map spreads its scores over.

/// How concentrated a map is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complexity {
    /// Entropy of the [`shares`] in nats: 0 if one word has all, ln n if all n words have the same.
    pub entropy: f64,
    /// Gini coefficient of the shares: 0 if all words have the same, (n - 1) / n if one word has all.
    pub gini: f64,
}

/// The magnitude of each score as a share of their sum; `None` if the sum is 0 or not finite.
#[must_use]
pub fn shares(scores: &[f64]) -> Option<Vec<f64>> {
    let sum: f64 = scores.iter().map(|score| score.abs()).sum();
    (sum > 0.0 && sum.is_finite()).then(|| scores.iter().map(|score| score.abs() / sum).collect())
}

/// Measures a map; `None` for a zero map.
///
/// Source: `Quantus` (Hedström et al. 2023): complexity (Bhatt et al. 2020, arXiv 2005.00631) and sparseness (Chalasani
/// et al. 2020, arXiv 1810.06583), without the 1e-7 that it adds to each score.
#[must_use]
pub fn complexity(scores: &[f64]) -> Option<Complexity> {
    let mut shares = shares(scores)?;
    shares.sort_by(f64::total_cmp);
    let count = shares.len() as f64;
    let places = shares.iter().enumerate();
    let gini: f64 = places.map(|(place, share)| (2.0 * (place + 1) as f64 - count - 1.0) * share).sum();
    let entropy: f64 = shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
    Some(Complexity { entropy: entropy.max(0.0), gini: gini / count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_and_all_alike() {
        let one = complexity(&[0.0, -3.0, 0.0, 0.0]).unwrap();
        assert_eq!((one.entropy, one.gini), (0.0, 0.75));
        let all = complexity(&[2.0, -2.0, 2.0, 2.0]).unwrap();
        assert!((all.entropy - 4.0_f64.ln()).abs() < 1e-12 && all.gini.abs() < 1e-12);
        assert_eq!((complexity(&[]), complexity(&[0.0, 0.0]), complexity(&[f64::MAX, f64::MAX])), (None, None, None));
    }

    // quantus 0.5: Sparseness of [0.1, 0.2, 0.3, 0.4] is 0.25, by its formula sum (2i - n - 1) a_i / (n sum a).
    #[test]
    fn the_textbook_value() {
        assert!((complexity(&[0.4, -0.1, 0.3, 0.2]).unwrap().gini - 0.25).abs() < 1e-12);
    }
}
