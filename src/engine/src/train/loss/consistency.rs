//! Consistency: explanations stay close to those of a reference, the teacher or the model before its first step.

use std::collections::BTreeMap;

use pellucid_protocol::explanation::Span;
use pellucid_protocol::settings::Reference;
use tch::{Kind, Tensor};

use super::attribution::Traced;
use super::{Compute, Group, Inputs, LossTerm, MeanOver, OwnPass, OwnTerm, References, attribution};
use crate::error::Result;
use crate::explain::maps::{teacher_word_map, word_map};
use crate::explain::subject::Subject;
use crate::host::upload;

/// The distance from the reference's explanations.
pub(super) const TERM: LossTerm = LossTerm {
    metric: "loss/consistency",
    group: Group::Reasons,
    weight,
    mean: MeanOver::Examples,
    compute: Compute::OwnPass(term),
};

/// The score of each word by its place in the text.
type WordMap = Vec<(Span, f64)>;

/// The reference's maps, by training example.
pub type ReferenceMaps = BTreeMap<usize, WordMap>;

fn weight(inputs: &Inputs<'_>, _: &References) -> Option<f64> {
    attribution::weight_now(inputs, inputs.settings.consistency)
}

/// [`inconsistency`] of a batch. The first few texts stand for the others.
fn term(inputs: &Inputs<'_>, references: &mut References, pass: &OwnPass<'_>) -> Result<OwnTerm> {
    let used = &pass.examples[..pass.examples.len().min(inputs.settings.attribution_rows as usize)];
    let wanted: Vec<WordMap> =
        used.iter().map(|&example| reference_map(inputs, references, example)).collect::<Result<_>>()?;
    let subjects: Vec<Subject> = used
        .iter()
        .map(|&example| Subject::of_example(inputs.encoder, inputs.train, example))
        .collect::<Result<_>>()?;
    let traced = Traced::new(inputs, &subjects.iter().collect::<Vec<_>>());
    let words = word_scores(inputs, &subjects, &wanted, traced.batch.layout.order());
    let labels: Vec<usize> = used.iter().map(|&example| inputs.train.class(example)).collect();
    let scores = traced.pass().scores(&inputs.task.targets(&labels, inputs.device))?;
    let sum = inconsistency(&scores, &words) * (pass.examples.len() as f64 / used.len() as f64);
    traced.term(inputs, &sum, pass.share)
}

/// The reference's map of a training text's label, made when it is first needed and then kept. Each is made on its own,
/// so that it does not depend on the batch.
fn reference_map(inputs: &Inputs<'_>, references: &mut References, example: usize) -> Result<WordMap> {
    if let Some(map) = references.maps.get(&example) {
        return Ok(map.clone());
    }
    let train = inputs.train;
    let output = inputs.task.explained_output(train.class(example));
    let (subject, scores) = match (inputs.settings.consistency_to, &references.teacher, &references.start) {
        (Reference::Teacher, Some(teacher), _) => {
            teacher_word_map(teacher, train.text(example), train.pair(example), output)?
        }
        (Reference::Start, _, Some(start)) => {
            let subject = Subject::of_example(inputs.encoder, train, example)?;
            let scores = word_map(start, &subject, output)?;
            (subject, scores)
        }
        // The settings were checked: there is such a reference.
        _ => return Ok(WordMap::new()),
    };
    let map: WordMap = subject.words.iter().copied().zip(scores).collect();
    references.maps.insert(example, map.clone());
    Ok(map)
}

/// The words that the model and its reference share, in the order in which the batch is packed.
fn word_scores(inputs: &Inputs<'_>, subjects: &[Subject], wanted: &[WordMap], order: &[usize]) -> WordScores {
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
    let numbers = |values: &[i64]| upload(values, inputs.device);
    WordScores {
        pieces: numbers(&pieces),
        word_of_piece: numbers(&word_of_piece),
        row_of_word: numbers(&row_of_word),
        wanted: upload(&values, inputs.device),
        rows: subjects.len() as i64,
    }
}

/// The words that the tokens of a packed batch make up, and their scores in the reference.
#[derive(Debug)]
pub struct WordScores {
    /// Tokens that are part of a word, `[pieces]`, i64.
    pub pieces: Tensor,
    /// The word of each of them, `[pieces]`, i64, numbered over the batch.
    pub word_of_piece: Tensor,
    /// The row of each word, `[words]`, i64.
    pub row_of_word: Tensor,
    /// The reference's score of each word, `[words]`.
    pub wanted: Tensor,
    /// Number of rows.
    pub rows: i64,
}

/// A map with a smaller squared norm counts as zero: it has no direction.
const NOTHING: f64 = 1e-20;

/// 1 - cosine between the scores of words, which are sums of those of their tokens, `[tokens]`, and the scores in the
/// reference; added up over the rows. A map of zeros is at distance 1 from every other.
///
/// Source: after AD-KD (Wu et al. 2023, arXiv 2305.10010), which pulls norms of gradient x hidden state towards a teacher's.
/// Here they are signed word scores, so that tokenizers may differ, and the cosine, so that their size does not count.
pub fn inconsistency(scores: &Tensor, words: &WordScores) -> Tensor {
    let count = words.wanted.size()[0];
    let sums = |size: i64, index: &Tensor, values: &Tensor| {
        Tensor::zeros([size], (Kind::Float, values.device())).index_add(0, index, values)
    };
    // [tokens] -> [words]
    let found = sums(count, &words.word_of_piece, &scores.index_select(0, &words.pieces));
    // [words] -> [rows]
    let by_row = |values: Tensor| sums(words.rows, &words.row_of_word, &values);
    let product = by_row(&found * &words.wanted);
    let norms = (by_row(found.square()) + NOTHING) * (by_row(words.wanted.square()) + NOTHING);
    let cosines = product / norms.sqrt();
    let apart: Tensor = 1.0 - cosines;
    apart.sum(Kind::Float)
}
