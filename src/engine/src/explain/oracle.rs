//! Answers the questions of an explainer about a classifier, one text and one class.

use pellucid_explain::sampling::normals;
use pellucid_explain::{Answer, Attention, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};
use tch::{Kind, Tensor, no_grad};

use super::parts::parts;
use super::subject::Subject;
use crate::data::batch::Batch;
use crate::data::layout::PadTokens;
use crate::data::tokens::TokenRow;
use crate::model::architecture::Pooling;
use crate::model::classifier::Classifier;
use crate::model::layers::dropout::Dropout;
use crate::task::output_of;

/// The most tokens in one forward pass, unless one text is longer. This bounds the memory of every method.
const TOKENS: usize = 2048;
/// The same for a pass with a backward pass, which keeps what every layer has computed.
const TOKENS_BACK: usize = 1024;

/// Rows in one call of an oracle that nobody else waits for. The oracle bounds its passes by their tokens itself, and the more
/// rows it gets, the better it groups them by length.
pub const ROWS_PER_CALL: usize = 1024;

/// A question; see [`Predict`] and [`Slopes`].
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

/// Answers `query` about class `target` of `subject`, on the thread that owns `model`.
///
/// # Errors
/// When libtorch refuses.
pub fn answer(model: &Classifier, subject: &Subject, target: usize, query: &Query) -> Answer<Reply> {
    let oracle = ModelOracle { model, subject, target };
    match query {
        Query::Outcomes(presence, Removal::Mask) => oracle.masked(presence).map(Reply::Outcomes),
        Query::Outcomes(presence, Removal::Delete) => oracle.deleted(presence).map(Reply::Outcomes),
        Query::Gradient(scalar) => oracle.word_gradient(*scalar).map(Reply::Gradient),
        Query::Path(query) => oracle.path_points(query).map(Reply::Path),
        Query::Noisy { noise, first, count } => oracle.noisy(*noise, *first, *count).map(Reply::Gradients),
        Query::Attention => oracle.attention_layers().map(Reply::Attention),
    }
}

fn failed(error: impl ToString) -> OracleError {
    OracleError::Failed(error.to_string())
}

/// One transfer from device to host.
fn host(tensor: &Tensor) -> Answer<Vec<f64>> {
    Vec::<f64>::try_from(tensor.to_kind(Kind::Double).contiguous().view([-1])).map_err(failed)
}

/// The sum over the hidden axis in f64: `[rows, tokens, hidden]` -> `rows * tokens` numbers.
fn by_token(product: &Tensor) -> Answer<Vec<f64>> {
    host(&product.to_kind(Kind::Double).sum_dim_intlist([-1i64].as_slice(), false, Kind::Double))
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

/// A [`PathPoint`] by token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenPoint {
    /// The explained scalar.
    pub value: f64,
    /// Per token, the sum of gradient x (input - baseline) over the hidden axis.
    pub slopes: Vec<f64>,
}

impl TokenPoint {
    /// The same by the words of the text.
    #[must_use]
    pub fn by_word(&self, subject: &Subject) -> PathPoint {
        PathPoint { value: self.value, slopes: subject.by_word(&self.slopes) }
    }
}

/// The scalar that is explained at some points, and its gradient there.
struct Slope {
    /// The scalar at each point.
    values: Vec<f64>,
    /// `[points, tokens, size]`.
    gradient: Tensor,
}

impl ModelOracle<'_> {
    fn tokens(&self) -> usize {
        self.subject.encoded.ids.len()
    }

    fn masked(&self, presence: &[Vec<bool>]) -> Answer<Vec<Outcome>> {
        let mut all = Vec::with_capacity(presence.len());
        for chunk in presence.chunks((TOKENS / self.tokens().max(1)).max(1)) {
            let rows: Vec<Vec<i64>> = chunk.iter().map(|row| self.subject.masked(row)).collect();
            all.extend(self.outcomes_of(self.batch(&rows))?);
        }
        Ok(all)
    }

    fn deleted(&self, presence: &[Vec<bool>]) -> Answer<Vec<Outcome>> {
        let rows: Vec<TokenRow> = presence.iter().map(|row| self.subject.shortened(row).into()).collect();
        // Rows of similar length go together: attention pads them less.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| std::cmp::Reverse(rows[row].ids.len()));
        let mut all = vec![None; rows.len()];
        for some in parts(&order, TOKENS, |&row| rows[row].ids.len()) {
            let of_part: Vec<TokenRow> = some.iter().map(|&row| rows[row].clone()).collect();
            let found = self.outcomes_of(Batch::new(&of_part, self.model.pads(), self.model.device()))?;
            some.iter().zip(found).for_each(|(&row, outcome)| all[row] = Some(outcome));
        }
        all.into_iter().map(|outcome| outcome.ok_or_else(|| failed("a row without an outcome"))).collect()
    }

    /// The outcome of each row of a batch.
    fn outcomes_of(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        let batch = batch.sharing().map_err(failed)?;
        let logits = host(&no_grad(|| self.model.logits(&batch)))?;
        let output = output_of(self.model);
        Ok(logits.chunks(self.model.classes() as usize).map(|row| output.outcome(row, self.target)).collect())
    }

    /// Rows of token ids that have the shape of the text.
    fn batch(&self, rows: &[Vec<i64>]) -> Batch {
        Batch::same_shape(rows, &self.subject.encoded, self.pads(), self.model.device())
    }

    /// What padding tokens do to a text with masked words. Where the padding token itself stands in for the mask, what
    /// stands for the text stays where it is.
    fn pads(&self) -> PadTokens {
        match self.model.pads() {
            PadTokens::Unpooled(pad) if pad == self.subject.mask && !self.subject.encoded.ids.contains(&pad) => {
                PadTokens::Alike
            }
            pads => pads,
        }
    }

    /// `scalar` and its gradient by word embeddings at `points`, `[rows, tokens, size]`.
    fn slope(&self, scalar: Scalar, points: &Tensor) -> Answer<Slope> {
        let (rows, tokens, _) = points.size3().map_err(failed)?;
        let (mut values, mut gradients) = (Vec::new(), Vec::new());
        for points in points.split((TOKENS_BACK as i64 / tokens.max(1)).clamp(1, rows.max(1)), 0) {
            let slope = self.slope_in_one_pass(scalar, &points)?;
            values.extend(slope.values);
            gradients.push(slope.gradient);
        }
        Ok(Slope { values, gradient: Tensor::cat(&gradients, 0) })
    }

    fn slope_in_one_pass(&self, scalar: Scalar, points: &Tensor) -> Answer<Slope> {
        let (rows, tokens, size) = points.size3().map_err(failed)?;
        // [rows, tokens, size] -> [rows * tokens, size]
        let points = points.detach().reshape([rows * tokens, size]).set_requires_grad(true);
        let batch = self.batch(&vec![self.subject.encoded.ids.clone(); rows as usize]);
        let logits = self.model.forward(&points, &batch.types, &batch.layout, &mut Dropout::Off);
        let values = output_of(self.model).explained(&logits, self.target, scalar);
        let gradient = Tensor::f_run_backward(&[values.sum(Kind::Float)], &[&points], false, false).map_err(failed)?;
        let gradient = gradient.into_iter().next().ok_or_else(|| failed("no gradient"))?;
        // [rows * tokens, size] -> [rows, tokens, size]
        Ok(Slope { values: host(&values.detach())?, gradient: gradient.view([rows, tokens, size]) })
    }

    /// Word embeddings of one row of ids, `[1, tokens, size]`.
    fn embed(&self, ids: Vec<i64>) -> Tensor {
        let batch = self.batch(&[ids]);
        // [tokens, size] -> [1, tokens, size]
        no_grad(|| self.model.embed(&batch.ids)).unsqueeze(0)
    }

    /// Word embeddings of the text, `[1, tokens, size]`.
    fn input(&self) -> Tensor {
        self.embed(self.subject.encoded.ids.clone())
    }

    fn word_gradient(&self, scalar: Scalar) -> Answer<WordGradient> {
        let input = self.input();
        let gradients = self.word_gradients(scalar, &input, &input)?;
        gradients.into_iter().next().ok_or_else(|| failed("no gradient"))
    }

    /// Gradients at `points`, `[rows, tokens, size]`, with their products with `input`, `[1, tokens, size]`.
    fn word_gradients(&self, scalar: Scalar, points: &Tensor, input: &Tensor) -> Answer<Vec<WordGradient>> {
        let Slope { gradient, .. } = self.slope(scalar, points)?;
        let (products, squares) = (by_token(&(&gradient * input))?, by_token(&gradient.square())?);
        let rows = products.chunks(self.tokens()).zip(squares.chunks(self.tokens()));
        let of_words = rows.map(|(products, squares)| WordGradient {
            times_input: self.subject.by_word(products),
            norm: self.subject.by_word(squares).into_iter().map(f64::sqrt).collect(),
        });
        Ok(of_words.collect())
    }

    /// Gradients at `count` noisy inputs from number `first` on.
    fn noisy(&self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        let (input, device) = (self.input(), self.model.device());
        let (_, tokens, size) = input.size3().map_err(failed)?;
        // [1, tokens, size] -> [words' tokens, size]
        let of_words = input.squeeze_dim(0).index_select(0, &self.subject.word_tokens(device));
        if of_words.size()[0] == 0 {
            return Ok(vec![WordGradient { times_input: Vec::new(), norm: Vec::new() }; count]);
        }
        let range = host(&(of_words.max() - of_words.min()))?[0];
        let drawn: Vec<f32> = (first..first + count as u64)
            .flat_map(|index| normals(noise.seed, index, (tokens * size) as usize))
            .map(|number| (noise.sigma * range * number) as f32)
            .collect();
        let drawn = Tensor::from_slice(&drawn).to_device(device).view([count as i64, tokens, size]);
        self.word_gradients(noise.scalar, &(&input + drawn * self.subject.is_word(device)), &input)
    }

    /// Where a path to `input` begins, `[1, tokens, size]`.
    fn baseline(&self, baseline: Baseline, input: &Tensor) -> Tensor {
        let constant = match baseline {
            Baseline::Pad => return self.embed(self.subject.replaced(self.subject.pad)),
            Baseline::Mask => return self.embed(self.subject.replaced(self.subject.mask)),
            Baseline::Zero => input.zeros_like(),
            Baseline::Mean => {
                no_grad(|| self.model.embeddings().mean_dim([0i64].as_slice(), true, Kind::Float)).unsqueeze(0)
            }
        };
        let is_word = self.subject.is_word(self.model.device());
        input * (1.0 - &is_word) + constant * is_word
    }

    fn path_points(&self, query: &PathQuery) -> Answer<Vec<PathPoint>> {
        Ok(self.token_points(query)?.iter().map(|point| point.by_word(self.subject)).collect())
    }

    /// The points of a path, by token.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn token_points(&self, query: &PathQuery) -> Answer<Vec<TokenPoint>> {
        let input = self.input();
        let baseline = self.baseline(query.baseline, &input);
        let way = &input - &baseline;
        // [alphas] -> [alphas, 1, 1]
        let alphas = Tensor::from_slice(&query.alphas).to_kind(Kind::Float);
        let alphas = alphas.to_device(self.model.device()).view([-1, 1, 1]);
        let Slope { values, gradient } = self.slope(query.scalar, &(&baseline + alphas * &way))?;
        let slopes = by_token(&(gradient * &way))?;
        Ok(values
            .into_iter()
            .zip(slopes.chunks(self.tokens()))
            .map(|(value, of_tokens)| TokenPoint { value, slopes: of_tokens.to_vec() })
            .collect())
    }

    fn attention_layers(&self) -> Answer<Attention> {
        let tokens = self.tokens();
        if self.subject.encoded.windows.is_some() {
            let why = "the text is read in windows, and attention does not lead from one to another";
            return Err(OracleError::Unsupported(why.to_owned()));
        }
        let batch = Batch::new(&[self.subject.encoded.clone().into()], self.model.pads(), self.model.device());
        let layers = no_grad(|| self.model.attention(&batch));
        let last = host(&batch.layout.lasts)?[0] as usize;
        let matrix = |layer: &Tensor| {
            let numbers = host(layer)?;
            Ok(numbers.chunks(tokens).map(<[f64]>::to_vec).collect())
        };
        let reader = (0..tokens).map(|token| match self.model.pooling() {
            Pooling::First => f64::from(u8::from(token == 0)),
            Pooling::Last => f64::from(u8::from(token == last)),
            Pooling::Mean | Pooling::Late => 1.0 / tokens as f64,
        });
        let layers = layers.iter().map(matrix).collect::<Answer<_>>()?;
        Ok(Attention { layers, reader: reader.collect(), word_of_token: self.subject.word_of_token.clone() })
    }
}

impl Predict for ModelOracle<'_> {
    fn words(&self) -> usize {
        self.subject.words.len()
    }

    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>> {
        match removal {
            Removal::Mask => self.masked(presence),
            Removal::Delete => self.deleted(presence),
        }
    }
}

impl Slopes for ModelOracle<'_> {
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient> {
        self.word_gradient(scalar)
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>> {
        self.path_points(&PathQuery { baseline, alphas: alphas.to_vec(), scalar })
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        self.noisy(noise, first, count)
    }

    fn attention(&mut self) -> Answer<Attention> {
        self.attention_layers()
    }
}
