//! The progress of explanations on stderr, where it is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use pellucid_protocol::explanation::Progress;

use crate::explain::session::Stage;

/// Parts of one text.
const PARTS: u64 = 1000;

/// A line that says which text is explained and how far it is; nothing where stderr is no terminal.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    texts: usize,
}

impl Bar {
    /// For so many texts.
    pub(super) fn on_stderr(texts: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(PARTS * texts as u64);
            let style = ProgressStyle::with_template("{bar:24} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, texts }
    }

    /// Text number `index`, from 0, has come to this stage.
    pub(super) fn show(&self, index: usize, stage: &Stage<'_>) {
        let Some(bar) = &self.bar else { return };
        let progress = stage.progress();
        let done = progress.map_or(1.0, |progress| progress.done);
        bar.set_position(PARTS * index as u64 + (done * PARTS as f64) as u64);
        let told = progress.as_ref().map(Progress::told).unwrap_or_default();
        bar.set_message(match self.texts {
            1 => told,
            texts => format!("text {} of {texts} · {told}", index + 1),
        });
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
