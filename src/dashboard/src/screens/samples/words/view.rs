//! The words of all explained samples as a widget.

use pellucid_protocol::explanation::{Scale, Sign};
use pellucid_protocol::word_importance::WordImportance;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::super::explained::ExplainedSamples;
use super::{Words, rows};
use crate::run::Run;
use crate::theme::Styles;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::bar::{Bar, SignedBar, Weight};
use crate::widgets::{Panel, PutText};

/// Columns for all numbers of a word.
const NUMBERS: u16 = 36;

/// The view of the words.
///
/// ```text
/// ╭─ words ─────────── for urgent · occlusion · in 3 samples or more · strongest first ╮
/// │   word          samples times    mean      ±     sd                                │
/// │ ▸ chest              12    14     +41    3.1     11            │▆▆▆▆▆▆▆            │
/// ╰────────────────────────────────────────────────────────────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(in crate::screens::samples) struct WordsView<'a> {
    pub(in crate::screens::samples) words: &'a Words,
    pub(in crate::screens::samples) explained: &'a ExplainedSamples,
    pub(in crate::screens::samples) run: &'a Run,
    pub(in crate::screens::samples) styles: &'a Styles,
}

impl Widget for WordsView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (words, muted) = (self.words, self.styles.muted);
        let status = words.status(self.run, self.explained, usize::from(area.width));
        let inside = inset(Panel::new("words", self.styles).note(&status, muted).draw(area, buf));
        if words.vocabulary.words.is_empty() {
            return buf.put_centered(inside, &words.nothing(self.explained), muted);
        }
        let name = inside.width.saturating_sub(NUMBERS).clamp(8, 22);
        let heading = format!("{:>7}{:>6}{:>8}{:>7}{:>7}", "samples", "times", "mean", "±", "sd");
        buf.put(from(row(inside, 0), 2), "word", muted);
        buf.put(from(row(inside, 0), name), &heading, muted);
        let page = rows(inside);
        // Whole pages turn, so that moving the cursor repaints two lines and not all of them.
        let top = words.cursor / page * page;
        for (index, word) in words.vocabulary.words.iter().enumerate().skip(top).take(page) {
            let line = row(below(inside, 1), (index - top) as u16);
            let marked = if index == words.cursor { Marked::Yes } else { Marked::No };
            self.render_name(word, marked, to(line, name), buf);
            self.render_numbers(word, from(line, name), buf);
        }
        buf.put(row(inside, inside.height.saturating_sub(1)), &words.counted(self.explained), muted);
    }
}

/// Whether a line is under the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    Yes,
    No,
}

impl WordsView<'_> {
    fn scale(&self) -> Scale {
        self.explained.scale(self.words.largest())
    }

    fn render_name(&self, word: &WordImportance, marked: Marked, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let (cursor, style) = if marked == Marked::Yes { ("▸ ", styles.strong) } else { ("  ", styles.text) };
        buf.put_spans(area, &[Span::styled(cursor, styles.accent), Span::styled(&word.word, style)]);
    }

    fn render_numbers(&self, word: &WordImportance, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let scale = self.scale();
        let spread = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| scale.size(value));
        let mean = scale.written(word.mean);
        let spans = [
            Span::styled(format!("{:>7}{:>6}", word.texts.len(), word.occurrences), styles.text),
            Span::styled(format!("{mean:>8}"), styles.ink(scale.sign, word.mean)),
            Span::styled(format!("{:>7}{:>7}", spread(word.error), spread(word.deviation)), styles.muted),
        ];
        buf.put_spans(area, &spans);
        let place = from(area, NUMBERS + 1);
        if place.width >= 9 {
            let (share, style) = (scale.length(word.mean), self.bar_style(word));
            match scale.sign {
                Sign::ForOrAgainst => SignedBar { share, style, styles }.render(place, buf),
                Sign::None => Bar { share, weight: Weight::Full, style, styles }.render(place, buf),
            }
        }
    }

    /// Grey where the mean is within two standard errors of zero, or comes from a single sample.
    fn bar_style(&self, word: &WordImportance) -> Style {
        let clear = word.error.is_some_and(|error| word.mean.abs() > 2.0 * error);
        if clear { self.styles.ink(self.scale().sign, word.mean) } else { self.styles.faint }
    }
}

/// The words and their means alone, where there is no room for more.
pub(in crate::screens::samples) struct TinyWords<'a>(pub(in crate::screens::samples) WordsView<'a>);

impl Widget for TinyWords<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let WordsView { words, explained, run, styles } = self.0;
        let scale = self.0.scale();
        buf.put(row(area, 0), &format!("for {}", run.label(words.class)), styles.muted);
        let list = below(area, 1);
        if words.vocabulary.words.is_empty() {
            buf.put_wrapped(list, &words.nothing(explained), styles.muted);
            return;
        }
        let page = usize::from(list.height).max(1);
        let top = words.cursor / page * page;
        for (index, word) in words.vocabulary.words.iter().enumerate().skip(top).take(page) {
            let line = row(list, (index - top) as u16);
            let cursor = Span::styled(if index == words.cursor { "▸" } else { " " }, styles.accent);
            let name = to(line, line.width.saturating_sub(8));
            buf.put_spans(name, &[cursor, Span::styled(&word.word, styles.text)]);
            buf.put_spans_right(line, &[Span::styled(scale.written(word.mean), styles.ink(scale.sign, word.mean))]);
        }
    }
}
