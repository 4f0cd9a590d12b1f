//! The candidates for shortcuts as a widget: a list, and below it what is known about the marked word.

use pellucid_protocol::Sample;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::{Candidate, Shortcuts, found, room, thinned};
use crate::run::Run;
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::sparkline::sparkline;
use crate::widgets::{Panel, PutText};

/// Columns for the word, and for the class that it leads to.
const NAME: u16 = 12;
/// Columns after the curve.
const NUMBERS: u16 = 40;

/// The view of a run's candidates.
///
/// ```text
/// ╭─ words that may be shortcuts ─────────────────────────────── share of importance ─╮
/// │   word           leads to       since step 0     now   named  train  valid  texts │
/// │ ▸ ashdown        emergency      ▁▁▂▄▆▇▇▇▇▇▇▇   0.412  at 120   94 %   29 %     48 │
/// ╰───────────────────────────────────────────────────────────────────────────────────╯
/// ╭─ what if `ashdown` were masked everywhere ────────────────────────────────────────╮
/// ╰───────────────────────────────────────────────────────────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(in crate::screens::samples) struct ShortcutsView<'a> {
    pub(in crate::screens::samples) shortcuts: &'a Shortcuts,
    pub(in crate::screens::samples) samples: &'a [Sample],
    pub(in crate::screens::samples) run: &'a Run,
    pub(in crate::screens::samples) styles: &'a Styles,
}

impl Widget for ShortcutsView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (shortcuts, styles) = (self.shortcuts, self.styles);
        let (upper, lower) = shortcuts.parts(area);
        let panel = Panel::new("words that may be shortcuts", styles);
        if shortcuts.words.is_empty() {
            let inside = panel.draw(upper, buf);
            return buf.put_centered(inside, shortcuts.nothing(self.run), styles.muted);
        }
        let inside = inset(panel.note("share of importance", styles.muted).draw(upper, buf));
        let curve = inside.width.saturating_sub(2 + 2 * NAME + NUMBERS).min(48);
        self.render_heading(curve, row(inside, 0), buf);
        for index in 0..shortcuts.words.len() {
            self.render_word(index, curve, row(below(inside, 1), index as u16), buf);
        }
        if lower.height > 3 {
            self.render_detail(lower, buf);
        }
    }
}

impl ShortcutsView<'_> {
    fn render_heading(&self, curve: u16, area: Rect, buf: &mut Buffer) {
        let muted = self.styles.muted;
        buf.put(to(from(area, 2), NAME), "word", muted);
        buf.put(to(from(area, 2 + NAME), NAME), "leads to", muted);
        let since = self.shortcuts.evals.first().map_or_else(String::new, |(step, _)| format!("since {step}"));
        buf.put(to(from(area, 2 + 2 * NAME), curve), &since, muted);
        let heads = format!("{:>7}{:>10}{:>8}{:>8}{:>7}", "now", "named", "train", "valid", "texts");
        buf.put(from(area, 2 + 2 * NAME + curve), &heads, muted);
    }

    fn render_word(&self, index: usize, curve: u16, line: Rect, buf: &mut Buffer) {
        let (Some(candidate), styles) = (self.shortcuts.words.get(index), self.styles) else { return };
        let Some(known) = candidate.last() else { return };
        let here = index == self.shortcuts.cursor;
        let (cursor, style) = if here { ("▸ ", styles.strong) } else { ("  ", styles.text) };
        let word = if here && self.shortcuts.masked { format!("[{}]", known.word) } else { known.word.clone() };
        let style = if known.named.is_some() { styles.warn } else { style };
        buf.put_spans(to(line, 1 + NAME), &[Span::styled(cursor, styles.accent), Span::styled(word, style)]);
        buf.put(to(from(line, 2 + NAME), NAME - 1), &self.run.label(known.class), styles.text);
        let place = from(line, 2 + 2 * NAME);
        let values = thinned(&candidate.importance(), curve.into());
        sparkline(&values, styles.series[0]).render(to(place, curve).intersection(buf.area), buf);
        let named = known.named.map_or_else(|| "–".to_owned(), |step| format!("at {step}"));
        let shares = [known.in_training, known.in_validation].map(text::percent);
        let now = text::number(known.importance);
        let numbers = format!("{now:>7}{named:>10}{:>8}{:>8}{:>7}", shares[0], shares[1], known.texts);
        buf.put(from(place, curve), &numbers, styles.text);
    }

    /// What the marked word does, or the answers without it, and texts that have it.
    fn render_detail(&self, area: Rect, buf: &mut Buffer) {
        let Some(known) = self.shortcuts.words.get(self.shortcuts.cursor).and_then(Candidate::last) else { return };
        let styles = self.styles;
        let facts = self.shortcuts.facts(self.run, known);
        Panel::new(&facts.title, styles).render(area, buf);
        let inside = room(area);
        let mut used = 0;
        for (words, style) in facts.lines.iter().zip([styles.strong, styles.text, styles.muted]) {
            used += buf.put_wrapped(below(inside, used), words, style);
        }
        used += 1;
        for &index in &known.examples {
            let Some(sample) = self.samples.get(index).filter(|_| used < inside.height) else { continue };
            buf.put(row(inside, used), &format!("{index:>5}  "), styles.muted);
            self.render_example(&sample.text, &known.word, from(row(inside, used), 7), buf);
            used += 1;
        }
    }

    /// A text in which the word is set off, or hidden.
    fn render_example(&self, example: &str, word: &str, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let mut spans = Vec::new();
        let mut rest = example;
        while let Some(span) = found(rest, word) {
            spans.push(Span::styled(&rest[..span.start], styles.text));
            let own = &rest[span.start..span.end];
            spans.push(if self.shortcuts.masked {
                Span::styled("▁".repeat(text::width(own)), styles.faint)
            } else {
                Span::styled(own, styles.warn)
            });
            rest = &rest[span.end..];
        }
        spans.push(Span::styled(rest, styles.text));
        buf.put_spans(area, &spans);
    }
}
