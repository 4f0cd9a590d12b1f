//! Distillation: the student is drawn to the teacher's answers.

use tch::{Kind, Tensor};

use super::{Compute, Forward, Group, Inputs, LossTerm, MeanOver, References};

/// Distillation, in runs with a teacher.
pub(super) const TERM: LossTerm =
    LossTerm { metric: "loss/kd", group: Group::Task, weight, mean: MeanOver::Examples, compute: Compute::Logits(sum) };

/// The share of distillation in the loss; the task has the rest.
pub(super) fn weight(inputs: &Inputs<'_>, references: &References) -> Option<f64> {
    references.teacher.as_ref().map(|_| inputs.settings.kd_alpha)
}

/// The teacher does not read masked copies: distillation is over the whole texts.
fn sum(inputs: &Inputs<'_>, references: &mut References, pass: &Forward<'_>) -> Tensor {
    let Some(state) = &mut references.teacher else { return inputs.zero() };
    let wanted = state.teacher.logits(&mut state.train, pass.whole);
    // [rows, classes] -> [whole, classes]
    let student = pass.logits.narrow(0, 0, pass.whole.len() as i64);
    distillation(&student, &wanted, inputs.settings.kd_temperature)
}

/// T^2 KL(softmax(teacher / T) || softmax(student / T)), summed over classes and over the batch (Hinton et al. 2015,
/// section 2). Both are logits `[batch, classes]`; the teacher's carry no gradient.
pub fn distillation(student: &Tensor, teacher: &Tensor, temperature: f64) -> Tensor {
    // In f64: at high temperatures the divergence is a small difference of logarithms, and T^2 makes it large again.
    let log_softmax = |logits: &Tensor| (logits.to_kind(Kind::Double) / temperature).log_softmax(-1, Kind::Double);
    let (log_student, log_teacher) = (log_softmax(student), log_softmax(&teacher.detach()));
    let divergence = log_teacher.exp() * (log_teacher - log_student);
    (divergence.sum(Kind::Double) * (temperature * temperature)).to_kind(student.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[2, 3]`, f64.
    fn logits(values: [f64; 6]) -> Tensor {
        Tensor::from_slice(&values).view([2, 3])
    }

    const STUDENT: [f64; 6] = [1.0, -2.0, 0.5, 0.0, 0.3, -1.0];
    const TEACHER: [f64; 6] = [0.2, 1.0, -1.0, 2.0, -1.0, 0.1];

    // torch 2.11.0, f64: F.kl_div(F.log_softmax(s/T,-1), F.softmax(t/T,-1), reduction="batchmean")*T*T.
    #[test]
    fn distillation_equals_torch() {
        let golden = [(1.0, 1.075608636449601), (2.0, 1.3127500315474876), (8.0, 1.4415935770089874)];
        for (temperature, expected) in golden {
            let value = distillation(&logits(STUDENT), &logits(TEACHER), temperature).double_value(&[]) / 2.0;
            assert!((value - expected).abs() < 1e-12, "T={temperature}: {value}");
            let single = |values| logits(values).to_kind(Kind::Float);
            let value = distillation(&single(STUDENT), &single(TEACHER), temperature).double_value(&[]) / 2.0;
            assert!((value - expected).abs() < 1e-6, "T={temperature}: {value}");
        }
    }

    #[test]
    fn a_student_equal_to_its_teacher_loses_nothing_and_the_teacher_gets_no_gradient() {
        let student = logits(STUDENT).set_requires_grad(true);
        let teacher = logits(STUDENT).set_requires_grad(true);
        let loss = distillation(&student, &teacher, 2.0);
        assert!(loss.double_value(&[]).abs() < 1e-12);
        loss.backward();
        assert!(student.grad().defined() && !teacher.grad().defined());
    }

    #[test]
    fn the_gradient_keeps_its_size_over_temperatures() {
        // Hinton et al. 2015, section 2: T^2 makes up for gradients that fall with T^2.
        let norm = |temperature: f64| {
            let student = logits(STUDENT).set_requires_grad(true);
            distillation(&student, &logits(TEACHER), temperature).backward();
            student.grad().norm().double_value(&[])
        };
        assert!((0.5..2.0).contains(&(norm(16.0) / norm(1.0))), "{} {}", norm(16.0), norm(1.0));
    }
}
