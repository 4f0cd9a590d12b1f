//! Settings that can be changed while a run goes on, and the dialog for them.

use pellucid_protocol::LiveSetting;
use pellucid_protocol::settings::{Reference, Scale};
use tui_input::{Input, InputRequest};

use crate::run::Run;

/// The settings that have an effect in `run`.
#[must_use]
pub(crate) fn offered(run: &Run) -> Vec<LiveSetting> {
    let taught = run.started.as_ref().is_some_and(|started| started.teacher.is_some());
    let to_start = run.started.as_ref().is_some_and(|s| s.settings.consistency_to == Reference::Start);
    let means_something = |key: &LiveSetting| match key {
        LiveSetting::KdAlpha | LiveSetting::KdTemperature => taught,
        LiveSetting::Consistency => taught || to_start,
        _ => true,
    };
    LiveSetting::ALL.iter().copied().filter(means_something).collect()
}

/// The dialog in which values are changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// The marked value.
    pub cursor: usize,
    /// What was typed for it.
    pub draft: Input,
    /// Why the last value was not sent.
    pub trouble: Option<String>,
}

impl Values {
    /// With the value of `key` marked.
    #[must_use]
    pub(crate) fn at(key: LiveSetting, run: &Run) -> Self {
        let cursor = offered(run).iter().position(|known| *known == key).unwrap_or(0);
        Self { cursor, ..Self::default() }
    }

    /// The marked value.
    #[must_use]
    pub(crate) fn marked(&self, run: &Run) -> Option<LiveSetting> {
        offered(run).get(self.cursor).copied()
    }

    /// Marks another value; what was typed is dropped.
    pub(crate) fn go(&mut self, run: &Run, by: isize) {
        let count = offered(run).len().max(1);
        *self = Self { cursor: (self.cursor + count).saturating_add_signed(by) % count, ..Self::default() };
    }

    /// A little more or less than what is typed, or than the value of now.
    pub(crate) fn nudge(&mut self, run: &Run, direction: Direction) {
        let Some(key) = self.marked(run) else { return };
        let typed = self.draft.value().trim().parse::<f64>().ok().filter(|typed| typed.is_finite());
        let Some(now) = typed.or_else(|| run.setting(key)) else { return };
        self.draft = Input::new(format!("{}", nudged(key, now, direction)));
        self.trouble = None;
    }

    /// Takes a key of a line of text.
    pub(crate) fn edit(&mut self, request: InputRequest) -> bool {
        self.trouble = None;
        self.draft.handle(request).is_some()
    }

    /// What is to be set.
    ///
    /// # Errors
    /// Why that is no value for it.
    pub(crate) fn wanted(&self, run: &Run) -> Result<(LiveSetting, f64), String> {
        let key = self.marked(run).ok_or_else(|| "nothing can be set".to_owned())?;
        let typed = self.draft.value().trim();
        if typed.is_empty() {
            return Err("type a number, or change it with the arrow keys".to_owned());
        }
        let number = typed.parse::<f64>().map_err(|_| format!("`{typed}` is no number"))?;
        check(key, number).map(|()| (key, number))
    }
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// More.
    Up,
    /// Less.
    Down,
}

/// The next value up or down: rates and penalties change by a fifth of a decade, shares and temperatures evenly.
fn nudged(key: LiveSetting, now: f64, direction: Direction) -> f64 {
    let (up, sign) = (direction == Direction::Up, if direction == Direction::Up { 1.0 } else { -1.0 });
    match key.scale() {
        Scale::Share => digits((now + 0.05 * sign).clamp(0.0, 1.0)),
        Scale::Even(step) => digits((now + step * sign).max(step)),
        Scale::Penalty(first) if up && now == 0.0 => first,
        // Two decades below the first step it has no effect that is worth a step of its own.
        Scale::Penalty(first) if !up && now <= first / 100.0 => 0.0,
        Scale::Penalty(_) | Scale::Rate => digits(now * 10f64.powf(0.2 * sign)),
    }
}

/// Two digits that count: what is nudged is not measured.
fn digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

fn check(key: LiveSetting, value: f64) -> Result<(), String> {
    key.check(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn run() -> Run {
        let mut run = Run::new(0.0);
        fixture::records(10).iter().for_each(|record| run.take(record));
        run
    }

    #[test]
    fn up_and_down_again_is_where_it_was() {
        for (key, from) in [(LiveSetting::Lr, 5e-5), (LiveSetting::L1, 1e-6), (LiveSetting::KdAlpha, 0.5)] {
            let back = nudged(key, nudged(key, from, Direction::Up), Direction::Down);
            assert!((back - from).abs() <= from * 0.02, "{key:?} {back}");
        }
        assert_eq!(
            [Direction::Up, Direction::Down].map(|direction| nudged(LiveSetting::L1, 0.0, direction)),
            [1e-6, 0.0]
        );
        assert_eq!(nudged(LiveSetting::KdAlpha, 1.0, Direction::Up), 1.0);
        assert_eq!(nudged(LiveSetting::KdTemperature, 0.5, Direction::Down), 0.5);
    }

    #[test]
    fn what_makes_no_sense_is_not_sent() {
        let run = run();
        let mut values = Values::at(LiveSetting::Lr, &run);
        for (typed, fits) in
            [("1e-4", true), ("0", false), ("-1", false), ("inf", false), ("NaN", false), ("fast", false)]
        {
            values.draft = Input::new(typed.to_owned());
            assert_eq!(values.wanted(&run).is_ok(), fits, "{typed}");
        }
        values.draft = Input::default();
        assert!(values.wanted(&run).is_err());
        values.nudge(&run, Direction::Up);
        assert_eq!(values.wanted(&run), Ok((LiveSetting::Lr, 7.9e-5)));
    }

    #[test]
    fn the_mark_goes_round_and_a_run_without_a_teacher_has_fewer() {
        let mut run = run();
        let mut values = Values::default();
        values.go(&run, -1);
        assert_eq!(values.marked(&run), Some(LiveSetting::Masking));
        run.started = None;
        assert_eq!(offered(&run).len(), 6);
        assert!(values.marked(&run).is_none() && values.wanted(&run).is_err());
    }
}
