//! Logits as one class out of several.

use pellucid_explain::Outcome;
use pellucid_protocol::explanation::Scalar;
use tch::{Kind, Tensor};

use crate::task::Output;

/// One class out of several, by softmax.
#[derive(Debug, Clone, Copy)]
pub struct ClassOutput;

impl Output for ClassOutput {
    /// Softmax in f64.
    fn probabilities(&self, logits: &[f32]) -> Vec<f64> {
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - highest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|power| power / sum).collect()
    }

    /// The class of the highest probability, the first of several.
    fn answer(&self, probabilities: &[f64]) -> usize {
        (0..probabilities.len()).rev().max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap_or(0)
    }

    /// Logit, probability and margin of the class `target`; the margin is the lead over the next best class.
    fn outcome(&self, logits: &[f64], target: usize) -> Outcome {
        let highest = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(f64::NEG_INFINITY, f64::max);
        let top = highest(&mut logits.iter().copied());
        let total: f64 = logits.iter().map(|logit| (logit - top).exp()).sum();
        let others = logits.iter().enumerate().filter(|(class, _)| *class != target).map(|(_, logit)| *logit);
        let rival = if logits.len() > 1 { highest(&mut { others }) } else { 0.0 };
        let logit = logits[target];
        Outcome { logit, probability: (logit - top).exp() / total, margin: logit - rival }
    }

    fn explained(&self, logits: &Tensor, target: usize, scalar: Scalar) -> Tensor {
        let (own, classes) = (logits.select(1, target as i64), logits.size()[1]);
        match scalar {
            Scalar::Logit => own,
            Scalar::Probability | Scalar::Attention => logits.softmax(-1, Kind::Float).select(1, target as i64),
            Scalar::Margin if classes == 1 => own,
            Scalar::Margin => {
                let others: Vec<i64> = (0..classes).filter(|class| *class != target as i64).collect();
                let others = Tensor::from_slice(&others).to_device(logits.device());
                own - logits.index_select(1, &others).amax([1i64].as_slice(), false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_is_safe_for_large_logits() {
        let p = ClassOutput.probabilities(&[1000.0, 999.0]);
        assert!((p[0] - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-12);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_answer_is_the_first_of_the_highest() {
        assert_eq!(ClassOutput.answer(&[0.2, 0.4, 0.4]), 1);
        assert_eq!(ClassOutput.answer(&[]), 0);
    }
}
