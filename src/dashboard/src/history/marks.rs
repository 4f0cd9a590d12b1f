//! What happened in a run beside its steps, as marks below its charts.

use pellucid_protocol::event::{CheckpointKind, Level};
use pellucid_protocol::{Event, Record};

/// Marks that are kept: the last ones.
const KEPT: usize = 10_000;

/// What a mark stands for. Of two marks at one place, the later one in this list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The checkpoint of the best evaluation so far.
    Best,
    /// A checkpoint that was asked for.
    Checkpoint,
    /// The training was paused or resumed.
    Pause,
    /// A setting was changed.
    Setting,
    /// Something a person should know.
    Alert,
}

impl MarkKind {
    /// All of them, with the sign and what it means.
    pub const LEGEND: [(MarkKind, &'static str, &'static str); 5] = [
        (MarkKind::Best, "b", "best"),
        (MarkKind::Checkpoint, "c", "checkpoint"),
        (MarkKind::Pause, "p", "pause"),
        (MarkKind::Setting, "s", "setting"),
        (MarkKind::Alert, "!", "alert"),
    ];

    /// The sign: a letter, which every terminal has.
    #[must_use]
    pub fn sign(self) -> &'static str {
        Self::LEGEND.iter().find(|(kind, ..)| *kind == self).map_or("?", |(_, sign, _)| sign)
    }
}

/// Something that happened at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Steps done before it.
    pub step: u64,
    /// What it stands for.
    pub kind: MarkKind,
    /// What happened, in a line.
    pub words: String,
}

/// The marks of a run, in their order.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    known: Vec<Mark>,
}

impl Marks {
    /// Adds a mark for a record that is worth one.
    pub fn take(&mut self, record: &Record) {
        if let Event::Started(started) = &record.event
            && let Some(step) = started.resumed
        {
            // The steps after it are done again.
            self.known.retain(|known| known.step <= step);
        }
        let Some(mark) = mark(&record.event) else { return };
        if mark.kind == MarkKind::Best {
            // Only one is the best.
            self.known.retain(|known| known.kind != MarkKind::Best);
        }
        if self.known.len() == KEPT {
            self.known.remove(0);
        }
        self.known.push(mark);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Mark] {
        &self.known
    }

    /// The most important mark within the steps `first..=last`; of equally important ones the latest.
    #[must_use]
    pub fn within(&self, first: f64, last: f64) -> Option<&Mark> {
        self.known.iter().filter(|mark| (first..=last).contains(&(mark.step as f64))).max_by_key(|mark| mark.kind)
    }
}

fn mark(event: &Event) -> Option<Mark> {
    let (step, kind, words) = match event {
        Event::Checkpoint(checkpoint) => match checkpoint.kind {
            CheckpointKind::Best => (checkpoint.step, MarkKind::Best, "the best evaluation so far".to_owned()),
            CheckpointKind::Requested => (checkpoint.step, MarkKind::Checkpoint, checkpoint.path.clone()),
            CheckpointKind::Last => return None,
        },
        Event::Setting(setting) if setting.key == "state" => {
            let words = if setting.value == "paused" { "paused" } else { "went on" };
            (setting.step, MarkKind::Pause, words.to_owned())
        }
        Event::Setting(setting) => {
            let value = setting.value.as_str().map_or_else(|| setting.value.to_string(), str::to_owned);
            (setting.step, MarkKind::Setting, format!("{} is now {value}", setting.key))
        }
        Event::Alert(alert) if alert.level > Level::Info => (alert.step, MarkKind::Alert, alert.message.clone()),
        _ => return None,
    };
    Some(Mark { step, kind, words })
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::event::{Alert, Checkpoint, Setting};

    use super::*;

    fn take(marks: &mut Marks, event: Event) {
        marks.take(&Record { time: 0.0, event });
    }

    #[test]
    fn what_is_done_again_is_marked_again_and_the_last_ones_are_kept() {
        let mut marks = Marks::default();
        let set = |step| Event::Setting(Setting { step, key: "lr".to_owned(), value: 1e-4.into() });
        (1..=KEPT as u64 + 5).for_each(|step| take(&mut marks, set(step)));
        assert_eq!((marks.all().len(), marks.all()[0].step), (KEPT, 6));
        let Event::Started(mut started) = crate::fixture::started(9).event else { panic!("no start") };
        started.resumed = Some(7);
        take(&mut marks, Event::Started(started));
        take(&mut marks, set(8));
        assert_eq!(marks.all().iter().map(|mark| mark.step).collect::<Vec<_>>(), [6, 7, 8]);
    }

    #[test]
    fn one_is_the_best_and_an_alert_is_seen_before_it() {
        let mut marks = Marks::default();
        for step in [10, 20] {
            let path = "checkpoints/best".to_owned();
            take(&mut marks, Event::Checkpoint(Checkpoint { step, kind: CheckpointKind::Best, path }));
        }
        let alert = |step, level| Event::Alert(Alert::new(step, level, "odd"));
        take(&mut marks, alert(21, Level::Warning));
        take(&mut marks, alert(22, Level::Info));
        take(&mut marks, Event::Setting(Setting { step: 30, key: "lr".to_owned(), value: 1e-4.into() }));
        let seen: Vec<_> = marks.all().iter().map(|mark| (mark.step, mark.kind.sign())).collect();
        assert_eq!(seen, [(20, "b"), (21, "!"), (30, "s")]);
        assert_eq!(marks.within(0.0, 29.0).map(|mark| mark.kind), Some(MarkKind::Alert));
        assert_eq!(marks.within(30.0, 30.0).map(|mark| mark.words.as_str()), Some("lr is now 0.0001"));
        assert_eq!(marks.within(31.0, 99.0), None);
    }
}
