//! BERT with a masked language modelling head whose decoder is tied to the word embeddings.

use tch::Tensor;

use super::architecture::{Architecture, Presence};
use super::config::ModelConfig;
use super::encoder::Encoder;
use super::layers::dropout::Dropout;
use super::layers::linear::Linear;
use super::layers::norm::Norm;
use super::weights::params::FlatParams;
use super::weights::spec::{ParamSpec, SpecList};
use crate::data::batch::Batch;

/// A masked language model with its parameters.
#[derive(Debug)]
pub struct MaskedLm {
    config: ModelConfig,
    params: FlatParams,
    encoder: Encoder,
    transform: Linear,
    norm: Norm,
    bias: Tensor,
}

impl MaskedLm {
    /// The specs of the parameters.
    #[must_use]
    pub fn specs(architecture: &Architecture) -> Vec<ParamSpec> {
        let mut list = SpecList::default();
        Encoder::specs(architecture, &mut list);
        list.linear(
            "cls.predictions.transform.dense",
            [architecture.embedding, architecture.hidden],
            Presence::Present,
        );
        list.norm("cls.predictions.transform.LayerNorm", architecture.embedding, architecture.norm);
        list.bias("cls.predictions.bias", architecture.vocabulary);
        list.finish()
    }

    /// A model on these parameters, which become trainable.
    #[must_use]
    pub fn trainable(config: ModelConfig, mut params: FlatParams) -> Self {
        params.train(&|_| false);
        Self {
            encoder: Encoder::new(&config.architecture, &params),
            transform: Linear::new(&params, "cls.predictions.transform.dense"),
            norm: Norm::new(&params, "cls.predictions.transform.LayerNorm", config.architecture.norm),
            bias: params.view("cls.predictions.bias"),
            config,
            params,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &FlatParams {
        &self.params
    }

    /// Logits `[places, vocabulary]` at `places`, indices of packed tokens.
    pub fn logits(&self, batch: &Batch, places: &Tensor, drop: &mut Dropout) -> Tensor {
        let hidden = self.encoder.forward(&self.encoder.embed(&batch.ids), &batch.types, &batch.layout, drop);
        // [tokens, hidden] -> [places, hidden]
        let chosen = hidden.index_select(0, places);
        let activation = self.config.architecture.feed_forward.activation;
        let state = self.norm.forward(&activation.apply(&self.transform.forward(&chosen)));
        state.linear(self.encoder.words(), Some(&self.bias))
    }
}
