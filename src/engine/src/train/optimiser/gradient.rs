//! The gradient of a loss: a tensor for each parameter, and for word embeddings only the rows that occur.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor, no_grad};

use crate::data::batch::Batch;
use crate::error::Result;
use crate::host::{numbers, numbers_mut, upload};
use crate::model::classifier::Classifier;
use crate::model::weights::params::FlatParams;

/// The gradient of a loss by the parameters.
#[derive(Debug)]
pub struct Gradient {
    /// One tensor of each parameter's shape, in the order of the buffer; `None` for those that have none.
    pub dense: Vec<Option<Tensor>>,
    /// The gradient of the word embeddings, if they were looked up outside the graph.
    pub words: Option<RowGradient>,
}

/// The gradient of some rows of a table; all others are zero.
#[derive(Debug)]
pub struct RowGradient {
    /// Index of the table among the parameters.
    pub table: usize,
    /// Numbers of the rows, rising.
    pub rows: Vec<usize>,
    /// Their gradients, `[rows, size]`.
    pub values: Tensor,
}

/// Word embeddings that a forward pass started from.
#[derive(Debug)]
pub struct Lookup {
    /// Index of the table among the parameters.
    pub table: usize,
    /// The row of each token.
    pub ids: Vec<i64>,
    /// The embeddings, a leaf of the graph: `[tokens, size]`.
    pub embeddings: Tensor,
}

impl Lookup {
    /// Looks up the word embeddings of `batch` as a leaf of the graph, so that the gradient of the table is that of a few
    /// rows.
    #[must_use]
    pub fn new(model: &Classifier, batch: &Batch) -> Self {
        let table = model.word_table();
        let is_trained = model.params().leaves()[table].requires_grad();
        let embeddings = no_grad(|| model.embed(&batch.ids)).detach().set_requires_grad(is_trained);
        Self { table, ids: batch.host_ids.clone(), embeddings }
    }
}

impl Gradient {
    /// The gradient of the scalar `loss` by all trainable parameters and by the embeddings of `lookup`.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn of(loss: &Tensor, params: &FlatParams, lookup: Option<&Lookup>) -> Result<Self> {
        let apart = lookup.map(|lookup| lookup.table);
        let wanted: Vec<usize> = (0..params.leaves().len())
            .filter(|&index| params.leaves()[index].requires_grad() && Some(index) != apart)
            .collect();
        let mut inputs: Vec<&Tensor> = wanted.iter().map(|&index| &params.leaves()[index]).collect();
        inputs.extend(lookup.map(|lookup| &lookup.embeddings));
        let mut found = Tensor::f_run_backward(&[loss], &inputs, false, false)?;
        let words = lookup.and_then(|lookup| found.pop().map(|of_tokens| RowGradient::new(lookup, &of_tokens)));
        let mut dense: Vec<Option<Tensor>> = params.leaves().iter().map(|_| None).collect();
        for (index, tensor) in wanted.into_iter().zip(found) {
            dense[index] = tensor.defined().then(|| tensor.contiguous());
        }
        Ok(Self { dense, words })
    }

    /// Adds `other`.
    pub fn add(&mut self, other: Gradient) {
        no_grad(|| {
            for (mine, theirs) in self.dense.iter_mut().zip(other.dense) {
                match (mine.as_mut(), theirs) {
                    (Some(mine), Some(theirs)) => drop(mine.g_add_(&theirs)),
                    (None, theirs) => *mine = theirs,
                    (_, None) => {}
                }
            }
        });
        self.words = match (self.words.take(), other.words) {
            (Some(mine), Some(theirs)) => Some(mine.with(&theirs)),
            (mine, theirs) => mine.or(theirs),
        };
    }

    /// The gradient with the rows of word embeddings merged into the dense part.
    #[must_use]
    pub fn densified(mut self, params: &FlatParams) -> Self {
        if let Some(words) = self.words.take() {
            let table = &params.leaves()[words.table];
            let rows: Vec<i64> = words.rows.iter().map(|&row| row as i64).collect();
            let index = upload(&rows, table.device());
            self.dense[words.table] = Some(table.detach().zeros_like().index_copy(0, &index, &words.values));
        }
        self
    }
}

impl RowGradient {
    /// Adds up the gradients of tokens, `[tokens, size]`, by their rows of the table, in the order of the tokens.
    fn new(lookup: &Lookup, of_tokens: &Tensor) -> Self {
        let mut places: BTreeMap<usize, usize> = lookup.ids.iter().map(|&id| (id as usize, 0)).collect();
        let rows: Vec<usize> = places.keys().copied().collect();
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let targets: Vec<usize> = lookup.ids.iter().map(|&id| places[&(id as usize)]).collect();
        let size = of_tokens.size()[1];
        let mut values = Tensor::zeros([rows.len() as i64, size], (Kind::Float, of_tokens.device()));
        if of_tokens.device() == Device::Cpu {
            let of_tokens = of_tokens.contiguous();
            let (from, into) = (numbers(&of_tokens), numbers_mut(&mut values));
            let size = size as usize;
            for (&target, part) in targets.iter().zip(from.chunks_exact(size)) {
                into[target * size..][..size].iter_mut().zip(part).for_each(|(sum, &value)| *sum += value);
            }
        } else {
            let targets: Vec<i64> = targets.iter().map(|&target| target as i64).collect();
            let index = upload(&targets, of_tokens.device());
            let _ = values.index_add_(0, &index, of_tokens);
        }
        Self { table: lookup.table, rows, values }
    }

    fn with(&self, other: &RowGradient) -> Self {
        let ids = self.rows.iter().chain(&other.rows).map(|&row| row as i64).collect();
        let lookup = Lookup { table: self.table, ids, embeddings: Tensor::new() };
        Self::new(&lookup, &Tensor::cat(&[&self.values, &other.values], 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture::Presence;
    use crate::model::weights::spec::SpecList;

    fn params() -> FlatParams {
        let mut list = SpecList::default();
        list.table("words", 5, 2);
        list.linear("head", [3, 2], Presence::Present);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        let _ = no_grad(|| params.weights().shallow_clone().uniform_(-1.0, 1.0));
        params.train(&|_| false);
        params
    }

    fn loss(params: &FlatParams, embeddings: &Tensor) -> Tensor {
        embeddings.linear(&params.view("head.weight"), Some(&params.view("head.bias"))).square().sum(Kind::Float)
    }

    /// By the graph alone, the table included.
    fn whole(params: &FlatParams, ids: &[i64]) -> Gradient {
        let looked_up = Tensor::embedding(&params.view("words.weight"), &Tensor::from_slice(ids), -1, false, false);
        Gradient::of(&loss(params, &looked_up), params, None).unwrap()
    }

    fn apart(params: &FlatParams, ids: &[i64]) -> Gradient {
        let table = params.index("words.weight");
        let rows = no_grad(|| params.leaves()[table].index_select(0, &Tensor::from_slice(ids)));
        let lookup = Lookup { table, ids: ids.to_vec(), embeddings: rows.detach().set_requires_grad(true) };
        Gradient::of(&loss(params, &lookup.embeddings), params, Some(&lookup)).unwrap()
    }

    fn same(a: &Gradient, b: &Gradient) -> bool {
        a.dense.iter().zip(&b.dense).all(|(a, b)| a.as_ref().unwrap().allclose(b.as_ref().unwrap(), 1e-6, 1e-6, false))
    }

    #[test]
    fn rows_apart_are_the_gradient_of_the_table() {
        let params = params();
        let found = apart(&params, &[3, 1, 3, 3]);
        assert_eq!(found.words.as_ref().unwrap().rows, [1, 3]);
        assert!(same(&found.densified(&params), &whole(&params, &[3, 1, 3, 3])));
    }

    #[test]
    fn gradients_of_parts_add_up() {
        let params = params();
        let mut sum = apart(&params, &[3, 1]);
        sum.add(apart(&params, &[4, 3]));
        assert!(same(&sum.densified(&params), &whole(&params, &[3, 1, 4, 3])));
    }
}
