//! Gradient x input of many texts in one pass.

use tch::{Kind, Tensor, no_grad};

use super::subject::Subject;
use crate::data::batch::Batch;
use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::model::layers::dropout::Dropout;

/// Gradient x input of each word of each text, for the logit of the class beside it.
///
/// # Errors
/// When libtorch refuses.
pub fn word_maps(model: &Classifier, texts: &[(&Subject, usize)]) -> Result<Vec<Vec<f64>>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let encoded: Vec<_> = texts.iter().map(|(subject, _)| &subject.encoded).collect();
    let batch = Batch::new(&encoded, model.device());
    let classes: Vec<i64> = texts.iter().map(|(_, class)| *class as i64).collect();
    let classes = Tensor::from_slice(&classes).to_device(model.device()).unsqueeze(1);
    let embeddings = no_grad(|| model.embed(&batch.ids)).detach().set_requires_grad(true);
    let logits = model.forward(&embeddings, &batch.types, &batch.layout, &mut Dropout::Off);
    let of_class = logits.gather(1, &classes, false).sum(Kind::Float);
    let slope = Tensor::f_run_backward(&[of_class], &[&embeddings], false, false)?.pop();
    let slope = slope.ok_or_else(|| Error::Torch("no gradient".to_owned()))?;
    let by_token =
        (slope * embeddings.detach()).to_kind(Kind::Double).sum_dim_intlist([-1i64].as_slice(), false, Kind::Double);
    // One transfer from device to host.
    let by_token = Vec::<f64>::try_from(by_token.contiguous())?;
    let (mut maps, mut rest) = (vec![Vec::new(); texts.len()], by_token.as_slice());
    for &row in batch.layout.order() {
        let (of_row, later) = rest.split_at(encoded[row].ids.len());
        maps[row] = texts[row].0.by_word(of_row);
        rest = later;
    }
    Ok(maps)
}
