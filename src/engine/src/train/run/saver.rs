//! Writes checkpoints. If the disk refuses, training goes on and the checkpoint is tried again.

use std::time::{Duration, Instant};

use pellucid_protocol::Event;
use pellucid_protocol::event::{Alert, CheckpointKind};

use crate::error::Result;
use crate::train::trainer::Trainer;

/// How long after a failure a checkpoint is tried again: the first time, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// How long the last checkpoint of a run is tried before it is given up.
const STUBBORN: Duration = Duration::from_secs(600);

/// Whether the last checkpoint could be written.
#[derive(Debug, Default)]
pub(super) struct Saver {
    failing: Option<Failing>,
    /// The step of the best evaluation if its checkpoint is missing.
    best_missing: Option<u64>,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    pause: Duration,
    told: String,
}

impl Saver {
    /// Whether it is time to try a failed checkpoint again.
    #[must_use]
    pub(super) fn is_due(&self) -> bool {
        self.failing.as_ref().is_some_and(|failing| failing.since.elapsed() >= failing.pause)
    }

    /// Whether the last checkpoint could not be written.
    #[must_use]
    pub(super) fn is_failing(&self) -> bool {
        self.failing.is_some()
    }

    /// Why the last checkpoint is given up, once it was tried for long enough.
    #[must_use]
    pub(super) fn given_up(&self, since: Instant) -> Option<String> {
        let failing = self.failing.as_ref().filter(|_| since.elapsed() > STUBBORN)?;
        Some(format!("the last checkpoint could not be written: {}", failing.told))
    }

    /// Writes a checkpoint. If that fails, there is an alert, training goes on, and it is tried again later.
    ///
    /// # Errors
    /// When something other than the file system fails.
    pub(super) fn save(
        &mut self,
        trainer: &mut Trainer,
        emit: &mut dyn FnMut(Event),
        kind: CheckpointKind,
    ) -> Result<()> {
        let step = trainer.step_count();
        match trainer.checkpoint(kind) {
            Ok(checkpoint) => {
                emit(Event::Checkpoint(checkpoint));
                // The weights are still the same: only the name is missing.
                if kind != CheckpointKind::Best && self.best_missing.take() == Some(step) {
                    return self.save(trainer, emit, CheckpointKind::Best);
                }
                if self.failing.take().is_some() {
                    let message = format!("checkpoints are written again, that of step {step} is whole");
                    emit(Event::Alert(Alert::info(step, message)));
                }
            }
            Err(error) if error.path().is_some() => {
                if kind == CheckpointKind::Best {
                    self.best_missing = Some(step);
                }
                if let Some(message) = self.fail(&error.to_string()) {
                    emit(Event::Alert(Alert::error(step, message)));
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Notes a failure; gives the message if it is new to the user.
    fn fail(&mut self, error: &str) -> Option<String> {
        let pause = self.failing.as_ref().map_or(AGAIN.0, |failing| (failing.pause * 2).min(AGAIN.1));
        let news = self.failing.as_ref().is_none_or(|failing| reason(&failing.told) != reason(error));
        self.failing = Some(Failing { since: Instant::now(), pause, told: error.to_owned() });
        news.then(|| format!("checkpoint not written: {error}; training goes on and tries again"))
    }
}

/// A message without its path, which differs from step to step.
fn reason(error: &str) -> &str {
    error.rsplit_once(": ").map_or(error, |(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_once_and_tried_ever_more_rarely() {
        let mut saver = Saver::default();
        assert!(!saver.is_due());
        let told = saver.fail("checkpoints/step-1: No space left on device").unwrap();
        assert!(told.contains("No space left") && told.contains("goes on"), "{told}");
        assert_eq!(saver.fail("checkpoints/step-2: No space left on device"), None);
        assert!(saver.fail("checkpoints/step-3: Read-only file system").is_some());
        let pauses: Vec<u64> = (0..6)
            .map(|_| {
                saver.fail("x: Read-only file system");
                saver.failing.as_ref().unwrap().pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [16, 32, 60, 60, 60, 60]);
    }
}
