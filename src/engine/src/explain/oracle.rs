//! Answers what an explainer asks of a classifier about one text and one class.

use pellucid_explain::sampling::normals;
use pellucid_explain::{Answer, Attention, Noise, OracleError, PathPoint, Predict, Slopes, WordGradient};
use pellucid_protocol::Baseline;
use tch::{Kind, Tensor, no_grad};

use super::subject::Subject;
use crate::data::batch::Batch;
use crate::data::tokenise::Encoded;
use crate::error::{Error, Result};
use crate::model::architecture::Pooling;
use crate::model::classifier::Classifier;
use crate::model::dropout::Dropout;

/// Masked copies in one forward pass.
const ROWS: usize = 64;

/// What can be asked; see [`Predict`] and [`Slopes`].
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// [`Predict::probabilities`].
    Probabilities(Vec<Vec<bool>>),
    /// [`Predict::shortened`].
    Shortened(Vec<Vec<bool>>),
    /// [`Slopes::gradient`].
    Gradient,
    /// [`Slopes::path`].
    Path(Baseline, Vec<f64>),
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

/// The answer to the [`Query`] of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To [`Query::Probabilities`] and [`Query::Shortened`].
    Probabilities(Vec<f64>),
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
    let found = gradient(model, subject, target).map_err(|error| Error::Torch(error.to_string()))?;
    Ok(found.times_input)
}

/// Answers `query` about class `target` of `subject`, on the thread that owns `model`.
///
/// # Errors
/// When libtorch refuses.
pub fn answer(model: &Classifier, subject: &Subject, target: usize, query: &Query) -> Answer<Reply> {
    match query {
        Query::Probabilities(presence) => probabilities(model, subject, target, presence).map(Reply::Probabilities),
        Query::Shortened(presence) => shortened(model, subject, target, presence).map(Reply::Probabilities),
        Query::Gradient => gradient(model, subject, target).map(Reply::Gradient),
        Query::Path(baseline, alphas) => path(model, subject, target, (*baseline, alphas)).map(Reply::Path),
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

fn probabilities(model: &Classifier, subject: &Subject, target: usize, presence: &[Vec<bool>]) -> Answer<Vec<f64>> {
    let mut all = Vec::with_capacity(presence.len());
    for chunk in presence.chunks(ROWS) {
        let rows: Vec<Vec<i64>> = chunk.iter().map(|row| subject.masked(row)).collect();
        let batch = Batch::same_shape(&rows, &subject.encoded.types, model.device());
        all.extend(shares(model, &batch, target)?);
    }
    Ok(all)
}

fn shortened(model: &Classifier, subject: &Subject, target: usize, presence: &[Vec<bool>]) -> Answer<Vec<f64>> {
    let mut all = Vec::with_capacity(presence.len());
    for chunk in presence.chunks(ROWS) {
        let rows: Vec<Encoded> = chunk.iter().map(|row| subject.shortened(row)).collect();
        let batch = Batch::new(&rows.iter().collect::<Vec<_>>(), model.device());
        all.extend(shares(model, &batch, target)?);
    }
    Ok(all)
}

/// Probability of `target` for each row of a batch.
fn shares(model: &Classifier, batch: &Batch, target: usize) -> Answer<Vec<f64>> {
    host(&no_grad(|| model.logits(batch).softmax(-1, Kind::Double).select(1, target as i64)))
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
    let gradients = gradients(model, subject, target, (&input, &input))?;
    gradients.into_iter().next().ok_or_else(|| failed("no gradient"))
}

/// Gradients at `points`, `[rows, tokens, size]`, with their products with `input`, `[1, tokens, size]`.
fn gradients(
    model: &Classifier,
    subject: &Subject,
    target: usize,
    (points, input): (&Tensor, &Tensor),
) -> Answer<Vec<WordGradient>> {
    let (_, gradient) = slope(model, subject, target, points)?;
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
    gradients(model, subject, target, (&(&input + drawn * subject.is_word(model.device())), &input))
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

fn path(
    model: &Classifier,
    subject: &Subject,
    target: usize,
    (baseline, alphas): (Baseline, &[f64]),
) -> Answer<Vec<PathPoint>> {
    let input = embed(model, subject, subject.encoded.ids.clone());
    let baseline = start(model, subject, baseline, &input);
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

    fn probabilities(&mut self, presence: &[Vec<bool>]) -> Answer<Vec<f64>> {
        probabilities(self.model, self.subject, self.target, presence)
    }

    fn shortened(&mut self, presence: &[Vec<bool>]) -> Answer<Vec<f64>> {
        shortened(self.model, self.subject, self.target, presence)
    }
}

impl Slopes for ModelOracle<'_> {
    fn gradient(&mut self) -> Answer<WordGradient> {
        gradient(self.model, self.subject, self.target)
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64]) -> Answer<Vec<PathPoint>> {
        path(self.model, self.subject, self.target, (baseline, alphas))
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        noisy(self.model, self.subject, self.target, (noise, first, count))
    }

    fn attention(&mut self) -> Answer<Attention> {
        attention(self.model, self.subject)
    }
}
