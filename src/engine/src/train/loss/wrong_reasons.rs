//! Right for the right reasons: words that must not be a reason get no gradient.

use super::attribution::Traced;
use super::{Compute, Group, Inputs, LossTerm, MeanOver, OwnPass, OwnTerm, References, attribution};
use crate::error::Result;
use crate::explain::subject::Subject;
use crate::host::upload;

/// The penalty on wrong reasons.
pub(super) const TERM: LossTerm = LossTerm {
    metric: "loss/rrr",
    group: Group::Reasons,
    weight,
    mean: MeanOver::Examples,
    compute: Compute::OwnPass(term),
};

/// A text in which some words must not be a reason.
struct Row {
    example: usize,
    subject: Subject,
    /// For each word whether it must not be a reason.
    blamed: Vec<bool>,
}

fn weight(inputs: &Inputs<'_>, _: &References) -> Option<f64> {
    attribution::weight_now(inputs, inputs.settings.rrr)
}

/// Uses only the first few of the texts in which some word must not be a reason; they stand for the others.
fn term(inputs: &Inputs<'_>, references: &mut References, pass: &OwnPass<'_>) -> Result<OwnTerm> {
    let mut rows: Vec<Row> = pass
        .examples
        .iter()
        .filter_map(|&example| row(inputs, references, example).transpose())
        .collect::<Result<_>>()?;
    let all = rows.len() as f64;
    rows.truncate(inputs.settings.attribution_rows as usize);
    if rows.is_empty() {
        return Ok(OwnTerm { sum: inputs.zero(), gradient: None });
    }
    let subjects: Vec<&Subject> = rows.iter().map(|row| &row.subject).collect();
    let traced = Traced::new(inputs, &subjects);
    let blamed: Vec<f32> = traced.batch.layout.order().iter().flat_map(|&index| rows[index].blamed_tokens()).collect();
    let labels: Vec<usize> = rows.iter().map(|row| inputs.train.class(row.example)).collect();
    let classes = inputs.task.targets(&labels, inputs.device);
    let sum = traced.pass().wrong_reasons(&upload(&blamed, inputs.device), &classes)? * (all / rows.len() as f64);
    traced.term(inputs, &sum, pass.share)
}

/// Example `example`, if it has a word that must not be a reason.
fn row(inputs: &Inputs<'_>, references: &References, example: usize) -> Result<Option<Row>> {
    let subject = Subject::of_example(inputs.encoder, inputs.train, example)?;
    let blamed = references.reasons.blamed(inputs.train.rationale(example), &subject);
    Ok(blamed.contains(&true).then_some(Row { example, subject, blamed }))
}

impl Row {
    /// 1 for the tokens of words that must not be a reason.
    fn blamed_tokens(&self) -> impl Iterator<Item = f32> {
        self.subject.word_of_token.iter().map(|word| f32::from(u8::from(word.is_some_and(|word| self.blamed[word]))))
    }
}
