//! What stderr shows: a bar with lines above it on a terminal, lines alone elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use pellucid_client::console;
use pellucid_protocol::Event;
use pellucid_protocol::scrub::scrub;

use super::report::step_figures;

/// The face of a headless run.
pub(super) enum Face {
    /// A bar that moves with each step.
    Bar(ProgressBar),
    /// Lines.
    Lines,
    /// Nothing.
    #[cfg(test)]
    Silent,
}

impl Face {
    /// A bar if stderr is a terminal.
    pub(super) fn for_stderr() -> Self {
        if !std::io::stderr().is_terminal() {
            return Face::Lines;
        }
        let bar = ProgressBar::no_length();
        bar.set_style(style("{spinner} {elapsed}"));
        Face::Bar(bar)
    }

    #[cfg(test)]
    pub(super) fn silent() -> Self {
        Face::Silent
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        match self {
            Face::Bar(bar) => bar.suspend(|| console::note(line)),
            Face::Lines => console::note(line),
            #[cfg(test)]
            Face::Silent => {}
        }
    }

    /// Moves the bar.
    pub(super) fn step(&self, event: &Event) {
        let Face::Bar(bar) = self else { return };
        match event {
            Event::Started(started) => {
                bar.set_length(started.total_steps);
                bar.set_style(style("{bar:24} {pos}/{len}  {msg}  ETA {eta}"));
                bar.reset_eta();
            }
            Event::Step(step) => {
                bar.set_position(step.step);
                bar.set_message(scrub(&step_figures(&step.metrics)).into_owned());
            }
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Face::Bar(bar) = self {
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
