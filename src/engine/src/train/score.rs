//! Scores of predictions, in f64 on the host.

use pellucid_protocol::Prediction;

/// Share of predictions that name their class.
#[must_use]
pub fn accuracy(predicted: &[usize], classes: &[usize]) -> f64 {
    let right = predicted.iter().zip(classes).filter(|(a, b)| a == b).count();
    right as f64 / classes.len().max(1) as f64
}

/// F1 of each class, averaged over the classes (scikit-learn's `f1_score(average="macro")`); a class
/// that is neither predicted nor present counts as 0, as there.
#[must_use]
pub fn macro_f1(predicted: &[usize], classes: &[usize], count: usize) -> f64 {
    let f1 = |class: usize| {
        let hits = predicted.iter().zip(classes).filter(|&(&p, &c)| p == class && c == class).count();
        let named = predicted.iter().filter(|&&p| p == class).count();
        let there = classes.iter().filter(|&&c| c == class).count();
        if named + there == 0 { 0.0 } else { 2.0 * hits as f64 / (named + there) as f64 }
    };
    (0..count).map(f1).sum::<f64>() / count.max(1) as f64
}

/// KL(teacher || student) in nats and the share of equal answers, means over the samples.
#[must_use]
pub fn gap(predictions: &[Prediction]) -> Option<(f64, f64)> {
    let mut divergence = 0.0;
    let mut equal = 0usize;
    for prediction in predictions {
        let teacher = prediction.teacher.as_ref()?;
        let pairs = teacher.iter().zip(&prediction.probabilities);
        divergence += pairs.map(|(&t, &s)| relative(f64::from(t), f64::from(s))).sum::<f64>();
        equal += usize::from(prediction.teacher_class() == Some(prediction.class()));
    }
    let count = predictions.len().max(1) as f64;
    Some((divergence.max(0.0) / count, equal as f64 / count))
}

fn relative(t: f64, s: f64) -> f64 {
    if t > 0.0 { t * (t / s.max(1e-12)).ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn: f1_score([0,0,1,2,2,2], [0,1,1,2,0,2], average="macro") = 0.6555555555555556
    #[test]
    fn macro_f1_equals_scikit_learn() {
        let (classes, predicted) = ([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 0, 2]);
        assert!((macro_f1(&predicted, &classes, 3) - F1).abs() < 1e-12);
        assert!((accuracy(&predicted, &classes) - 4.0 / 6.0).abs() < 1e-12);
        assert_eq!(macro_f1(&[0, 0], &[0, 0], 2), 0.5);
    }

    const F1: f64 = 0.6555555555555556;

    #[test]
    fn a_student_like_its_teacher_has_no_gap() {
        let same = Prediction { probabilities: vec![0.25, 0.75], loss: 0.0, teacher: Some(vec![0.25, 0.75]) };
        assert_eq!(gap(std::slice::from_ref(&same)), Some((0.0, 1.0)));
        let other = Prediction { teacher: Some(vec![1.0, 0.0]), ..same.clone() };
        let (divergence, agreement) = gap(&[same, other]).unwrap();
        assert!((divergence - 4f64.ln() / 2.0).abs() < 1e-9);
        assert_eq!(agreement, 0.5);
        assert_eq!(gap(&[Prediction { probabilities: vec![], loss: 0.0, teacher: None }]), None);
    }
}
