//! All methods on one text, with results handed out as they come.

use std::time::Instant;

use pellucid_explain::{Answer, Context, Slopes, attribute};
use pellucid_protocol::{Explanation, Method};

use super::subject::Subject;

/// An explanation of `subject` with no method done yet.
#[must_use]
pub fn blank(subject: &Subject, probabilities: Vec<f64>, target: usize) -> Explanation {
    Explanation {
        request: 0,
        step: 0,
        sample: None,
        text: subject.text.clone(),
        words: subject.words.clone(),
        probabilities,
        teacher_probabilities: None,
        target,
        label: None,
        rationale: Vec::new(),
        truncated_words: subject.truncated_words,
        attributions: Vec::new(),
        partial: true,
    }
}

/// Does `methods` in order; `emit` gets the explanation so far after each of them.
///
/// # Errors
/// When the oracle gives no answer.
pub fn explain(
    oracle: &mut dyn Slopes,
    mut explanation: Explanation,
    methods: &[Method],
    seed: u64,
    emit: &mut dyn FnMut(&Explanation),
) -> Answer<Explanation> {
    let mut context = Context::new(seed);
    for (done, &method) in methods.iter().enumerate() {
        let start = Instant::now();
        let mut attribution = attribute(oracle, method, &mut context)?;
        attribution.ms = start.elapsed().as_secs_f64() * 1e3;
        explanation.attributions.push(attribution);
        context.settle(&mut explanation.attributions);
        explanation.partial = done + 1 < methods.len();
        emit(&explanation);
    }
    explanation.partial = false;
    Ok(explanation)
}
