//! Answers what an explainer asks of a classifier about one text and one class.

use pellucid_explain::{Answer, OracleError, PathPoint, Predict, Slopes, WordGradient};
use tch::{Kind, Tensor, no_grad};

use super::subject::Subject;
use crate::data::batch::Batch;
use crate::model::classifier::Classifier;
use crate::model::dropout::Dropout;

/// Masked copies in one forward pass.
const ROWS: usize = 64;

/// What can be asked; see [`Predict`] and [`Slopes`].
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// [`Predict::probabilities`].
    Probabilities(Vec<Vec<bool>>),
    /// [`Slopes::gradient`].
    Gradient,
    /// [`Slopes::path`].
    Path(Vec<f64>),
}

/// The answer to the [`Query`] of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To [`Query::Probabilities`].
    Probabilities(Vec<f64>),
    /// To [`Query::Gradient`].
    Gradient(WordGradient),
    /// To [`Query::Path`].
    Path(Vec<PathPoint>),
}

/// Answers `query` about class `target` of `subject`, on the thread that owns `model`.
///
/// # Errors
/// When libtorch refuses.
pub fn answer(model: &Classifier, subject: &Subject, target: usize, query: &Query) -> Answer<Reply> {
    match query {
        Query::Probabilities(presence) => probabilities(model, subject, target, presence).map(Reply::Probabilities),
        Query::Gradient => gradient(model, subject, target).map(Reply::Gradient),
        Query::Path(alphas) => path(model, subject, target, alphas).map(Reply::Path),
    }
}

fn failed(error: impl ToString) -> OracleError {
    OracleError::Failed(error.to_string())
}

/// One transfer from device to host.
fn host(tensor: &Tensor) -> Answer<Vec<f64>> {
    Vec::<f64>::try_from(tensor.to_kind(Kind::Double).contiguous().view([-1])).map_err(failed)
}

fn probabilities(model: &Classifier, subject: &Subject, target: usize, presence: &[Vec<bool>]) -> Answer<Vec<f64>> {
    let mut all = Vec::with_capacity(presence.len());
    for chunk in presence.chunks(ROWS) {
        let rows: Vec<Vec<i64>> = chunk.iter().map(|row| subject.masked(row)).collect();
        let batch = Batch::same_shape(&rows, &subject.encoded.types, model.device());
        let chosen = no_grad(|| model.logits(&batch).softmax(-1, Kind::Double).select(1, target as i64));
        all.extend(host(&chosen)?);
    }
    Ok(all)
}

/// Gradient of the logit of `target`, summed over rows, by word embeddings `[rows, tokens, size]`.
fn slope(model: &Classifier, subject: &Subject, target: usize, points: &Tensor) -> Answer<(Vec<f64>, Tensor)> {
    let (rows, tokens, size) = points.size3().map_err(failed)?;
    // [rows, tokens, size] -> [rows * tokens, size]
    let points = points.detach().reshape([rows * tokens, size]).set_requires_grad(true);
    let batch =
        Batch::same_shape(&vec![subject.encoded.ids.clone(); rows as usize], &subject.encoded.types, model.device());
    let logits = model.forward(&points, &batch.types, &batch.layout, &mut Dropout::Off).select(1, target as i64);
    let gradient = Tensor::f_run_backward(&[logits.sum(Kind::Float)], &[&points], false, false).map_err(failed)?;
    let gradient = gradient.into_iter().next().ok_or_else(|| failed("no gradient"))?;
    // [rows * tokens, size] -> [rows, tokens, size]
    Ok((host(&logits.detach())?, gradient.view([rows, tokens, size])))
}

/// Word embeddings of one row of ids, `[1, tokens, size]`.
fn embed(model: &Classifier, subject: &Subject, ids: Vec<i64>) -> Tensor {
    let batch = Batch::same_shape(&[ids], &subject.encoded.types, model.device());
    // [tokens, size] -> [1, tokens, size]
    no_grad(|| model.embed(&batch.ids)).unsqueeze(0)
}

/// Sum over the hidden axis in f64: `[rows, tokens, hidden]` -> `rows * tokens` numbers.
fn by_token(product: &Tensor) -> Answer<Vec<f64>> {
    host(&product.to_kind(Kind::Double).sum_dim_intlist([-1i64].as_slice(), false, Kind::Double))
}

fn gradient(model: &Classifier, subject: &Subject, target: usize) -> Answer<WordGradient> {
    let input = embed(model, subject, subject.encoded.ids.clone());
    let (_, gradient) = slope(model, subject, target, &input)?;
    let times_input = subject.by_word(&by_token(&(&gradient * &input))?);
    let squares = subject.by_word(&by_token(&gradient.square())?);
    Ok(WordGradient { times_input, norm: squares.into_iter().map(f64::sqrt).collect() })
}

fn path(model: &Classifier, subject: &Subject, target: usize, alphas: &[f64]) -> Answer<Vec<PathPoint>> {
    let input = embed(model, subject, subject.encoded.ids.clone());
    let baseline = embed(model, subject, subject.baseline());
    let way = &input - &baseline;
    // [alphas] -> [alphas, 1, 1]
    let alphas = Tensor::from_slice(alphas).to_kind(Kind::Float).to_device(model.device()).view([-1, 1, 1]);
    let (logits, gradient) = slope(model, subject, target, &(&baseline + alphas * &way))?;
    let tokens = subject.encoded.ids.len();
    let slopes = by_token(&(gradient * &way))?;
    Ok(logits
        .into_iter()
        .zip(slopes.chunks(tokens))
        .map(|(logit, of_tokens)| PathPoint { logit, slopes: subject.by_word(of_tokens) })
        .collect())
}

/// An oracle on the thread that owns the model.
#[derive(Debug)]
pub struct ModelOracle<'a> {
    /// The classifier.
    pub model: &'a Classifier,
    /// The text.
    pub subject: &'a Subject,
    /// The class.
    pub target: usize,
}

impl Predict for ModelOracle<'_> {
    fn words(&self) -> usize {
        self.subject.words.len()
    }

    fn probabilities(&mut self, presence: &[Vec<bool>]) -> Answer<Vec<f64>> {
        probabilities(self.model, self.subject, self.target, presence)
    }
}

impl Slopes for ModelOracle<'_> {
    fn gradient(&mut self) -> Answer<WordGradient> {
        gradient(self.model, self.subject, self.target)
    }

    fn path(&mut self, alphas: &[f64]) -> Answer<Vec<PathPoint>> {
        path(self.model, self.subject, self.target, alphas)
    }
}
