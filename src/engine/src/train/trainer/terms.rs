//! The terms of a step's loss on what the answers are based on: wrong reasons, and distance from a reference's.

use pellucid_protocol::explanation::Span;
use pellucid_protocol::settings::Reference;
use tch::{Kind, Tensor};

use super::Trainer;
use crate::data::batch::Batch;
use crate::error::Result;
use crate::explain::oracle::word_map;
use crate::explain::subject::Subject;
use crate::host::upload;
use crate::model::layers::dropout::Dropout;
use crate::train::attribution::{Pass, WordScores, inconsistency};
use crate::train::gradient::{Gradient, Lookup};

/// A term over one batch.
pub(super) struct Term {
    /// Its sum over the batch, `[]`.
    pub sum: Tensor,
    /// Gradient of its weighted share of the step's mean; none where the term is zero whatever the weights are.
    pub gradient: Option<Gradient>,
}

/// Scores of words by their place in the text.
pub(super) type WordMap = Vec<(Span, f64)>;

/// A forward pass whose derivatives are part of its graph.
struct Traced {
    batch: Batch,
    lookup: Lookup,
    logits: Tensor,
}

impl Trainer {
    /// Whether the terms on reasons are part of the next step.
    fn reasons_due(&self) -> bool {
        self.progress.step.is_multiple_of(self.settings.attribution_every)
    }

    /// A weight of these terms, if it has a say in the next step.
    pub(super) fn weight_now(&self, weight: f64) -> Option<f64> {
        (weight > 0.0 && self.reasons_due()).then_some(weight)
    }

    fn rows_used(&self) -> usize {
        self.settings.attribution_rows as usize
    }

    /// [`Pass::wrong_reasons`] of a batch, of a step of `examples` examples; none in a step without it. Of the texts in
    /// which something must not be a reason the first few are looked at, and stand for the others.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn wrong_reasons(&self, indices: &[usize], examples: f64) -> Result<Option<Term>> {
        if self.settings.rrr == 0.0 || !self.reasons_due() {
            return Ok(None);
        }
        let blamed = |&index: &usize| {
            let subject = self.train.subject(&self.encoder, index);
            let blamed = self.reasons.blamed(&self.train.samples[index], &subject);
            blamed.contains(&true).then(|| (subject, blamed, self.train.samples[index].label as i64))
        };
        let mut rows: Vec<(Subject, Vec<bool>, i64)> = indices.iter().filter_map(blamed).collect();
        let all = rows.len() as f64;
        rows.truncate(self.rows_used());
        if rows.is_empty() {
            return Ok(Some(Term { sum: self.zero(), gradient: None }));
        }
        let subjects: Vec<&Subject> = rows.iter().map(|(subject, ..)| subject).collect();
        let traced = self.trace(&subjects)?;
        let of_tokens = traced.batch.layout.order().iter().flat_map(|&row| {
            let (subject, blamed, _) = &rows[row];
            subject.word_of_token.iter().map(|word| f32::from(u8::from(word.is_some_and(|word| blamed[word]))))
        });
        let of_tokens = upload(&of_tokens.collect::<Vec<f32>>(), self.device);
        let classes: Vec<i64> = rows.iter().map(|(.., class)| *class).collect();
        let classes = upload(&classes, self.device);
        let sum = traced.pass().wrong_reasons(&of_tokens, &classes)? * (all / rows.len() as f64);
        self.term(&traced, &sum, self.settings.rrr / examples).map(Some)
    }

    /// [`inconsistency`] of a batch, of a step of `examples` examples; none in a step without it. The first few texts
    /// stand for the others.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn inconsistency(&mut self, indices: &[usize], examples: f64) -> Result<Option<Term>> {
        if self.settings.consistency == 0.0 || !self.reasons_due() {
            return Ok(None);
        }
        let used = &indices[..indices.len().min(self.rows_used())];
        let wanted: Vec<WordMap> = used.iter().map(|&index| self.wanted(index)).collect::<Result<_>>()?;
        let subjects: Vec<Subject> = used.iter().map(|&index| self.train.subject(&self.encoder, index)).collect();
        let traced = self.trace(&subjects.iter().collect::<Vec<_>>())?;
        let words = self.word_scores(&subjects, &wanted, traced.batch.layout.order());
        let classes: Vec<i64> = used.iter().map(|&index| self.train.samples[index].label as i64).collect();
        let scores = traced.pass().scores(&upload(&classes, self.device))?;
        let sum = inconsistency(&scores, &words) * (indices.len() as f64 / used.len() as f64);
        self.term(&traced, &sum, self.settings.consistency / examples).map(Some)
    }

    /// The reference's map of a training text's label. Each is made on its own, so that it is the same whatever batch
    /// first asks for it, and kept.
    fn wanted(&mut self, index: usize) -> Result<WordMap> {
        if let Some(map) = self.maps.get(&index) {
            return Ok(map.clone());
        }
        let sample = &self.train.samples[index];
        let (text, pair) = (sample.text.as_str(), sample.pair.as_deref());
        let (subject, scores) = match (self.settings.consistency_to, &self.teacher, &self.start) {
            (Reference::Teacher, Some(desk), _) => desk.word_map((text, pair), sample.label)?,
            (Reference::Start, _, Some(start)) => {
                let subject = self.train.subject(&self.encoder, index);
                let scores = word_map(start, &subject, sample.label)?;
                (subject, scores)
            }
            // The settings were checked: there is such a reference.
            _ => return Ok(WordMap::new()),
        };
        let map: WordMap = subject.words.iter().copied().zip(scores).collect();
        self.maps.insert(index, map.clone());
        Ok(map)
    }

    /// The words that both have, in the order of packing.
    fn word_scores(&self, subjects: &[Subject], wanted: &[WordMap], order: &[usize]) -> WordScores {
        let (mut pieces, mut word_of_piece) = (Vec::<i64>::new(), Vec::<i64>::new());
        let (mut row_of_word, mut values) = (Vec::<i64>::new(), Vec::<f32>::new());
        let mut token = 0;
        for &row in order {
            let of_span = |span: &Span| wanted[row].iter().find(|(theirs, _)| theirs == span).map(|(_, score)| *score);
            let numbers: Vec<Option<i64>> = subjects[row]
                .words
                .iter()
                .map(|span| {
                    let score = of_span(span)?;
                    values.push(score as f32);
                    row_of_word.push(row as i64);
                    Some(values.len() as i64 - 1)
                })
                .collect();
            for word in &subjects[row].word_of_token {
                if let Some(number) = word.and_then(|word| numbers[word]) {
                    pieces.push(token);
                    word_of_piece.push(number);
                }
                token += 1;
            }
        }
        let numbers = |values: &[i64]| upload(values, self.device);
        WordScores {
            pieces: numbers(&pieces),
            word_of_piece: numbers(&word_of_piece),
            row_of_word: numbers(&row_of_word),
            wanted: upload(&values, self.device),
            rows: subjects.len() as i64,
        }
    }

    /// A forward pass without dropout, as explanations are made.
    fn trace(&self, subjects: &[&Subject]) -> Result<Traced> {
        let rows: Vec<_> = subjects.iter().map(|subject| &subject.encoded).collect();
        let batch = Batch::new(&rows, self.device);
        let lookup = self.look_up(&batch);
        let lookup = Lookup { embeddings: lookup.embeddings.set_requires_grad(true), ..lookup };
        let logits = self.model.forward(&lookup.embeddings, &batch.types, &batch.layout, &mut Dropout::Twice);
        Ok(Traced { batch, lookup, logits })
    }

    fn term(&self, traced: &Traced, sum: &Tensor, weight: f64) -> Result<Term> {
        let params = self.model.params();
        let trained = params.leaves()[traced.lookup.table].requires_grad();
        let gradient = Gradient::of(&(sum * weight), params, trained.then_some(&traced.lookup))?;
        Ok(Term { sum: sum.detach(), gradient: Some(gradient) })
    }

    pub(super) fn zero(&self) -> Tensor {
        Tensor::zeros([], (Kind::Float, self.device))
    }
}

impl Traced {
    fn pass(&self) -> Pass<'_> {
        Pass { embeddings: &self.lookup.embeddings, logits: &self.logits }
    }
}
