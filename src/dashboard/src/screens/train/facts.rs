//! The two lines above the charts: the best evaluation, and the latest values or those under the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::Face;
use super::view::{Page, TrainView};
use crate::chart::{mark_near, mark_style};
use crate::history::timeline::XAxis;
use crate::run::{Run, Stage};
use crate::text;
use crate::text::clock;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{from, row, to};

/// A mark within one of this many columns of the axis counts as being under the cursor.
const COLUMNS: u16 = 40;

/// Name, value, unit.
type Fact = (&'static str, String, &'static str);

impl TrainView<'_> {
    pub(super) fn render_facts(&self, page: Page, area: Rect, buf: &mut Buffer) {
        if area.height == 0 {
            return;
        }
        let (run, styles) = (self.run, self.styles);
        if let Stage::Ended(_, Some(why)) = &run.stage {
            buf.put_wrapped(from(area, 1), why, styles.bad);
            return;
        }
        let (best, now) = (from(row(area, 0), 1), from(row(area, 1), 1));
        let used = self.render_settings(page, best, buf);
        let best = to(best, best.width.saturating_sub(used));
        FactsLine { title: "best", facts: &best_facts(run), styles }.draw(best, buf);
        if let Some(step) = self.train.cursor {
            self.render_step(step, now, buf);
        } else {
            FactsLine { title: "now", facts: &now_facts(run), styles }.draw(now, buf);
        }
    }

    /// How the charts are shown, where that differs from the default; returns the columns used.
    fn render_settings(&self, page: Page, area: Rect, buf: &mut Buffer) -> u16 {
        let mut words = self.train.view_settings.words();
        let Page { grid, charts } = page;
        if grid.count < charts && self.train.face == Face::Grid {
            words.push(format!("charts {}–{} of {charts}", grid.first + 1, grid.first + grid.count));
        }
        // The best evaluation is more important.
        let line = words.join(", ");
        if text::width(&line) + 60 > usize::from(area.width) {
            return 0;
        }
        let edge = to(area, area.width.saturating_sub(1));
        buf.put_spans_right(edge, &[Span::styled(line, self.styles.muted)]) + 2
    }

    /// The step under the cursor, its place on every axis, and what happened there.
    fn render_step(&self, step: u64, area: Rect, buf: &mut Buffer) {
        let (timeline, styles, at) = (&self.run.timeline, self.styles, step as f64);
        let facts = [
            ("step ", step.to_string(), ""),
            ("epoch ", format!("{:.2}", timeline.x(XAxis::Epoch, at)), ""),
            ("after ", text::duration(timeline.x(XAxis::Relative, at)), ""),
            ("at ", clock::show(timeline.time(at), "%H:%M:%S"), ""),
        ];
        let used = FactsLine { title: "read", facts: &facts, styles }.draw(area, buf);
        let place = from(area, used);
        if let Some(mark) = mark_near(&self.train.domain(self.run), step, COLUMNS) {
            let style = mark_style(mark.kind, styles);
            let words = format!(" {}: {}", mark.step, mark.words);
            buf.put_spans(place, &[Span::styled(mark.kind.sign(), style), Span::styled(words, styles.text)]);
        } else {
            buf.put(place, "Esc: back to the latest", styles.muted);
        }
    }
}

fn best_facts(run: &Run) -> Vec<Fact> {
    let Some(best) = run.best() else { return vec![("", String::new(), "not evaluated yet")] };
    let of = |metric| best.metrics.get(metric).map_or_else(|| "–".to_owned(), text::number);
    vec![
        ("accuracy ", of("valid/accuracy"), ""),
        ("loss ", of("valid/loss"), ""),
        ("F1 ", of("valid/f1"), ""),
        ("at step ", best.step.to_string(), ""),
    ]
}

fn now_facts(run: &Run) -> Vec<Fact> {
    let all = [
        ("optim/lr", "rate ", ""),
        ("speed/examples_per_s", "", " examples/s"),
        ("optim/grad_norm", "gradient ", ""),
        ("speed/tokens_per_s", "", " tokens/s"),
        ("speed/step_ms", "", " ms/step"),
        ("system/worker_cpu", "cpu ", " %"),
        ("system/worker_memory", "memory ", " MB"),
        ("system/gpu", "GPU ", " %"),
    ];
    all.into_iter().filter_map(|(metric, name, unit)| Some((name, text::number(steady(run, metric)?), unit))).collect()
}

/// Numbers that jump from step to step are shown smoothed: they can be read, and few bytes change.
fn steady(run: &Run, metric: &str) -> Option<f64> {
    let series = run.series.get(metric)?;
    let last = series.last()?.1;
    if metric == "optim/lr" || !last.is_finite() { Some(last) } else { series.last_smooth() }
}

/// Facts in fields of fixed width, so that nothing moves when a number changes. Facts that do not fit are left out.
struct FactsLine<'a> {
    title: &'a str,
    facts: &'a [Fact],
    styles: &'a Styles,
}

impl FactsLine<'_> {
    /// Draws the line; returns the columns used.
    fn draw(&self, area: Rect, buf: &mut Buffer) -> u16 {
        let styles = self.styles;
        buf.put(area, self.title, styles.muted);
        let mut x = 6;
        for (name, value, unit) in self.facts {
            let padding = 6usize.saturating_sub(text::width(value));
            let place = from(area, x);
            let width = text::width(name) + text::width(value).max(6) + text::width(unit);
            if usize::from(place.width) < width {
                break;
            }
            let (name, unit) = (Span::styled(*name, styles.muted), Span::styled(*unit, styles.muted));
            x += buf.put_spans(place, &[name, Span::styled(value, styles.strong), unit]);
            x += padding as u16 + 3;
        }
        x
    }
}
