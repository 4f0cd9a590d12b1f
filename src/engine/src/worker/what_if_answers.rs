//! What the model answers to a text after some of its words are edited.

use std::time::Instant;

use pellucid_protocol::{Subject, WhatIf, WhatIfAnswer};

use super::explain_job::RequestedText;
use crate::error::Result;
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::task::output_of;
use crate::train::Trainer;

/// Answers about edited texts; remembers the answer to the unedited one.
#[derive(Default)]
pub struct WhatIfAnswers {
    original: Option<Original>,
}

/// Weights that answer.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// The model.
    pub model: &'a Classifier,
    /// Steps done by it.
    pub step: u64,
}

/// The model's answer to a text before it is edited: valid until the weights move.
struct Original {
    subject: Subject,
    step: u64,
    probabilities: Vec<f64>,
}

impl WhatIfAnswers {
    /// Answers with these weights: both texts in one pass, the unedited one only if its answer is not known.
    ///
    /// # Errors
    /// When there is no such text or word, or the answer is not a number.
    pub fn answer(&mut self, question: WhatIf, trainer: &Trainer, weights: Answering<'_>) -> Result<WhatIfAnswer> {
        let (start, Answering { model, step }) = (Instant::now(), weights);
        let text = RequestedText::new(&question.subject, trainer)?;
        let mut rows = vec![text.edited(trainer, &question.edits)?.0.encoded];
        let known = self.original.take().filter(|known| known.step == step && known.subject == question.subject);
        if known.is_none() {
            rows.push(text.edited(trainer, &[])?.0.encoded);
        }
        let logits = answers::logits(model, &rows)?;
        let mut answers = logits.iter().map(|row| output_of(model).probabilities(row));
        let after = answers.next().unwrap_or_default();
        let before = answers.next().or(known.map(|known| known.probabilities)).unwrap_or_default();
        let (subject, probabilities) = (question.subject.clone(), before.clone());
        self.original = Some(Original { subject, step, probabilities });
        let ms = start.elapsed().as_secs_f64() * 1e3;
        Ok(WhatIfAnswer { question, step, before, after, ms })
    }
}
