//! What watches a run from evaluation to evaluation: the probe set and the search for shortcuts.

use pellucid_protocol::Watched;
use pellucid_protocol::event::Alert;

use super::setup::Setup;
use crate::data::examples::Examples;
use crate::explain::probe::Probe;
use crate::explain::shortcuts::ShortcutMonitor;

/// What watches a run.
pub(super) struct Monitors {
    pub(super) probe: Probe,
    /// `None` without a probe set.
    pub(super) shortcuts: Option<ShortcutMonitor>,
    /// What was found and not told yet.
    pub(super) alerts: Vec<Alert>,
    /// What the last evaluation says about words that may be shortcuts.
    pub(super) watched: Option<Watched>,
}

impl Monitors {
    /// Those of a run at its start; the probe set is `given` or chosen from the validation set.
    pub(super) fn new(setup: &Setup, given: Option<&Examples>) -> Self {
        let (settings, data) = (&setup.settings, &setup.data);
        Self {
            probe: match given {
                Some(given) => Probe::of(given, &data.encoder, settings),
                None => Probe::choose(&data.valid, &data.encoder, settings),
            },
            shortcuts: (settings.probe > 0).then(|| ShortcutMonitor::new(&data.train, &data.valid, data.labels.len())),
            alerts: Vec::new(),
            watched: None,
        }
    }
}
