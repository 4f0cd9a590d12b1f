//! The loop of a run, from its first event to its last.

mod saver;

use std::thread;
use std::time::{Duration, Instant};

use pellucid_protocol::Event;
use pellucid_protocol::event::{Alert, CheckpointKind, Ended, Outcome, Setting};
use pellucid_record::RunDir;

use self::saver::Saver;
use super::trainer::{Evaluation, Trainer};
use crate::error::{Error, Result};
use crate::interrupt::Urgency;

/// How often the last checkpoint is tried again when nothing else is left to do.
const LOOK: Duration = Duration::from_millis(500);

/// What happens after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Train on.
    Continue,
    /// Evaluate, write a checkpoint and end.
    Stop,
    /// Write a checkpoint and end.
    Leave,
    /// End at once.
    StopNow,
}

/// Decides between steps whether and how to go on. May take its time, e.g. while paused.
pub trait Control {
    /// Called before each step.
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow;
}

/// A control that lets the run train to its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoControl;

impl Control for NoControl {
    fn between_steps(&mut self, trainer: &mut Trainer, _: &mut dyn FnMut(Event)) -> Flow {
        requested(trainer)
    }
}

/// What the trainer's [`Interrupt`](crate::interrupt::Interrupt) asks for.
#[must_use]
pub fn requested(trainer: &Trainer) -> Flow {
    match trainer.interrupt().urgency() {
        Urgency::None => Flow::Continue,
        Urgency::Leave => Flow::Leave,
        Urgency::Now => Flow::StopNow,
    }
}

/// Runs `trainer` to its end. `emit` gets every event, [`Event::Started`] first and [`Event::Ended`] last. A failure is an
/// outcome, not an error.
pub fn run(trainer: &mut Trainer, emit: &mut dyn FnMut(Event), control: &mut dyn Control) -> Ended {
    emit(Event::Started(Box::new(trainer.started())));
    for message in trainer.notes().to_vec() {
        emit(Event::Alert(Alert::info(trainer.step_count(), message)));
    }
    let mut saver = Saver::default();
    let done = match steps(trainer, emit, control, &mut saver) {
        Err(Error::Interrupted) => interrupted(trainer, emit, &mut saver),
        done => done,
    };
    let (outcome, message) = match done {
        Ok(Flow::Continue) => (Outcome::Finished, None),
        Ok(Flow::Stop | Flow::StopNow) => (Outcome::Stopped, None),
        Ok(Flow::Leave) => (Outcome::Stopped, Some(left_with(trainer))),
        Err(error) => (Outcome::Failed, Some(error.to_string())),
    };
    let mut metrics = trainer.best_metrics();
    metrics.extend(trainer.tested().clone());
    let ended = Ended { step: trainer.step_count(), outcome, message, metrics };
    emit(Event::Ended(ended.clone()));
    ended
}

/// An evaluation was interrupted: it is done when the run is resumed.
fn interrupted(trainer: &mut Trainer, emit: &mut dyn FnMut(Event), saver: &mut Saver) -> Result<Flow> {
    let flow = requested(trainer);
    if flow == Flow::Leave {
        saver.save(trainer, emit, CheckpointKind::Last)?;
    }
    Ok(flow)
}

/// What a run that was told to leave has saved.
fn left_with(trainer: &Trainer) -> String {
    let saved = RunDir::new(&trainer.settings().run_dir).newest_checkpoint();
    match saved {
        Some(step) if step == trainer.step_count() => format!("told to leave; a checkpoint of step {step} is saved"),
        Some(step) => format!("told to leave; the last checkpoint is that of step {step}"),
        None => "told to leave; there is no checkpoint".to_owned(),
    }
}

fn steps(
    trainer: &mut Trainer,
    emit: &mut dyn FnMut(Event),
    control: &mut dyn Control,
    saver: &mut Saver,
) -> Result<Flow> {
    // Also for a run that is resumed where an evaluation was interrupted.
    if trainer.step_count() == 0 || trainer.evaluation_due() {
        evaluate(trainer, emit, saver)?;
    }
    while !trainer.is_done() {
        let changes = trainer.repeat_changes();
        if !changes.is_empty() {
            flush(trainer, emit)?;
        }
        for (key, value) in changes {
            emit(Event::Setting(Setting { step: trainer.step_count(), key: key.to_string(), value: value.into() }));
        }
        let flow = control.between_steps(trainer, emit);
        if flow != Flow::Continue {
            flush(trainer, emit)?;
        }
        match flow {
            Flow::Continue => {}
            Flow::Stop => {
                // First, so that a resumed run is as if it had not been stopped and evaluated here.
                saver.save(trainer, emit, CheckpointKind::Last)?;
                evaluate(trainer, emit, saver)?;
                return Ok(Flow::Stop);
            }
            Flow::Leave => {
                saver.save(trainer, emit, CheckpointKind::Last)?;
                return Ok(Flow::Leave);
            }
            Flow::StopNow => return Ok(Flow::StopNow),
        }
        trainer.train_step(emit)?;
        if trainer.evaluation_due() || trainer.checkpoint_due() || saver.is_due() {
            flush(trainer, emit)?;
        }
        if trainer.evaluation_due() {
            evaluate(trainer, emit, saver)?;
        }
        let enough = trainer.is_out_of_patience();
        if trainer.checkpoint_due() || enough || saver.is_due() {
            saver.save(trainer, emit, CheckpointKind::Last)?;
        }
        if enough {
            let count = trainer.settings().patience;
            let message = format!("{count} evaluations brought nothing better: the training ends here");
            emit(Event::Alert(Alert::info(trainer.step_count(), message)));
            break;
        }
    }
    let flow = save_at_last(trainer, emit, control, saver)?;
    if flow == Flow::Continue {
        trainer.test()?.into_iter().for_each(|alert| emit(Event::Alert(alert)));
    }
    Ok(flow)
}

/// Reports the steps so far before anything else.
fn flush(trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Result<()> {
    trainer.flush(emit);
    trainer.check()
}

/// Writes the last checkpoint, if need be over and over: somebody may make room on a full disk.
fn save_at_last(
    trainer: &mut Trainer,
    emit: &mut dyn FnMut(Event),
    control: &mut dyn Control,
    saver: &mut Saver,
) -> Result<Flow> {
    let since = Instant::now();
    while saver.is_failing() {
        if let Some(why) = saver.given_up(since) {
            return Err(Error::Refused(why));
        }
        match control.between_steps(trainer, emit) {
            Flow::Continue => {
                thread::sleep(LOOK);
                saver.save(trainer, emit, CheckpointKind::Last)?;
            }
            flow => {
                saver.save(trainer, emit, CheckpointKind::Last)?;
                return Ok(if saver.is_failing() { flow } else { Flow::Continue });
            }
        }
    }
    Ok(Flow::Continue)
}

/// Evaluates, unless that was done at this step already. The best evaluation leaves a checkpoint.
fn evaluate(trainer: &mut Trainer, emit: &mut dyn FnMut(Event), saver: &mut Saver) -> Result<()> {
    let Some(Evaluation { eval, not_written }) = trainer.evaluate()? else { return Ok(()) };
    if let Some(error) = not_written {
        let message = format!("predictions not written: {error}");
        emit(Event::Alert(Alert::error(trainer.step_count(), message)));
    }
    let best = eval.best;
    emit(Event::Eval(eval));
    trainer.take_watched().into_iter().for_each(|watched| emit(Event::Watched(watched)));
    trainer.take_alerts().into_iter().for_each(|alert| emit(Event::Alert(alert)));
    if best { saver.save(trainer, emit, CheckpointKind::Best) } else { Ok(()) }
}
