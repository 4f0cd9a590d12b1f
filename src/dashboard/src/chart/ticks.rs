//! Labels of the horizontal axis: round steps, epochs, durations and times of day.

use super::axis::{nice, share};
use super::domain::Domain;
use crate::history::timeline::XAxis;
use crate::text::clock;

/// Seconds that are round.
pub(super) const ROUND: [f64; 24] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1800.0,
    3600.0,
    7200.0,
    10800.0,
    14400.0,
    21600.0,
    28800.0,
    43200.0,
    86400.0,
    172_800.0,
    345_600.0,
    604_800.0,
    1_209_600.0,
];

/// The smallest round duration that is not below `seconds`.
#[must_use]
pub(crate) fn round_up(seconds: f64) -> f64 {
    let weeks = || 604_800.0 * (seconds / 604_800.0).ceil();
    ROUND.into_iter().find(|&round| round >= seconds * (1.0 - 1e-9)).unwrap_or_else(weeks)
}

/// Places, from 0 to 1, and labels below a plot of `width` columns.
#[must_use]
pub(super) fn labels(domain: &Domain, width: u16) -> Vec<(f64, String)> {
    let (first, last) = domain.ends;
    let span = (last - first).max(f64::MIN_POSITIVE);
    let wanted = f64::from((width / 12).clamp(1, 12));
    let (tick, offset) = match domain.axis {
        XAxis::Step => (nice(span / wanted).max(1.0), 0.0),
        XAxis::Epoch => (nice(span / wanted), 0.0),
        XAxis::Relative => (round_up(span / wanted), 0.0),
        XAxis::Wall => (round_up(span / wanted), clock::offset(first)),
    };
    let start = ((first + offset) / tick - 1e-9).ceil() * tick - offset;
    let places = (0..=20).map(|index| start + f64::from(index) * tick).take_while(|&x| x <= last + tick * 1e-6);
    places.map(|x| (share(x, first, last), label(domain.axis, x, tick))).collect()
}

fn label(axis: XAxis, x: f64, tick: f64) -> String {
    match axis {
        XAxis::Step => format!("{x:.0}"),
        XAxis::Epoch => {
            let digits = (-(tick * 1.000_001).log10().floor()).max(0.0) as usize;
            format!("{:.digits$}", x.max(0.0))
        }
        XAxis::Relative => duration(x.max(0.0).round() as u64),
        XAxis::Wall if tick >= 86400.0 => clock::show(x, "%m-%d"),
        XAxis::Wall if tick >= 60.0 => clock::show(x, "%H:%M"),
        XAxis::Wall => clock::show(x, "%H:%M:%S"),
    }
}

/// A round duration, short: `0`, `45s`, `5m`, `1h30`, `2d`.
fn duration(seconds: u64) -> String {
    match seconds {
        0 => "0".to_owned(),
        _ if seconds.is_multiple_of(86400) => format!("{}d", seconds / 86400),
        _ if seconds >= 86400 => format!("{}d{}h", seconds / 86400, seconds % 86400 / 3600),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds >= 3600 => format!("{}h{:02}", seconds / 3600, seconds % 3600 / 60),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ if seconds >= 60 => format!("{}m{:02}", seconds / 60, seconds % 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(axis: XAxis, ends: (f64, f64), width: u16) -> Vec<String> {
        let domain = Domain { axis, ends, timeline: None, marks: None };
        labels(&domain, width).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn they_are_round() {
        assert_eq!(shown(XAxis::Step, (0.0, 1200.0), 50), ["0", "500", "1000"]);
        assert_eq!(shown(XAxis::Epoch, (0.0, 1.6), 50), ["0.0", "0.5", "1.0", "1.5"]);
        assert_eq!(shown(XAxis::Relative, (0.0, 5400.0), 50), ["0", "30m", "1h", "1h30"]);
        assert_eq!(shown(XAxis::Relative, (0.0, 90.0), 40), ["0", "30s", "1m", "1m30"]);
        // 2026-01-01 12:00:30 UTC.
        let noon = 1_767_268_830.0;
        assert_eq!(shown(XAxis::Wall, (noon, noon + 900.0), 40), ["12:05", "12:10", "12:15"]);
    }

    #[test]
    fn odd_ends_have_labels_that_end() {
        for axis in XAxis::ALL {
            for ends in [(0.0, 0.0), (5.0, 5.0), (0.0, 1e12), (-3.0, 2.0), (1e9, 1e9 + 1e-3)] {
                assert!(shown(axis, ends, 60).len() <= 21, "{axis:?} {ends:?}");
            }
        }
    }
}
