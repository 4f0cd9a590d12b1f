//! The terms of the loss as functions from logits to one scalar tensor.

use tch::{Device, Kind, Reduction, Tensor};

/// How much each class counts, and how far targets are smoothed.
#[derive(Debug)]
pub struct Targets {
    /// Weight of each class, `[classes]`; all the same if there are none.
    weights: Option<Tensor>,
    host: Option<Vec<f64>>,
    /// Share of each target that is spread over all classes.
    smoothing: f64,
}

impl Targets {
    /// With a weight for each class, if they differ, on `device`.
    #[must_use]
    pub fn new(weights: Option<Vec<f64>>, smoothing: f64, device: Device) -> Self {
        let tensor = |weights: &Vec<f64>| Tensor::from_slice(weights).to_kind(Kind::Float).to_device(device);
        Self { weights: weights.as_ref().map(tensor), host: weights, smoothing }
    }

    /// The sum of the weights of `classes`, by which a sum of cross entropies becomes a mean; at least that of a
    /// hundredth of an example, for batches of classes that do not count.
    pub fn total(&self, classes: impl Iterator<Item = usize>) -> f64 {
        classes.map(|class| self.host.as_ref().map_or(1.0, |weights| weights[class])).sum::<f64>().max(0.01)
    }

    /// Cross entropy of logits `[batch, classes]` with classes `[batch]`, in nats, weighted and smoothed; its sum over
    /// the batch (torch's `CrossEntropyLoss(weight, reduction="sum", label_smoothing)`).
    pub fn cross_entropy(&self, logits: &Tensor, classes: &Tensor) -> Tensor {
        logits.cross_entropy_loss(classes, self.weights.as_ref(), Reduction::Sum, -100, self.smoothing)
    }
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

/// Number of rows whose highest logit is that of their class.
pub fn right(logits: &Tensor, classes: &Tensor) -> Tensor {
    logits.argmax(-1, false).eq_tensor(classes).to_kind(Kind::Float).sum(Kind::Float)
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

    // torch 2.11.0, f64: F.cross_entropy(s, [2, 0], weight=w, label_smoothing=e).
    #[test]
    fn cross_entropy_equals_torch_weighted_and_smoothed() {
        let weights = || Some(vec![0.5, 1.0, 2.0]);
        let golden = [
            (None, 0.0, 1.0021984552723606),
            (None, 0.1, 1.0471984552723606),
            (weights(), 0.0, 1.0036375235143145),
            (weights(), 0.2, 1.0953203971289591),
        ];
        for (weights, smoothing, expected) in golden {
            let targets = Targets::new(weights, smoothing, Device::Cpu);
            let classes = [2usize, 0];
            let sum = targets.cross_entropy(&logits(STUDENT).to_kind(Kind::Float), &Tensor::from_slice(&[2i64, 0]));
            let mean = sum.double_value(&[]) / targets.total(classes.into_iter());
            assert!((mean - expected).abs() < 1e-6, "{smoothing}: {mean}");
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

    #[test]
    fn rows_are_counted() {
        let classes = Tensor::from_slice(&[0i64, 2]);
        assert_eq!(right(&logits(STUDENT), &classes).double_value(&[]), 1.0);
    }
}
