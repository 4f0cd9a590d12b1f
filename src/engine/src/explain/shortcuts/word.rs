//! What an evaluation shows about a shortcut candidate: its share of importance, and the answers without it.

use pellucid_explain::shortcut::{Shift, plain};
use pellucid_protocol::watched::WatchedWord;
use tch::{Kind, no_grad};

use super::Evaluated;
use crate::data::batch::Batch;
use crate::data::tokens::TokenRow;
use crate::error::Result;
use crate::explain::maps::word_maps;
use crate::explain::subject::Subject;
use crate::model::answers::{checked, host_rows};

/// The most texts over which the share of importance is measured; they are named as examples.
const EXAMPLES: usize = 16;
/// Texts in one forward pass.
const ROWS: usize = 64;

/// Measures one word. `named` is the step at which it was reported.
///
/// # Errors
/// When libtorch refuses.
pub(super) fn look(shift: &Shift, named: Option<u64>, evaluated: Evaluated<'_>) -> Result<WatchedWord> {
    let Shift { word, class, texts, in_training, in_validation } = shift.clone();
    let without = answers_without(&word, &texts, evaluated)?;
    let mean = |sum: f64| sum / texts.len().max(1) as f64;
    let of_class = |shares: &[f32]| shares.get(class).copied().map_or(0.0, f64::from);
    let probability = mean(texts.iter().map(|&text| of_class(&evaluated.predictions[text].probabilities)).sum());
    let masked_probability = mean(without.iter().map(|shares| of_class(shares)).sum());
    let examples: Vec<usize> = texts.iter().copied().take(EXAMPLES).collect();
    Ok(WatchedWord {
        named,
        texts: texts.len(),
        in_training,
        in_validation,
        importance: importance(&word, class, &examples, evaluated)?,
        probability,
        masked_probability,
        masked_accuracy: accuracy_with(&texts, &without, evaluated),
        word,
        class,
        examples,
    })
}

/// Which words of a text are `word`.
fn places(subject: &Subject, word: &str) -> Vec<bool> {
    (0..subject.words.len()).map(|place| plain(&subject.word(place)) == word).collect()
}

/// Probabilities of the classes for texts in which `word` is masked.
pub(super) fn answers_without(word: &str, texts: &[usize], evaluated: Evaluated<'_>) -> Result<Vec<Vec<f32>>> {
    let masked = |&text: &usize| {
        let subject = Subject::of_example(evaluated.encoder, evaluated.valid, text)?;
        let presence: Vec<bool> = places(&subject, word).into_iter().map(|is_it| !is_it).collect();
        Ok(TokenRow { ids: subject.masked(&presence), ..subject.encoded.into() })
    };
    let mut answers = Vec::with_capacity(texts.len());
    for part in texts.chunks(ROWS) {
        let rows: Vec<TokenRow> = part.iter().map(masked).collect::<Result<_>>()?;
        let batch = Batch::new(&rows, evaluated.model.pads(), evaluated.model.device());
        let shares = host_rows(&no_grad(|| evaluated.model.logits(&batch).softmax(-1, Kind::Double)))?;
        for (row, shares) in rows.iter().zip(shares) {
            answers.push(checked(evaluated.model, || row.clone(), shares)?);
        }
    }
    Ok(answers)
}

/// The accuracy on the validation set if `texts` had the answers `without`.
fn accuracy_with(texts: &[usize], without: &[Vec<f32>], evaluated: Evaluated<'_>) -> f64 {
    let mut answers: Vec<usize> = evaluated.predictions.iter().map(pellucid_protocol::Prediction::class).collect();
    for (&text, shares) in texts.iter().zip(without) {
        let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class);
        answers[text] = best.unwrap_or(answers[text]);
    }
    let right = (0..answers.len()).filter(|&text| answers[text] == evaluated.valid.class(text)).count();
    right as f64 / answers.len().max(1) as f64
}

/// The mean share of `word` in the sum of |gradient x input| over the words of each text; 0 in a map of zeros.
fn importance(word: &str, class: usize, texts: &[usize], evaluated: Evaluated<'_>) -> Result<f64> {
    let subjects: Vec<Subject> = texts
        .iter()
        .map(|&text| Subject::of_example(evaluated.encoder, evaluated.valid, text))
        .collect::<Result<_>>()?;
    let maps = word_maps(evaluated.model, &subjects.iter().map(|subject| (subject, class)).collect::<Vec<_>>())?;
    let share = |(subject, map): (&Subject, &Vec<f64>)| {
        let all: f64 = map.iter().map(|score| score.abs()).sum();
        let own = map.iter().zip(places(subject, word)).filter(|(_, is_it)| *is_it).map(|(score, _)| score.abs());
        if all > 0.0 { own.sum::<f64>() / all } else { 0.0 }
    };
    Ok(subjects.iter().zip(&maps).map(share).sum::<f64>() / texts.len().max(1) as f64)
}
