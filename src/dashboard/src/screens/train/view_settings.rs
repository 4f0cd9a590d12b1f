//! How the charts of a run are shown, saved in its `view.toml` for the next time.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::history::MEMORY;
use crate::history::timeline::XAxis;

/// The steps of the smoothing, from none to much.
const MEMORIES: [f64; 5] = [0.0, 0.8, MEMORY, 0.99, 0.998];

/// How charts are shown. Unknown keys of the file are ignored: a newer version wrote them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewSettings {
    /// The horizontal axis.
    pub axis: XAxis,
    /// Share of the old value in the smoothed lines.
    pub smoothing: f64,
    /// Whether the points behind the smoothed lines are hidden.
    pub hide_points: bool,
    /// The charts that are shown, by title and in order; the usual ones if none were chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charts: Option<Vec<String>>,
    /// The charts with a logarithmic vertical axis.
    pub log: BTreeSet<String>,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self { axis: XAxis::Step, smoothing: MEMORY, hide_points: false, charts: None, log: BTreeSet::new() }
    }
}

impl ViewSettings {
    /// As read from a file. Values that make no sense become the default.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut view_settings: ViewSettings = toml::from_str(text).unwrap_or_default();
        if !(0.0..1.0).contains(&view_settings.smoothing) {
            view_settings.smoothing = MEMORY;
        }
        view_settings.charts.take_if(|charts| charts.is_empty());
        view_settings
    }

    /// As written to a file.
    #[must_use]
    pub fn text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// More smoothing; none after the most.
    pub fn smooth_more(&mut self) {
        let next = MEMORIES.into_iter().find(|&memory| memory > self.smoothing);
        self.smoothing = next.unwrap_or(MEMORIES[0]);
    }

    /// A logarithmic axis becomes a linear one, and the other way round.
    pub fn turn_scale(&mut self, chart: &str) {
        if !self.log.remove(chart) {
            self.log.insert(chart.to_owned());
        }
    }

    /// Shows a chart that was not, or the other way round; the order is that of `all`. One always stays.
    pub fn turn_chart(&mut self, chart: &str, shown: Vec<String>, all: &[String]) {
        let mut wanted: BTreeSet<String> = shown.into_iter().collect();
        if !wanted.remove(chart) {
            wanted.insert(chart.to_owned());
        }
        if !wanted.is_empty() {
            self.charts = Some(all.iter().filter(|title| wanted.contains(*title)).cloned().collect());
        }
    }

    /// What differs from the default, in words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.axis != XAxis::Step {
            words.push(format!("by {}", self.axis.title()));
        }
        if self.smoothing == 0.0 {
            words.push("not smoothed".to_owned());
        } else if self.smoothing != MEMORY {
            words.push(format!("smoothed by {}", self.smoothing));
        }
        if self.hide_points && self.smoothing > 0.0 {
            words.push("points hidden".to_owned());
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_as_they_were_written() {
        let mut view_settings = ViewSettings { axis: XAxis::Wall, hide_points: true, ..ViewSettings::default() };
        view_settings.turn_scale("loss");
        view_settings.smooth_more();
        let all = ["loss", "accuracy", "speed"].map(str::to_owned);
        view_settings.turn_chart("accuracy", all.to_vec(), &all);
        assert_eq!(view_settings.charts, Some(vec!["loss".to_owned(), "speed".to_owned()]));
        assert_eq!(ViewSettings::parse(&view_settings.text()), view_settings);
        view_settings.turn_chart("loss", vec!["loss".to_owned()], &all);
        assert_eq!(view_settings.charts.map(|charts| charts.len()), Some(2), "one always stays");
    }

    #[test]
    fn what_makes_no_sense_is_as_usual() {
        for bad in ["", "axis = 3", "smoothing = nan", "smoothing = 1.0", "charts = []", "\u{1b}[2J"] {
            assert_eq!(ViewSettings::parse(bad), ViewSettings::default(), "{bad}");
        }
        assert_eq!(ViewSettings::parse("axis = \"epoch\"\nnewer = 3").axis, XAxis::Epoch);
    }

    #[test]
    fn smoothing_goes_round() {
        let mut view_settings = ViewSettings::default();
        let mut seen = Vec::new();
        for _ in 0..5 {
            view_settings.smooth_more();
            seen.push(view_settings.smoothing);
        }
        assert_eq!(seen, [0.99, 0.998, 0.0, 0.8, 0.95]);
    }
}
