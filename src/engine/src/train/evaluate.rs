//! Probabilities and losses of a set of texts, in evaluation mode.

use pellucid_protocol::Prediction;
use tch::{Kind, Tensor, no_grad};

use super::interrupt::Interrupt;
use crate::data::batch::Batch;
use crate::data::tokenise::Encoded;
use crate::error::Result;
use crate::model::classifier::Classifier;

/// Rows a forward pass; texts of like length are put together.
const ROWS: usize = 64;

/// Logits of each of `encoded`, in its order.
///
/// # Errors
/// When libtorch refuses.
pub fn logits(model: &Classifier, encoded: &[Encoded]) -> Result<Vec<Vec<f32>>> {
    logits_unless(model, encoded, &Interrupt::default())
}

/// As [`logits`], given up as soon as `interrupt` wishes for it.
///
/// # Errors
/// When libtorch refuses, or interrupted.
pub fn logits_unless(model: &Classifier, encoded: &[Encoded], interrupt: &Interrupt) -> Result<Vec<Vec<f32>>> {
    let mut order: Vec<usize> = (0..encoded.len()).collect();
    order.sort_by_key(|&index| encoded[index].ids.len());
    let mut all = vec![Vec::new(); encoded.len()];
    for chunk in order.chunks(ROWS) {
        interrupt.check()?;
        let rows: Vec<&Encoded> = chunk.iter().map(|&index| &encoded[index]).collect();
        let batch = Batch::new(&rows, model.device());
        let logits = no_grad(|| model.logits(&batch));
        for (&index, row) in chunk.iter().zip(host_rows(&logits)?) {
            all[index] = row;
        }
    }
    Ok(all)
}

/// Rows of a `[rows, columns]` tensor: one transfer from device to host.
///
/// # Errors
/// When libtorch refuses.
pub fn host_rows(tensor: &Tensor) -> Result<Vec<Vec<f32>>> {
    let columns = tensor.size().last().copied().unwrap_or(0).max(1) as usize;
    let flat = Vec::<f32>::try_from(tensor.to_kind(Kind::Float).contiguous().view([-1]))?;
    Ok(flat.chunks(columns).map(<[f32]>::to_vec).collect())
}

/// Softmax in f64.
#[must_use]
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The prediction that logits make about a sample of class `label`.
#[must_use]
pub fn prediction(logits: &[f32], label: usize, teacher: Option<&[f32]>) -> Prediction {
    let probabilities = softmax(logits);
    let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<f32>>();
    let loss = -probabilities[label].max(f64::from(f32::MIN_POSITIVE)).ln();
    Prediction {
        probabilities: narrow(probabilities),
        loss: loss as f32,
        teacher: teacher.map(|logits| narrow(softmax(logits))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_is_safe_for_large_logits() {
        let p = softmax(&[1000.0, 999.0]);
        assert!((p[0] - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-12);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
