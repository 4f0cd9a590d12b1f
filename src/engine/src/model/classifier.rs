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
use crate::data::layout::{Layout, PadTokens};
use crate::host::is_finite;

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

    /// The same classifier, which only answers from now on: its layers keep their weights in a faster order as well, which
    /// takes the memory of the weights a second time.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self::new(self.config, self.classes, self.params.fixed())
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
    /// `[tokens]` of packed texts. Those of a text that is read in windows are pooled over the windows.
    pub fn forward(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        let Some(windows) = &layout.windows else {
            return self.head.forward(&self.encoder.pooled(embeddings, types, layout, drop), layout, drop);
        };
        let [embeddings, types] = [embeddings, types].map(|of_texts| of_texts.index_select(0, &windows.tokens));
        let pooled = self.encoder.pooled(&embeddings, &types, &windows.layout, drop);
        let logits = self.head.forward(&pooled, &windows.layout, drop);
        windows.pooled(&logits)
    }

    /// Who attends to whom in a batch, the mean over the heads: `[rows, width, width]` for each block of texts of
    /// each layer. The texts must not be read in windows.
    pub fn attention(&self, batch: &Batch) -> Vec<Tensor> {
        self.encoder.attention(&self.embed(&batch.ids), &batch.types, &batch.layout)
    }

    /// What it means that a text has the padding token.
    #[must_use]
    pub fn pads(&self) -> PadTokens {
        self.config.architecture.pads
    }

    /// Which hidden state the head reads.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.head.pooling()
    }

    /// What first gives a hidden state that is no number in a batch, as the weights name it: the head if nothing before
    /// it does. Slow: it reads from the device after each layer.
    #[must_use]
    pub fn origin_of_fault(&self, batch: &Batch) -> String {
        let names = &self.config.architecture.names;
        let embeddings = self.embed(&batch.ids);
        if !is_finite(&embeddings) {
            return names.of_encoder(names.words);
        }
        let found = match &batch.layout.windows {
            Some(windows) => {
                let [embeddings, types] = [&embeddings, &batch.types].map(|all| all.index_select(0, &windows.tokens));
                self.encoder.origin_of_fault(&embeddings, &types, &windows.layout)
            }
            None => self.encoder.origin_of_fault(&embeddings, &batch.types, &batch.layout),
        };
        found.unwrap_or_else(|| self.config.architecture.head.out.clone())
    }

    /// Logits `[rows, classes]` of a batch, without dropout.
    pub fn logits(&self, batch: &Batch) -> Tensor {
        self.forward(&self.embed(&batch.ids), &batch.types, &batch.layout, &mut Dropout::Off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tokenise::Encoded;
    use crate::error::Error;
    use crate::model::answers;
    use crate::model::weights::init::initialise;

    fn encoded(ids: Vec<i64>) -> Encoded {
        let count = ids.len();
        Encoded {
            ids,
            types: vec![0; count],
            second: vec![false; count],
            spans: vec![(0, 1); count],
            special: vec![false; count],
            cut: 0,
            windows: None,
        }
    }

    /// A classifier with one parameter full of a number, and what is said of its answers to two texts.
    fn faults(config: &str, name: &str, number: f64) -> Vec<Option<String>> {
        let config = ModelConfig::parse(config).unwrap();
        let mut params = initialise(Classifier::specs(&config.architecture, 3), 5);
        let size = params.view(name).size();
        params.set(name, &Tensor::full(size, number, (Kind::Float, Device::Cpu)));
        let model = Classifier::new(config, 3, params);
        let texts = [encoded(vec![2, 3, 4]), encoded(vec![5, 3])];
        let answers = answers::each(&model, texts.as_slice(), &crate::interrupt::Interrupt::default()).unwrap();
        assert_eq!(answers::logits(&model, texts.as_slice()).is_ok(), answers.iter().all(Result::is_ok));
        assert_eq!(matches!(answers::of_one(&model, &texts[0]), Err(Error::NoNumber(_))), answers[0].is_err());
        answers.into_iter().map(|answer| answer.err().map(|fault| fault.layer)).collect()
    }

    #[test]
    fn the_layer_from_which_on_there_are_no_numbers_is_named_as_in_the_weights() {
        let of = |family: &str| {
            format!(
                r#"{{"model_type":"{family}","vocab_size":11,"hidden_size":8,"num_hidden_layers":3,"n_layers":3,"dim":8,
                "n_heads":2,"hidden_dim":16,"num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":16,
                "n_embd":8,"n_layer":3,"n_head":2,"n_positions":16}}"#
            )
        };
        for (family, name, layer) in [
            ("bert", "bert.encoder.layer.1.output.dense.bias", "bert.encoder.layer.1"),
            ("bert", "bert.encoder.layer.2.attention.output.dense.bias", "bert.encoder.layer.2"),
            ("bert", "bert.embeddings.token_type_embeddings.weight", "bert.embeddings"),
            ("bert", "classifier.weight", "classifier"),
            ("distilbert", "distilbert.transformer.layer.0.ffn.lin2.bias", "distilbert.transformer.layer.0"),
            ("gpt2", "transformer.h.2.mlp.c_proj.bias", "transformer.h.2"),
            ("modernbert", "model.layers.1.mlp.Wo.weight", "model.layers.1"),
        ] {
            let found = faults(&of(family), name, f64::INFINITY);
            assert_eq!(found, [Some(layer.to_owned()), Some(layer.to_owned())], "{name}");
        }
        assert_eq!(faults(&of("bert"), "classifier.bias", 0.0), [None, None]);
    }
}
