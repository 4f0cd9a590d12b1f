//! The answers of a classifier to many texts, in evaluation mode.

use tch::{Kind, Tensor, no_grad};

use super::classifier::Classifier;
use crate::data::batch::Batch;
use crate::data::tokenise::Encoded;
use crate::error::Result;
use crate::interrupt::Interrupt;

/// Texts in one forward pass; those of similar length go together.
const ROWS: usize = 64;

/// Logits of each of `encoded`, in its order.
///
/// # Errors
/// When libtorch refuses.
pub fn logits(model: &Classifier, encoded: &[Encoded]) -> Result<Vec<Vec<f32>>> {
    logits_unless(model, encoded, &Interrupt::default())
}

/// As [`logits`], but stops as soon as `interrupt` asks for it.
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
