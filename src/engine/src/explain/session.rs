//! All methods on one text, with results handed out as they come.

use std::time::Instant;

use pellucid_explain::words::marked;
use pellucid_explain::{Answer, Context, Slopes, check, score};
use pellucid_protocol::explanation::Asker;
use pellucid_protocol::{Attribution, Explanation, Method, Verdict};

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
        edits: Vec::new(),
        asker: Asker::Person,
    }
}

/// Does `methods` in order; `emit` gets the explanation so far after each of them, and its scores before that:
/// while they are refined and when they are done, but not checked yet.
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
        let mut show = |so_far: &Attribution| {
            let (mut shown, ms) = (explanation.clone(), start.elapsed().as_secs_f64() * 1e3);
            // A gate that was passed says nothing as long as another may fail.
            let checks = so_far.checks.iter().copied().filter(|check| check.verdict() == Verdict::Informative);
            shown.attributions.push(Attribution { ms, checks: checks.collect(), ..so_far.clone() });
            emit(&shown);
        };
        let mut scored = score(oracle, method, &mut context, &mut show)?;
        scored.ms = start.elapsed().as_secs_f64() * 1e3;
        show(&scored);
        explanation.attributions.push(check(oracle, scored, &mut context)?);
        context.update_faithfulness(&mut explanation.attributions);
        explanation.partial = done + 1 < methods.len();
        emit(&explanation);
    }
    explanation.partial = false;
    Ok(explanation)
}
