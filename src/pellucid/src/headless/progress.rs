//! Progress on stderr: a bar with lines above it on a terminal, elsewhere only lines.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use pellucid_client::console;
use pellucid_protocol::Event;
use pellucid_protocol::scrub::scrub;

use super::run_lines::step_metrics;

/// How progress is shown.
pub(super) enum Progress {
    /// A bar that moves with each step, and lines above it.
    Bar(ProgressBar),
    /// Lines.
    Lines,
    /// Nothing.
    #[cfg(test)]
    Silent,
}

impl Progress {
    /// A bar if stderr is a terminal, else lines.
    pub(super) fn for_stderr() -> Self {
        if !std::io::stderr().is_terminal() {
            return Progress::Lines;
        }
        let bar = ProgressBar::no_length();
        bar.set_style(style("{spinner} {elapsed}"));
        Progress::Bar(bar)
    }

    #[cfg(test)]
    pub(super) fn silent() -> Self {
        Progress::Silent
    }

    /// Prints a line that stays.
    pub(super) fn say(&self, line: &str) {
        match self {
            Progress::Bar(bar) => bar.suspend(|| console::note(line)),
            Progress::Lines => console::note(line),
            #[cfg(test)]
            Progress::Silent => {}
        }
    }

    /// Moves the bar to where `event` says.
    pub(super) fn step(&self, event: &Event) {
        let Progress::Bar(bar) = self else { return };
        match event {
            Event::Started(started) => {
                bar.set_length(started.total_steps);
                bar.set_style(style("{bar:24} {pos}/{len}  {msg}  ETA {eta}"));
                bar.reset_eta();
            }
            Event::Step(step) => {
                bar.set_position(step.step);
                bar.set_message(scrub(&step_metrics(&step.metrics)).into_owned());
            }
            _ => {}
        }
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        for template in ["{spinner} {elapsed}", "{bar:24} {pos}/{len}  {msg}  ETA {eta}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
