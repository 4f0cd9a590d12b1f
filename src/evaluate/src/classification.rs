//! How well predicted classes agree with the true ones.

use pellucid_protocol::Prediction;

use super::confusion::Confusion;

/// Share of predictions that are the true class, in [0, 1].
#[must_use]
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> f64 {
    let right = predicted.iter().zip(truth).filter(|(a, b)| a == b).count();
    right as f64 / truth.len().max(1) as f64
}

/// F1 of each class, averaged over the classes that are present or predicted: scikit-learn's
/// `f1_score(average="macro")`.
///
/// # Panics
/// When a class is `classes` or more.
#[must_use]
pub fn macro_f1(predicted: &[usize], truth: &[usize], classes: usize) -> f64 {
    let confusion = Confusion::new(predicted, truth, classes);
    let seen = |class: &usize| confusion.support(*class) + confusion.predicted(*class) > 0;
    let seen: Vec<f64> = (0..classes).filter(seen).map(|class| confusion.f1(class)).collect();
    seen.iter().sum::<f64>() / seen.len().max(1) as f64
}

/// Mean cross entropy with the labels, in nats.
#[must_use]
pub fn mean_loss(predictions: &[Prediction]) -> f64 {
    predictions.iter().map(|prediction| f64::from(prediction.loss)).sum::<f64>() / predictions.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn: f1_score([0,0,1,2,2,2], [0,1,1,2,0,2], average="macro") = 0.6555555555555556
    #[test]
    fn macro_f1_equals_scikit_learn() {
        let (truth, predicted) = ([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 0, 2]);
        assert!((macro_f1(&predicted, &truth, 3) - F1).abs() < 1e-12);
        assert!((accuracy(&predicted, &truth) - 4.0 / 6.0).abs() < 1e-12);
        // f1_score([1, 1], [1, 1], average="macro") = 1.0; f1_score([1, 1], [1, 0], average="macro") = 0.3333333333333333
        assert_eq!(macro_f1(&[1, 1], &[1, 1], 2), 1.0);
        assert!((macro_f1(&[1, 0], &[1, 1], 3) - 1.0 / 3.0).abs() < 1e-12);
    }

    const F1: f64 = 0.6555555555555556;

    #[test]
    fn nothing_predicted_is_no_division_by_zero() {
        assert_eq!((accuracy(&[], &[]), macro_f1(&[], &[], 2), mean_loss(&[])), (0.0, 0.0, 0.0));
    }
}
