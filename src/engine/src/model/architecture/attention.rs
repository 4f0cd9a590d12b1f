//! How a layer attends: heads, what they see, and how they know where a token stands.

use super::Presence;

/// The heads of an attention layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Heads of queries.
    pub queries: i64,
    /// Heads of keys and of values. Each serves as many heads of queries (Ainslie et al. 2023); usually one.
    pub key_values: i64,
    /// Size of a head.
    pub size: i64,
}

impl Heads {
    /// `heads` heads that share a hidden state of size `hidden` evenly.
    ///
    /// # Errors
    /// When they cannot.
    pub fn split(hidden: i64, heads: i64) -> Result<Self, String> {
        if heads > 0 && hidden % heads != 0 {
            return Err(format!("hidden_size {hidden} cannot be split into {heads} attention heads"));
        }
        Ok(Self { queries: heads, key_values: heads, size: hidden / heads.max(1) })
    }

    /// Sizes of all queries, all keys and all values of a token.
    #[must_use]
    pub fn qkv(&self) -> [i64; 3] {
        [self.queries, self.key_values, self.key_values].map(|heads| heads * self.size)
    }

    /// What is wrong with the numbers of heads, if anything is.
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { queries, key_values, size } = *self;
        if queries < 1 {
            return Err(format!("num_attention_heads is {queries}"));
        }
        if key_values < 1 || queries % key_values != 0 {
            return Err(format!("num_attention_heads {queries} cannot be shared by {key_values} key and value heads"));
        }
        if size < 1 { Err(format!("the size of an attention head is {size}")) } else { Ok(()) }
    }
}

/// What attention sees, and how it scores.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionForm {
    /// Whether a token sees only itself and the tokens before it.
    pub causal: bool,
    /// Whether the projections of queries, keys and values have biases.
    pub bias: Presence,
    /// Whether the output projection has one.
    pub out_bias: Presence,
    /// What distances between tokens add to their scores, the same in every layer, if they add anything.
    pub distances: Option<DistanceScores>,
    /// The rule of each pass through a layer.
    pub rules: Vec<AttentionRule>,
}

/// A table of what distances between tokens add to their scores in each head (Raffel et al. 2020), as MPNet has it.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceScores {
    /// Name of the table.
    pub name: &'static str,
    /// Its rows. The first half of [`DISTANCE_BUCKETS`] of them are for tokens before, the second for tokens after.
    pub rows: i64,
}

/// Buckets of distances in a table of scores.
pub const DISTANCE_BUCKETS: i64 = 32;

/// One layer's rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionRule {
    /// Products of queries and keys are multiplied by it.
    pub scale: f64,
    /// Largest distance at which tokens see each other; `None` for any.
    pub window: Option<i64>,
    /// Rotary positions, if the layer has them.
    pub rotary: Option<Rotary>,
}

/// Rotary positions (Su et al. 2021): queries and keys are rotated by angles that grow with the position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    /// Base of the wave lengths.
    pub theta: f64,
    /// How angles are scaled for texts longer than those of the pretraining.
    pub scaling: RotaryScaling,
}

/// How the angles of rotary positions are scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RotaryScaling {
    /// They are not.
    None,
    /// All divided by `factor` (Chen et al. 2023), `linear` in transformers.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Long waves divided by `factor`, short ones not, and those between by something between (Llama 3.1), `llama3`.
    Bands {
        /// The factor.
        factor: f64,
        /// Waves longer than the original length divided by it are long.
        low: f64,
        /// Waves shorter than the original length divided by it are short.
        high: f64,
        /// The longest text of the pretraining.
        original: f64,
    },
    /// Pairs that turn rarely divided by `factor`, those that turn often not, with a ramp between (Peng et al. 2023),
    /// `yarn`.
    Yarn {
        /// The factor.
        factor: f64,
        /// The first pair of the ramp and the pair after its last.
        ramp: [f64; 2],
        /// What rotated queries and keys are multiplied by.
        magnitude: f64,
    },
}

impl Rotary {
    /// Rotary positions of base `theta`, not scaled.
    #[must_use]
    pub fn plain(theta: f64) -> Self {
        Self { theta, scaling: RotaryScaling::None }
    }

    /// The angle between neighbouring positions for each pair of numbers of a head of this size: `[size / 2]`.
    #[must_use]
    pub fn frequencies(&self, size: i64) -> Vec<f32> {
        let frequency = |pair: i64| 1.0 / self.theta.powf((2 * pair) as f64 / size as f64);
        (0..size / 2).map(|pair| self.scaling.of(pair, frequency(pair)) as f32).collect()
    }

    /// What rotated queries and keys are multiplied by.
    #[must_use]
    pub fn magnitude(&self) -> f64 {
        if let RotaryScaling::Yarn { magnitude, .. } = self.scaling { magnitude } else { 1.0 }
    }
}

impl RotaryScaling {
    /// The frequency of pair `pair` that is `frequency` without scaling.
    fn of(self, pair: i64, frequency: f64) -> f64 {
        // `share` of it as it is, the rest divided.
        let between = |share: f64, factor: f64| (1.0 - share) * frequency / factor + share * frequency;
        match self {
            RotaryScaling::None => frequency,
            RotaryScaling::Linear { factor } => frequency / factor,
            RotaryScaling::Bands { factor, low, high, original } => {
                let turns = original * frequency / std::f64::consts::TAU;
                // Waves on a border are between.
                if turns < low {
                    frequency / factor
                } else if turns > high {
                    frequency
                } else {
                    between((turns - low) / (high - low), factor)
                }
            }
            RotaryScaling::Yarn { factor, ramp: [first, end], .. } => {
                between(1.0 - ((pair as f64 - first) / (end - first)).clamp(0.0, 1.0), factor)
            }
        }
    }
}

/// Distances between tokens, as DeBERTa has them.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeForm {
    /// Longest text.
    pub limit: i64,
    /// Distances up to half of this number are exact, longer ones fall into logarithmic buckets; 0 if all are exact.
    pub buckets: i64,
    /// Largest distance.
    pub span: i64,
    /// Whether queries and keys of distances are made with the same weights as those of words.
    pub shared: bool,
    /// Whether words attend to distances.
    pub content_to_position: bool,
    /// Whether distances attend to words.
    pub position_to_content: bool,
    /// Whether the embeddings of distances are normalised.
    pub normalised: bool,
    /// Rows of a table of absolute positions that is added to the words as well; 0 if there is none.
    pub absolute: i64,
    /// Names of the parameters.
    pub names: RelativeNames,
}

/// Names of the parameters of distances in the checkpoint, as [`Names`](super::names::Names) has them.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeNames {
    /// Embeddings of distances.
    pub table: &'static str,
    /// Their norm.
    pub norm: &'static str,
    /// In each layer, the projection that makes keys of distances.
    pub key: &'static str,
    /// In each layer, the projection that makes queries of distances.
    pub query: &'static str,
}

impl RelativeForm {
    /// Half the number of embeddings of distances.
    #[must_use]
    pub fn reach(&self) -> i64 {
        if self.buckets > 0 { self.buckets } else { self.span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_heads_of_keys_and_values_serve_several_of_queries() {
        assert_eq!(Heads::split(12, 3).unwrap(), Heads { queries: 3, key_values: 3, size: 4 });
        assert!(Heads::split(12, 5).unwrap_err().contains("cannot be split into 5"));
        let grouped = Heads { queries: 8, key_values: 2, size: 4 };
        assert_eq!((grouped.qkv(), grouped.check()), ([32, 8, 8], Ok(())));
        for heads in [Heads { key_values: 3, ..grouped }, Heads { key_values: 0, ..grouped }] {
            assert!(heads.check().unwrap_err().starts_with("num_attention_heads 8 cannot be shared by"));
        }
        assert_eq!(Heads { queries: -2, ..grouped }.check().unwrap_err(), "num_attention_heads is -2");
    }

    #[test]
    fn angles_are_those_of_the_paper_and_linear_scaling_divides_them() {
        let rotary = Rotary::plain(10_000.0);
        // theta^(-2i/d): 10000^(0/4), 10000^(-2/4).
        assert_eq!(rotary.frequencies(4), [1.0, 0.01]);
        let scaled = Rotary { scaling: RotaryScaling::Linear { factor: 4.0 }, ..rotary };
        assert_eq!(scaled.frequencies(4), [0.25, 0.0025]);
    }
}
