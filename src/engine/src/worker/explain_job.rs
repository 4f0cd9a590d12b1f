//! One explanation: the text as the model sees it, the model's answer, and the explainer's thread.

use std::sync::{Arc, OnceLock};
use std::thread;

use pellucid_explain::{Context, OracleError};
use pellucid_protocol::edit::Edited;
use pellucid_protocol::explanation::{Asker, Span};
use pellucid_protocol::{Event, ExplainRequest, Explanation, Sample, Subject as ExplainSubject, WordEdit};

use super::message::{Report, Reports};
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::explain::remote::{Company, QuestionBox, remote};
use crate::explain::session::{self, Ending, Plan, Stage};
use crate::explain::subject::Subject;
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::task::output_of;
use crate::train::Trainer;

/// An explainer at work, and the text it asks about.
pub struct ExplainJob {
    /// Its questions.
    pub questions: QuestionBox,
    /// The text.
    pub subject: Subject,
    /// The class.
    pub target: usize,
    /// Who asked.
    pub asker: Asker,
    /// Why the explainer has given up, if it has: that the model's answers are no numbers.
    pub failure: Arc<OnceLock<String>>,
}

/// The text that a request names: the user's own, or a sample.
pub struct RequestedText {
    /// The text.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// The sample, and its index.
    pub sample: Option<(usize, Sample)>,
}

impl RequestedText {
    /// The text of `subject`.
    ///
    /// # Errors
    /// When there is no such sample.
    pub fn new(subject: &ExplainSubject, trainer: &Trainer) -> Result<Self> {
        match subject {
            ExplainSubject::Text(text) => Ok(Self { text: text.clone(), pair: None, sample: None }),
            ExplainSubject::Sample(index) => {
                let missing = || Error::Setting { key: "sample", message: format!("there is no sample {index}") };
                let sample = trainer.sample(*index).ok_or_else(missing)?;
                Ok(Self { text: sample.text.clone(), pair: sample.pair.clone(), sample: Some((*index, sample)) })
            }
        }
    }

    /// The text with its words changed, as the model sees it.
    ///
    /// # Errors
    /// When it has no such words, or the tokenizer refuses.
    pub fn edited(&self, trainer: &Trainer, edits: &[WordEdit]) -> Result<(Subject, Edited)> {
        Subject::edited(trainer.encoder(), &self.text, self.pair.as_deref(), edits)
    }
}

/// How an explainer does its work.
pub struct JobWork {
    /// The seed of its draws.
    pub seed: u64,
    /// Who else uses the thread that answers it.
    pub company: Company,
    /// Where what it finds goes.
    pub reports: Reports,
}

/// A text and its explanation without the methods, before the explainer starts.
pub struct PreparedExplanation {
    /// The text as the model sees it.
    pub subject: Subject,
    /// Its explanation so far: everything but the methods.
    pub explanation: Explanation,
}

/// Prepares the explanation of `text`, which `request` names, by the weights of `snapshot`.
///
/// # Errors
/// When it has no such words, there is no such class, the answer is not a number, or libtorch refuses.
pub fn prepare(
    text: &RequestedText,
    request: &ExplainRequest,
    asker: Asker,
    snapshot: &Snapshot,
    trainer: &Trainer,
) -> Result<PreparedExplanation> {
    let model = &snapshot.model;
    let (subject, edited) = text.edited(trainer, &request.edits)?;
    let probabilities = output_of(model).probabilities(&answers::of_one(model, &subject.encoded)?);
    let target = target(request.target, model, &probabilities)?;
    // The teacher answers only for a text that a person looks at unedited: other requests are urgent.
    let taught = asker == Asker::Person && request.edits.is_empty();
    let teacher = if taught { trainer.teacher_probabilities(&text.text, text.pair.as_deref())? } else { None };
    let explanation = Explanation {
        step: snapshot.step,
        sample: text.sample.as_ref().map(|(index, _)| *index),
        teacher_probabilities: teacher,
        label: text.sample.as_ref().map(|(_, sample)| sample.label),
        rationale: text.sample.as_ref().map(|(_, sample)| moved(sample, text, &edited)).unwrap_or_default(),
        edits: request.edits.clone(),
        asker,
        privacy: trainer.privacy(text.sample.as_ref().map(|(index, _)| *index)),
        ..session::blank(&subject, probabilities, target)
    };
    Ok(PreparedExplanation { subject, explanation })
}

/// The rationale of a sample, at its place in the edited text.
fn moved(sample: &Sample, text: &RequestedText, edited: &Edited) -> Vec<Span> {
    // A rationale is of the first text, with which the whole begins.
    let end = text.text.chars().count();
    let place =
        |span: &Span| Span { start: edited.position(span.start.min(end)), end: edited.position(span.end.min(end)) };
    sample.rationale.iter().map(place).filter(|span| span.start < span.end).collect()
}

impl PreparedExplanation {
    /// Starts the explainer's thread. What it finds is reported: each stage for a person, only the whole for a survey.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(self, request: &ExplainRequest, work: JobWork) -> Result<ExplainJob> {
        let (methods, depth) = (request.methods.clone(), request.checks);
        let Self { subject, explanation } = self;
        let JobWork { seed, company, reports } = work;
        let (mut oracle, questions) = remote(subject.words.len(), company);
        let (target, asker) = (explanation.target, explanation.asker);
        let failure = Arc::new(OnceLock::new());
        let reason = Arc::clone(&failure);
        let explainer = move || {
            let mut emit = |stage: Stage<'_>| {
                let is_wanted = match stage.ending() {
                    Ending::Open => asker == Asker::Person,
                    Ending::Over => true,
                    // What is done is kept: for the record, and for who comes back to the text.
                    Ending::Cancelled | Ending::Failed => asker == Asker::Person && stage.has_maps(),
                };
                if is_wanted {
                    let explained = Event::Explained(Box::new(stage.explanation()));
                    drop(reports.blocking_send(Report::Event(explained)));
                }
            };
            let plan = Plan::new(&methods, Context::new(seed).with_depth(depth));
            let done = session::explain(&mut oracle, explanation, plan, &mut emit);
            // If it was cancelled, another request has taken its place.
            if let Err(OracleError::Failed(why)) = done {
                let _ = reason.set(why);
            }
            // Whoever sees that there are no more questions sees the reason as well.
            drop(oracle);
        };
        let spawned = thread::Builder::new().name("pellucid-explainer".to_owned()).spawn(explainer);
        spawned.map_err(|error| Error::system("a thread for the explainer", error))?;
        Ok(ExplainJob { questions, subject, target, asker, failure })
    }
}

/// The output to explain: the one that was asked for, or the answer.
fn target(requested: Option<usize>, model: &Classifier, probabilities: &[f64]) -> Result<usize> {
    match requested {
        Some(class) if class >= probabilities.len() => Err(Error::Setting {
            key: "target",
            message: format!("there is no class {class}; there are {}", probabilities.len()),
        }),
        Some(class) => Ok(class),
        None => Ok(output_of(model).answer(probabilities)),
    }
}
