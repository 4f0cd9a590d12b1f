//! A sequence classifier of any supported family: encoder and head on one flat buffer of parameters.

use tch::{Device, Kind, Tensor};

use super::architecture::{Architecture, Pooling};
use super::config::ModelConfig;
use super::encoder::Encoder;
use super::head::Head;
use super::layers::dropout::Dropout;
use super::weights::params::FlatParams;
use super::weights::spec::{ParamSpec, SpecList};
use crate::data::batch::Batch;
use crate::data::layout::Layout;

/// A classifier with its parameters.
#[derive(Debug)]
pub struct Classifier {
    config: ModelConfig,
    classes: i64,
    params: FlatParams,
    encoder: Encoder,
    head: Head,
}

impl Classifier {
    /// The specs of the parameters of a classifier of `classes` classes.
    #[must_use]
    pub fn specs(architecture: &Architecture, classes: i64) -> Vec<ParamSpec> {
        let mut list = SpecList::default();
        Encoder::specs(architecture, &mut list);
        Head::specs(architecture, classes, &mut list);
        list.finish()
    }

    /// A classifier on these parameters, which must have the specs of [`Classifier::specs`].
    #[must_use]
    pub fn new(config: ModelConfig, classes: i64, params: FlatParams) -> Self {
        let encoder = Encoder::new(&config.architecture, &params);
        let head = Head::new(&config.architecture, &params);
        Self { config, classes, params, encoder, head }
    }

    /// Makes the parameters that are not `frozen` trainable.
    #[must_use]
    pub fn trainable(self, frozen: &dyn Fn(&ParamSpec) -> bool) -> Self {
        let Self { config, classes, mut params, .. } = self;
        params.train(frozen);
        Self::new(config, classes, params)
    }

    /// The same classifier, computing its matrix products in numbers of `kind`.
    #[must_use]
    pub fn computing_in(self, kind: Kind) -> Self {
        Self::new(self.config, self.classes, self.params.computing_in(kind))
    }

    /// The same classifier on `device`, not trainable.
    #[must_use]
    pub fn to_device(self, device: Device) -> Self {
        Self::new(self.config, self.classes, self.params.to_device(device))
    }

    /// A copy of the weights as they are now, not trainable.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self::new(self.config.clone(), self.classes, self.params.snapshot())
    }

    /// Copies the weights of a classifier of the same shape.
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

    /// Index of the table of word embeddings among the parameters.
    #[must_use]
    pub fn word_table(&self) -> usize {
        let names = &self.config.architecture.names;
        self.params.index(&format!("{}.weight", names.of_encoder(names.words)))
    }

    /// The device on which it computes.
    #[must_use]
    pub fn device(&self) -> Device {
        self.params.weights().device()
    }

    /// The table of word embeddings, `[vocabulary, embedding]`.
    pub fn embeddings(&self) -> &Tensor {
        self.encoder.words()
    }

    /// Word embeddings: `[tokens]` -> `[tokens, embedding]`.
    pub fn embed(&self, ids: &Tensor) -> Tensor {
        self.encoder.embed(ids)
    }

    /// Logits `[rows, classes]`, in the order of the rows, from the word embeddings `[tokens, embedding]` and types
    /// `[tokens]` of packed texts.
    pub fn forward(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        self.head.forward(&self.encoder.pooled(embeddings, types, layout, drop), drop)
    }

    /// Who attends to whom in a batch, the mean over the heads: `[rows, width, width]` for each block of texts of
    /// each layer.
    pub fn attention(&self, batch: &Batch) -> Vec<Tensor> {
        self.encoder.attention(&self.embed(&batch.ids), &batch.types, &batch.layout)
    }

    /// Which hidden state the head reads.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.head.pooling()
    }

    /// Logits `[rows, classes]` of a batch, without dropout.
    pub fn logits(&self, batch: &Batch) -> Tensor {
        self.forward(&self.embed(&batch.ids), &batch.types, &batch.layout, &mut Dropout::Off)
    }
}
