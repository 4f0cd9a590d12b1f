//! Tells how far explanations are, for the program that shows it.

use pellucid_protocol::explanation::Progress;
use pellucid_protocol::message::job_progress::JobProgress;

use crate::explain::session::Stage;

/// Tells which text is explained and how far it is, if anybody has asked for it.
pub(super) struct Bar {
    is_asked: bool,
    texts: usize,
}

impl Bar {
    /// For so many texts.
    pub(super) fn new(texts: usize) -> Self {
        Self { is_asked: std::env::var_os(JobProgress::ASKED_BY).is_some(), texts }
    }

    /// Text number `index`, from 0, has come to this stage.
    pub(super) fn show(&self, index: usize, stage: &Stage<'_>) {
        if !self.is_asked {
            return;
        }
        let progress = stage.progress();
        let of_text = progress.map_or(1.0, |progress| progress.done);
        let told = progress.as_ref().map(Progress::told).unwrap_or_default();
        let message = match self.texts {
            1 => told,
            texts => format!("text {} of {texts} · {told}", index + 1),
        };
        // Nobody may read on, and that is no failure.
        let line = JobProgress { done: (index as f64 + of_text) / self.texts as f64, message }.line();
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
    }
}
