//! A request to explain made ready: the text as the model sees it, its answer, and the explainer's thread.

use std::thread;

use pellucid_explain::Context;
use pellucid_protocol::edit::Edited;
use pellucid_protocol::explanation::{Asker, Span};
use pellucid_protocol::{Event, ExplainRequest, Explanation, Method, Sample, Subject as Wanted, WordEdit};

use super::thread::{FromThread, ToHub};
use crate::error::{Error, Result};
use crate::explain::remote::{QuestionBox, remote};
use crate::explain::session;
use crate::explain::subject::Subject;
use crate::model::classifier::Classifier;
use crate::train::{Trainer, evaluate};

/// An explainer at work, and the text it asks about.
pub struct Job {
    /// Its questions.
    pub questions: QuestionBox,
    /// The text.
    pub subject: Subject,
    /// The class.
    pub target: usize,
    /// Who asked.
    pub asker: Asker,
}

/// A text of the user's own or a sample.
pub struct Texts<'a> {
    /// The text.
    pub text: &'a str,
    /// The second text of a pair.
    pub pair: Option<&'a str>,
    /// The sample, and its index.
    pub sample: Option<(usize, &'a Sample)>,
}

impl<'a> Texts<'a> {
    /// The text that is meant.
    ///
    /// # Errors
    /// When there is no such sample.
    pub fn of(wanted: &'a Wanted, trainer: &'a Trainer) -> Result<Self> {
        match wanted {
            Wanted::Text(text) => Ok(Self { text, pair: None, sample: None }),
            Wanted::Sample(index) => {
                let missing = || Error::Setting { key: "sample", message: format!("there is no sample {index}") };
                let sample = trainer.samples().get(*index).ok_or_else(missing)?;
                Ok(Self { text: &sample.text, pair: sample.pair.as_deref(), sample: Some((*index, sample)) })
            }
        }
    }

    /// The text with its words changed, as the model sees it.
    ///
    /// # Errors
    /// When it has no such words, or the tokenizer refuses.
    pub fn edited(&self, trainer: &Trainer, edits: &[WordEdit]) -> Result<(Subject, Edited)> {
        Subject::edited(trainer.encoder(), self.text, self.pair, edits)
    }
}

/// The text of `request` and all of its explanation but the methods, by `model` as of `step`.
///
/// # Errors
/// When there is no such text, word or class, or libtorch refuses.
pub fn blank(
    request: &ExplainRequest,
    asker: Asker,
    (model, step): (&Classifier, u64),
    trainer: &Trainer,
) -> Result<(Subject, Explanation)> {
    let texts = Texts::of(&request.subject, trainer)?;
    let (subject, edited) = texts.edited(trainer, &request.edits)?;
    let logits = evaluate::logits(model, std::slice::from_ref(&subject.encoded))?;
    let probabilities = evaluate::softmax(&logits[0]);
    let target = class(request.target, &probabilities)?;
    // The teacher is asked for what a person looks at as it is: what else is asked for is in a hurry.
    let taught = asker == Asker::Person && request.edits.is_empty();
    let teacher = if taught { trainer.teacher_probabilities(texts.text, texts.pair)? } else { None };
    let explanation = Explanation {
        step,
        sample: texts.sample.map(|(index, _)| index),
        teacher_probabilities: teacher,
        label: texts.sample.map(|(_, sample)| sample.label),
        rationale: texts.sample.map(|(_, sample)| moved(sample, &texts, &edited)).unwrap_or_default(),
        edits: request.edits.clone(),
        asker,
        ..session::blank(&subject, probabilities, target)
    };
    Ok((subject, explanation))
}

/// What a person marked in a sample, where it is now.
fn moved(sample: &Sample, texts: &Texts, edited: &Edited) -> Vec<Span> {
    // A rationale is of the first text, with which the whole begins.
    let end = texts.text.chars().count();
    let place =
        |span: &Span| Span { start: edited.position(span.start.min(end)), end: edited.position(span.end.min(end)) };
    sample.rationale.iter().map(place).filter(|span| span.start < span.end).collect()
}

/// Starts the explainer of `explanation`; what it finds goes to `hub`: all of it for a person, the whole at
/// the end for a survey.
///
/// # Errors
/// When the system has no thread to give.
pub fn begin(
    (subject, explanation): (Subject, Explanation),
    methods: Vec<Method>,
    seed: u64,
    hub: ToHub,
) -> Result<Job> {
    let (mut oracle, questions) = remote(subject.words.len());
    let (target, asker) = (explanation.target, explanation.asker);
    let explainer = move || {
        let mut emit = |so_far: &Explanation| {
            if asker == Asker::Person || !so_far.partial {
                drop(hub.blocking_send(FromThread::Event(Event::Explained(Box::new(so_far.clone())))));
            }
        };
        // Cancelled: another request has taken its place, and its results are what is wanted.
        let _ = session::explain(&mut oracle, explanation, &methods, Context::new(seed), &mut emit);
    };
    let spawned = thread::Builder::new().name("pellucid-explainer".to_owned()).spawn(explainer);
    spawned.map_err(|error| Error::Torch(format!("no thread for the explainer: {error}")))?;
    Ok(Job { questions, subject, target, asker })
}

fn class(wanted: Option<usize>, probabilities: &[f64]) -> Result<usize> {
    match wanted {
        Some(class) if class >= probabilities.len() => Err(Error::Setting {
            key: "target",
            message: format!("there is no class {class}; there are {}", probabilities.len()),
        }),
        Some(class) => Ok(class),
        None => Ok((0..probabilities.len())
            .rev()
            .max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))
            .unwrap_or(0)),
    }
}
