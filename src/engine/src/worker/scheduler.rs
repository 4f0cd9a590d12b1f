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
    Cancel, Command, Event, ExplainRequest, SetRequest, SurveyProgress, SurveyRequest, SurveyState, Weights, WhatIf,
};

use super::explain_job::{self, ExplainJob, JobWork, RequestedText};
use super::memory::give_back;
use super::message::{Report, Reports, Request};
use super::snapshot::Snapshot;
use super::survey::Survey;
use super::what_if_answers::{Answering, WhatIfAnswers};
use crate::error::{Error, Result};
use crate::explain::oracle::answer;
use crate::explain::remote::{Company, Question};
use crate::panic_guard::guarded;
use crate::train::run::requested;
use crate::train::{Control, Flow, Trainer};

/// Between two training steps, explaining takes as long as the last step did, within these limits. So training goes on at
/// half its speed. A question under way is answered to its end.
const EXPLAIN_BUDGET: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(500));
/// How long to wait for the next question of an explainer before training goes on.
const NEXT_QUESTION: Duration = Duration::from_millis(5);
/// How often an idle scheduler looks for requests.
const IDLE: Duration = Duration::from_millis(50);

/// Carries out commands and answers the questions of explainers.
pub struct Scheduler {
    requests: Receiver<Request>,
    /// Requests that came while an explainer was answered.
    waiting: VecDeque<Request>,
    reports: Reports,
    snapshot: Option<Snapshot>,
    job: Option<ExplainJob>,
    survey: Option<Survey>,
    what_if: WhatIfAnswers,
    /// Explanations that a person has asked for.
    explained: u64,
    training: Training,
    /// Steps that a paused training is to do.
    steps_asked: u64,
    /// When the last training step began.
    left: Instant,
}

/// How long explaining may take before training goes on.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// For a person.
    person: Duration,
    /// For a survey.
    survey: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Training {
    Running,
    Paused,
    Ended,
}

impl Scheduler {
    /// Takes commands from `requests`; explanations go to `reports`.
    #[must_use]
    pub fn new(requests: Receiver<Request>, reports: Reports) -> Self {
        Self {
            requests,
            waiting: VecDeque::new(),
            reports,
            snapshot: None,
            job: None,
            survey: None,
            what_if: WhatIfAnswers::default(),
            explained: 0,
            training: Training::Running,
            steps_asked: 0,
            left: Instant::now(),
        }
    }

    /// After the end of the run: explains the final weights until nobody can ask any more.
    pub fn serve_until_closed(&mut self, trainer: &mut Trainer) {
        self.training = Training::Ended;
        loop {
            let wait = if self.is_idle() { IDLE } else { Duration::ZERO };
            match self.next_request(wait) {
                Ok(request) => {
                    self.take(request, trainer, &mut |_| {});
                }
                Err(RecvTimeoutError::Timeout) => self.explain_for(trainer, Budget { person: IDLE, survey: IDLE }),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.job.is_none() && self.survey.is_none()
    }

    fn next_request(&mut self, wait: Duration) -> std::result::Result<Request, RecvTimeoutError> {
        self.waiting.pop_front().map_or_else(|| self.requests.recv_timeout(wait), Ok)
    }

    /// Whether somebody waits for an answer.
    fn has_request(&mut self) -> bool {
        self.waiting.extend(self.requests.try_recv());
        !self.waiting.is_empty()
    }

    fn tell(&self, event: Event) {
        drop(self.reports.blocking_send(Report::Event(event)));
    }

    /// Carries out a request and answers it.
    fn take(&mut self, request: Request, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        trainer.flush(emit);
        let (flow, done) = match request.command {
            // If libtorch fails here, the training goes on.
            Command::Explain(request) => (Flow::Continue, guarded(|| self.start(&request, trainer))),
            Command::WhatIf(question) => (Flow::Continue, guarded(|| self.answer_what_if(question, trainer))),
            Command::Survey(request) => (Flow::Continue, guarded(|| self.survey(request, trainer))),
            Command::Cancel(what) => (Flow::Continue, self.cancel(what)),
            Command::Checkpoint => (Flow::Continue, self.checkpoint(trainer, emit)),
            _ if self.training == Training::Ended => (Flow::Continue, refuse("the run has ended")),
            command => self.steer(command, trainer, emit),
        };
        // A client that has gone needs no answer.
        let _ = request.answer.send(done.err().map(|error| error.to_string()));
        flow
    }

    /// Carries out a command for a training that goes on.
    fn steer(&mut self, command: Command, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> (Flow, Result<()>) {
        let done = match command {
            Command::Pause => self.set_training(Training::Paused, trainer, emit),
            Command::Resume => self.set_training(Training::Running, trainer, emit),
            Command::Step if self.training == Training::Paused => {
                self.steps_asked += 1;
                Ok(())
            }
            Command::Step => refuse("the training is not paused"),
            Command::Set(request) => set(request, trainer, emit),
            Command::Stop => return (Flow::Stop, Ok(())),
            Command::StopNow => return (Flow::StopNow, Ok(())),
            Command::Leave => return (Flow::Leave, Ok(())),
            Command::Release => refuse("the run has not ended"),
            // Carried out whatever the training does.
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
            Training::Ended => self.tell(checkpoint),
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

    /// Starts an explanation of a snapshot of the weights. It replaces the one under way; a survey waits.
    fn start(&mut self, request: &ExplainRequest, trainer: &Trainer) -> Result<()> {
        // If the text does not exist, the job under way goes on.
        let text = RequestedText::new(&request.subject, trainer)?;
        self.job = None;
        let snapshot = self.weights(request.weights, trainer)?;
        let prepared = explain_job::prepare(&text, request, Asker::Person, &snapshot, trainer);
        self.snapshot = Some(snapshot);
        let mut prepared = prepared?;
        self.explained += 1;
        prepared.explanation.request = self.explained;
        self.job = Some(prepared.start(request, self.job_work(trainer))?);
        Ok(())
    }

    fn job_work(&self, trainer: &Trainer) -> JobWork {
        let company = if self.training == Training::Ended { Company::Nobody } else { Company::Training };
        JobWork { seed: trainer.settings().seed, company, reports: self.reports.clone() }
    }

    /// The weights that were asked for, in the place of those that explained before.
    fn weights(&mut self, wanted: Weights, trainer: &Trainer) -> Result<Snapshot> {
        let found = match self.snapshot.take() {
            _ if wanted == Weights::Best => Snapshot::best(trainer)?,
            Some(kept) if wanted == Weights::OfStep(kept.step) => kept,
            Some(kept) => kept.renewed(trainer),
            None => Snapshot::new(trainer),
        };
        Ok(if self.training == Training::Ended { found.fixed() } else { found })
    }

    fn answer_what_if(&mut self, question: WhatIf, trainer: &Trainer) -> Result<()> {
        let kept = self.snapshot.as_ref().filter(|kept| question.weights == Weights::OfStep(kept.step));
        let (model, step) = kept.map_or((trainer.model(), trainer.step_count()), |kept| (&kept.model, kept.step));
        let answer = self.what_if.answer(question, trainer, Answering { model, step })?;
        self.tell(Event::WhatIf(Box::new(answer)));
        Ok(())
    }

    /// Starts a survey of the weights of now; it replaces the one under way.
    fn survey(&mut self, request: SurveyRequest, trainer: &Trainer) -> Result<()> {
        let count = trainer.sample_count();
        if let Some(sample) = request.samples.iter().find(|sample| **sample >= count) {
            return refuse(&format!("there is no sample {sample}"));
        }
        if request.samples.is_empty() || request.methods.is_empty() {
            return refuse("there is nothing to explain");
        }
        self.drop_survey_job();
        let survey = Survey::new(request, Snapshot::new(trainer));
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

    /// Answers an explainer's questions for at most as long as `budget` allows, or until there is a request.
    fn explain_for(&mut self, trainer: &Trainer, budget: Budget) {
        let start = Instant::now();
        let asker = self.job.as_ref().map_or(Asker::Survey, |job| job.asker);
        let limit = if asker == Asker::Person { budget.person } else { budget.survey };
        while start.elapsed() < limit && !self.has_request() {
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

    /// Answers one question; whether to look for another one at once.
    fn answer_one(&mut self) -> bool {
        let Some(job) = &self.job else { return false };
        let snapshot = match job.asker {
            Asker::Person => self.snapshot.as_ref(),
            Asker::Survey => self.survey.as_ref().map(|survey| &survey.snapshot),
        };
        let Some(Snapshot { model, .. }) = snapshot else {
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
                if let Some(why) = job.failure.get() {
                    let error = Error::Refused(why.clone());
                    return self.give_up(&error);
                }
                self.job = None;
                give_back();
                if asker == Asker::Survey {
                    self.advance_survey();
                }
                true
            }
        }
    }

    /// Gives up the job under way, whose question cannot be answered.
    fn give_up(&mut self, error: &Error) -> bool {
        if self.job.take().is_some_and(|job| job.asker == Asker::Survey) {
            return self.end_survey(SurveyState::Failed(error.to_string())).is_ok();
        }
        let (step, message) =
            (self.snapshot.as_ref().map_or(0, |kept| kept.step), format!("explanation given up: {error}"));
        self.tell(Event::Alert(Alert::error(step, message)));
        true
    }

    /// Starts the next sample of a survey; whether there is one.
    fn next_of_survey(&mut self, trainer: &Trainer) -> bool {
        let Some(survey) = &self.survey else { return false };
        let Some(request) = survey.current() else { return false };
        match self.survey_job(survey, request, trainer) {
            Ok(job) => self.job = Some(job),
            Err(error) => drop(self.end_survey(SurveyState::Failed(error.to_string()))),
        }
        self.job.is_some()
    }

    fn survey_job(&self, survey: &Survey, request: ExplainRequest, trainer: &Trainer) -> Result<ExplainJob> {
        let text = RequestedText::new(&request.subject, trainer)?;
        let prepared = explain_job::prepare(&text, &request, Asker::Survey, &survey.snapshot, trainer)?;
        prepared.start(&request, self.job_work(trainer))
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

impl Control for Scheduler {
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        let step = self.left.elapsed();
        let person = step.clamp(EXPLAIN_BUDGET.0, EXPLAIN_BUDGET.1);
        let mut survey = self.survey.as_mut().map_or(Duration::ZERO, |survey| survey.earn(step));
        loop {
            let paused = self.training == Training::Paused;
            let mut wait = if paused && self.is_idle() && self.steps_asked == 0 { IDLE } else { Duration::ZERO };
            while let Ok(request) = self.next_request(wait) {
                match self.take(request, trainer, emit) {
                    Flow::Continue => wait = Duration::ZERO,
                    ending => return ending,
                }
            }
            if let wish @ (Flow::Leave | Flow::StopNow) = requested(trainer) {
                return wish;
            }
            let start = Instant::now();
            self.explain_for(trainer, Budget { person, survey: if paused { IDLE } else { survey } });
            survey = survey.saturating_sub(start.elapsed());
            if self.has_request() {
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
