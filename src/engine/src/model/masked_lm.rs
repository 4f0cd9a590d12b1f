//! BERT with a masked language modelling head whose decoder is tied to the word embeddings.

use tch::Tensor;

use super::bert::{Bert, Linear, Mode, Norm, SpecList};
use super::config::{BertConfig, ModelConfig};
use super::params::{FlatParams, ParamSpec};
use crate::data::batch::Batch;

/// A masked language model with its parameters.
#[derive(Debug)]
pub struct MaskedLm {
    config: ModelConfig,
    params: FlatParams,
    bert: Bert,
    transform: Linear,
    norm: Norm,
    bias: Tensor,
}

impl MaskedLm {
    /// The places of the parameters.
    #[must_use]
    pub fn specs(config: &BertConfig) -> Vec<ParamSpec> {
        let mut specs = Bert::specs(config);
        let mut list = SpecList::default();
        list.linear("cls.predictions.transform.dense", config.hidden_size, config.hidden_size);
        list.norm("cls.predictions.transform.LayerNorm", config.hidden_size);
        list.plain("cls.predictions.bias", config.vocab_size);
        specs.extend(list.specs);
        specs
    }

    /// A model on these parameters, which become trainable.
    #[must_use]
    pub fn trainable(config: ModelConfig, mut params: FlatParams) -> Self {
        params.train();
        Self {
            bert: Bert::new(&config.bert, &params),
            transform: Linear::new(&params, "cls.predictions.transform.dense"),
            norm: Norm::new(&params, "cls.predictions.transform.LayerNorm", config.bert.layer_norm_eps),
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

    /// Logits `[places, vocabulary]` at `places`, indices into the flattened `[batch * tokens]`.
    pub fn logits(&self, batch: &Batch, places: &Tensor, mode: Mode) -> Tensor {
        let hidden = self.bert.forward(&self.bert.embed(&batch.ids), &batch.types, &batch.mask, mode);
        let width = self.config.bert.hidden_size;
        // [batch, tokens, hidden] -> [batch * tokens, hidden] -> [places, hidden]
        let chosen = hidden.view([-1, width]).index_select(0, places);
        let state = self.norm.forward(&self.config.bert.hidden_act.apply(&self.transform.forward(&chosen)));
        state.linear(self.bert.word_embeddings(), Some(&self.bias))
    }
}
