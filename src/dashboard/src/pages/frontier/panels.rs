//! Beside the picture and below it: the marked run, what the measures mean, and the configurations.

use pellucid_protocol::metric::{DEFINITIONS, definition};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::field::{ACROSS, Field, HEIGHT, Spread, short};
use super::plot::look;
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::columns::Columns;
use crate::widgets::{Panel, PutText};

/// Columns for the widest cell of the tables.
const WIDEST: u16 = 26;

/// What stands around the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panels<'a> {
    /// The runs.
    pub(super) field: &'a Field,
    /// The measure across.
    pub(super) across: &'a str,
    /// The marked run.
    pub(super) marked: Option<usize>,
    /// The styles.
    pub(super) styles: &'a Styles,
}

/// Whether a measure is shown beside the picture: those of evaluations are, those of single layers are not.
fn is_shown(metric: &str) -> bool {
    ["valid/", "sparsity/", "kd/", "explain/"].iter().any(|family| metric.starts_with(family))
        && definition(metric).is_some()
}

impl<'a> Panels<'a> {
    /// ```text
    /// ╭─ run ───────────────────────────────╮
    /// │ l1-1e-5_seed-2                      │
    /// │ ✔ finished   seed 2   front         │
    /// │ settings that differ                │
    /// │ l1                             1e-5 │
    /// │ measure           run  mean  spread │
    /// │ valid/accuracy  0.935 0.931  ±…     │
    /// ╰─────────────────────────────────────╯
    /// ```
    pub(super) fn render_run(&self, area: Rect, buf: &mut Buffer) {
        let (field, styles) = (self.field, self.styles);
        let inside = inset(Panel::new("run", styles).draw(area, buf));
        let Some(run) = self.marked else { return };
        let Some(entry) = field.entries().get(run) else { return };
        let configuration = field.configuration_of(run);
        let (sign, style) = look(configuration, styles);
        let name = Span::styled(&entry.name, styles.strong);
        buf.put_spans(row(inside, 0), &[Span::styled(sign, style), Span::styled(" ", styles.text), name]);
        let seed = entry.settings.get("seed").map_or_else(String::new, |seed| format!("   seed {seed}"));
        let front = if field.front(self.across).contains(&configuration) { "   front" } else { "" };
        let (tone, state) = entry.state;
        let spans = [
            Span::styled(state, styles.tone(tone)),
            Span::styled(seed, styles.muted),
            Span::styled(front, styles.accent),
        ];
        buf.put_spans(row(inside, 1), &spans);
        let mut used = 3;
        let setting = |key: &'a String| {
            let value = entry.settings.get(key).map_or("–", |value| short(value));
            vec![Span::styled(key, styles.muted), Span::styled(value, styles.text)]
        };
        let rows: Vec<Vec<Span>> = field.varied().iter().map(setting).collect();
        if !rows.is_empty() {
            let heading = vec![Span::styled("settings that differ", styles.accent)];
            let table = Columns { heading, rows, widest: WIDEST };
            let place = below(inside, used);
            table.render(place, buf);
            used += table.height().min(place.height) + 1;
        }
        self.measures(run, inside.width).render(below(inside, used), buf);
    }

    /// Measures of a run, beside their means over the runs of its configuration.
    fn measures(&self, run: usize, width: u16) -> Columns<'a> {
        let (field, styles) = (self.field, self.styles);
        let (entry, configuration) = (&field.entries()[run], field.configuration_of(run));
        let several = field.configurations()[configuration].runs.len() > 1 && width >= 36;
        let wide = several && width >= 48;
        let line = |metric: &'static str| {
            let value = entry.metrics.get(metric)?;
            let mut cells = vec![Span::styled(metric, styles.muted), Span::styled(text::number(value), styles.strong)];
            let spread = field.spread(configuration, metric);
            if several {
                let mean = spread.map_or_else(|| "–".to_owned(), |spread| text::number(spread.mean));
                cells.push(Span::styled(mean, styles.text));
            }
            if wide {
                cells.push(Span::styled(spread.map_or_else(String::new, range), styles.muted));
            }
            Some(cells)
        };
        let headings = [Some("measure"), Some("run"), several.then_some("mean"), wide.then_some("least–most")];
        let heading = headings.into_iter().flatten().map(|name| Span::styled(name, styles.accent)).collect();
        let names = DEFINITIONS.iter().map(|known| known.name).filter(|metric| is_shown(metric));
        Columns { heading, rows: names.filter_map(line).collect(), widest: WIDEST }
    }

    /// What each measure means, those on the axes first.
    pub(super) fn render_definitions(&self, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let inside = inset(Panel::new("what is measured", styles).draw(area, buf));
        let others = ACROSS.into_iter().filter(|metric| *metric != self.across);
        let mut used = 0;
        for known in [HEIGHT, self.across].into_iter().chain(others).filter_map(definition) {
            buf.put(row(inside, used), known.name, styles.strong);
            used += 1 + buf.put_wrapped(below(inside, used + 1), known.meaning, styles.muted);
        }
    }

    /// A line for each configuration: sign, settings, runs, means with their spread, whether it is on the front.
    pub(super) fn render_configurations(&self, area: Rect, buf: &mut Buffer) {
        let (field, styles) = (self.field, self.styles);
        let spreads = if area.width >= 72 { Spreads::Shown } else { Spreads::Hidden };
        let column = spreads.column();
        let across_title = if spreads == Spreads::Shown { self.across } else { "across" };
        let heading = format!("{:>4}  {:>column$}  {across_title:>column$}  ", "runs", "accuracy");
        let name = area.width.saturating_sub(text::width(&heading) as u16 + 5 + 3);
        buf.put(from(row(area, 0), 3), "configuration", styles.muted);
        buf.put(from(row(area, 0), 3 + name), &heading, styles.muted);
        let list = below(area, 1);
        let page = usize::from(list.height).max(1);
        let here = self.marked.map(|run| field.configuration_of(run));
        let front = field.front(self.across);
        let top = here.unwrap_or(0) / page * page;
        for (y, configuration) in (0..).zip((top..field.configurations().len()).take(page)) {
            let known = &field.configurations()[configuration];
            let (sign, style) = look(configuration, styles);
            let (cursor, title) = if here == Some(configuration) { ("▸", styles.strong) } else { (" ", styles.text) };
            let place = row(list, y);
            let head = [Span::styled(cursor, styles.accent), Span::styled(format!("{sign} "), style)];
            buf.put_spans(to(place, 3), &head);
            buf.put(to(from(place, 3), name), &known.title, title);
            let means = [HEIGHT, self.across].map(|metric| self.mean(configuration, metric, spreads));
            let numbers = format!("{:>4}  {:>column$}  {:>column$}  ", known.runs.len(), means[0], means[1]);
            let on = if front.contains(&configuration) { "front" } else { "" };
            let tail = [Span::styled(numbers, styles.text), Span::styled(on, styles.accent)];
            buf.put_spans(from(place, 3 + name), &tail);
        }
    }

    /// The mean of a measure over the runs of a configuration, with its spread where there is room.
    fn mean(&self, configuration: usize, metric: &str, spreads: Spreads) -> String {
        let Some(spread) = self.field.spread(configuration, metric) else { return "–".to_owned() };
        let mean = text::number(spread.mean);
        let several = self.field.configurations()[configuration].runs.len() > 1;
        if several && spreads == Spreads::Shown { format!("{mean} ({})", range(spread)) } else { mean }
    }
}

/// Whether spreads stand beside the means of configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spreads {
    Shown,
    Hidden,
}

impl Spreads {
    /// Columns for a mean.
    fn column(self) -> usize {
        if self == Spreads::Shown { 21 } else { 9 }
    }
}

fn range(spread: Spread) -> String {
    format!("{}–{}", text::number(spread.least), text::number(spread.most))
}

/// The configuration in row `y` of a list at `area`.
#[must_use]
pub(super) fn configuration_at(field: &Field, marked: Option<usize>, area: Rect, y: u16) -> Option<usize> {
    let list = below(area, 1);
    let page = usize::from(list.height).max(1);
    let top = marked.map_or(0, |run| field.configuration_of(run)) / page * page;
    let index = top + usize::from(y.checked_sub(list.y).filter(|&y| y < list.height)?);
    (index < field.configurations().len()).then_some(index)
}
