//! The loop of a run, from its first event to its last.

use pellucid_protocol::Event;
use pellucid_protocol::event::{Alert, CheckpointKind, Ended, Level, Outcome, Setting};

use super::trainer::Trainer;
use crate::error::{Error, Result};

/// What is to happen after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Train on.
    Continue,
    /// Evaluate, write a checkpoint and end.
    Stop,
    /// End at once.
    StopNow,
}

/// Who decides between steps whether and how to go on. May take its time, e.g. while paused.
pub trait Control {
    /// Called before each step.
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow;
}

/// Trains to the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoControl;

impl Control for NoControl {
    fn between_steps(&mut self, _: &mut Trainer, _: &mut dyn FnMut(Event)) -> Flow {
        Flow::Continue
    }
}

/// Runs `trainer` to its end; `emit` is told all that happens, [`Event::Started`] first and
/// [`Event::Ended`] last. Failures are an outcome, not an error.
pub fn run(trainer: &mut Trainer, emit: &mut dyn FnMut(Event), control: &mut dyn Control) -> Ended {
    emit(Event::Started(Box::new(trainer.started())));
    for message in trainer.notes().to_vec() {
        emit(Event::Alert(Alert { step: trainer.step_count(), level: Level::Info, message }));
    }
    let (outcome, message) = match steps(trainer, emit, control) {
        Ok(Flow::Continue) => (Outcome::Finished, None),
        Ok(Flow::Stop | Flow::StopNow) => (Outcome::Stopped, None),
        Err(error) => (Outcome::Failed, Some(error.to_string())),
    };
    let ended = Ended { step: trainer.step_count(), outcome, message, metrics: trainer.best_metrics() };
    emit(Event::Ended(ended.clone()));
    ended
}

fn steps(trainer: &mut Trainer, emit: &mut dyn FnMut(Event), control: &mut dyn Control) -> Result<Flow> {
    if trainer.step_count() == 0 {
        evaluate(trainer, emit)?;
    }
    while !trainer.is_done() {
        for (key, value) in trainer.repeat_changes() {
            emit(Event::Setting(Setting { step: trainer.step_count(), key: key.to_string(), value: value.into() }));
        }
        match control.between_steps(trainer, emit) {
            Flow::Continue => {}
            Flow::Stop => {
                // First, so that a run that is taken up again is as if it had not been stopped and evaluated here.
                checkpoint(trainer, emit, CheckpointKind::Last)?;
                evaluate(trainer, emit)?;
                return Ok(Flow::Stop);
            }
            Flow::StopNow => return Ok(Flow::StopNow),
        }
        emit(Event::Step(trainer.train_step()?));
        if trainer.evaluation_due() {
            evaluate(trainer, emit)?;
        }
        let enough = trainer.is_out_of_patience();
        if trainer.checkpoint_due() || enough {
            checkpoint(trainer, emit, CheckpointKind::Last)?;
        }
        if enough {
            let count = trainer.settings().patience;
            let message = format!("{count} evaluations brought nothing better: the training ends here");
            emit(Event::Alert(Alert { step: trainer.step_count(), level: Level::Info, message }));
            break;
        }
    }
    Ok(Flow::Continue)
}

/// Evaluates, unless that was done at this step already; the best evaluation leaves a checkpoint.
fn evaluate(trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Result<()> {
    let Some(eval) = trainer.evaluate()? else { return Ok(()) };
    let best = eval.best;
    emit(Event::Eval(eval));
    trainer.take_alerts().into_iter().for_each(|alert| emit(Event::Alert(alert)));
    if best { checkpoint(trainer, emit, CheckpointKind::Best) } else { Ok(()) }
}

/// Writes a checkpoint; one that cannot be written is an alert and training goes on.
fn checkpoint(trainer: &Trainer, emit: &mut dyn FnMut(Event), kind: CheckpointKind) -> Result<()> {
    match trainer.checkpoint(kind) {
        Ok(checkpoint) => emit(Event::Checkpoint(checkpoint)),
        Err(error @ Error::File { .. }) => {
            let message = format!("checkpoint not written: {error}");
            emit(Event::Alert(Alert { step: trainer.step_count(), level: Level::Error, message }));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
