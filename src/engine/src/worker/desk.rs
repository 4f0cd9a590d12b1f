//! Commands and explanations between training steps, on the thread that owns the tensors.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use pellucid_explain::Context;
use pellucid_protocol::event::{Alert, CheckpointKind, Level, Setting};
use pellucid_protocol::{Command, Event, ExplainRequest, Explanation, SetRequest, Subject as Wanted};

use super::thread::{FromThread, Mail, ToHub, guarded};
use crate::error::{Error, Result};
use crate::explain::oracle::answer;
use crate::explain::remote::{Question, QuestionBox, remote};
use crate::explain::session;
use crate::explain::subject::Subject;
use crate::model::classifier::Classifier;
use crate::train::run::wished;
use crate::train::{Control, Flow, Trainer, evaluate};

/// Explaining takes as long between two training steps as the last step did, within these limits and
/// beyond the question under way: training goes on at half its speed meanwhile.
const EXPLAIN_BUDGET: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(500));
/// How long the next question of an explainer is waited for before training goes on.
const NEXT_QUESTION: Duration = Duration::from_millis(5);
/// How often an idle desk looks at its mailbox.
const IDLE: Duration = Duration::from_millis(50);

/// Takes up commands and answers an explainer's questions.
pub struct Desk {
    mailbox: Receiver<Mail>,
    hub: ToHub,
    snapshot: Option<Classifier>,
    job: Option<Job>,
    requests: u64,
    /// Steps done.
    step: u64,
    training: Training,
    /// Steps that a held training is to do.
    steps_asked: u64,
    /// When the last training step began.
    left: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Training {
    Running,
    Paused,
    Over,
}

/// An explainer at work, and the text it asks about.
struct Job {
    questions: QuestionBox,
    subject: Subject,
    target: usize,
}

impl Desk {
    /// A desk for commands from `mailbox`; explanations go to `hub`.
    #[must_use]
    pub fn new(mailbox: Receiver<Mail>, hub: ToHub) -> Self {
        Self {
            mailbox,
            hub,
            snapshot: None,
            job: None,
            requests: 0,
            step: 0,
            training: Training::Running,
            steps_asked: 0,
            left: Instant::now(),
        }
    }

    /// After the end of the run: explains on the final weights until nobody can ask any more.
    pub fn serve_until_closed(&mut self, trainer: &mut Trainer) {
        self.training = Training::Over;
        loop {
            let wait = if self.job.is_some() { Duration::ZERO } else { IDLE };
            match self.mailbox.recv_timeout(wait) {
                Ok(mail) => {
                    self.take(mail, trainer, &mut |_| {});
                }
                Err(RecvTimeoutError::Timeout) => self.explain_for(IDLE),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Does what a mail asks for and answers it.
    fn take(&mut self, mail: Mail, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        let over = self.training == Training::Over;
        let (flow, refusal) = match mail.command {
            Command::Explain(request) => {
                // What libtorch stumbles over here is no matter of the training.
                let started = guarded(|| self.start(request, trainer));
                (Flow::Continue, started.err().map(|error| error.to_string()))
            }
            Command::Checkpoint => match trainer.checkpoint(CheckpointKind::Requested) {
                Ok(checkpoint) => {
                    if over {
                        drop(self.hub.blocking_send(FromThread::Event(Event::Checkpoint(checkpoint))));
                    } else {
                        emit(Event::Checkpoint(checkpoint));
                    }
                    (Flow::Continue, None)
                }
                Err(error) => (Flow::Continue, Some(error.to_string())),
            },
            _ if over => (Flow::Continue, Some("the run has ended".to_owned())),
            Command::Pause => (self.set_training(Training::Paused, trainer, emit), None),
            Command::Resume => (self.set_training(Training::Running, trainer, emit), None),
            Command::Step if self.training == Training::Paused => {
                self.steps_asked += 1;
                (Flow::Continue, None)
            }
            Command::Step => (Flow::Continue, Some("the training is not held".to_owned())),
            Command::Set(request) => (Flow::Continue, set(request, trainer, emit).err().map(|e| e.to_string())),
            Command::Stop => (Flow::Stop, None),
            Command::StopNow => (Flow::StopNow, None),
            Command::Leave => (Flow::Leave, None),
            Command::Release => (Flow::Continue, Some("the run has not ended".to_owned())),
        };
        // A client that has gone needs no answer.
        let _ = mail.answer.send(refusal);
        flow
    }

    fn set_training(&mut self, wanted: Training, trainer: &Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        if self.training != wanted {
            self.training = wanted;
            let value = if wanted == Training::Paused { "paused" } else { "running" };
            emit(Event::Setting(Setting { step: trainer.step_count(), key: "state".to_owned(), value: value.into() }));
        }
        Flow::Continue
    }

    /// Begins an explanation on a snapshot of the weights; one under way is given up.
    fn start(&mut self, request: ExplainRequest, trainer: &Trainer) -> Result<()> {
        let (text, pair, sample) = match request.subject {
            Wanted::Text(text) => (text, None, None),
            Wanted::Sample(index) => {
                let sample = trainer
                    .samples()
                    .get(index)
                    .ok_or_else(|| Error::Setting { key: "sample", message: format!("there is no sample {index}") })?;
                (sample.text.clone(), sample.pair.clone(), Some(index))
            }
        };
        let subject = Subject::new(trainer.encoder(), &text, pair.as_deref())?;
        self.job = None;
        let snapshot = match self.snapshot.take() {
            Some(mut kept) => {
                kept.copy_from(trainer.model());
                kept
            }
            None => trainer.model().snapshot(),
        };
        let logits = evaluate::logits(&snapshot, std::slice::from_ref(&subject.encoded))?;
        self.snapshot = Some(snapshot);
        let probabilities = evaluate::softmax(&logits[0]);
        let target = class(request.target, &probabilities)?;
        self.requests += 1;
        let explanation = Explanation {
            request: self.requests,
            step: trainer.step_count(),
            sample,
            teacher_probabilities: trainer.teacher_probabilities(&text, pair.as_deref())?,
            label: sample.map(|index| trainer.samples()[index].label),
            rationale: sample.map(|index| trainer.samples()[index].rationale.clone()).unwrap_or_default(),
            ..session::blank(&subject, probabilities, target)
        };
        let (mut oracle, questions) = remote(subject.words.len());
        let (hub, seed) = (self.hub.clone(), trainer.settings().seed);
        let explainer = move || {
            let mut emit = |so_far: &Explanation| {
                drop(hub.blocking_send(FromThread::Event(Event::Explained(Box::new(so_far.clone())))));
            };
            // Cancelled: another request has taken its place, and its results are what is wanted.
            let _ = session::explain(&mut oracle, explanation, &request.methods, Context::new(seed), &mut emit);
        };
        let spawned = thread::Builder::new().name("pellucid-explainer".to_owned()).spawn(explainer);
        spawned.map_err(|error| Error::Torch(format!("no thread for the explainer: {error}")))?;
        self.job = Some(Job { questions, subject, target });
        Ok(())
    }

    /// Lets go of the explanation under way.
    fn give_up(&mut self, error: &Error) {
        self.job = None;
        let alert = Alert { step: self.step, level: Level::Error, message: format!("explanation given up: {error}") };
        drop(self.hub.blocking_send(FromThread::Event(Event::Alert(alert))));
    }

    /// Answers questions of the explainer for at most `budget`.
    fn explain_for(&mut self, budget: Duration) {
        let start = Instant::now();
        while let (Some(job), Some(snapshot)) = (&self.job, &self.snapshot) {
            match job.questions.poll(NEXT_QUESTION) {
                Question::Asked(query) => match guarded(|| Ok(answer(snapshot, &job.subject, job.target, &query))) {
                    Ok(found) => job.questions.reply(found),
                    Err(error) => self.give_up(&error),
                },
                Question::NotYet => return,
                Question::Over => self.job = None,
            }
            if start.elapsed() >= budget {
                return;
            }
        }
    }
}

fn set(SetRequest { key, value }: SetRequest, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Result<()> {
    trainer.set(key, value)?;
    emit(Event::Setting(Setting { step: trainer.step_count(), key: key.to_string(), value: value.into() }));
    Ok(())
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

impl Control for Desk {
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        self.step = trainer.step_count();
        let budget = self.left.elapsed().clamp(EXPLAIN_BUDGET.0, EXPLAIN_BUDGET.1);
        loop {
            let paused = self.training == Training::Paused;
            let idle = paused && self.job.is_none() && self.steps_asked == 0;
            let wait = if idle { IDLE } else { Duration::ZERO };
            while let Ok(mail) = self.mailbox.recv_timeout(wait) {
                match self.take(mail, trainer, emit) {
                    Flow::Continue => {}
                    ending => return ending,
                }
            }
            let wish = wished(trainer);
            if wish != Flow::Continue {
                return wish;
            }
            self.explain_for(budget);
            let step_asked = self.steps_asked > 0;
            self.steps_asked = self.steps_asked.saturating_sub(1);
            if self.training != Training::Paused || step_asked {
                self.left = Instant::now();
                return Flow::Continue;
            }
        }
    }
}
