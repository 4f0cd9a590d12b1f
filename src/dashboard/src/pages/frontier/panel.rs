//! Beside the picture and below it: the marked run, what the measures mean, and the configurations.

use pellucid_protocol::metric::{DEFINITIONS, definition};
use ratatui::layout::Rect;

use super::field::{Field, HEIGHT, Spread, short};
use super::plot::look;
use crate::text;
use crate::widgets::paper::{Paper, below, from, row, to};
use crate::widgets::table::{Cell, Table};

/// Widest cell of the tables.
const WIDEST: u16 = 26;

/// Measures of a run that are told beside the picture: evaluations', not those of single layers.
fn told(metric: &str) -> bool {
    ["valid/", "sparsity/", "kd/", "explain/"].iter().any(|family| metric.starts_with(family))
        && definition(metric).is_some()
}

/// ```text
/// ╭ run ────────────────────────────────╮
/// │ l1-1e-5_seed-2                      │
/// │ ✔ finished   seed 2   front         │
/// │ settings that differ                │
/// │ l1                             1e-5 │
/// │ measure           run  mean  spread │
/// │ valid/accuracy  0.935 0.931  ±…     │
/// ╰─────────────────────────────────────╯
/// ```
pub(super) fn run(field: &Field, (run, across): (usize, &str), paper: &mut Paper, area: Rect) {
    let inside = paper.boxed(area, "run");
    let inside = to(from(inside, 1), inside.width.saturating_sub(2));
    let (Some(entry), styles) = (field.entries().get(run), paper.styles) else { return };
    let configuration = field.configuration_of(run);
    let (sign, style) = look(configuration, styles);
    paper.line(row(inside, 0), &[(sign, style), (" ", styles.text), (&entry.name, styles.strong)]);
    let seed = entry.settings.get("seed").map_or_else(String::new, |seed| format!("   seed {seed}"));
    let front = if field.front(across).contains(&configuration) { "   front" } else { "" };
    let (tone, state) = entry.state;
    let line = [(state, styles.tone(tone)), (seed.as_str(), styles.muted), (front, styles.accent)];
    paper.line(row(inside, 1), &line);
    let mut used = 3;
    let setting = |key: &String| {
        let value = entry.settings.get(key).map_or("–", |value| short(value));
        vec![(key.clone(), styles.muted), (value.to_owned(), styles.text)]
    };
    let rows: Vec<Vec<Cell>> = field.varied().iter().map(setting).collect();
    if !rows.is_empty() {
        let table = Table { heading: vec![("settings that differ".to_owned(), styles.accent)], rows };
        used += table.draw(paper, below(inside, used), WIDEST) + 1;
    }
    measures(field, (run, configuration), paper, below(inside, used));
}

/// Measures of a run, beside their means over the runs of its configuration.
fn measures(field: &Field, (run, configuration): (usize, usize), paper: &mut Paper, area: Rect) {
    let (entry, styles) = (&field.entries()[run], paper.styles);
    let several = field.configurations()[configuration].runs.len() > 1 && area.width >= 36;
    let wide = several && area.width >= 48;
    let line = |metric: &str| {
        let value = entry.metrics.get(metric)?;
        let mut cells = vec![(metric.to_owned(), styles.muted), (text::number(value), styles.strong)];
        if several {
            let spread = field.spread(configuration, metric);
            cells.push((spread.map_or_else(|| "–".to_owned(), |spread| text::number(spread.mean)), styles.text));
            cells.extend(wide.then(|| (spread.map_or_else(String::new, range), styles.muted)));
        }
        Some(cells)
    };
    let mut heading = vec![("measure", styles.accent), ("run", styles.accent)];
    if several {
        heading.push(("mean", styles.accent));
        heading.extend(wide.then_some(("least–most", styles.accent)));
    }
    let names = DEFINITIONS.iter().map(|known| known.name).filter(|metric| told(metric));
    let heading = heading.into_iter().map(|(words, style)| (words.to_owned(), style)).collect();
    Table { heading, rows: names.filter_map(line).collect() }.draw(paper, area, WIDEST);
}

fn range(spread: Spread) -> String {
    format!("{}–{}", text::number(spread.least), text::number(spread.most))
}

/// What each measure means, those on the axes first.
pub(super) fn definitions(across: &str, paper: &mut Paper, area: Rect) {
    let inside = paper.boxed(area, "what is measured");
    let inside = to(from(inside, 1), inside.width.saturating_sub(2));
    let first = [HEIGHT, across];
    let others = super::field::ACROSS.into_iter().filter(|metric| *metric != across);
    let mut used = 0;
    for known in first.into_iter().chain(others).filter_map(definition) {
        paper.write(row(inside, used), known.name, paper.styles.strong);
        used += 1 + paper.paragraph(below(inside, used + 1), known.meaning, paper.styles.muted);
    }
}

/// A line a configuration: sign, settings, runs, means with their spread, whether it is on the front.
pub(super) fn configurations(field: &Field, (marked, across): (Option<usize>, &str), paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let front = field.front(across);
    let here = marked.map(|run| field.configuration_of(run));
    let (wide, column) = if area.width >= 72 { (true, 21) } else { (false, 9) };
    let cell = |configuration: usize, metric: &str| {
        let Some(spread) = field.spread(configuration, metric) else { return "–".to_owned() };
        let mean = text::number(spread.mean);
        let several = field.configurations()[configuration].runs.len() > 1;
        if several && wide { format!("{mean} ({})", range(spread)) } else { mean }
    };
    let line = |configuration: usize| {
        let known = &field.configurations()[configuration];
        let (sign, style) = look(configuration, styles);
        let on = if front.contains(&configuration) { "front" } else { "" };
        let cursor = if here == Some(configuration) { "▸" } else { " " };
        let title = if here == Some(configuration) { styles.strong } else { styles.text };
        let (height, across) = (cell(configuration, HEIGHT), cell(configuration, across));
        let numbers = format!("{:>4}  {height:>column$}  {across:>column$}  ", known.runs.len());
        (
            vec![(cursor.to_owned(), styles.accent), (format!("{sign} "), style)],
            (known.title.clone(), title),
            numbers,
            on,
        )
    };
    let across_title = if wide { across } else { "across" };
    let heading = format!("{:>4}  {:>column$}  {across_title:>column$}  ", "runs", "accuracy");
    let wide = text::width(&heading) as u16 + 5;
    let name = area.width.saturating_sub(wide + 3);
    paper.write(from(row(area, 0), 3), "configuration", styles.muted);
    paper.write(from(row(area, 0), 3 + name), &heading, styles.muted);
    let list = below(area, 1);
    let page = usize::from(list.height).max(1);
    let top = here.unwrap_or(0) / page * page;
    for (y, configuration) in (top..field.configurations().len()).take(page).enumerate() {
        let (head, (title, style), numbers, on) = line(configuration);
        let place = row(list, y as u16);
        let runs: Vec<_> = head.iter().map(|(words, style)| (words.as_str(), *style)).collect();
        paper.line(to(place, 3), &runs);
        paper.write(to(from(place, 3), name), &title, style);
        paper.line(from(place, 3 + name), &[(&numbers, styles.text), (on, styles.accent)]);
    }
}

/// The configuration in row `y` of a list at `area`.
#[must_use]
pub(super) fn configuration_at(field: &Field, marked: Option<usize>, (area, y): (Rect, u16)) -> Option<usize> {
    let list = below(area, 1);
    let page = usize::from(list.height).max(1);
    let top = marked.map_or(0, |run| field.configuration_of(run)) / page * page;
    let index = top + usize::from(y.checked_sub(list.y).filter(|&y| y < list.height)?);
    (index < field.configurations().len()).then_some(index)
}
