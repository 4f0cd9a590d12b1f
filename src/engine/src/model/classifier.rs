//! BERT for sequence classification: encoder, pooler and a linear head.

use tch::{Device, Tensor};

use super::bert::{Bert, Linear, Mode, SpecList};
use super::config::{BertConfig, ModelConfig};
use super::params::{FlatParams, ParamSpec};
use crate::data::batch::Batch;

/// A classifier with its parameters.
#[derive(Debug)]
pub struct Classifier {
    config: ModelConfig,
    classes: i64,
    params: FlatParams,
    bert: Bert,
    pooler: Linear,
    head: Linear,
}

impl Classifier {
    /// The places of the parameters of a classifier of `classes` classes.
    #[must_use]
    pub fn specs(config: &BertConfig, classes: i64) -> Vec<ParamSpec> {
        let mut specs = Bert::specs(config);
        let mut list = SpecList::default();
        list.linear("bert.pooler.dense", config.hidden_size, config.hidden_size);
        list.linear("classifier", classes, config.hidden_size);
        specs.extend(list.specs);
        specs
    }

    /// A classifier on these parameters, which must be those of [`Classifier::specs`].
    #[must_use]
    pub fn new(config: ModelConfig, classes: i64, params: FlatParams) -> Self {
        let bert = Bert::new(&config.bert, &params);
        let (pooler, head) = (Linear::new(&params, "bert.pooler.dense"), Linear::new(&params, "classifier"));
        Self { config, classes, params, bert, pooler, head }
    }

    /// Makes the parameters trainable.
    #[must_use]
    pub fn trainable(self) -> Self {
        let Self { config, classes, mut params, .. } = self;
        params.train();
        Self::new(config, classes, params)
    }

    /// The same classifier on `device`, not trainable.
    #[must_use]
    pub fn to_device(self, device: Device) -> Self {
        Self::new(self.config, self.classes, self.params.to_device(device))
    }

    /// A copy that does not train, as of now.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self::new(self.config.clone(), self.classes, self.params.snapshot())
    }

    /// Takes over the weights of a classifier of the same shape.
    pub fn copy_from(&mut self, other: &Classifier) {
        self.params.copy_from(&other.params);
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> i64 {
        self.classes
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &FlatParams {
        &self.params
    }

    /// Where it computes.
    #[must_use]
    pub fn device(&self) -> Device {
        self.params.weights().device()
    }

    /// Word embeddings: `[batch, tokens]` -> `[batch, tokens, hidden]`.
    pub fn embed(&self, ids: &Tensor) -> Tensor {
        self.bert.embed(ids)
    }

    /// Logits `[batch, classes]` from word embeddings `[batch, tokens, hidden]`.
    pub fn forward(&self, embeddings: &Tensor, types: &Tensor, mask: &Tensor, mode: Mode) -> Tensor {
        let hidden = self.bert.forward(embeddings, types, mask, mode);
        // [batch, tokens, hidden] -> [batch, hidden]: the first token
        let first = hidden.select(1, 0);
        let pooled = self.pooler.forward(&first).tanh();
        let p = self.config.bert.classifier_dropout.unwrap_or(self.config.bert.hidden_dropout_prob);
        let pooled = if mode == Mode::Train && p > 0.0 { pooled.dropout(p, true) } else { pooled };
        self.head.forward(&pooled)
    }

    /// Logits `[batch, classes]` of a batch.
    pub fn logits(&self, batch: &Batch, mode: Mode) -> Tensor {
        self.forward(&self.embed(&batch.ids), &batch.types, &batch.mask, mode)
    }
}
