//! The terms of the loss as functions from logits to one scalar tensor.

use tch::{Kind, Reduction, Tensor};

/// Cross entropy of logits `[batch, classes]` with classes `[batch]`, batch mean, in nats.
pub fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Tensor {
    logits.cross_entropy_loss::<Tensor>(classes, None, Reduction::Mean, -100, 0.0)
}

/// T^2 KL(softmax(teacher / T) || softmax(student / T)), summed over classes, batch mean (Hinton et al. 2015,
/// section 2). Both are logits `[batch, classes]`; the teacher's carry no gradient.
pub fn distillation(student: &Tensor, teacher: &Tensor, temperature: f64) -> Tensor {
    let log_student = (student / temperature).log_softmax(-1, Kind::Float);
    let log_teacher = (teacher.detach() / temperature).log_softmax(-1, Kind::Float);
    let divergence = log_teacher.exp() * (log_teacher - log_student);
    divergence.sum_dim_intlist([-1i64].as_slice(), false, Kind::Float).mean(Kind::Float) * (temperature * temperature)
}

/// Share of rows whose highest logit is that of their class.
pub fn accuracy(logits: &Tensor, classes: &Tensor) -> Tensor {
    logits.argmax(-1, false).eq_tensor(classes).to_kind(Kind::Float).mean(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits(values: &[f32]) -> Tensor {
        Tensor::from_slice(values).view([-1, 3])
    }

    // torch 2.11.0, python: F.kl_div(F.log_softmax(s/T,-1), F.softmax(t/T,-1), reduction="batchmean")*T*T
    // with s = [[1,-2,.5],[0,.3,-1]], t = [[.2,1,-1],[2,-1,.1]].
    #[test]
    fn distillation_equals_torch() {
        let student = logits(&[1.0, -2.0, 0.5, 0.0, 0.3, -1.0]);
        let teacher = logits(&[0.2, 1.0, -1.0, 2.0, -1.0, 0.1]);
        for (temperature, expected) in GOLDEN_DISTILLATION {
            let value = distillation(&student, &teacher, temperature).double_value(&[]);
            assert!((value - expected).abs() < 1e-5, "T={temperature}: {value}");
        }
    }

    const GOLDEN_DISTILLATION: [(f64, f64); 3] = [(1.0, 1.0756087), (2.0, 1.3127502), (8.0, 1.4415932)];

    #[test]
    fn a_student_equal_to_its_teacher_loses_nothing_and_the_teacher_gets_no_gradient() {
        let student = logits(&[1.0, -2.0, 0.5]).set_requires_grad(true);
        let teacher = logits(&[1.0, -2.0, 0.5]).set_requires_grad(true);
        let loss = distillation(&student, &teacher, 2.0);
        assert!(loss.double_value(&[]).abs() < 1e-7);
        loss.backward();
        assert!(student.grad().defined() && !teacher.grad().defined());
    }

    #[test]
    fn accuracy_counts_rows() {
        let classes = Tensor::from_slice(&[0i64, 2]);
        assert_eq!(accuracy(&logits(&[1.0, -2.0, 0.5, 0.0, 0.3, -1.0]), &classes).double_value(&[]), 0.5);
    }
}
