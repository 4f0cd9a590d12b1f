//! Names of parameters in the checkpoints of a family.

/// Names of parameters in the checkpoint, without `.weight` and `.bias`. In those of layers, `#` is the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Names {
    /// What every name of the encoder begins with in the checkpoint of a classifier, but not in that of a bare encoder.
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
    /// Query, key and value.
    pub qkv: QkvNames,
    /// Output projection of the attention.
    pub out_proj: &'static str,
    /// Norm of the attention.
    pub attention_norm: &'static str,
    /// In each layer, the norms of queries and of keys, one number for each of a head, if they have such norms.
    pub head_norms: Option<[&'static str; 2]>,
    /// First feed-forward layer, from hidden states to intermediate ones: one matrix, or that of what is activated and
    /// that of what it multiplies.
    pub up_proj: &'static [&'static str],
    /// Second feed-forward layer, back to hidden states.
    pub down_proj: &'static str,
    /// Norm of the feed-forward layers.
    pub output_norm: &'static str,
    /// Norms of what attention and of what the feed-forward layers add, where norms stand before them as well.
    pub added_norms: Option<[&'static str; 2]>,
    /// Norm after the last layer, if there is one.
    pub final_norm: Option<&'static str>,
    /// Whether matrices of layers are stored as `[in, out]`.
    pub transposed: bool,
    /// The `architectures` entry of a classifier.
    pub classifier: &'static str,
}

/// Names of the projections that make queries, keys and values.
#[derive(Debug, Clone, PartialEq)]
pub enum QkvNames {
    /// One matrix: the rows of queries, then of keys, then of values.
    Joined(&'static str),
    /// One matrix each.
    Apart([&'static str; 3]),
}

impl QkvNames {
    /// The names as a list.
    #[must_use]
    pub fn parts(&self) -> &[&'static str] {
        match self {
            QkvNames::Joined(name) => std::slice::from_ref(name),
            QkvNames::Apart(names) => names,
        }
    }
}

impl Names {
    /// The name of the parameter that joins query, key and value of layer `index`, without `.weight` and `.bias`.
    #[must_use]
    pub fn qkv_parameter(&self, index: usize) -> String {
        self.joined(self.qkv.parts(), index)
    }

    /// The name of the first feed-forward layer of layer `index`, without `.weight` and `.bias`.
    #[must_use]
    pub fn up_parameter(&self, index: usize) -> String {
        self.joined(self.up_proj, index)
    }

    fn joined(&self, parts: &[&str], index: usize) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.of_layer(part, index)).collect();
        parts.join("+")
    }

    /// The name of a part of layer `index`, prefix included.
    #[must_use]
    pub fn of_layer(&self, part: &str, index: usize) -> String {
        format!("{}{}", self.prefix, part.replace('#', &index.to_string()))
    }

    /// The name of layer `index`, with which those of its parts begin.
    #[must_use]
    pub fn layer(&self, index: usize) -> String {
        let (before, _) = self.out_proj.split_once('#').unwrap_or((self.out_proj, ""));
        format!("{}{before}{index}", self.prefix)
    }

    /// The name of the embeddings, with which those of their tables begin where there are several.
    #[must_use]
    pub fn embeddings(&self) -> String {
        self.of_encoder(self.words.split_once('.').map_or(self.words, |(folder, _)| folder))
    }

    /// The name of a part of the encoder, prefix included.
    #[must_use]
    pub fn of_encoder(&self, part: &str) -> String {
        format!("{}{part}", self.prefix)
    }
}
