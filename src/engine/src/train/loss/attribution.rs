//! What terms of the loss on explanations share. Such a term is a function of a gradient, so its own gradient is a second
//! derivative: the graph of the first one is kept.

use tch::{Kind, Tensor};

use super::{Inputs, OwnTerm};
use crate::data::batch::Batch;
use crate::data::tokens::TokenRow;
use crate::error::{Error, Result};
use crate::explain::subject::Subject;
use crate::model::layers::dropout::Dropout;
use crate::train::optimiser::gradient::{Gradient, Lookup};

/// A forward pass from word embeddings, kept for derivatives.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// The embeddings that it started from, a leaf of the graph: `[tokens, size]`.
    pub embeddings: &'a Tensor,
    /// Its logits, `[rows, classes]`.
    pub logits: &'a Tensor,
}

impl Pass<'_> {
    /// The gradient of `scalar` by the embeddings, `[tokens, size]`, as part of the graph.
    fn slope(self, scalar: &Tensor) -> Result<Tensor> {
        let found = Tensor::f_run_backward(&[scalar], &[self.embeddings], true, true)?;
        found.into_iter().next().ok_or_else(|| Error::Torch("no gradient".to_owned()))
    }

    /// Gradient x input of the logit of each row's class, by token: `[tokens]`. `classes` are `[rows]`.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn scores(self, classes: &Tensor) -> Result<Tensor> {
        // [rows, classes] -> [rows]
        let of_class = self.logits.gather(1, &classes.unsqueeze(1), false).squeeze_dim(1);
        let slope = self.slope(&of_class.sum(Kind::Float))?;
        Ok((slope * self.embeddings).sum_dim_intlist([1i64].as_slice(), false, Kind::Float))
    }

    /// Right for the right reasons: the squared gradient of the logit of each row's class, less the mean of the row's
    /// logits, by the embeddings of the tokens that must not be a reason (1 in `blamed`, `[tokens]`), summed over tokens
    /// and rows. `classes` are `[rows]`.
    ///
    /// Source: Ross, Hughes and Doshi-Velez 2017, arXiv 1703.03717, equation 1, the second term before its lambda; an input
    /// dimension is a dimension of a token's embedding. They differentiate the sum of all log-probabilities. Its gradient
    /// vanishes where the probabilities are equal, whatever the model bases them on. That of a logit does not, and it does not
    /// fade with confidence either.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn wrong_reasons(self, blamed: &Tensor, classes: &Tensor) -> Result<Tensor> {
        let of_class = self.logits.gather(1, &classes.unsqueeze(1), false).sum(Kind::Float);
        let mean = self.logits.mean_dim([1i64].as_slice(), false, Kind::Float).sum(Kind::Float);
        let slope = self.slope(&(of_class - mean))?;
        let by_token = slope.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        Ok((by_token * blamed).sum(Kind::Float))
    }
}

/// A forward pass whose derivatives are part of its graph.
pub(super) struct Traced {
    pub(super) batch: Batch,
    lookup: Lookup,
    logits: Tensor,
}

impl Traced {
    /// A pass over `subjects` without dropout, as explanations are made.
    pub(super) fn new(inputs: &Inputs<'_>, subjects: &[&Subject]) -> Self {
        let rows: Vec<TokenRow> = subjects.iter().map(|subject| subject.encoded.clone().into()).collect();
        let batch = Batch::new(&rows, inputs.model.pads(), inputs.device);
        let lookup = Lookup::new(inputs.model, &batch);
        let lookup = Lookup { embeddings: lookup.embeddings.set_requires_grad(true), ..lookup };
        let logits = inputs.model.forward(&lookup.embeddings, &batch.types, &batch.layout, &mut Dropout::Twice);
        Self { batch, lookup, logits }
    }

    pub(super) fn pass(&self) -> Pass<'_> {
        Pass { embeddings: &self.lookup.embeddings, logits: &self.logits }
    }

    /// The term whose sum over the batch is `sum`, with the gradient of its `share` of the loss.
    pub(super) fn term(&self, inputs: &Inputs<'_>, sum: &Tensor, share: f64) -> Result<OwnTerm> {
        let params = inputs.model.params();
        let is_trained = params.leaves()[self.lookup.table].requires_grad();
        let gradient = Gradient::of(&(sum * share), params, is_trained.then_some(&self.lookup))?;
        Ok(OwnTerm { sum: sum.detach(), gradient: Some(gradient) })
    }
}

/// The weight of a term on explanations, if it takes part in the next step: only some steps have them.
pub(super) fn weight_now(inputs: &Inputs<'_>, weight: f64) -> Option<f64> {
    (weight > 0.0 && inputs.step.is_multiple_of(inputs.settings.attribution_every)).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::super::consistency::{WordScores, inconsistency};
    use super::*;

    /// `tests/golden/make_reasons.py`.
    const GOLDEN: &str = include_str!("../../../../../tests/golden/reasons.json");

    const CLASSES: [i64; 3] = [2, 0, 1];

    struct Golden(serde_json::Value);

    impl Golden {
        fn tensor(&self, name: &str, shape: &[i64]) -> Tensor {
            let flat: Vec<f64> = self.0[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            Tensor::from_slice(&flat).to_kind(Kind::Float).view(shape)
        }

        fn close(&self, name: &str, found: &Tensor) {
            let wanted = self.tensor(name, &found.size());
            assert!(found.allclose(&wanted, 1e-4, 1e-5, false), "{name}: {found:?} {wanted:?}");
        }
    }

    /// Three texts of 2, 3 and 1 tokens: logits are tanh(mean of a text's embeddings through W) V.
    struct Model {
        embeddings: Tensor,
        w: Tensor,
        v: Tensor,
        logits: Tensor,
    }

    fn model(golden: &Golden) -> Model {
        let leaf = |name, shape: &[i64]| golden.tensor(name, shape).set_requires_grad(true);
        let (embeddings, w, v) = (leaf("embeddings", &[6, 3]), leaf("w", &[3, 4]), leaf("v", &[4, 3]));
        let means = golden.tensor("means", &[3, 6]);
        let logits = means.matmul(&embeddings).matmul(&w).tanh().matmul(&v);
        Model { embeddings, w, v, logits }
    }

    fn gradients(term: &Tensor, model: &Model) -> Vec<Tensor> {
        Tensor::run_backward(&[term], &[&model.embeddings, &model.w, &model.v], false, false)
    }

    #[test]
    fn wrong_reasons_equal_torch_with_their_gradients() {
        let golden = Golden(serde_json::from_str(GOLDEN).unwrap());
        let model = model(&golden);
        let pass = Pass { embeddings: &model.embeddings, logits: &model.logits };
        let term = pass.wrong_reasons(&golden.tensor("blamed", &[6]), &Tensor::from_slice(&CLASSES)).unwrap();
        golden.close("rrr", &term);
        for (name, found) in ["rrr_embeddings", "rrr_w", "rrr_v"].into_iter().zip(gradients(&term, &model)) {
            golden.close(name, &found);
        }
    }

    fn words(golden: &Golden, wanted: Tensor) -> WordScores {
        let numbers = |name: &str| golden.tensor(name, &[-1]).to_kind(Kind::Int64);
        WordScores {
            pieces: numbers("pieces"),
            word_of_piece: numbers("word_of_piece"),
            row_of_word: numbers("row_of_word"),
            wanted,
            rows: 3,
        }
    }

    #[test]
    fn inconsistency_equals_torch_with_its_gradients() {
        let golden = Golden(serde_json::from_str(GOLDEN).unwrap());
        let model = model(&golden);
        let pass = Pass { embeddings: &model.embeddings, logits: &model.logits };
        let scores = pass.scores(&Tensor::from_slice(&CLASSES)).unwrap();
        golden.close("scores", &scores);
        let term = inconsistency(&scores, &words(&golden, golden.tensor("wanted", &[4])));
        golden.close("consistency", &term);
        let names = ["consistency_embeddings", "consistency_w", "consistency_v"];
        for (name, found) in names.into_iter().zip(gradients(&term, &model)) {
            golden.close(name, &found);
        }
    }

    #[test]
    fn the_same_map_whatever_its_size_is_at_no_distance_and_nothing_is_at_one() {
        let golden = Golden(serde_json::from_str(GOLDEN).unwrap());
        let scores = golden.tensor("scores", &[6]);
        let nothing = words(&golden, Tensor::zeros([4], (Kind::Float, tch::Device::Cpu)));
        assert!((inconsistency(&scores, &nothing).double_value(&[]) - 3.0).abs() < 1e-6);
        let same = nothing.wanted.index_add(0, &nothing.word_of_piece, &scores.index_select(0, &nothing.pieces)) * 7.0;
        // A row with one word of its own sign, the others in full.
        let distance = inconsistency(&scores, &words(&golden, same)).double_value(&[]);
        assert!(distance.abs() < 1e-5, "{distance}");
    }
}
