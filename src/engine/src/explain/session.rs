//! All methods on one text; results are given out as they come.

use std::time::Instant;

use pellucid_explain::words::marked;
use pellucid_explain::{Answer, Context, Slopes, check, score};
use pellucid_protocol::explanation::{Asker, Privacy};
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
        stand_ins: subject.stand_ins.clone(),
        attributions: Vec::new(),
        partial: true,
        edits: Vec::new(),
        asker: Asker::Person,
        privacy: Privacy::Public,
    }
}

/// A stage of an explanation.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    done: &'a Explanation,
    under_way: Option<UnderWay<'a>>,
}

/// A method whose scores are still refined, or not checked yet.
#[derive(Debug, Clone, Copy)]
struct UnderWay<'a> {
    attribution: &'a Attribution,
    /// Time so far, in milliseconds.
    ms: f64,
}

impl Stage<'_> {
    /// Whether more is to come.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.under_way.is_some() || self.done.partial
    }

    /// The explanation at this stage.
    #[must_use]
    pub fn explanation(&self) -> Explanation {
        let mut explanation = self.done.clone();
        explanation.attributions.extend(self.under_way.map(UnderWay::attribution));
        explanation
    }
}

impl UnderWay<'_> {
    fn attribution(self) -> Attribution {
        // A gate that was passed means nothing while another may still fail.
        let checks = self.attribution.checks.iter().copied().filter(|check| check.verdict() == Verdict::Informative);
        Attribution { ms: self.ms, checks: checks.collect(), ..self.attribution.clone() }
    }
}

/// Does `methods` in order. `emit` gets the explanation after each of them, and before that the scores while they are
/// refined and when they are done but not checked yet.
///
/// # Errors
/// When the oracle gives no answer.
pub fn explain(
    oracle: &mut dyn Slopes,
    mut explanation: Explanation,
    methods: &[Method],
    context: Context,
    emit: &mut dyn FnMut(Stage<'_>),
) -> Answer<Explanation> {
    let context = context.with_maps(methods.len());
    let mut context = context.with_marked_words(marked(&explanation.words, &explanation.rationale));
    for (done, &method) in methods.iter().enumerate() {
        let start = Instant::now();
        let mut show = |attribution: &Attribution| {
            let ms = start.elapsed().as_secs_f64() * 1e3;
            emit(Stage { done: &explanation, under_way: Some(UnderWay { attribution, ms }) });
        };
        let mut scored = score(oracle, method, &mut context, &mut show)?;
        scored.ms = start.elapsed().as_secs_f64() * 1e3;
        show(&scored);
        explanation.attributions.push(check(oracle, scored, &mut context)?);
        context.update(&mut explanation.attributions);
        explanation.partial = done + 1 < methods.len();
        emit(Stage { done: &explanation, under_way: None });
    }
    explanation.partial = false;
    Ok(explanation)
}
