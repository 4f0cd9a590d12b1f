//! All methods on one text, with results handed out as they come.

use std::time::Instant;

use pellucid_explain::words::marked;
use pellucid_explain::{Answer, Context, Slopes, attribute_watched};
use pellucid_protocol::{Attribution, Explanation, Method};

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

/// Does `methods` in order; `emit` gets the explanation so far after each of them, and while one is refined.
///
/// # Errors
/// When the oracle gives no answer.
pub fn explain(
    oracle: &mut dyn Slopes,
    mut explanation: Explanation,
    methods: &[Method],
    context: Context,
    emit: &mut dyn FnMut(&Explanation),
) -> Answer<Explanation> {
    let mut context = context.with_marked_words(marked(&explanation.words, &explanation.rationale));
    for (done, &method) in methods.iter().enumerate() {
        let start = Instant::now();
        let ms = || start.elapsed().as_secs_f64() * 1e3;
        let mut watch = |so_far: &Attribution| {
            let mut shown = explanation.clone();
            shown.attributions.push(Attribution { ms: ms(), ..so_far.clone() });
            emit(&shown);
        };
        let mut attribution = attribute_watched(oracle, method, &mut context, &mut watch)?;
        attribution.ms = ms();
        explanation.attributions.push(attribution);
        context.settle(&mut explanation.attributions);
        explanation.partial = done + 1 < methods.len();
        emit(&explanation);
    }
    explanation.partial = false;
    Ok(explanation)
}
