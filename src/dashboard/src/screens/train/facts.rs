//! The two lines above the charts: the best evaluation, and the latest values or those under the cursor.

use ratatui::layout::Rect;

use super::grid::Grid;
use super::{Train, facts_rows};
use crate::chart::{mark_near, mark_style};
use crate::history::timeline::XAxis;
use crate::run::{Run, Stage};
use crate::text;
use crate::text::clock;
use crate::widgets::paper::{Paper, from, row, to};

/// Columns that a cursor's place stands for when its mark is looked for.
const COLUMNS: u16 = 40;

/// Name, value, unit.
type Fact = (&'static str, String, &'static str);

impl Train {
    pub(super) fn facts(&self, run: &Run, (grid, charts): (&Grid, usize), paper: &mut Paper, area: Rect) {
        if facts_rows(area) == 0 {
            return;
        }
        if let Stage::Ended(_, Some(why)) = &run.stage {
            let bad = paper.styles.bad;
            paper.paragraph(Rect { height: 2, ..from(area, 1) }, why, bad);
            return;
        }
        let (best, now) = (from(row(area, 0), 1), from(row(area, 1), 1));
        let used = self.unusual((grid, charts), paper, best);
        facts_line(paper, to(best, best.width.saturating_sub(used)), "best", &best_facts(run));
        match self.cursor {
            Some(step) => self.read_line(run, step, paper, now),
            None => {
                facts_line(paper, now, "now", &now_facts(run));
            }
        }
    }

    /// How the charts are looked at, where that is not as usual; returns the columns used.
    fn unusual(&self, (grid, charts): (&Grid, usize), paper: &mut Paper, area: Rect) -> u16 {
        let mut words = self.looks.words();
        if grid.count < charts && self.face == super::Face::Grid {
            words.push(format!("charts {}–{} of {charts}", grid.first + 1, grid.first + grid.count));
        }
        // What the best evaluation was goes before it.
        let line = words.join(", ");
        if text::width(&line) + 60 > usize::from(area.width) {
            return 0;
        }
        paper.right(to(area, area.width.saturating_sub(1)), &[(&line, paper.styles.muted)]) + 2
    }

    /// The step that is read, where it lies on all axes, and what happened there.
    fn read_line(&self, run: &Run, step: u64, paper: &mut Paper, area: Rect) {
        let at = step as f64;
        let facts = [
            ("step ", step.to_string(), ""),
            ("epoch ", format!("{:.2}", run.course.x(XAxis::Epoch, at)), ""),
            ("after ", text::duration(run.course.x(XAxis::Relative, at)), ""),
            ("at ", clock::show(run.course.time(at), "%H:%M:%S"), ""),
        ];
        let used = facts_line(paper, area, "read", &facts);
        let sheet = self.sheet(run, false);
        let place = from(area, used);
        if let Some(mark) = mark_near(&sheet.domain, step, COLUMNS) {
            let style = mark_style(mark.kind, paper.styles);
            let words = format!("{}: {}", mark.step, mark.words);
            paper.line(place, &[(mark.kind.sign(), style), (" ", style), (&words, paper.styles.text)]);
        } else {
            paper.write(place, "Esc: back to the latest", paper.styles.muted);
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

/// Facts in fields of fixed width, so that nothing moves when a number changes. What does not fit is left
/// out. Returns the columns used.
fn facts_line(paper: &mut Paper, area: Rect, title: &str, facts: &[Fact]) -> u16 {
    let styles = paper.styles;
    paper.write(area, title, styles.muted);
    let mut x = 6;
    for (name, value, unit) in facts {
        let padding = 6usize.saturating_sub(text::width(value));
        let place = from(area, x);
        let wide = text::width(name) + text::width(value).max(6) + text::width(unit);
        if usize::from(place.width) < wide {
            break;
        }
        x += paper.line(place, &[(name, styles.muted), (value, styles.strong), (unit, styles.muted)]);
        x += padding as u16 + 3;
    }
    x
}
