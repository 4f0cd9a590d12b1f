//! How far a student's answers are from its teacher's.

use pellucid_protocol::Prediction;

/// KL(teacher || student) in nats, mean over the predictions; `None` if one of them has no answer of the teacher.
#[must_use]
pub fn divergence(predictions: &[Prediction]) -> Option<f64> {
    let mut sum = 0.0;
    for prediction in predictions {
        let pairs = prediction.teacher.as_ref()?.iter().zip(&prediction.probabilities);
        sum += pairs.map(|(&teacher, &student)| term(f64::from(teacher), f64::from(student))).sum::<f64>();
    }
    // Rounding may leave the sum a little below zero.
    Some(sum.max(0.0) / predictions.len().max(1) as f64)
}

/// Share of predictions with the teacher's class, in [0, 1]; `None` as for [`divergence`].
#[must_use]
pub fn agreement(predictions: &[Prediction]) -> Option<f64> {
    let mut equal = 0usize;
    for prediction in predictions {
        equal += usize::from(prediction.teacher_class()? == prediction.class());
    }
    Some(equal as f64 / predictions.len().max(1) as f64)
}

/// The teacher's classes; `None` as for [`divergence`].
#[must_use]
pub fn teacher_classes(predictions: &[Prediction]) -> Option<Vec<usize>> {
    predictions.iter().map(Prediction::teacher_class).collect()
}

/// One class's term of the divergence.
fn term(teacher: f64, student: f64) -> f64 {
    if teacher > 0.0 { teacher * (teacher / student.max(1e-12)).ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_student_like_its_teacher_has_no_gap() {
        let same = Prediction { probabilities: vec![0.25, 0.75], loss: 0.0, teacher: Some(vec![0.25, 0.75]) };
        let one = std::slice::from_ref(&same);
        assert_eq!((divergence(one), agreement(one)), (Some(0.0), Some(1.0)));
        let other = Prediction { teacher: Some(vec![1.0, 0.0]), ..same.clone() };
        let both = [same, other];
        assert!((divergence(&both).unwrap() - 4f64.ln() / 2.0).abs() < 1e-9);
        assert_eq!((agreement(&both), teacher_classes(&both)), (Some(0.5), Some(vec![1, 0])));
        let alone = [Prediction { probabilities: vec![], loss: 0.0, teacher: None }];
        assert_eq!((divergence(&alone), agreement(&alone), teacher_classes(&alone)), (None, None, None));
    }
}
