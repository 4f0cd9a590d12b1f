//! What a model's `config.json` describes, in terms that fit every supported family.

pub mod attention;
pub mod names;

use serde::Deserialize;

use self::attention::{AttentionForm, Heads, RelativeForm};
use self::names::Names;
use crate::data::layout::PadTokens;

/// The activation of feed-forward layers and heads, by its Hugging Face name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x times the normal distribution function.
    #[default]
    Gelu,
    /// The tanh approximation of it.
    #[serde(alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluNew,
    /// x times the logistic function of 1.702 x.
    QuickGelu,
    /// max(x, 0).
    Relu,
    /// x times the logistic function.
    #[serde(alias = "swish")]
    Silu,
    /// Hyperbolic tangent.
    Tanh,
}

/// An encoder or decoder with a classification head.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Number of tokens known.
    pub vocabulary: i64,
    /// Size of a word embedding.
    pub embedding: i64,
    /// Word embeddings are multiplied by it.
    pub embedding_scale: f64,
    /// How embeddings become hidden states of another size.
    pub projection: Projection,
    /// Size of a hidden state.
    pub hidden: i64,
    /// Number of layers that have weights of their own.
    pub layers: usize,
    /// The layer that each pass through a layer goes through, in their order: every layer once, but for ALBERT.
    pub passes: Vec<usize>,
    /// Attention heads of a layer.
    pub heads: Heads,
    /// Size of the states inside the feed-forward layers.
    pub intermediate: i64,
    /// How the model knows the position of a token.
    pub positions: Positions,
    /// Token types; 0 or 1 if it cannot tell two texts of a pair apart.
    pub token_types: i64,
    /// What it means that a text has the padding token.
    pub pads: PadTokens,
    /// The norms.
    pub norm: NormForm,
    /// Where the norms stand.
    pub order: Order,
    /// What attention sees.
    pub attention: AttentionForm,
    /// The feed-forward layers.
    pub feed_forward: FeedForwardForm,
    /// Shares of activations that are dropped in training.
    pub dropout: DropoutRates,
    /// The classification head.
    pub head: HeadForm,
    /// Names in the checkpoint.
    pub names: Names,
}

/// How embeddings become hidden states of another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Normalised, then projected (ELECTRA).
    AfterNorm,
    /// Projected without a bias, then normalised (DeBERTa).
    BeforeNorm,
    /// As `AfterNorm`, also where the size is the same (ALBERT).
    Always,
}

/// How a model knows the position of a token.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// An embedding for each of `count` positions; the first `offset` are not used.
    Learned {
        /// Rows of the table.
        count: i64,
        /// Row of a text's first token.
        offset: i64,
    },
    /// Queries and keys are rotated, see [`Rotary`](attention::Rotary); texts of up to `limit` tokens.
    Rotary {
        /// Longest text.
        limit: i64,
    },
    /// Distances between tokens have embeddings of their own (He et al. 2021).
    Relative(RelativeForm),
}

/// How a norm rescales a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// To mean zero and variance one (Ba et al. 2016).
    Layer,
    /// To a root mean square of one (Zhang and Sennrich 2019).
    RootMeanSquare,
    /// The same, with weights that say by how much they are more than one (Gemma).
    ShiftedRootMeanSquare,
}

/// The norms of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormForm {
    /// How they rescale.
    pub kind: NormKind,
    /// Added to the variance, or to the mean square.
    pub eps: f64,
    /// Whether they have a bias.
    pub bias: Presence,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

impl Presence {
    /// Whether it is there.
    #[must_use]
    pub fn is_there(self) -> bool {
        self == Presence::Present
    }
}

impl From<bool> for Presence {
    fn from(is_there: bool) -> Self {
        if is_there { Presence::Present } else { Presence::Absent }
    }
}

/// Where the norms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// After each residual sum (Vaswani et al. 2017).
    Post,
    /// Before each sublayer, and once at the end; the first attention has none if `bare_start`.
    Pre {
        /// Whether the first attention reads its input as it is.
        bare_start: bool,
    },
    /// Before each sublayer, on what each sublayer adds, and once at the end (Gemma 3).
    Around,
}

/// The feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedForwardForm {
    /// Activation.
    pub activation: Activation,
    /// Whether the first half of what the first layer gives is activated and multiplies the second half (Shazeer 2020).
    pub gated: bool,
    /// Whether both layers have biases.
    pub bias: Presence,
}

/// Shares of activations that are dropped in training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DropoutRates {
    /// Of the embeddings.
    pub embeddings: f64,
    /// Of the attention's probabilities.
    pub attention: f64,
    /// Of what attention adds to the residual stream.
    pub attention_output: f64,
    /// Of the activated states inside the feed-forward layers.
    pub intermediate: f64,
    /// Of what the feed-forward layers add to the residual stream.
    pub feed_forward_output: f64,
}

/// Which hidden state stands for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// That of the first token.
    First,
    /// That of the last token.
    Last,
    /// Their mean.
    Mean,
    /// None: each token has logits, and their mean is that of the text.
    Late,
}

/// How a text becomes one vector, and the vector logits: pooling, dropout, dense, activation, norm, dropout, linear.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadForm {
    /// Which hidden state stands for the text.
    pub pooling: Pooling,
    /// Dropout rate of that state.
    pub dropout_before: f64,
    /// A square layer.
    pub dense: Option<DenseForm>,
    /// Name of a norm.
    pub norm: Option<String>,
    /// Dropout rate before the last layer.
    pub dropout_after: f64,
    /// Name of the last layer.
    pub out: String,
    /// Whether the last layer has a bias.
    pub out_bias: Presence,
}

/// A square layer of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseForm {
    /// Its name.
    pub name: String,
    /// Its activation.
    pub activation: Activation,
    /// Whether it has a bias.
    pub bias: Presence,
}

impl HeadForm {
    /// Whether a parameter of this name is the head's.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        let dense = self.dense.as_ref().map(|dense| &dense.name);
        let mut layers = std::iter::once(&self.out).chain(dense).chain(&self.norm);
        layers.any(|layer| name.strip_prefix(layer.as_str()).is_some_and(|rest| rest.starts_with('.')))
    }
}

impl Architecture {
    /// Whether embeddings are projected.
    #[must_use]
    pub fn projects(&self) -> bool {
        self.embedding != self.hidden || self.projection == Projection::Always
    }

    /// Longest text in tokens.
    #[must_use]
    pub fn max_tokens(&self) -> i64 {
        match &self.positions {
            Positions::Learned { count, offset } => count - offset,
            Positions::Rotary { limit } => *limit,
            Positions::Relative(form) => form.limit,
        }
    }

    /// Whether the pooled state of a text needs only one query of the last layer.
    #[must_use]
    pub fn pools_one_query(&self) -> bool {
        let is_one = matches!(self.head.pooling, Pooling::First | Pooling::Last);
        let knows_distances = matches!(self.positions, Positions::Relative(_)) || self.attention.distances.is_some();
        is_one && !knows_distances
    }

    /// What is wrong with the sizes, if anything is.
    ///
    /// # Errors
    /// Naming the size as the configuration calls it, as far as families agree on that.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [
            ("vocab_size", self.vocabulary),
            ("embedding_size", self.embedding),
            ("hidden_size", self.hidden),
            ("intermediate_size", self.intermediate),
            ("max_position_embeddings", self.max_tokens()),
        ];
        if let Some((key, size)) = sizes.into_iter().find(|(_, size)| !(1..=1 << 24).contains(size)) {
            return Err(format!("{key} is {size}"));
        }
        self.heads.check()?;
        if let Some(count) = [self.layers, self.passes.len()].into_iter().find(|&count| count > 1000) {
            return Err(format!("num_hidden_layers is {count}"));
        }
        Ok(())
    }

    /// The same with the dropout rates of the encoder set to `rate`, except that inside the feed-forward layers.
    #[must_use]
    pub fn with_dropout(mut self, rate: f64) -> Self {
        self.dropout = DropoutRates {
            embeddings: rate,
            attention: rate,
            attention_output: rate,
            feed_forward_output: rate,
            ..self.dropout
        };
        self
    }
}
