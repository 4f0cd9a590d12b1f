//! What a model's `config.json` comes down to: one description that fits every supported family.

use serde::Deserialize;

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
    /// How embeddings of another size become hidden states.
    pub projection: Projection,
    /// Size of a hidden state.
    pub hidden: i64,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads of a layer.
    pub heads: i64,
    /// Width of the feed-forward layers.
    pub wide: i64,
    /// How the model knows where a token stands.
    pub positions: Positions,
    /// Token types; 0 or 1 if it cannot tell two texts of a pair apart.
    pub token_types: i64,
    /// Its padding token.
    pub pad: Option<i64>,
    /// The norms.
    pub norm: NormForm,
    /// Where the norms stand.
    pub order: Order,
    /// What each layer's attention may see.
    pub attention: AttentionForm,
    /// The feed-forward layers.
    pub feed_forward: FeedForwardForm,
    /// Shares of activations that are dropped in training.
    pub dropout: DropoutRates,
    /// What makes a text one vector, and logits of it.
    pub head: HeadForm,
    /// Names in the checkpoint.
    pub names: Names,
}

/// How embeddings of another size than a hidden state's become hidden states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Normalised, then projected (ELECTRA).
    AfterNorm,
    /// Projected without a bias, then normalised (DeBERTa).
    BeforeNorm,
}

/// How a model knows where a token stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// An embedding for each of `count` places, of which the first `offset` are not used.
    Learned {
        /// Rows of the table.
        count: i64,
        /// Row of a text's first token.
        offset: i64,
    },
    /// Queries and keys are turned (Su et al. 2021); texts of up to `limit` tokens.
    Rotary {
        /// Longest text.
        limit: i64,
    },
    /// Distances between tokens have embeddings of their own (He et al. 2021).
    Relative(RelativeForm),
}

/// Distances as DeBERTa sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeForm {
    /// Longest text.
    pub limit: i64,
    /// Distances up to half of it are exact, those beyond in logarithmic buckets; 0 for exact ones only.
    pub buckets: i64,
    /// Largest distance.
    pub span: i64,
    /// Whether queries and keys of distances are made with the weights of those of words.
    pub shared: bool,
    /// Whether words attend to distances.
    pub content_to_position: bool,
    /// Whether distances attend to words.
    pub position_to_content: bool,
    /// Whether the embeddings of distances are normalised.
    pub normalised: bool,
    /// Rows of a table of places that is added to the words besides; 0 for none.
    pub absolute: i64,
}

/// The norms of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormForm {
    /// Added to the variance.
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
}

/// What each layer's attention may see, and how it scores.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionForm {
    /// Whether a token sees those before it only.
    pub causal: bool,
    /// Whether projections have biases.
    pub bias: Presence,
    /// Each layer's own rule.
    pub rules: Vec<AttentionRule>,
}

/// One layer's rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionRule {
    /// Products of queries and keys are multiplied by it.
    pub scale: f64,
    /// Largest distance seen; none for all.
    pub window: Option<i64>,
    /// Base of the wave lengths of rotary positions.
    pub theta: Option<f64>,
}

/// The feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedForwardForm {
    /// Activation.
    pub activation: Activation,
    /// Whether the first half of the wide layer, activated, multiplies the second (Shazeer 2020).
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
    pub mixed: f64,
    /// Of the activated wide layer.
    pub wide: f64,
    /// Of what the feed-forward layers add to the residual stream.
    pub narrow: f64,
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
}

/// What makes a text one vector, and logits of it: pooling, dropout, dense, activation, norm, dropout, linear.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadForm {
    /// Which hidden state stands for the text.
    pub pooling: Pooling,
    /// Share dropped of it.
    pub dropout_before: f64,
    /// A square layer: its name, activation and whether it has a bias.
    pub dense: Option<(String, Activation, Presence)>,
    /// Name of a norm.
    pub norm: Option<String>,
    /// Share dropped before the last layer.
    pub dropout_after: f64,
    /// Name of the last layer.
    pub out: String,
    /// Whether the last layer has a bias.
    pub out_bias: Presence,
}

/// Names of parameters in the checkpoint, without `.weight` and `.bias`. In those of layers, `#` is the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Names {
    /// What every name of the encoder begins with in a classifier, and does not in a bare encoder.
    pub prefix: &'static str,
    /// Word embeddings.
    pub words: &'static str,
    /// Position embeddings.
    pub positions: &'static str,
    /// Token types.
    pub types: &'static str,
    /// Norm of the embeddings, if there is one.
    pub embedding_norm: Option<&'static str>,
    /// Projection of embeddings, where their size is another.
    pub projection: &'static str,
    /// Query, key and value; one name if they are stored as one.
    pub qkv: &'static [&'static str],
    /// Output of the attention.
    pub mix: &'static str,
    /// Norm of the attention.
    pub attention_norm: &'static str,
    /// First feed-forward layer.
    pub wide: &'static str,
    /// Second one.
    pub narrow: &'static str,
    /// Norm of the feed-forward layers.
    pub output_norm: &'static str,
    /// The norm at the end of the layers.
    pub final_norm: Option<&'static str>,
    /// Whether matrices of layers are stored as `[in, out]`.
    pub transposed: bool,
    /// The `architectures` entry of a classifier.
    pub classifier: &'static str,
}

impl Names {
    /// The name of a part of layer `index`, prefix included.
    #[must_use]
    pub fn of_layer(&self, part: &str, index: usize) -> String {
        format!("{}{}", self.prefix, part.replace('#', &index.to_string()))
    }

    /// The name of a part of the encoder, prefix included.
    #[must_use]
    pub fn of_encoder(&self, part: &str) -> String {
        format!("{}{part}", self.prefix)
    }
}

impl HeadForm {
    /// Whether a parameter of this name is the head's.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        let dense = self.dense.as_ref().map(|(name, _, _)| name);
        let mut layers = std::iter::once(&self.out).chain(dense).chain(&self.norm);
        layers.any(|layer| name.strip_prefix(layer.as_str()).is_some_and(|rest| rest.starts_with('.')))
    }
}

impl RelativeForm {
    /// Half the number of embeddings of distances.
    #[must_use]
    pub fn reach(&self) -> i64 {
        if self.buckets > 0 { self.buckets } else { self.span }
    }
}

impl Architecture {
    /// Longest text in tokens.
    #[must_use]
    pub fn max_tokens(&self) -> i64 {
        match &self.positions {
            Positions::Learned { count, offset } => count - offset,
            Positions::Rotary { limit } => *limit,
            Positions::Relative(form) => form.limit,
        }
    }

    /// Whether the pooled state of a text depends on one query of the last layer, which sees the whole text.
    #[must_use]
    pub fn pools_one_query(&self) -> bool {
        let Some(rule) = self.attention.rules.last() else { return false };
        let sees_all = match self.head.pooling {
            Pooling::First => !self.attention.causal,
            Pooling::Last => rule.theta.is_none(),
            Pooling::Mean => false,
        };
        sees_all && rule.window.is_none() && !matches!(self.positions, Positions::Relative(_))
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
            ("num_attention_heads", self.heads),
            ("intermediate_size", self.wide),
            ("max_position_embeddings", self.max_tokens()),
        ];
        if let Some((key, size)) = sizes.into_iter().find(|(_, size)| !(1..=1 << 24).contains(size)) {
            return Err(format!("{key} is {size}"));
        }
        if self.hidden % self.heads != 0 {
            return Err(format!("hidden_size {} cannot be split into {} attention heads", self.hidden, self.heads));
        }
        if self.layers > 1000 {
            return Err(format!("num_hidden_layers is {}", self.layers));
        }
        Ok(())
    }

    /// The same with every share of dropped activations of the encoder set to `rate`.
    #[must_use]
    pub fn with_dropout(mut self, rate: f64) -> Self {
        self.dropout =
            DropoutRates { embeddings: rate, attention: rate, mixed: rate, wide: self.dropout.wide, narrow: rate };
        self
    }
}
