//! What a worker in the foreground says on stderr: lines that stay, and a bar below them where stderr is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use pellucid_client::console;
use pellucid_protocol::message::job_progress::JobProgress;
use pellucid_protocol::scrub::scrub;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// Shows what a worker says. The bar goes when this goes.
#[derive(Debug, Default)]
pub(crate) struct JobLines {
    bar: Option<ProgressBar>,
}

impl JobLines {
    /// A receiver of the worker's lines.
    pub(crate) fn on_stderr() -> impl FnMut(&str) + Send + 'static {
        let mut lines = Self::default();
        move |line| lines.say(line)
    }

    fn say(&mut self, line: &str) {
        match (JobProgress::of_line(line), &self.bar) {
            (Some(progress), _) => self.show(&progress),
            (None, Some(bar)) => bar.suspend(|| console::note(line)),
            (None, None) => console::note(line),
        }
    }

    fn show(&mut self, progress: &JobProgress) {
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:24} {msg}");
            ProgressBar::new(STEPS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position((progress.done.clamp(0.0, 1.0) * STEPS as f64) as u64);
        bar.set_message(scrub(&progress.message).into_owned());
    }
}

impl Drop for JobLines {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
