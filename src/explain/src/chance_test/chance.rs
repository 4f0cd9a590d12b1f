//! How well a random map agrees with given effects.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// How many standard deviations of luck are reckoned with: so much comes once in 44 times.
const LUCK: f64 = 2.0;

/// The probability that the cosine between a given direction and a random one is at least `cosine`, in a space of
/// `dimensions`, at least two.
///
/// A random direction is that of independent normal numbers. Then cosine * sqrt(d - 1) / sqrt(1 - cosine^2) has Student's
/// distribution with d - 1 degrees of freedom.
///
/// Source: Fisher 1915, for the correlation of a sample, which is such a cosine.
#[must_use]
pub fn as_good(cosine: f64, dimensions: usize) -> f64 {
    let freedom = freedom(dimensions);
    above(ratio(cosine, freedom), freedom)
}

/// [`as_good`] as it may become at best, once all groups are measured of which `part` are measured now. What is no noise in
/// the ratio grows with the root of their number, and luck adds [`LUCK`] standard deviations.
#[must_use]
pub fn at_best(cosine: f64, dimensions: usize, part: f64) -> f64 {
    let freedom = freedom(dimensions);
    let grown = ratio(cosine, freedom) / part.sqrt() + LUCK * (1.0 - part).max(0.0).sqrt();
    above(grown, freedom)
}

fn freedom(dimensions: usize) -> f64 {
    dimensions.saturating_sub(1).max(1) as f64
}

fn ratio(cosine: f64, freedom: f64) -> f64 {
    cosine * (freedom / (1.0 - cosine * cosine).max(f64::MIN_POSITIVE)).sqrt()
}

fn above(ratio: f64, freedom: f64) -> f64 {
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
    fn more_groups_bring_no_more_than_signal_and_luck() {
        assert!((at_best(0.3, 50, 1.0) - as_good(0.3, 50)).abs() < 1e-12, "all is measured");
        assert!(at_best(0.3, 50, 0.5) < as_good(0.3, 50) && at_best(0.3, 50, 0.25) < at_best(0.3, 50, 0.5));
        // Student's distribution is near the normal one here: 0.06 * sqrt(200) = 0.85, doubled, and 1.73 more make 3.43.
        assert!((at_best(0.06, 201, 0.25) - 0.0003).abs() < 0.0001, "{}", at_best(0.06, 201, 0.25));
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
