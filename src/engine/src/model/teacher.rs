//! The teacher. Its logits are computed once for each example, when they are first needed.

pub mod cache;

use std::sync::Arc;

use pellucid_protocol::event::ModelCard;
use tch::{Device, Kind, Tensor, no_grad};

use self::cache::TeacherCache;
use super::answers::{all, checked, host_rows};
use super::classifier::Classifier;
use crate::data::batch::Batch;
use crate::data::tokenise::TextEncoder;
use crate::data::tokens::{TokenRow, TokenSource, Tokens};
use crate::error::{Error, Result};
use crate::host::upload;
use crate::interrupt::Interrupt;

/// Examples as the teacher reads them, with its answers so far.
#[derive(Debug)]
pub struct Answers {
    tokens: Arc<Tokens>,
    logits: Tensor,
    known: Vec<bool>,
}

impl Answers {
    /// Logits `[examples, classes]`, and 1 for each example whose logits are known, `[examples]`.
    pub fn state(&self) -> (Tensor, Tensor) {
        let known: Vec<f32> = self.known.iter().map(|&known| f32::from(u8::from(known))).collect();
        (self.logits.to_device(Device::Cpu), Tensor::from_slice(&known))
    }

    /// Takes over what is known in the state of the same examples; a state of another size is ignored.
    pub fn restore(&mut self, logits: &Tensor, known: &Tensor) {
        let Ok(known) = Vec::<f32>::try_from(known) else { return };
        if logits.size() != self.logits.size() || known.len() != self.known.len() {
            return;
        }
        // An answer that is no number is asked for again, and then said to be none.
        let Ok(finite) = finite_rows(logits) else { return };
        no_grad(|| self.logits.copy_(logits));
        self.known = known.into_iter().zip(finite).map(|(known, finite)| known > 0.0 && finite).collect();
    }
}

/// A classifier in evaluation mode whose logits the student learns from.
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
        let classes = upload(&classes, model.device());
        Self { model, classes }
    }

    /// Room for the answers to the texts of `tokens`.
    #[must_use]
    pub fn answers(&self, tokens: Arc<Tokens>) -> Answers {
        let size = [tokens.count() as i64, self.classes.size()[0]];
        let logits = Tensor::zeros(size, (Kind::Float, self.model.device()));
        Answers { known: vec![false; tokens.count()], tokens, logits }
    }

    /// The teacher's logits `[indices, classes]` in the student's order of classes.
    pub fn logits(&self, answers: &mut Answers, indices: &[usize]) -> Tensor {
        let new: Vec<usize> = indices.iter().copied().filter(|&index| !answers.known[index]).collect();
        if !new.is_empty() {
            let rows: Vec<TokenRow> = new.iter().map(|&index| answers.tokens.row(index)).collect();
            let fresh = self.forward(&rows);
            let _ = answers.logits.index_copy_(0, &places(&new, self.model.device()), &fresh);
            new.iter().for_each(|&index| answers.known[index] = true);
        }
        answers.logits.index_select(0, &places(indices, self.model.device()))
    }

    /// The model itself.
    #[must_use]
    pub fn model(&self) -> &Classifier {
        &self.model
    }

    /// The model's own index of the student's class `class`.
    #[must_use]
    pub fn own_class(&self, class: usize) -> usize {
        self.classes.int64_value(&[class as i64]) as usize
    }

    /// Logits `[rows, classes]` of texts as the teacher reads them, in the student's order of classes.
    pub fn forward(&self, rows: &[TokenRow]) -> Tensor {
        let batch = Batch::new(rows, self.model.pads(), self.model.device());
        no_grad(|| self.model.logits(&batch).index_select(1, &self.classes))
    }
}

/// A teacher with its answers to the examples of a run.
pub struct TeacherState {
    /// The teacher.
    pub teacher: Teacher,
    /// Its tokenizer.
    pub encoder: TextEncoder,
    /// Its card.
    pub card: ModelCard,
    /// Its answers to the training examples.
    pub train: Answers,
    /// Its answers to the validation examples.
    pub valid: Answers,
    /// Where the answers to the training examples are kept for other runs.
    pub cache: Option<TeacherCache>,
}

impl TeacherState {
    /// The teacher's logits of every validation example; stops as soon as `interrupt` asks for it.
    ///
    /// # Errors
    /// When libtorch refuses, an answer is not a number, or interrupted.
    pub fn valid_logits(&mut self, interrupt: &Interrupt) -> Result<Vec<Vec<f32>>> {
        let every: Vec<usize> = (0..self.valid.known.len()).collect();
        let mut rows = Vec::new();
        for chunk in every.chunks(64) {
            interrupt.check()?;
            rows.extend(host_rows(&self.teacher.logits(&mut self.valid, chunk))?);
        }
        let answer = |(text, logits)| checked(self.teacher.model(), || self.valid.tokens.row(text), logits);
        let answers = rows.into_iter().enumerate().map(answer).collect();
        all(answers, "the teacher, validation text")
    }

    /// Why the student cannot learn from the answers to the training examples so far: the first that is not a number.
    /// Reads from the device.
    #[must_use]
    pub fn fault(&self) -> Option<Error> {
        let finite = finite_rows(&self.train.logits).ok()?;
        let example = (0..finite.len()).find(|&example| self.train.known[example] && !finite[example])?;
        let logits = host_rows(&self.train.logits.get(example as i64)).ok()?.pop()?;
        let answer = checked(self.teacher.model(), || self.train.tokens.row(example), logits);
        let fault = answer.err()?;
        Some(Error::Refused(format!("the teacher, training text {}: {fault}", example + 1)))
    }

    /// Puts the answers so far where other runs find them.
    pub fn share(&self) {
        if let Some(cache) = &self.cache {
            cache.add(&self.train);
        }
    }
}

/// Whether the logits of each example, `[examples, classes]`, are neither NaN nor infinite.
fn finite_rows(logits: &Tensor) -> Result<Vec<bool>> {
    Ok(Vec::<bool>::try_from(logits.isfinite().all_dim(1, false).to_device(Device::Cpu))?)
}

fn places(indices: &[usize], device: Device) -> Tensor {
    let indices: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
    upload(&indices, device)
}
