//! What a resumed run knows of the time before.

use pellucid_protocol::settings::LiveSetting;

/// What a resumed run knows of the time before; nothing in a new run.
#[derive(Debug, Default)]
pub(super) struct Resumption {
    /// The step at which the run was resumed.
    pub(super) step: Option<u64>,
    /// Changes of settings that are to be made again, by the step before which they were made.
    pub(super) changes: Vec<(u64, LiveSetting, f64)>,
    /// Bytes of the event log when the checkpoint was written; 0 where that is not known.
    pub(super) log_length: u64,
}

impl Resumption {
    /// The changes that are due after `done` steps, once.
    pub(super) fn due_changes(&mut self, done: u64) -> Vec<(LiveSetting, f64)> {
        let (due, later) = self.changes.drain(..).partition(|(step, ..)| *step <= done);
        self.changes = later;
        let due: Vec<(u64, LiveSetting, f64)> = due;
        due.into_iter().map(|(_, key, value)| (key, value)).collect()
    }
}
