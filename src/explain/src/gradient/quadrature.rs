//! Gauss-Legendre quadrature on [0, 1].

use std::f64::consts::PI;

/// A point at which to evaluate, and its weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Position, within (0, 1).
    pub at: f64,
    /// Weight; the weights of a rule add up to 1.
    pub weight: f64,
}

/// The rule with `nodes` nodes in ascending order; it is exact for polynomials up to degree 2 `nodes` - 1.
///
/// Source: NIST DLMF 3.5(v). The nodes are the roots of the Legendre polynomial, found by Newton's method; on [-1, 1]
/// the weights are 2 / ((1 - x^2) P'(x)^2). Unlike a trapezoid rule, it does not evaluate the ends.
#[must_use]
pub fn gauss_legendre(nodes: usize) -> Vec<Node> {
    // The k-th guess is close to the k-th root from the right, so counting down gives ascending nodes.
    (0..nodes).rev().map(|k| node(nodes, ((k as f64 + 0.75) / (nodes as f64 + 0.5) * PI).cos())).collect()
}

fn node(degree: usize, guess: f64) -> Node {
    let mut x = guess;
    for _ in 0..NEWTON_STEPS {
        let (value, slope) = legendre(degree, x);
        let step = value / slope;
        x -= step;
        if step.abs() < f64::EPSILON {
            break;
        }
    }
    let (_, slope) = legendre(degree, x);
    Node { at: (1.0 + x) / 2.0, weight: 1.0 / ((1.0 - x * x) * slope * slope) }
}

/// Most steps of Newton's method; from the cosine guess three or four reach the precision of f64.
const NEWTON_STEPS: usize = 10;

/// P_n(x) and P_n'(x) for n >= 1 and |x| < 1, by Bonnet's recurrence (DLMF 18.9).
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=degree {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn integral(rule: &[Node], f: impl Fn(f64) -> f64) -> f64 {
        rule.iter().map(|node| node.weight * f(node.at)).sum()
    }

    #[test]
    fn known_small_rules() {
        assert!(gauss_legendre(0).is_empty());
        let one = gauss_legendre(1)[0];
        assert!((one.at - 0.5).abs() < 1e-15 && (one.weight - 1.0).abs() < 1e-15);
        let three = gauss_legendre(3);
        let reach = 0.6_f64.sqrt() / 2.0;
        for (node, (at, weight)) in
            three.iter().zip([(0.5 - reach, 5.0 / 18.0), (0.5, 8.0 / 18.0), (0.5 + reach, 5.0 / 18.0)])
        {
            assert!((node.at - at).abs() < 1e-15 && (node.weight - weight).abs() < 1e-15);
        }
    }

    #[test]
    fn rules_are_inside_ascending_symmetric_and_sum_to_one() {
        for nodes in 1..=300 {
            let rule = gauss_legendre(nodes);
            assert_eq!(rule.len(), nodes);
            assert!(rule.iter().all(|node| node.at > 0.0 && node.at < 1.0 && node.weight > 0.0));
            assert!(rule.windows(2).all(|pair| pair[0].at < pair[1].at));
            assert!((integral(&rule, |_| 1.0) - 1.0).abs() < 1e-13);
            let mirrored = rule.iter().zip(rule.iter().rev()).map(|(a, b)| a.at + b.at - 1.0);
            assert!(mirrored.map(f64::abs).fold(0.0, f64::max) < 1e-15);
        }
    }

    #[test]
    fn exact_up_to_degree_2n_minus_1_and_not_beyond() {
        for nodes in [1, 2, 5, 16] {
            let rule = gauss_legendre(nodes);
            let error = |power: i32| (integral(&rule, |x| x.powi(power)) - 1.0 / f64::from(power + 1)).abs();
            assert!((0..2 * nodes as i32).all(|power| error(power) < 1e-14));
        }
        let two = gauss_legendre(2);
        assert!((integral(&two, |x| x.powi(4)) - 0.2).abs() > 1e-3);
    }

    proptest! {
        #[test]
        fn integrates_smooth_functions(rate in -5.0..5.0_f64) {
            let expected = if rate.abs() < 1e-6 { 1.0 } else { rate.exp_m1() / rate };
            prop_assert!((integral(&gauss_legendre(16), |x| (rate * x).exp()) - expected).abs() < 1e-11 * expected.max(1.0));
        }
    }
}
