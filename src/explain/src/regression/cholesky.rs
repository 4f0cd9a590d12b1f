//! Symmetric positive definite systems of equations, solved by Cholesky's factorisation.

/// L with L L' = A + `penalty` I.
#[derive(Debug, Clone)]
pub struct Cholesky {
    lower: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Factorises the positive semidefinite A, given by its lower triangle. `penalty` must be positive: that makes any
    /// A invertible.
    #[must_use]
    pub fn factorise(mut lower: Vec<Vec<f64>>, penalty: f64) -> Self {
        for i in 0..lower.len() {
            let (above, from_here) = lower.split_at_mut(i);
            let line = &mut from_here[0];
            for (j, other) in above.iter().enumerate() {
                line[j] = (line[j] - dot(&line[..j], &other[..j])) / other[j];
            }
            let pivot = line[i] + penalty - dot(&line[..i], &line[..i]);
            // Only rounding can bring a pivot below the penalty.
            line[i] = pivot.max(penalty).sqrt();
        }
        Self { lower }
    }

    /// x with (A + penalty I) x = `right`.
    #[must_use]
    pub fn solve(&self, right: Vec<f64>) -> Vec<f64> {
        self.backward(self.forward(right))
    }

    /// Solves L y = `right`.
    fn forward(&self, mut right: Vec<f64>) -> Vec<f64> {
        for (i, line) in self.lower.iter().enumerate() {
            right[i] = (right[i] - dot(&line[..i], &right[..i])) / line[i];
        }
        right
    }

    /// Solves L' x = `right`.
    fn backward(&self, mut right: Vec<f64>) -> Vec<f64> {
        for (i, line) in self.lower.iter().enumerate().rev() {
            right[i] /= line[i];
            let known = right[i];
            right[..i].iter_mut().zip(line).for_each(|(cell, factor)| *cell -= factor * known);
        }
        right
    }
}

/// The sum of `weight` x x' over the rows added so far, as its lower triangle.
#[derive(Debug, Clone)]
pub struct Gram {
    lower: Vec<Vec<f64>>,
}

impl Gram {
    /// No rows yet; each will have `size` numbers.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { lower: (0..size).map(|row| vec![0.0; row + 1]).collect() }
    }

    /// Adds `weight` x x' for the row x.
    pub fn add(&mut self, row: &[f64], weight: f64) {
        for (i, line) in self.lower.iter_mut().enumerate() {
            let scaled = weight * row[i];
            line.iter_mut().zip(row).for_each(|(cell, other)| *cell += scaled * other);
        }
    }

    /// Adds `penalty` to the diagonal and factorises.
    #[must_use]
    pub fn factorise(self, penalty: f64) -> Cholesky {
        Cholesky::factorise(self.lower, penalty)
    }
}

/// Sum of products.
#[must_use]
pub fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_and_a_singular_matrix_are_solved() {
        assert_eq!(Gram::new(0).factorise(1.0).solve(vec![]), Vec::<f64>::new());
        let mut gram = Gram::new(2);
        gram.add(&[1.0, 1.0], 2.0);
        let found = gram.factorise(1e-9).solve(vec![2.0, 2.0]);
        assert!(found.iter().all(|x| (x - 0.5).abs() < 1e-6), "{found:?}");
    }

    proptest! {
        #[test]
        fn a_solution_solves(
            rows in prop::collection::vec(prop::collection::vec(-1.0..1.0_f64, 3), 1..6),
            right in prop::collection::vec(-1.0..1.0_f64, 3),
        ) {
            let mut gram = Gram::new(3);
            rows.iter().for_each(|row| gram.add(row, 0.5));
            let x = gram.factorise(0.1).solve(right.clone());
            for i in 0..3 {
                let of_rows: f64 = rows.iter().map(|row| 0.5 * row[i] * dot(row, &x)).sum();
                prop_assert!((of_rows + 0.1 * x[i] - right[i]).abs() < 1e-9);
            }
        }
    }
}
