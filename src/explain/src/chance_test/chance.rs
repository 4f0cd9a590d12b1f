//! How well a random map agrees with given effects.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The probability that the cosine between a given direction and a random one is at least `cosine`, in a space of
/// `dimensions`, at least two.
///
/// A random direction is that of independent normal numbers. Then cosine * sqrt(d - 1) / sqrt(1 - cosine^2) has Student's
/// distribution with d - 1 degrees of freedom.
///
/// Source: Fisher 1915, for the correlation of a sample, which is such a cosine.
#[must_use]
pub fn as_good(cosine: f64, dimensions: usize) -> f64 {
    let freedom = dimensions.saturating_sub(1).max(1) as f64;
    let rest = (1.0 - cosine * cosine).max(f64::MIN_POSITIVE);
    let ratio = cosine * (freedom / rest).sqrt();
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| student.sf(ratio))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::cholesky::dot;
    use crate::sampling::normals;

    #[test]
    fn the_plane_is_a_matter_of_angles() {
        // Half of all directions lie within a right angle, a third of the circle within 60 degrees of the given one.
        assert!((as_good(0.0, 2) - 0.5).abs() < 1e-12);
        assert!((as_good(0.5, 2) - 1.0 / 3.0).abs() < 1e-9);
        assert!((as_good(-0.5, 2) - 2.0 / 3.0).abs() < 1e-9);
        assert!(as_good(1.0, 2) < 1e-6 && as_good(-1.0, 2) > 1.0 - 1e-6);
        // In space, Archimedes: the cosine is uniform.
        assert!((as_good(0.9, 3) - 0.05).abs() < 1e-9);
    }

    #[test]
    fn random_maps_are_as_good_as_it_says() {
        for words in [4, 12, 60] {
            let given: Vec<f64> = (0..words).map(|word| f64::from(word % 3) - 0.7).collect();
            let maps = 20_000;
            let passed = (0..maps).filter(|&map| {
                let drawn = normals(3, map, words as usize);
                let cosine = dot(&drawn, &given) / (dot(&drawn, &drawn) * dot(&given, &given)).sqrt();
                as_good(cosine, words as usize) <= 0.03
            });
            let share = passed.count() as f64 / maps as f64;
            assert!((share - 0.03).abs() < 0.005, "{words} words: {share}");
        }
    }
}
