//! Answers what an explainer asks of a classifier about one text and one class.

use pellucid_explain::sampling::normals;
use pellucid_explain::{Answer, Attention, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};
use tch::{Kind, Tensor, no_grad};

use super::parts::parts;
use super::subject::Subject;
use crate::data::batch::Batch;
use crate::data::tokenise::Encoded;
use crate::error::{Error, Result};
use crate::model::architecture::Pooling;
use crate::model::classifier::Classifier;
use crate::model::layers::dropout::Dropout;

/// Most tokens in one forward pass, if a text is not longer: what bounds the memory of any method.
const TOKENS: usize = 2048;
/// The same of a pass that goes back as well and keeps what every layer has computed.
const TOKENS_BACK: usize = 1024;

/// Rows in one call of an oracle that nobody else waits for. It bounds its passes by their tokens itself, and the more
/// rows it has, the better it can put those of like length together.
pub const ROWS_PER_CALL: usize = 1024;

/// What can be asked; see [`Predict`] and [`Slopes`].
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// [`Predict::outcomes`].
    Outcomes(Vec<Vec<bool>>, Removal),
    /// [`Slopes::gradient`].
    Gradient(Scalar),
    /// [`Slopes::path`].
    Path(PathQuery),
    /// [`Slopes::noisy_gradients`].
    Noisy {
        /// What is added.
        noise: Noise,
        /// Index of the first noisy input.
        first: u64,
        /// How many.
        count: usize,
    },
    /// [`Slopes::attention`].
    Attention,
}

/// Points of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathQuery {
    /// Where it begins.
    pub baseline: Baseline,
    /// How far each point is on the way.
    pub alphas: Vec<f64>,
    /// What is explained.
    pub scalar: Scalar,
}

/// The answer to the [`Query`] of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To [`Query::Outcomes`].
    Outcomes(Vec<Outcome>),
    /// To [`Query::Gradient`].
    Gradient(WordGradient),
    /// To [`Query::Noisy`].
    Gradients(Vec<WordGradient>),
    /// To [`Query::Path`].
    Path(Vec<PathPoint>),
    /// To [`Query::Attention`].
    Attention(Attention),
}

/// Gradient x input of each word of `subject` for class `target`, in logits.
///
/// # Errors
/// When libtorch refuses.
pub fn word_map(model: &Classifier, subject: &Subject, target: usize) -> Result<Vec<f64>> {
    let found = gradient(model, subject, (target, Scalar::Logit)).map_err(|error| Error::Torch(error.to_string()))?;
    Ok(found.times_input)
}

/// Answers `query` about class `target` of `subject`, on the thread that owns `model`.
///
/// # Errors
/// When libtorch refuses.
pub fn answer(model: &Classifier, subject: &Subject, target: usize, query: &Query) -> Answer<Reply> {
    match query {
        Query::Outcomes(presence, Removal::Mask) => masked(model, subject, target, presence).map(Reply::Outcomes),
        Query::Outcomes(presence, Removal::Delete) => deleted(model, subject, target, presence).map(Reply::Outcomes),
        Query::Gradient(scalar) => gradient(model, subject, (target, *scalar)).map(Reply::Gradient),
        Query::Path(wanted) => path(model, subject, target, wanted).map(Reply::Path),
        Query::Noisy { noise, first, count } => {
            noisy(model, subject, target, (*noise, *first, *count)).map(Reply::Gradients)
        }
        Query::Attention => attention(model, subject).map(Reply::Attention),
    }
}

fn failed(error: impl ToString) -> OracleError {
    OracleError::Failed(error.to_string())
}

/// One transfer from device to host.
fn host(tensor: &Tensor) -> Answer<Vec<f64>> {
    Vec::<f64>::try_from(tensor.to_kind(Kind::Double).contiguous().view([-1])).map_err(failed)
}

fn masked(model: &Classifier, subject: &Subject, target: usize, presence: &[Vec<bool>]) -> Answer<Vec<Outcome>> {
    let mut all = Vec::with_capacity(presence.len());
    for chunk in presence.chunks((TOKENS / subject.encoded.ids.len().max(1)).max(1)) {
        let rows: Vec<Vec<i64>> = chunk.iter().map(|row| subject.masked(row)).collect();
        let batch = Batch::same_shape(&rows, &subject.encoded.types, model.device());
        all.extend(outcomes(model, batch, target)?);
    }
    Ok(all)
}

fn deleted(model: &Classifier, subject: &Subject, target: usize, presence: &[Vec<bool>]) -> Answer<Vec<Outcome>> {
    let rows: Vec<Encoded> = presence.iter().map(|row| subject.shortened(row)).collect();
    // Rows of like length together: attention pads them less.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(rows[row].ids.len()));
    let mut all = vec![None; rows.len()];
    for some in parts(&order, TOKENS, |&row| rows[row].ids.len()) {
        let of_part: Vec<&Encoded> = some.iter().map(|&row| &rows[row]).collect();
        let found = outcomes(model, Batch::new(&of_part, model.device()), target)?;
        some.iter().zip(found).for_each(|(&row, outcome)| all[row] = Some(outcome));
    }
    all.into_iter().map(|outcome| outcome.ok_or_else(|| failed("a row without an outcome"))).collect()
}

/// What the model says about `target` in each row of a batch.
fn outcomes(model: &Classifier, batch: Batch, target: usize) -> Answer<Vec<Outcome>> {
    let batch = batch.sharing().map_err(failed)?;
    let logits = host(&no_grad(|| model.logits(&batch)))?;
    Ok(logits.chunks(model.classes() as usize).map(|row| outcome(row, target)).collect())
}

fn outcome(logits: &[f64], target: usize) -> Outcome {
    let highest = |numbers: &mut dyn Iterator<Item = f64>| numbers.fold(f64::NEG_INFINITY, f64::max);
    let top = highest(&mut logits.iter().copied());
    let total: f64 = logits.iter().map(|logit| (logit - top).exp()).sum();
    let others = logits.iter().enumerate().filter(|(class, _)| *class != target).map(|(_, logit)| *logit);
    let rival = if logits.len() > 1 { highest(&mut { others }) } else { 0.0 };
    let logit = logits[target];
    Outcome { logit, probability: (logit - top).exp() / total, margin: logit - rival }
}

/// The scalar of each row, from its logits `[rows, classes]`: `[rows]`.
fn explained(logits: &Tensor, target: usize, scalar: Scalar) -> Tensor {
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

/// A class and what of it is explained.
type Explained = (usize, Scalar);

/// The scalar of each row, and its gradient by word embeddings `[rows, tokens, size]`.
fn slope(model: &Classifier, subject: &Subject, of: Explained, points: &Tensor) -> Answer<(Vec<f64>, Tensor)> {
    let (rows, tokens, _) = points.size3().map_err(failed)?;
    let (mut values, mut gradients) = (Vec::new(), Vec::new());
    for points in points.split((TOKENS_BACK as i64 / tokens.max(1)).clamp(1, rows.max(1)), 0) {
        let (value, gradient) = slope_at(model, subject, of, &points)?;
        values.extend(value);
        gradients.push(gradient);
    }
    Ok((values, Tensor::cat(&gradients, 0)))
}

fn slope_at(
    model: &Classifier,
    subject: &Subject,
    (target, scalar): Explained,
    points: &Tensor,
) -> Answer<(Vec<f64>, Tensor)> {
    let (rows, tokens, size) = points.size3().map_err(failed)?;
    // [rows, tokens, size] -> [rows * tokens, size]
    let points = points.detach().reshape([rows * tokens, size]).set_requires_grad(true);
    let batch =
        Batch::same_shape(&vec![subject.encoded.ids.clone(); rows as usize], &subject.encoded.types, model.device());
    let logits = model.forward(&points, &batch.types, &batch.layout, &mut Dropout::Off);
    let values = explained(&logits, target, scalar);
    let gradient = Tensor::f_run_backward(&[values.sum(Kind::Float)], &[&points], false, false).map_err(failed)?;
    let gradient = gradient.into_iter().next().ok_or_else(|| failed("no gradient"))?;
    // [rows * tokens, size] -> [rows, tokens, size]
    Ok((host(&values.detach())?, gradient.view([rows, tokens, size])))
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

fn gradient(model: &Classifier, subject: &Subject, of: Explained) -> Answer<WordGradient> {
    let input = embed(model, subject, subject.encoded.ids.clone());
    let gradients = gradients(model, subject, of, (&input, &input))?;
    gradients.into_iter().next().ok_or_else(|| failed("no gradient"))
}

/// Gradients at `points`, `[rows, tokens, size]`, with their products with `input`, `[1, tokens, size]`.
fn gradients(
    model: &Classifier,
    subject: &Subject,
    of: Explained,
    (points, input): (&Tensor, &Tensor),
) -> Answer<Vec<WordGradient>> {
    let (_, gradient) = slope(model, subject, of, points)?;
    let (products, squares) = (by_token(&(&gradient * input))?, by_token(&gradient.square())?);
    let tokens = subject.encoded.ids.len();
    let rows = products.chunks(tokens).zip(squares.chunks(tokens));
    let of_words = rows.map(|(products, squares)| WordGradient {
        times_input: subject.by_word(products),
        norm: subject.by_word(squares).into_iter().map(f64::sqrt).collect(),
    });
    Ok(of_words.collect())
}

fn noisy(
    model: &Classifier,
    subject: &Subject,
    target: usize,
    (noise, first, count): (Noise, u64, usize),
) -> Answer<Vec<WordGradient>> {
    let input = embed(model, subject, subject.encoded.ids.clone());
    let (_, tokens, size) = input.size3().map_err(failed)?;
    // [1, tokens, size] -> [words' tokens, size]
    let of_words = input.squeeze_dim(0).index_select(0, &subject.word_tokens(model.device()));
    if of_words.size()[0] == 0 {
        return Ok(vec![WordGradient { times_input: Vec::new(), norm: Vec::new() }; count]);
    }
    let range = host(&(of_words.max() - of_words.min()))?[0];
    let drawn: Vec<f32> = (first..first + count as u64)
        .flat_map(|index| normals(noise.seed, index, (tokens * size) as usize))
        .map(|number| (noise.sigma * range * number) as f32)
        .collect();
    let drawn = Tensor::from_slice(&drawn).to_device(model.device()).view([count as i64, tokens, size]);
    gradients(model, subject, (target, noise.scalar), (&(&input + drawn * subject.is_word(model.device())), &input))
}

/// Where a path begins, `[1, tokens, size]`.
fn start(model: &Classifier, subject: &Subject, baseline: Baseline, input: &Tensor) -> Tensor {
    let constant = match baseline {
        Baseline::Pad => return embed(model, subject, subject.replaced(subject.pad)),
        Baseline::Mask => return embed(model, subject, subject.replaced(subject.mask)),
        Baseline::Zero => input.zeros_like(),
        Baseline::Mean => no_grad(|| model.embeddings().mean_dim([0i64].as_slice(), true, Kind::Float)).unsqueeze(0),
    };
    let is_word = subject.is_word(model.device());
    input * (1.0 - &is_word) + constant * is_word
}

fn path(model: &Classifier, subject: &Subject, target: usize, wanted: &PathQuery) -> Answer<Vec<PathPoint>> {
    let input = embed(model, subject, subject.encoded.ids.clone());
    let baseline = start(model, subject, wanted.baseline, &input);
    let way = &input - &baseline;
    // [alphas] -> [alphas, 1, 1]
    let alphas = Tensor::from_slice(&wanted.alphas).to_kind(Kind::Float).to_device(model.device()).view([-1, 1, 1]);
    let (values, gradient) = slope(model, subject, (target, wanted.scalar), &(&baseline + alphas * &way))?;
    let tokens = subject.encoded.ids.len();
    let slopes = by_token(&(gradient * &way))?;
    Ok(values
        .into_iter()
        .zip(slopes.chunks(tokens))
        .map(|(value, of_tokens)| PathPoint { value, slopes: subject.by_word(of_tokens) })
        .collect())
}

fn attention(model: &Classifier, subject: &Subject) -> Answer<Attention> {
    let tokens = subject.encoded.ids.len();
    let batch = Batch::new(&[&subject.encoded], model.device());
    let layers = no_grad(|| model.attention(&batch));
    let matrix = |layer: &Tensor| {
        let numbers = host(layer)?;
        Ok(numbers.chunks(tokens).map(<[f64]>::to_vec).collect())
    };
    let reader = (0..tokens).map(|token| match model.pooling() {
        Pooling::First => f64::from(u8::from(token == 0)),
        Pooling::Last => f64::from(u8::from(token + 1 == tokens)),
        Pooling::Mean => 1.0 / tokens as f64,
    });
    let layers = layers.iter().map(matrix).collect::<Answer<_>>()?;
    Ok(Attention { layers, reader: reader.collect(), word_of_token: subject.word_of_token.clone() })
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

    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>> {
        match removal {
            Removal::Mask => masked(self.model, self.subject, self.target, presence),
            Removal::Delete => deleted(self.model, self.subject, self.target, presence),
        }
    }
}

impl Slopes for ModelOracle<'_> {
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient> {
        gradient(self.model, self.subject, (self.target, scalar))
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>> {
        path(self.model, self.subject, self.target, &PathQuery { baseline, alphas: alphas.to_vec(), scalar })
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        noisy(self.model, self.subject, self.target, (noise, first, count))
    }

    fn attention(&mut self) -> Answer<Attention> {
        attention(self.model, self.subject)
    }
}
