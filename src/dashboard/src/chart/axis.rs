//! The vertical axis, with round numbers that change seldom, so that a live chart stays still.

use super::Scale;
use crate::text;

/// The vertical axis: its ends, and how many steps of what size lie between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    tick: f64,
    fine: f64,
    log: bool,
}

impl Axis {
    /// Round ends around `extent`, with a label on every second row or so.
    #[must_use]
    pub(crate) fn fit(extent: Option<(f64, f64)>, scale: Scale, rows: u16) -> Self {
        let (low, high) = extent.unwrap_or((0.0, 1.0));
        match scale {
            Scale::Log => Self::log(low, high),
            Scale::FromZero => Self::linear(low.min(0.0), high, rows),
            Scale::Fitted => Self::linear(low, high, rows),
        }
    }

    /// Ends on round numbers close to the values; labels on as many of them as there is room for.
    fn linear(low: f64, high: f64, rows: u16) -> Self {
        let span = if high - low > high.abs().max(1e-12) * 1e-6 { high - low } else { high.abs().max(1e-3) };
        let fine = nice(span / 5.0);
        let first = (low / fine + 1e-9).floor();
        let count = ((high / fine - 1e-9).ceil() - first).max(1.0);
        let (low, high) = (first * fine, (first + count) * fine);
        // Labels at least three rows apart; at both ends where the steps allow it.
        let wanted = f64::from(rows / 3).clamp(1.0, count);
        let even = (1..=wanted as u32).rev().find(|parts| (count as u32).is_multiple_of(*parts));
        let parts = f64::from(even.unwrap_or(1));
        let stride = if parts < 2.0 && wanted >= 2.0 { (count / wanted).ceil() } else { count / parts };
        Self { low, high, tick: stride * fine, fine, log: false }
    }

    /// Whole decades.
    fn log(low: f64, high: f64) -> Self {
        let high = if high > 0.0 { high.log10().ceil() } else { 0.0 };
        let low = if low > 0.0 { low.log10().floor() } else { high - 4.0 };
        let low = low.max(high - 9.0).min(high - 1.0);
        Self { low, high, tick: ((high - low) / 4.0).ceil().max(1.0), fine: 1.0, log: true }
    }

    /// How far up `value` lies, from 0 to 1; `None` where it cannot be drawn.
    #[must_use]
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        value.is_finite().then(|| share(value, self.low, self.high))
    }

    /// How far up each label stands, and the label.
    #[must_use]
    pub(crate) fn labels(&self) -> Vec<(f64, String)> {
        let count = ((self.high - self.low) / self.tick + 1e-6).floor().clamp(1.0, 20.0) as u32;
        let at = |index: u32| self.low + self.tick * f64::from(index);
        (0..=count).map(|index| (share(at(index), self.low, self.high), self.label(at(index)))).collect()
    }

    fn label(&self, value: f64) -> String {
        if self.log {
            return decade(value.round());
        }
        let size = self.low.abs().max(self.high.abs());
        if size >= 10_000.0 || self.fine < 1e-4 {
            return if value.abs() < self.tick / 2.0 { "0".to_owned() } else { text::number(value) };
        }
        let digits = (-(self.fine * 1.000_001).log10().floor()).max(0.0) as usize;
        // Minus zero is still zero.
        format!("{:.digits$}", if value.abs() < self.tick / 2.0 { 0.0 } else { value })
    }
}

/// A power of ten: `0.01`, `1`, `100`, `10k`.
fn decade(power: f64) -> String {
    let label = text::number(10f64.powf(power)).replace(".00", "").replace(".0", "");
    if power < 0.0 && !label.contains('e') { format!("{}1", &"0.00000"[..(1.0 - power) as usize]) } else { label }
}

/// The row, from the top, of a place from 0 (bottom) to 1 (top).
#[must_use]
pub(crate) fn row(share: f64, rows: u16) -> u16 {
    ((1.0 - share.clamp(0.0, 1.0)) * f64::from(rows.saturating_sub(1))).round() as u16
}

/// How far `value` lies between `low` and `high`, from 0 to 1.
#[must_use]
pub(crate) fn share(value: f64, low: f64, high: f64) -> f64 {
    if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `value`.
#[must_use]
pub(crate) fn nice(value: f64) -> f64 {
    let power = 10f64.powf(value.abs().max(1e-300).log10().floor());
    let lead = value / power;
    let rounded = [1.0, 2.0, 5.0].into_iter().find(|&step| lead <= step * (1.0 + 1e-9)).unwrap_or(10.0);
    rounded * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_round_and_hold_the_values() {
        let axis = Axis::fit(Some((0.13, 0.87)), Scale::Fitted, 15);
        let labels: Vec<_> = axis.labels().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let low: Vec<_> =
            Axis::fit(Some((0.1, 2.05)), Scale::FromZero, 4).labels().into_iter().map(|(_, label)| label).collect();
        assert_eq!(low, ["0.0", "2.5"]);
        assert!(axis.place(0.13).is_some_and(|place| (place - 0.13).abs() < 1e-9));
    }

    #[test]
    fn odd_extents_have_an_axis() {
        for extent in
            [None, Some((0.0, 0.0)), Some((5.0, 5.0)), Some((-1e-9, 1e-9)), Some((-3.0, 1e9)), Some((1e-30, 1e30))]
        {
            for scale in [Scale::Fitted, Scale::FromZero, Scale::Log] {
                let labels = Axis::fit(extent, scale, 9).labels();
                assert!((2..=21).contains(&labels.len()), "{extent:?} {scale:?} {labels:?}");
            }
        }
    }

    #[test]
    fn a_log_axis_has_whole_decades_and_no_place_for_zero() {
        let axis = Axis::fit(Some((0.02, 3.0)), Scale::Log, 12);
        assert_eq!(axis.labels().last().map(|(_, label)| label.as_str()), Some("10"));
        assert_eq!(axis.place(0.0), None);
    }

    #[test]
    fn labels_are_short_and_apart() {
        let labels = |extent, scale, rows| {
            Axis::fit(Some(extent), scale, rows).labels().into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels((0.0, 0.42), Scale::FromZero, 10), ["0.0", "0.2", "0.4"]);
        assert_eq!(labels((0.0, 0.42), Scale::FromZero, 4), ["0.0", "0.5"]);
        assert_eq!(labels((0.002, 150.0), Scale::Log, 10), ["0.001", "0.1", "10", "1000"]);
        assert_eq!(
            [-4.0, -2.0, -1.0, 0.0, 3.0, 4.0, 6.0].map(decade),
            ["1e-4", "0.01", "0.1", "1", "1000", "10k", "1M"]
        );
    }
}
