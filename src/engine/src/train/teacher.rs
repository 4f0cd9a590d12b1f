//! The teacher: its logits are computed once for each example, when they are first needed.

use tch::{Device, Kind, Tensor, no_grad};

use crate::data::batch::Batch;
use crate::data::tokenise::Encoded;
use crate::model::classifier::Classifier;

/// Examples as the teacher reads them, with its answers so far.
#[derive(Debug)]
pub struct Answers {
    encoded: Vec<Encoded>,
    logits: Tensor,
    known: Vec<bool>,
}

/// A classifier in evaluation mode whose logits the student is drawn to.
#[derive(Debug)]
pub struct Teacher {
    model: Classifier,
    /// For each class of the student, the teacher's class of the same name.
    classes: Tensor,
}

impl Teacher {
    /// A teacher; `classes[c]` is its class for the student's class `c`.
    #[must_use]
    pub fn new(model: Classifier, classes: &[usize]) -> Self {
        let classes: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
        let classes = Tensor::from_slice(&classes).to_device(model.device());
        Self { model, classes }
    }

    /// Where to keep the answers to `encoded`.
    #[must_use]
    pub fn answers(&self, encoded: Vec<Encoded>) -> Answers {
        let size = [encoded.len() as i64, self.classes.size()[0]];
        let logits = Tensor::zeros(size, (Kind::Float, self.model.device()));
        Answers { known: vec![false; encoded.len()], encoded, logits }
    }

    /// The teacher's logits `[indices, classes]` in the student's order of classes.
    pub fn logits(&self, answers: &mut Answers, indices: &[usize]) -> Tensor {
        let new: Vec<usize> = indices.iter().copied().filter(|&index| !answers.known[index]).collect();
        if !new.is_empty() {
            let rows: Vec<&Encoded> = new.iter().map(|&index| &answers.encoded[index]).collect();
            let fresh = self.forward(&rows);
            let _ = answers.logits.index_copy_(0, &places(&new, self.model.device()), &fresh);
            new.iter().for_each(|&index| answers.known[index] = true);
        }
        answers.logits.index_select(0, &places(indices, self.model.device()))
    }

    /// Logits `[rows, classes]` of texts as the teacher reads them, in the student's order of classes.
    pub fn forward(&self, rows: &[&Encoded]) -> Tensor {
        let batch = Batch::new(rows, self.model.device());
        no_grad(|| self.model.logits(&batch).index_select(1, &self.classes))
    }
}

fn places(indices: &[usize], device: Device) -> Tensor {
    let indices: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
    Tensor::from_slice(&indices).to_device(device)
}
