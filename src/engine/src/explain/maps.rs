//! Maps of words: gradient x input of each word of a text, for one text or for many in one pass.

use pellucid_explain::Slopes;
use pellucid_protocol::explanation::Scalar;
use tch::{Kind, Tensor, no_grad};

use super::oracle::ModelOracle;
use super::subject::Subject;
use crate::data::batch::Batch;
use crate::data::tokens::TokenRow;
use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::model::layers::dropout::Dropout;
use crate::model::teacher::TeacherState;

/// Gradient x input of each word of `subject` for class `target`, in logits.
///
/// # Errors
/// When libtorch refuses.
pub fn word_map(model: &Classifier, subject: &Subject, target: usize) -> Result<Vec<f64>> {
    let found = ModelOracle { model, subject, target }.gradient(Scalar::Logit);
    found.map(|found| found.times_input).map_err(Error::Explain)
}

/// A text as the teacher reads it, with the teacher's [`word_map`] for the student's class `class`.
///
/// # Errors
/// When the text cannot be encoded or libtorch refuses.
pub fn teacher_word_map(
    teacher: &TeacherState,
    text: &str,
    pair: Option<&str>,
    class: usize,
) -> Result<(Subject, Vec<f64>)> {
    let subject = Subject::new(&teacher.encoder, text, pair)?;
    let scores = word_map(teacher.teacher.model(), &subject, teacher.teacher.own_class(class))?;
    Ok((subject, scores))
}

/// Gradient x input of each word of each text, for the logit of the class beside it.
///
/// # Errors
/// When libtorch refuses, or a gradient is not a number.
pub fn word_maps(model: &Classifier, texts: &[(&Subject, usize)]) -> Result<Vec<Vec<f64>>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let encoded: Vec<TokenRow> = texts.iter().map(|(subject, _)| subject.encoded.clone().into()).collect();
    let batch = Batch::new(&encoded, model.pads(), model.device());
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
    if !by_token.iter().all(|number| number.is_finite()) {
        return Err(Error::Refused("the model gave gradients that are not numbers".to_owned()));
    }
    let (mut maps, mut rest) = (vec![Vec::new(); texts.len()], by_token.as_slice());
    for &row in batch.layout.order() {
        let (of_row, later) = rest.split_at(encoded[row].ids.len());
        maps[row] = texts[row].0.by_word(of_row);
        rest = later;
    }
    Ok(maps)
}
