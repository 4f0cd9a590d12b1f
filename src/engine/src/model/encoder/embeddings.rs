//! The embeddings of words, positions and types, which become the first hidden states; and those of distances.

use tch::Tensor;

use crate::model::architecture::attention::RelativeForm;
use crate::model::architecture::{Architecture, Positions, Projection};
use crate::model::layers::dropout::Dropout;
use crate::model::layers::linear::Linear;
use crate::model::layers::norm::Norm;
use crate::model::weights::params::FlatParams;
use crate::model::weights::spec::SpecList;

/// Tables of embeddings, and what makes hidden states of their sum.
#[derive(Debug)]
pub(super) struct Embeddings {
    /// `[vocabulary, embedding]`.
    pub(super) words: Tensor,
    positions: Option<Tensor>,
    types: Option<Tensor>,
    norm: Option<Norm>,
    projection: Option<Linear>,
    distances: Option<DistanceTable>,
}

/// What is known of each token.
pub(super) struct TokenInputs {
    /// Word embeddings, `[tokens, embedding]`.
    pub(super) words: Tensor,
    /// Token types, `[tokens]`.
    pub(super) types: Tensor,
    /// Positions within the text, `[tokens]`.
    pub(super) positions: Tensor,
}

/// Embeddings of distances.
#[derive(Debug)]
struct DistanceTable {
    /// `[2 * reach, hidden]`.
    embeddings: Tensor,
    norm: Option<Norm>,
}

impl Embeddings {
    /// Lists the specs of the parameters.
    pub(super) fn specs(a: &Architecture, list: &mut SpecList) {
        let name = |part: &str| a.names.of_encoder(part);
        let hidden = a.hidden;
        list.table(&name(a.names.words), a.vocabulary, a.embedding);
        match &a.positions {
            Positions::Learned { count, .. } => list.table(&name(a.names.positions), *count, a.embedding),
            Positions::Rotary { .. } => {}
            Positions::Relative(form) => Self::distance_specs(a, form, list),
        }
        if a.token_types > 0 {
            list.table(&name(a.names.types), a.token_types, a.embedding);
        }
        if let Some(norm) = a.names.embedding_norm {
            let size = if a.projection == Projection::BeforeNorm { hidden } else { a.embedding };
            list.norm(&name(norm), size, a.norm);
        }
        if a.projects() {
            let bias = (a.projection != Projection::BeforeNorm).into();
            list.projection(&name(a.names.projection), [hidden, a.embedding], bias);
        }
    }

    fn distance_specs(a: &Architecture, form: &RelativeForm, list: &mut SpecList) {
        let name = |part: &str| a.names.of_encoder(part);
        if form.absolute > 0 {
            list.table(&name(a.names.positions), form.absolute, a.embedding);
        }
        list.table(&name(form.names.table), 2 * form.reach(), a.hidden);
        if form.normalised {
            list.norm(&name(form.names.norm), a.hidden, a.norm);
        }
    }

    /// The embeddings on these parameters.
    pub(super) fn new(a: &Architecture, params: &FlatParams) -> Self {
        let table = |part: &str| params.find(&format!("{}.weight", a.names.of_encoder(part)));
        let norm = |part: &str| Norm::new(params, &a.names.of_encoder(part), a.norm);
        let distances = match &a.positions {
            Positions::Relative(form) => table(form.names.table)
                .map(|embeddings| DistanceTable { embeddings, norm: form.normalised.then(|| norm(form.names.norm)) }),
            _ => None,
        };
        Self {
            words: params.view(&format!("{}.weight", a.names.of_encoder(a.names.words))),
            positions: if a.names.positions.is_empty() { None } else { table(a.names.positions) },
            types: if a.token_types > 0 { table(a.names.types) } else { None },
            norm: a.names.embedding_norm.map(norm),
            projection: a.projects().then(|| Linear::new(params, &a.names.of_encoder(a.names.projection))),
            distances,
        }
    }

    /// Embeddings of distances, normalised if there is a norm: `[2 * reach, hidden]`. `None` if distances have none.
    pub(super) fn distances(&self) -> Option<Tensor> {
        let DistanceTable { embeddings, norm } = self.distances.as_ref()?;
        Some(norm.as_ref().map_or_else(|| embeddings.shallow_clone(), |norm| norm.forward(embeddings)))
    }

    /// The sum of the embeddings of words, positions and types, normalised and projected: `[tokens, hidden]`.
    pub(super) fn forward(&self, a: &Architecture, inputs: &TokenInputs, drop: &mut Dropout) -> Tensor {
        let TokenInputs { words, types, positions } = inputs;
        let mut sum = if a.embedding_scale == 1.0 { words.shallow_clone() } else { words * a.embedding_scale };
        if let Some(table) = &self.positions {
            let offset = if let Positions::Learned { offset, .. } = &a.positions { *offset } else { 0 };
            sum = &sum + Tensor::embedding(table, &(positions + offset), -1, false, false);
        }
        if let Some(table) = &self.types {
            sum = &sum + Tensor::embedding(table, &types.clamp_max(a.token_types - 1), -1, false, false);
        }
        if let (Some(layer), Projection::BeforeNorm) = (&self.projection, a.projection) {
            sum = layer.forward(&sum);
        }
        if let Some(norm) = &self.norm {
            sum = norm.forward(&sum);
        }
        sum = drop.apply(sum, a.dropout.embeddings);
        match (&self.projection, a.projection) {
            (Some(layer), Projection::AfterNorm | Projection::Always) => layer.forward(&sum),
            _ => sum,
        }
    }
}
