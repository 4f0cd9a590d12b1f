//! Commands and explanations between training steps, on the thread that owns the tensors.
//!
//! ```text
//! what if      answered at once, before anything else
//! explain      one text for a person: as long as the step took, between two steps
//! survey       many samples: a share of the time, while nobody asks for anything else
//! ```

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pellucid_protocol::event::{Alert, CheckpointKind, Setting};
use pellucid_protocol::explanation::Asker;
use pellucid_protocol::{
    Cancel, Command, Event, ExplainRequest, SetRequest, Subject, SurveyProgress, SurveyRequest, SurveyState, WhatIf,
    WhatIfAnswer,
};

use super::asked::{self, Job, Texts};
use super::survey::Survey;
use super::thread::{FromThread, Mail, ToHub, guarded};
use crate::error::{Error, Result};
use crate::explain::oracle::answer;
use crate::explain::remote::Question;
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
    /// Mail that came while an explainer was answered.
    waiting: VecDeque<Mail>,
    hub: ToHub,
    snapshot: Option<Snapshot>,
    job: Option<Job>,
    survey: Option<Survey>,
    original: Option<Original>,
    requests: u64,
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

/// Weights as they were after a step.
struct Snapshot {
    step: u64,
    model: Classifier,
}

/// What the model says to a text that changes are tried on: known until the weights move.
struct Original {
    subject: Subject,
    step: u64,
    probabilities: Vec<f64>,
}

impl Desk {
    /// A desk for commands from `mailbox`; explanations go to `hub`.
    #[must_use]
    pub fn new(mailbox: Receiver<Mail>, hub: ToHub) -> Self {
        Self {
            mailbox,
            waiting: VecDeque::new(),
            hub,
            snapshot: None,
            job: None,
            survey: None,
            original: None,
            requests: 0,
            training: Training::Running,
            steps_asked: 0,
            left: Instant::now(),
        }
    }

    /// After the end of the run: explains on the final weights until nobody can ask any more.
    pub fn serve_until_closed(&mut self, trainer: &mut Trainer) {
        self.training = Training::Over;
        loop {
            let wait = if self.is_idle() { IDLE } else { Duration::ZERO };
            match self.next_mail(wait) {
                Ok(mail) => {
                    self.take(mail, trainer, &mut |_| {});
                }
                Err(RecvTimeoutError::Timeout) => self.explain_for(trainer, (IDLE, IDLE)),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.job.is_none() && self.survey.is_none()
    }

    fn next_mail(&mut self, wait: Duration) -> std::result::Result<Mail, RecvTimeoutError> {
        self.waiting.pop_front().map_or_else(|| self.mailbox.recv_timeout(wait), Ok)
    }

    /// Whether somebody waits for an answer.
    fn has_mail(&mut self) -> bool {
        self.waiting.extend(self.mailbox.try_recv());
        !self.waiting.is_empty()
    }

    fn tell(&self, event: Event) {
        drop(self.hub.blocking_send(FromThread::Event(event)));
    }

    /// Does what a mail asks for and answers it.
    fn take(&mut self, mail: Mail, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        trainer.settle(emit);
        let (flow, done) = match mail.command {
            // What libtorch stumbles over here is no matter of the training.
            Command::Explain(request) => (Flow::Continue, guarded(|| self.start(&request, trainer))),
            Command::WhatIf(question) => (Flow::Continue, guarded(|| self.what_if(question, trainer))),
            Command::Survey(request) => (Flow::Continue, guarded(|| self.survey(request, trainer))),
            Command::Cancel(what) => (Flow::Continue, self.cancel(what)),
            Command::Checkpoint => (Flow::Continue, self.checkpoint(trainer, emit)),
            _ if self.training == Training::Over => (Flow::Continue, refuse("the run has ended")),
            command => self.steer(command, trainer, emit),
        };
        // A client that has gone needs no answer.
        let _ = mail.answer.send(done.err().map(|error| error.to_string()));
        flow
    }

    /// What is for a training that goes on.
    fn steer(&mut self, command: Command, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> (Flow, Result<()>) {
        let done = match command {
            Command::Pause => self.set_training(Training::Paused, trainer, emit),
            Command::Resume => self.set_training(Training::Running, trainer, emit),
            Command::Step if self.training == Training::Paused => {
                self.steps_asked += 1;
                Ok(())
            }
            Command::Step => refuse("the training is not held"),
            Command::Set(request) => set(request, trainer, emit),
            Command::Stop => return (Flow::Stop, Ok(())),
            Command::StopNow => return (Flow::StopNow, Ok(())),
            Command::Leave => return (Flow::Leave, Ok(())),
            Command::Release => refuse("the run has not ended"),
            // Taken up whatever the training does.
            Command::Explain(_)
            | Command::WhatIf(_)
            | Command::Survey(_)
            | Command::Cancel(_)
            | Command::Checkpoint => Ok(()),
        };
        (Flow::Continue, done)
    }

    fn checkpoint(&self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Result<()> {
        let checkpoint = Event::Checkpoint(trainer.checkpoint(CheckpointKind::Requested)?);
        match self.training {
            Training::Over => self.tell(checkpoint),
            _ => emit(checkpoint),
        }
        Ok(())
    }

    fn set_training(&mut self, wanted: Training, trainer: &Trainer, emit: &mut dyn FnMut(Event)) -> Result<()> {
        if self.training != wanted {
            self.training = wanted;
            let value = if wanted == Training::Paused { "paused" } else { "running" };
            emit(Event::Setting(Setting { step: trainer.step_count(), key: "state".to_owned(), value: value.into() }));
        }
        Ok(())
    }

    /// Begins an explanation on a snapshot of the weights; one under way is given up, a survey waits.
    fn start(&mut self, request: &ExplainRequest, trainer: &Trainer) -> Result<()> {
        // Asked about a text that is not there, what is under way goes on.
        Texts::of(&request.subject, trainer)?;
        self.job = None;
        let step = trainer.step_count();
        let snapshot = match self.snapshot.take() {
            Some(kept) if kept.step == step => kept,
            Some(mut kept) => {
                kept.model.copy_from(trainer.model());
                Snapshot { step, ..kept }
            }
            None => Snapshot { step, model: trainer.model().snapshot() },
        };
        let made = asked::blank(request, Asker::Person, (&snapshot.model, step), trainer);
        self.snapshot = Some(snapshot);
        let (subject, mut explanation) = made?;
        self.requests += 1;
        explanation.request = self.requests;
        let seed = trainer.settings().seed;
        self.job = Some(asked::begin((subject, explanation), request.methods.clone(), seed, self.hub.clone())?);
        Ok(())
    }

    /// Answers on the weights of now: both texts in one pass, the text as it is once only.
    fn what_if(&mut self, question: WhatIf, trainer: &Trainer) -> Result<()> {
        let (start, step) = (Instant::now(), trainer.step_count());
        let texts = Texts::of(&question.subject, trainer)?;
        let mut rows = vec![texts.edited(trainer, &question.edits)?.0.encoded];
        let known = self.original.take().filter(|known| known.step == step && known.subject == question.subject);
        if known.is_none() {
            rows.push(texts.edited(trainer, &[])?.0.encoded);
        }
        let logits = evaluate::logits(trainer.model(), &rows)?;
        let mut said = logits.iter().map(|row| evaluate::softmax(row));
        let after = said.next().unwrap_or_default();
        let before = said.next().or(known.map(|known| known.probabilities)).unwrap_or_default();
        if !before.iter().chain(&after).all(|share| share.is_finite()) {
            return refuse("the model's answer is not a number");
        }
        let (subject, probabilities) = (question.subject.clone(), before.clone());
        self.original = Some(Original { subject, step, probabilities });
        let ms = start.elapsed().as_secs_f64() * 1e3;
        self.tell(Event::WhatIf(Box::new(WhatIfAnswer { question, step, before, after, ms })));
        Ok(())
    }

    /// Begins a survey of the weights of now; one under way is given up.
    fn survey(&mut self, request: SurveyRequest, trainer: &Trainer) -> Result<()> {
        let count = trainer.samples().len();
        if let Some(sample) = request.samples.iter().find(|sample| **sample >= count) {
            return refuse(&format!("there is no sample {sample}"));
        }
        if request.samples.is_empty() || request.methods.is_empty() {
            return refuse("there is nothing to explain");
        }
        self.drop_survey_job();
        let survey = Survey::new(request, trainer.model().snapshot(), trainer.step_count());
        self.tell(Event::Survey(survey.progress()));
        self.survey = Some(survey);
        Ok(())
    }

    fn drop_survey_job(&mut self) {
        self.job.take_if(|job| job.asker == Asker::Survey);
    }

    fn cancel(&mut self, what: Cancel) -> Result<()> {
        match what {
            Cancel::Explaining => {
                let given_up = self.job.take_if(|job| job.asker == Asker::Person);
                given_up.map(drop).map_or_else(|| refuse("no explanation is under way"), Ok)
            }
            Cancel::Survey => self.end_survey(SurveyState::Cancelled),
        }
    }

    fn end_survey(&mut self, state: SurveyState) -> Result<()> {
        self.drop_survey_job();
        let Some(survey) = self.survey.take() else { return refuse("no survey is under way") };
        self.tell(Event::Survey(SurveyProgress { state, ..survey.progress() }));
        Ok(())
    }

    /// Answers questions for at most as long as `(a person, a survey)` may take, or until there is mail.
    fn explain_for(&mut self, trainer: &Trainer, (person, survey): (Duration, Duration)) {
        let start = Instant::now();
        let asker = self.job.as_ref().map_or(Asker::Survey, |job| job.asker);
        let budget = if asker == Asker::Person { person } else { survey };
        while start.elapsed() < budget && !self.has_mail() {
            if self.job.is_none() && (asker == Asker::Person || !self.next_of_survey(trainer)) {
                break;
            }
            if !self.answer_one() {
                break;
            }
        }
        let shares = asker == Asker::Survey && self.training == Training::Running;
        if let Some(survey) = self.survey.as_mut().filter(|_| shares) {
            survey.spend(start.elapsed());
        }
    }

    /// Whether it is of use to look for another question at once.
    fn answer_one(&mut self) -> bool {
        let Some(job) = &self.job else { return false };
        let (person, survey) = (self.snapshot.as_ref(), self.survey.as_ref());
        let model = match job.asker {
            Asker::Person => person.map(|snapshot| &snapshot.model),
            Asker::Survey => survey.map(|survey| &survey.model),
        };
        let Some(model) = model else {
            self.job = None;
            return false;
        };
        match job.questions.poll(NEXT_QUESTION) {
            Question::Asked(query) => match guarded(|| Ok(answer(model, &job.subject, job.target, &query))) {
                Ok(found) => {
                    job.questions.reply(found);
                    true
                }
                Err(error) => self.give_up(&error),
            },
            Question::NotYet => false,
            Question::Over => {
                let asker = job.asker;
                self.job = None;
                if asker == Asker::Survey {
                    self.advance_survey();
                }
                true
            }
        }
    }

    /// Lets go of what is under way and cannot be answered.
    fn give_up(&mut self, error: &Error) -> bool {
        if self.job.take().is_some_and(|job| job.asker == Asker::Survey) {
            return self.end_survey(SurveyState::Failed(error.to_string())).is_ok();
        }
        let (step, message) =
            (self.snapshot.as_ref().map_or(0, |kept| kept.step), format!("explanation given up: {error}"));
        self.tell(Event::Alert(Alert::error(step, message)));
        true
    }

    /// Takes up the next sample of a survey; whether there is one.
    fn next_of_survey(&mut self, trainer: &Trainer) -> bool {
        let Some(survey) = &self.survey else { return false };
        let Some((request, step)) = survey.current() else { return false };
        let seed = trainer.settings().seed;
        let made = asked::blank(&request, Asker::Survey, (&survey.model, step), trainer);
        match made.and_then(|made| asked::begin(made, request.methods, seed, self.hub.clone())) {
            Ok(job) => self.job = Some(job),
            Err(error) => drop(self.end_survey(SurveyState::Failed(error.to_string()))),
        }
        self.job.is_some()
    }

    fn advance_survey(&mut self) {
        let Some(survey) = &mut self.survey else { return };
        survey.advance();
        let progress = survey.progress();
        if progress.state == SurveyState::Done {
            self.survey = None;
        }
        self.tell(Event::Survey(progress));
    }
}

fn refuse(why: &str) -> Result<()> {
    Err(Error::Refused(why.to_owned()))
}

fn set(SetRequest { key, value }: SetRequest, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Result<()> {
    trainer.set(key, value)?;
    emit(Event::Setting(Setting { step: trainer.step_count(), key: key.to_string(), value: value.into() }));
    Ok(())
}

impl Control for Desk {
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        let step = self.left.elapsed();
        let person = step.clamp(EXPLAIN_BUDGET.0, EXPLAIN_BUDGET.1);
        let mut survey = self.survey.as_mut().map_or(Duration::ZERO, |survey| survey.earn(step));
        loop {
            let paused = self.training == Training::Paused;
            let mut wait = if paused && self.is_idle() && self.steps_asked == 0 { IDLE } else { Duration::ZERO };
            while let Ok(mail) = self.next_mail(wait) {
                match self.take(mail, trainer, emit) {
                    Flow::Continue => wait = Duration::ZERO,
                    ending => return ending,
                }
            }
            if let wish @ (Flow::Leave | Flow::StopNow) = wished(trainer) {
                return wish;
            }
            let start = Instant::now();
            self.explain_for(trainer, (person, if paused { IDLE } else { survey }));
            survey = survey.saturating_sub(start.elapsed());
            if self.has_mail() {
                continue;
            }
            let step_asked = self.steps_asked > 0;
            self.steps_asked = self.steps_asked.saturating_sub(1);
            if self.training != Training::Paused || step_asked {
                self.left = Instant::now();
                return Flow::Continue;
            }
        }
    }
}
