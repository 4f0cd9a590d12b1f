//! Runs beside each other: their curves in one chart, the settings that differ, what came of them.

use std::collections::{BTreeMap, BTreeSet};

use pellucid_protocol::Settings;
use pellucid_protocol::metric::{Direction, definition};
use pellucid_record::Piece;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::text::Span;
use ratatui::widgets::Widget;
use serde_json::Value;

use crate::chart::{Band, Chart, Domain, Focus, Line, LineStyle, MARKS, Scale};
use crate::history::timeline::XAxis;
use crate::pages::page::{Page, render_title};
use crate::run::{Run, health};
use crate::screens::train::Grid;
use crate::text;
use crate::theme::{SERIES, Styles};
use crate::widgets::PutText;
use crate::widgets::area::{below, from, row, to};
use crate::widgets::columns::Columns;

/// The most runs that can be told apart.
pub const MOST: usize = SERIES;

/// Widest cell of the tables.
const WIDEST: u16 = 28;

/// Metrics that are charted where the runs have them, in this order; the rest comes after by name.
const FIRST: [&str; 6] =
    ["valid/accuracy", "valid/loss", "loss/task", "sparsity/exact", "kd/agreement", "explain/faithfulness"];

/// The screen.
#[derive(Debug)]
pub struct Compare {
    runs: Vec<Run>,
    names: Vec<String>,
    metrics: Vec<String>,
    scale: Scale,
    axis: XAxis,
    /// The first chart shown.
    top: usize,
}

impl Compare {
    /// Runs by name, each from its records. Colours go by the order of names, so that they stay the same.
    #[must_use]
    pub fn new(mut runs: Vec<(String, Vec<Piece>)>) -> Self {
        runs.sort_by(|a, b| a.0.cmp(&b.0));
        runs.truncate(MOST);
        let (scale, axis) = (Scale::Fitted, XAxis::Step);
        let mut compare = Self { runs: Vec::new(), names: Vec::new(), metrics: Vec::new(), scale, axis, top: 0 };
        for (name, pieces) in runs {
            let mut run = Run::new(0.0);
            pieces.iter().for_each(|piece| run.take_piece(piece));
            compare.names.push(name);
            compare.runs.push(run);
        }
        compare.metrics = metrics(&compare.runs);
        compare
    }

    /// Their names, in the order in which they are shown.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Settings that are not the same in all runs: the name, and the value of each run.
    #[must_use]
    pub fn differences(&self) -> Vec<(String, Vec<String>)> {
        let all: Vec<BTreeMap<String, String>> = self.runs.iter().map(settings).collect();
        let keys: BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
        let row =
            |key: &String| all.iter().map(|one| one.get(key).cloned().unwrap_or_else(|| "–".to_owned())).collect();
        let rows = keys.into_iter().map(|key| (key.clone(), row(key)));
        rows.filter(|(_, values): &(String, Vec<String>)| values.iter().any(|value| *value != values[0])).collect()
    }

    /// Metrics of the best evaluation of each run; the last value of what evaluations do not measure.
    #[must_use]
    pub fn results(&self) -> Vec<(String, Vec<Option<f64>>)> {
        let of = |run: &Run, metric: &str| {
            run.best().and_then(|best| best.metrics.get(metric)).or_else(|| run.latest(metric))
        };
        let row = |metric: &String| (metric.clone(), self.runs.iter().map(|run| of(run, metric)).collect());
        self.metrics.iter().map(row).collect()
    }

    fn settings_table<'a>(&'a self, styles: &'a Styles) -> Columns<'a> {
        let rows = self.differences().into_iter().map(|(key, values)| {
            let cells = values.into_iter().map(|value| Span::styled(value, styles.text));
            [Span::styled(key, styles.muted)].into_iter().chain(cells).collect()
        });
        Columns { heading: self.heading("settings that differ", styles), rows: rows.collect(), widest: WIDEST }
    }

    fn results_table<'a>(&'a self, styles: &'a Styles) -> Columns<'a> {
        let rows = self.results().into_iter().map(|(metric, values)| {
            let winner = winner(&metric, &values);
            let cells = values.into_iter().enumerate().map(|(index, value)| {
                let shown = value.map_or_else(|| "–".to_owned(), text::number);
                if winner == Some(index) {
                    Span::styled(format!("★ {shown}"), styles.strong)
                } else {
                    Span::styled(shown, styles.text)
                }
            });
            [Span::styled(metric, styles.muted)].into_iter().chain(cells).collect()
        });
        Columns { heading: self.heading("at best, or last", styles), rows: rows.collect(), widest: WIDEST }
    }

    fn heading<'a>(&self, title: &'a str, styles: &Styles) -> Vec<Span<'a>> {
        let marks =
            (0..self.runs.len()).map(|slot| Span::styled(format!("{} {}", MARKS[slot], slot + 1), styles.series[slot]));
        [Span::styled(title, styles.accent)].into_iter().chain(marks).collect()
    }

    /// Sign, number, name and state of each run; returns the rows used.
    fn render_runs(&self, styles: &Styles, area: Rect, buf: &mut Buffer) -> u16 {
        for (slot, (name, run)) in self.names.iter().zip(&self.runs).enumerate() {
            let (_, state) = health::state(run);
            let spans = [
                Span::styled(MARKS[slot], styles.series[slot]),
                Span::styled(format!(" {}  ", slot + 1), styles.series[slot]),
                Span::styled(name, styles.strong),
                Span::styled("   ", styles.text),
                Span::styled(format!("{state}, step {} of {}", run.step, run.total()), styles.muted),
            ];
            buf.put_spans(row(area, slot as u16), &spans);
        }
        self.runs.len() as u16
    }

    fn render_charts(&self, styles: &Styles, area: Rect, buf: &mut Buffer) {
        if area.height < 6 {
            return;
        }
        let grid = Grid::easy(area, self.metrics.len(), self.top);
        for (tile, metric) in grid.tiles(area).into_iter().zip(self.metrics.iter().skip(grid.first)) {
            self.render_chart(metric, styles, tile, buf);
        }
    }

    fn render_chart(&self, metric: &str, styles: &Styles, area: Rect, buf: &mut Buffer) {
        let numbers: Vec<_> = (1..=self.runs.len()).map(|number| number.to_string()).collect();
        let lines = self.runs.iter().zip(&numbers).enumerate().filter_map(|(slot, (run, name))| {
            let series = run.series.get(metric)?;
            let line_style =
                if series.len() > 4 * run.evals.len().max(10) { LineStyle::Smoothed } else { LineStyle::Joined };
            Some(Line { name, series, line_style, slot, timeline: Some(&run.timeline) })
        });
        let chart = Chart {
            title: metric,
            lines: lines.collect(),
            domain: Domain { axis: self.axis, ends: (0.0, self.end()), timeline: None, marks: None },
            scale: self.scale,
            band: Band::Shown,
            focus: Focus::Elsewhere,
            cursor: None,
            empty: "",
        };
        chart.view(styles).render(area, buf);
    }

    /// Where the run that goes furthest ends on the axis.
    fn end(&self) -> f64 {
        let end = |run: &Run| match self.axis {
            XAxis::Step => run.horizon() as f64,
            _ => run.timeline.x(self.axis, run.step as f64),
        };
        self.runs.iter().map(end).fold(0.0, f64::max).max(1e-9)
    }
}

/// How the screen is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// For good.
    Leave,
    /// For the same runs as points of one picture.
    Frontier,
}

impl Page for Compare {
    type Answer = Parting;

    /// ```text
    ///  pellucid   2 runs compared
    ///  ● 1  20260101-triage   ✔ finished, step 3000 of 3000
    ///  ▲ 2  20260102-triage   ■ stopped, step 900 of 3000
    ///  settings that differ   ● 1   ▲ 2        best evaluation   ● 1   ▲ 2
    ///  ╭ valid/accuracy ─────────────────────────────────────────────╮
    ///  j k more charts  l log scale  q leave
    /// ```
    fn render(&self, styles: &Styles, area: Rect, buf: &mut Buffer) {
        let parts = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
        let [top, body, foot] = Layout::vertical(parts).areas(area);
        render_title(&format!("{} compared", text::plural(self.runs.len(), "run")), styles, from(top, 1), buf);
        let used = self.render_runs(styles, from(body, 1), buf) + 1;
        let rest = below(body, used);
        let (settings, results) = (self.settings_table(styles), self.results_table(styles));
        // Charts get at least half of the height; the tables what they need of the rest.
        let rows = settings.height().max(results.height()).min(rest.height / 2);
        let tables = Rect { height: rows, ..from(rest, 1) };
        let left = tables.width / 2;
        if settings.rows.is_empty() {
            buf.put(to(tables, left.saturating_sub(1)), "all settings are the same", styles.muted);
        } else {
            settings.render(to(tables, left.saturating_sub(2)), buf);
        }
        results.render(from(tables, left), buf);
        self.render_charts(styles, below(rest, rows + 1), buf);
        let keys = format!("j k other charts   l log scale   x by {}   F frontier   q leave", self.axis.title());
        buf.put(from(foot, 1), &keys, styles.muted);
    }

    fn press(&mut self, key: &KeyEvent, _: Size) -> Option<Parting> {
        let last = self.metrics.len().saturating_sub(1);
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Some(Parting::Leave),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Some(Parting::Leave),
            KeyCode::Char('F') => return Some(Parting::Frontier),
            KeyCode::Char('l') => {
                self.scale = if self.scale == Scale::Log { Scale::Fitted } else { Scale::Log };
            }
            KeyCode::Char('x') => {
                self.axis = match self.axis {
                    XAxis::Step => XAxis::Epoch,
                    XAxis::Epoch => XAxis::Relative,
                    XAxis::Relative | XAxis::Wall => XAxis::Step,
                };
            }
            KeyCode::Char('j') | KeyCode::Down | KeyCode::PageDown => self.top = (self.top + 1).min(last),
            KeyCode::Char('k') | KeyCode::Up | KeyCode::PageUp => self.top = self.top.saturating_sub(1),
            _ => {}
        }
        None
    }
}

/// The metrics that any of the runs has, without those of single layers.
fn metrics(runs: &[Run]) -> Vec<String> {
    let known: BTreeSet<&String> = runs.iter().flat_map(|run| run.series.keys()).collect();
    let named = FIRST.iter().map(|name| (*name).to_owned()).filter(|name| known.contains(name));
    let of_layer = |name: &str| name.rsplit('/').next().is_some_and(|end| end.parse::<u32>().is_ok());
    let rest = known.iter().filter(|name| !FIRST.contains(&name.as_str()) && !of_layer(name));
    named.chain(rest.map(|name| (*name).clone())).collect()
}

/// Settings by name, as they are written; where the run is kept is no difference.
fn settings(run: &Run) -> BTreeMap<String, String> {
    let mut written = run.started.as_ref().map(|started| written(&started.settings)).unwrap_or_default();
    written.remove("run_dir");
    written
}

/// Settings by name, as a file has them.
#[must_use]
pub fn written(settings: &Settings) -> BTreeMap<String, String> {
    let Ok(Value::Object(map)) = serde_json::to_value(settings) else { return BTreeMap::new() };
    let plain = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.into_iter().map(|(key, value)| (key, plain(value))).collect()
}

/// The run that did best, where one can be better than another and one is.
fn winner(metric: &str, values: &[Option<f64>]) -> Option<usize> {
    let sign = match definition(metric)?.direction {
        Direction::Up => 1.0,
        Direction::Down => -1.0,
        Direction::Neutral => return None,
    };
    let known: Vec<_> =
        values.iter().enumerate().filter_map(|(index, value)| Some((index, (*value)? * sign))).collect();
    let best =
        known.iter().copied().filter(|(_, value)| value.is_finite()).reduce(|a, b| if b.1 > a.1 { b } else { a })?;
    (known.iter().filter(|(_, value)| *value == best.1).count() == 1 && known.len() > 1).then_some(best.0)
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::{Event, Record};

    use super::*;
    use crate::fixture;
    use crate::tests::page_text;

    fn two() -> Compare {
        let first = fixture::records(1240);
        let mut second = fixture::records(700);
        for record in &mut second {
            match &mut record.event {
                Event::Started(started) => (started.settings.lr, started.settings.seed) = (1e-4, 7),
                Event::Eval(eval) => {
                    let better = eval.metrics.get("valid/accuracy").unwrap() + 0.03;
                    eval.metrics.set("valid/accuracy", better);
                }
                _ => {}
            }
        }
        let pieces = |records: Vec<Record>| records.into_iter().map(Piece::Record).collect();
        Compare::new(vec![
            ("20260102-triage".to_owned(), pieces(second)),
            ("20260101-triage".to_owned(), pieces(first)),
        ])
    }

    #[test]
    fn it_looks_as_kept() {
        for (width, height) in [(80, 24), (120, 40), (200, 50)] {
            let text = page_text(&two(), Size { width, height });
            insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
                insta::assert_snapshot!(format!("compare-{width}x{height}"), text);
            });
        }
        for (width, height) in [(0, 0), (1, 1), (20, 6), (300, 80)] {
            page_text(&two(), Size { width, height });
            page_text(&Compare::new(Vec::new()), Size { width, height });
        }
    }

    #[test]
    fn runs_of_other_lengths_are_laid_over_each_other_by_share_and_by_time() {
        let mut compare = two();
        let mut press = |c| {
            compare.press(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), Size { width: 80, height: 24 });
            (compare.axis, compare.end(), page_text(&compare, Size { width: 120, height: 40 }))
        };
        let (axis, end, epochs) = press('x');
        assert!(axis == XAxis::Epoch && (end - 1240.0 / 750.0).abs() < 1e-9, "the longer run decides: {end}");
        assert!(epochs.contains("x by epoch"));
        let (axis, seconds, times) = press('x');
        assert!(axis == XAxis::Relative && (300.0..320.0).contains(&seconds), "{seconds}");
        assert!(times.contains("time since the start") && times != epochs);
        assert_eq!(press('x').0, XAxis::Step);
    }

    #[test]
    fn only_what_differs_is_told_and_the_order_of_names_decides() {
        let compare = two();
        assert_eq!(compare.names, ["20260101-triage", "20260102-triage"]);
        let differences = compare.differences();
        assert_eq!(differences.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["lr", "seed"]);
        assert_eq!(differences[0].1, ["0.00005", "0.0001"]);
    }

    #[test]
    fn the_better_one_is_marked_where_one_is_better() {
        assert_eq!(winner("valid/accuracy", &[Some(0.9), Some(0.91), None]), Some(1));
        assert_eq!(winner("valid/loss", &[Some(0.2), Some(0.3)]), Some(0));
        for values in [&[Some(0.2), Some(0.2)][..], &[Some(0.2), None], &[None, None], &[Some(f64::NAN), Some(0.2)]] {
            let expected = (values.len() == 2 && values[0].is_some_and(f64::is_nan)).then_some(1);
            assert_eq!(winner("valid/loss", values), expected, "{values:?}");
        }
        assert_eq!(winner("optim/lr", &[Some(0.2), Some(0.3)]), None);
    }

    #[test]
    fn charts_are_leafed_through() {
        let mut compare = two();
        let press = |compare: &mut Compare, c| {
            compare.press(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), Size { width: 80, height: 24 })
        };
        let before = page_text(&compare, Size { width: 80, height: 24 });
        (0..9).for_each(|_| assert_eq!(press(&mut compare, 'j'), None));
        assert_ne!(page_text(&compare, Size { width: 80, height: 24 }), before);
        assert_eq!(press(&mut compare, 'F'), Some(Parting::Frontier));
        assert_eq!(press(&mut compare, 'q'), Some(Parting::Leave));
    }
}
