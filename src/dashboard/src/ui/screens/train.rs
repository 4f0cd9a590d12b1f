//! Curves, progress and health of the training.

use ratatui::layout::Rect;

use crate::ui::history::Series;
use crate::ui::keymap::Action;
use crate::ui::state::run::{Run, Stage};
use crate::ui::text;
use crate::ui::widgets::curve::{Chart, Line, Look, Scale};
use crate::ui::widgets::paper::{Paper, below, from, row, to};

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Train {
    scale: Scale,
    zoom: u32,
    cursor: Option<u64>,
}

/// A chart and its series: metric, name in the legend, how it is drawn.
struct Panel {
    title: &'static str,
    scale: Scale,
    empty: &'static str,
    series: &'static [(&'static str, &'static str, Look)],
}

use Look::{Joined, Smoothed};

const LOSS: Panel = Panel {
    title: "loss",
    scale: Scale::FromZero,
    empty: "comes with the first step",
    series: &[
        ("loss/total", "total", Smoothed),
        ("loss/task", "task", Smoothed),
        ("loss/kd", "kd", Smoothed),
        ("loss/l1", "l1", Smoothed),
        ("loss/l2", "l2", Smoothed),
        ("valid/loss", "valid", Joined),
    ],
};

const ACCURACY: Panel = Panel {
    title: "accuracy",
    scale: Scale::Fitted,
    empty: "comes with the first step",
    series: &[("valid/accuracy", "valid", Joined), ("train/accuracy", "train", Smoothed), ("valid/f1", "F1", Joined)],
};

const SPARSITY: Panel = Panel {
    title: "sparsity",
    scale: Scale::FromZero,
    empty: "comes with the first measurement",
    series: &[("sparsity/exact", "exact", Joined), ("sparsity/near", "near", Joined)],
};

const TEACHER: Panel = Panel {
    title: "student and teacher",
    scale: Scale::FromZero,
    empty: "comes with the first evaluation",
    series: &[("kd/agreement", "agree", Joined), ("kd/accuracy_gap", "gap", Joined), ("kd/kl", "KL", Joined)],
};

const MAPS: Panel = Panel {
    title: "explanations",
    scale: Scale::Fitted,
    empty: "measured at evaluations, with --probe",
    series: &[
        ("explain/faithfulness", "faithfulness", Joined),
        ("explain/fidelity", "fidelity", Joined),
        ("explain/drift", "drift", Joined),
    ],
};

const GRADIENT: Panel = Panel {
    title: "gradient norm",
    scale: Scale::FromZero,
    empty: "comes with the first step",
    series: &[("optim/grad_norm", "before clipping", Smoothed)],
};

const SPEED: Panel = Panel {
    title: "speed",
    scale: Scale::FromZero,
    empty: "comes with the first step",
    series: &[("speed/examples_per_s", "examples/s", Smoothed)],
};

impl Train {
    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, run: &Run) {
        match action {
            Action::Scale => self.scale = if self.scale == Scale::Log { Scale::Fitted } else { Scale::Log },
            Action::ZoomIn => self.zoom = (self.zoom + 1).min(8),
            Action::ZoomOut => self.zoom = self.zoom.saturating_sub(1),
            Action::CursorLeft => self.move_cursor(run, -1.0),
            Action::CursorRight => self.move_cursor(run, 1.0),
            Action::Close => self.cursor = None,
            _ => {}
        }
    }

    /// Moves by a fiftieth of what is shown; past the end it lets go.
    fn move_cursor(&mut self, run: &Run, by: f64) {
        let (first, last) = self.steps(run);
        let stride = ((last - first) as f64 / 50.0).max(1.0);
        let place = self.cursor.unwrap_or(run.step) as f64 + by * stride;
        let step = place.max(first as f64).round() as u64;
        self.cursor = (step < run.step).then_some(step);
    }

    /// The steps shown. While a run grows its end moves in jumps, so that the curves stay still between.
    fn steps(&self, run: &Run) -> (u64, u64) {
        let end = run.horizon();
        if self.zoom == 0 {
            return (0, end);
        }
        let window = (end >> self.zoom).max(8);
        let stride = window / 4;
        let end = run.step.div_ceil(stride) * stride;
        (end.saturating_sub(window), end.max(window))
    }

    /// ```text
    ///  best   accuracy 0.912   loss 0.310   F1 0.908   at step 1200
    ///  now    rate 4.2e-5   gradient 1.20   128 examples/s   4.10k tokens/s
    /// ╭ loss ─────────╮╭ accuracy ─────╮╭ explanations ─╮
    /// ╰───────────────╯╰───────────────╯╰───────────────╯   as many columns and rows as there is room for
    /// ╭ sparsity ─────╮╭ gap ──────────╮╭ gradient norm ╮
    /// ╰───────────────╯╰───────────────╯╰───────────────╯
    /// ```
    pub fn draw(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let used = self.facts(run, paper, area);
        let charts = below(area, used);
        let panels = panels(run);
        let columns = (charts.width / 30).clamp(1, 3);
        let rows = (charts.height / 8).clamp(1, 2);
        for (index, panel) in panels.iter().take(usize::from(columns * rows)).enumerate() {
            let place = tile(charts, (columns, rows), index as u16);
            self.chart(run, panel, paper, place);
        }
    }

    fn chart(&self, run: &Run, panel: &Panel, paper: &mut Paper, area: Rect) {
        let lines = panel.series.iter().enumerate().filter_map(|(slot, (metric, name, look))| {
            Some(Line { name, series: worth_showing(metric, run.series.get(*metric)?)?, look: *look, slot })
        });
        let log = self.scale == Scale::Log && panel.title == LOSS.title;
        let chart = Chart {
            title: panel.title,
            lines: lines.collect(),
            steps: self.steps(run),
            scale: if log { Scale::Log } else { panel.scale },
            cursor: self.cursor,
            empty: panel.empty,
        };
        chart.draw(paper, area);
    }

    fn facts(&self, run: &Run, paper: &mut Paper, area: Rect) -> u16 {
        if area.height < 10 {
            return 0;
        }
        if let Stage::Ended(_, Some(why)) = &run.stage {
            let bad = paper.styles.bad;
            return paper.paragraph(Rect { height: 2, ..from(area, 1) }, why, bad);
        }
        let (best, now) = (from(row(area, 0), 1), from(row(area, 1), 1));
        facts_line(paper, best, "best", &best_facts(run));
        match self.cursor {
            Some(step) => {
                facts_line(paper, now, "read", &[("at step ", step.to_string(), "  Esc: back to the latest")]);
            }
            None => facts_line(paper, now, "now", &now_facts(run)),
        }
        2
    }
}

/// The chart of how far explanations can be trusted, for the screen that shows them.
pub fn explanations(run: &Run, paper: &mut Paper, area: Rect) {
    if area.height >= 6 {
        Train::default().chart(run, &MAPS, paper, area);
    }
}

/// Name, value, unit.
type Fact = (&'static str, String, &'static str);

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
    ];
    all.into_iter().filter_map(|(metric, name, unit)| Some((name, text::number(steady(run, metric)?), unit))).collect()
}

/// Numbers that jump from step to step are shown smoothed: they can be read, and few bytes change.
fn steady(run: &Run, metric: &str) -> Option<f64> {
    let series = run.series.get(metric)?;
    let last = series.last()?.1;
    if metric == "optim/lr" || !last.is_finite() { Some(last) } else { series.last_smooth() }
}

/// Facts in fields of fixed width, so that nothing moves when a number changes. What does not fit is left out.
fn facts_line(paper: &mut Paper, area: Rect, title: &str, facts: &[Fact]) {
    let styles = paper.styles;
    paper.write(area, title, styles.muted);
    let mut x = 6;
    for (name, value, unit) in facts {
        let padding = " ".repeat(6usize.saturating_sub(text::width(value)));
        let place = from(area, x);
        let wide = text::width(name) + 6 + text::width(unit);
        if usize::from(place.width) < wide {
            break;
        }
        x += paper.line(place, &[(name, styles.muted), (value, styles.strong), (unit, styles.muted)]);
        x += padding.len() as u16 + 3;
    }
}

/// A penalty that is switched off is zero throughout: no curve.
fn worth_showing<'a>(metric: &str, series: &'a Series) -> Option<&'a Series> {
    let all = series.summary(0, series.len());
    let silent = all.gaps == 0 && all.min == 0.0 && all.max == 0.0;
    (!silent || !matches!(metric, "loss/l1" | "loss/l2" | "loss/kd")).then_some(series)
}

fn panels(run: &Run) -> Vec<&'static Panel> {
    let taught = run.started.as_ref().is_some_and(|started| started.teacher.is_some());
    if taught {
        vec![&LOSS, &ACCURACY, &SPARSITY, &TEACHER, &MAPS, &GRADIENT]
    } else {
        vec![&LOSS, &ACCURACY, &SPARSITY, &MAPS, &GRADIENT, &SPEED]
    }
}

/// The rectangle of tile `index` of `columns` times `rows`.
fn tile(area: Rect, (columns, rows): (u16, u16), index: u16) -> Rect {
    let (column, line) = (index % columns, index / columns);
    let (left, right) = (area.width * column / columns, area.width * (column + 1) / columns);
    let (top, bottom) = (area.height * line / rows, area.height * (line + 1) / rows);
    let across = to(from(area, left), right - left);
    Rect { height: bottom - top, ..below(across, top) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fill_the_area() {
        let area = Rect::new(3, 5, 101, 31);
        let cells: u32 = (0..6).map(|index| tile(area, (3, 2), index).area()).sum();
        assert_eq!(cells, area.area());
    }
}
