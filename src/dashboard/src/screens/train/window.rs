//! Which part of a run is shown: all of it, its end, or a stretch that stays.

use crate::chart::round_up;
use crate::history::timeline::XAxis;
use crate::run::Run;

/// The fewest steps that are shown.
const FEWEST: f64 = 8.0;

/// A part of a run, in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Window {
    /// All of it.
    #[default]
    Whole,
    /// So many of the latest steps; goes on with the run.
    Tail(f64),
    /// From one step to another.
    Fixed(f64, f64),
}

impl Window {
    /// The steps shown. While a run grows its end moves in jumps, so that the curves stay still between.
    #[must_use]
    pub(super) fn steps(self, run: &Run) -> (f64, f64) {
        match self {
            Window::Whole => (0.0, run.horizon() as f64),
            Window::Tail(width) => {
                let stride = (width / 4.0).max(1.0).floor();
                let end = ((run.step as f64 / stride).ceil() * stride).max(width);
                (end - width, end)
            }
            Window::Fixed(first, last) => (first, last),
        }
    }

    /// The ends on an axis.
    #[must_use]
    pub(super) fn ends(self, axis: XAxis, run: &Run) -> (f64, f64) {
        let (first, last) = self.steps(run);
        let x = |step: f64| run.timeline.x(axis, step);
        match (axis, self) {
            (XAxis::Step | XAxis::Epoch, _) => (x(first), x(last)),
            (_, Window::Fixed(..)) => (x(first), x(last).max(x(first) + 1.0)),
            (_, Window::Whole) => {
                let start = x(0.0);
                let gone = (x(run.step as f64) - start).max(1.0);
                (start, start + if run.is_going() { round_up(gone.max(10.0)) } else { gone })
            }
            (_, Window::Tail(width)) => {
                let (start, now) = (x(0.0), x(run.step as f64));
                let wide = round_up((now - x((run.step as f64 - width).max(0.0))).max(1.0));
                let end = ((now - start) / (wide / 4.0)).ceil() * (wide / 4.0);
                (start + end - wide, start + end)
            }
        }
    }

    /// Shows `factor` times as much, `about` a step or the end of what is shown.
    pub(super) fn zoom(&mut self, run: &Run, factor: f64, about: Option<f64>) {
        let (first, last) = self.steps(run);
        let width = ((last - first) * factor).max(FEWEST);
        let fixed = matches!(self, Window::Fixed(..)).then_some((first + last) / 2.0);
        *self = match about.or(fixed) {
            _ if width >= run.horizon() as f64 => Window::Whole,
            Some(step) => {
                let share = ((step - first) / (last - first).max(1.0)).clamp(0.0, 1.0);
                Self::starting(step - share * width, width, run)
            }
            None => Window::Tail(width.round()),
        };
    }

    /// Moves by `share` of what is shown: back, or forward until it follows the run again.
    pub(super) fn pan(&mut self, run: &Run, share: f64) {
        if *self != Window::Whole {
            let (first, last) = self.steps(run);
            *self = Self::starting(first + (last - first) * share, last - first, run);
        }
    }

    /// Moves so far that `step` is seen.
    pub(super) fn reveal(&mut self, run: &Run, step: f64) {
        let (first, last) = self.steps(run);
        if step < first || step > last {
            let aside = if step < first { step - first } else { step - last };
            *self = Self::starting(first + aside, last - first, run);
        }
    }

    /// Goes on with the run.
    pub(super) fn follow(&mut self) {
        if let Window::Fixed(first, last) = *self {
            *self = Window::Tail(last - first);
        }
    }

    /// So many steps from `first` on; one that reaches the end of the run goes on with it.
    #[must_use]
    pub(super) fn starting(first: f64, width: f64, run: &Run) -> Self {
        let first = first.clamp(0.0, run.step as f64);
        if first + width >= run.step as f64 + 1.0 { Window::Tail(width) } else { Window::Fixed(first, first + width) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    fn run(steps: u64) -> Run {
        let mut run = Run::new(0.0);
        fixture::records(steps).iter().for_each(|record| run.take(record));
        run
    }

    #[test]
    fn zooming_in_follows_and_panning_back_stays() {
        let run = run(1240);
        let mut window = Window::default();
        assert_eq!(window.steps(&run), (0.0, 1600.0));
        window.zoom(&run, 0.5, None);
        assert_eq!(window, Window::Tail(800.0));
        assert_eq!(window.steps(&run), (600.0, 1400.0));
        window.pan(&run, -0.25);
        assert_eq!(window, Window::Fixed(400.0, 1200.0));
        window.pan(&run, 0.25);
        assert_eq!(window, Window::Tail(800.0), "at the end it follows again");
        window.zoom(&run, 2.0, None);
        assert_eq!(window, Window::Whole);
        window.pan(&run, -0.25);
        assert_eq!(window, Window::Whole, "there is nothing beside the whole");
        window.zoom(&run, 0.25, Some(300.0));
        let (first, last) = window.steps(&run);
        assert!((last - first - 400.0).abs() < 1e-9 && (300.0 - first) / 400.0 - 300.0 / 1600.0 < 1e-9);
    }

    proptest! {
        #[test]
        fn any_way_leads_to_a_part_of_the_run(ways in prop::collection::vec((0u8..4, 0.1f64..3.0, 0.0f64..300.0), 0..40)) {
            let run = run(150);
            let mut window = Window::default();
            for (way, by, at) in ways {
                match way {
                    0 => window.zoom(&run, by, None),
                    1 => window.zoom(&run, by, Some(at)),
                    2 => window.pan(&run, by - 1.5),
                    _ => window.reveal(&run, at),
                }
                for axis in XAxis::ALL {
                    let (from, to) = window.ends(axis, &run);
                    prop_assert!(to > from && from.is_finite() && to.is_finite(), "{window:?} {axis:?} {from} {to}");
                }
            }
        }
    }
}
