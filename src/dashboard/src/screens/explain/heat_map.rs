//! The text as a heat map of the chosen method, and what is to be said about it.

use pellucid_protocol::explanation::{Progress, Sign};
use pellucid_protocol::{Attribution, Explanation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::notes::{Notes, Room};
use super::{Explain, ExplainView, Wait, attribution};
use crate::text;
use crate::theme::Level;
use crate::widgets::area::{from, inset, row};
use crate::widgets::heat_text::{HeatText, Signs, Trust};
use crate::widgets::{Panel, PutText, inner};

/// From this width on there is room for more than a title.
const NOTED: u16 = 70;
/// Columns that a frame, its blanks and a piece of its line between title and note take.
const FRAME: usize = 9;
/// From this width on there is room to say what an explanation is busy with.
const WIDE: u16 = 100;

impl ExplainView<'_> {
    /// ```text
    /// ╭─ sample 12 · occlusion, best checked · step 1200 ─── 2 of 3 ╮
    /// │ text and numbers                                                  │
    /// │ ▸ chest  +41 points  word 3 of 40                                 │
    /// │ ●●● strong: its scores follow 74 % of what hiding words does …    │
    /// │ + for urgent, - against · points of probability, darkest 50       │
    /// ╰───────────────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn render_heat_map(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let (screen, styles) = (self.screen, self.styles);
        let (explanation, made) = screen.painted(current);
        let (place, style) = self.place_in_history(area.width);
        let place = if area.width >= NOTED { place } else { String::new() };
        let room = usize::from(area.width).saturating_sub(text::width(&place) + FRAME);
        let title = screen.title(explanation, &self.weights(explanation.step), room);
        Panel::new(&title, styles).note(&place, style).draw(area, buf);
        let inside = inset(inner(area));
        let shown = screen.draft.shown(current);
        let scores = made.map_or_else(|| vec![0.0; shown.words.len()], |made| shown.scores(explanation, made));
        let heat = HeatText {
            text: &shown.text,
            words: &shown.words,
            scores: &scores,
            scale: made.map(Attribution::scale),
            rationale: &current.rationale,
            trust: if made.is_some_and(Attribution::is_trusted) { Trust::Passed } else { Trust::Failed },
            changed: &shown.changed,
            cursor: screen.draft.cursor,
            first_line: 0,
            signs: Signs::Shown,
            styles,
        };
        let room = Room::beside(heat.line_count(inside.width), inside.height);
        let notes = self.notes(current, inside.width).lines(current, room);
        let height = inside.height.saturating_sub(notes.len() as u16).max(2);
        let first_line = screen.first_line(&heat, inside.width, height);
        HeatText { first_line, ..heat }.render(Rect { height, ..inside }, buf);
        for (y, note) in (height..inside.height).zip(&notes) {
            buf.put(row(inside, y), &note.words, note.style);
        }
        if let (Some(made), Some(legend), true) = (made, notes.last(), notes.len() > 1) {
            let used = text::width(&legend.words) as u16 + 2;
            self.render_swatch(made, from(row(inside, inside.height.saturating_sub(1)), used), buf);
        }
    }

    /// Which weights those of a step are.
    fn weights(&self, step: u64) -> String {
        let best = self.run.best().is_some_and(|best| best.step == step);
        let last = !self.run.is_going() && self.run.step == step;
        let told = match (best, last) {
            (true, true) => ", best and last",
            (true, false) => ", best",
            (false, true) => ", last",
            (false, false) => "",
        };
        format!("step {step}{told}")
    }

    fn notes<'b>(&'b self, current: &'b Explanation, width: u16) -> Notes<'b> {
        let (explanation, made) = self.screen.painted(current);
        Notes { screen: self.screen, run: self.run, styles: self.styles, explanation, made, width }
    }

    /// The colours of the scale, where there is room and there are colours.
    fn render_swatch(&self, made: &Attribution, area: Rect, buf: &mut Buffer) {
        const STRENGTHS: [f64; 3] = [0.2, 0.6, 1.0];
        let (sign, styles) = (made.method.sign(), self.styles);
        let cell = |strength: f64| Span::styled("  ", styles.heat(sign, strength));
        let against = STRENGTHS.into_iter().rev().map(|strength| cell(-strength));
        let zero = [Span::styled(" 0 ", styles.muted)];
        let on = STRENGTHS.into_iter().map(cell);
        let spans: Vec<Span> = match sign {
            Sign::ForOrAgainst => against.chain(zero).chain(on).collect(),
            Sign::None => zero.into_iter().chain(on).collect(),
        };
        if made.is_trusted() && styles.level != Level::None && area.width >= 15 {
            buf.put_spans_right(area, &spans);
        }
    }

    /// Which explanation of how many is shown, or how far the one is that is under way.
    fn place_in_history(&self, width: u16) -> (String, Style) {
        let (screen, styles) = (self.screen, self.styles);
        let current = screen.current();
        let partial = current.is_some_and(|current| current.partial);
        let told = if width >= WIDE { Progress::told } else { Progress::brief };
        match &screen.wait {
            Wait::Asked => ("under way …".to_owned(), styles.warn),
            Wait::Refused(_) => ("refused".to_owned(), styles.bad),
            _ if screen.draft.is_busy() || partial => {
                let progress = current.and_then(|current| current.progress.as_ref()).map(told);
                (progress.unwrap_or_else(|| "under way …".to_owned()), styles.warn)
            }
            Wait::Nothing | Wait::Cut => {
                (format!("{} of {}", screen.shown.map_or(0, |shown| shown + 1), screen.history.len()), styles.muted)
            }
        }
    }

    /// Rows that the text and the notes under it need in a box of this width.
    pub(super) fn text_rows(&self, current: &Explanation, width: u16) -> u16 {
        let width = width.saturating_sub(4);
        let notes = self.notes(current, width).lines(current, Room::Whole).len();
        let shown = self.screen.draft.shown(current);
        let text = HeatText {
            text: &shown.text,
            words: &shown.words,
            scores: &vec![0.0; shown.words.len()],
            scale: None,
            rationale: &[],
            trust: Trust::Passed,
            changed: &[],
            cursor: None,
            first_line: 0,
            signs: Signs::Shown,
            styles: self.styles,
        };
        (2 * text.line_count(width) + notes + 2) as u16
    }
}

impl Explain {
    /// What is painted on the text: the map of the changed text as soon as it has the chosen method, else
    /// that of the text as it is.
    pub(super) fn painted<'a>(&'a self, current: &'a Explanation) -> (&'a Explanation, Option<&'a Attribution>) {
        let changed = self.draft.map().and_then(|map| Some((map, attribution(map, self.method())?)));
        let found = changed.or_else(|| self.mapped());
        found.map_or((current, None), |(explanation, scores)| (explanation, Some(scores)))
    }

    /// The first line that is shown, so that the marked word is.
    fn first_line(&self, heat: &HeatText, width: u16, height: u16) -> usize {
        let room = usize::from(height / 2).max(1);
        let skip = self.scroll.min(heat.line_count(width).saturating_sub(room));
        match self.draft.cursor.and_then(|word| heat.line_of(word, width)) {
            Some(line) if line < skip => line,
            Some(line) if line >= skip + room => line + 1 - room,
            _ => skip,
        }
    }

    /// Without what matters least, where it would take more than `room` columns.
    fn title(&self, explanation: &Explanation, weights: &str, room: usize) -> String {
        let subject = match explanation.privacy.row() {
            Some(row) => row.to_owned(),
            None => explanation.sample.map_or_else(|| "your text".to_owned(), |index| format!("sample {index}")),
        };
        let trusted = explanation.by(self.method()).is_some_and(Attribution::is_trusted);
        let best = if self.chosen.is_none() && trusted && !self.draft.is_changed() { ", best checked" } else { "" };
        let with = |best| self.titled(&format!("{subject} · {}{best} · {weights}", self.method().title()));
        Some(with(best)).filter(|title| text::width(title) <= room).unwrap_or_else(|| with(""))
    }

    /// A title, and whether the text is changed.
    pub(super) fn titled(&self, title: &str) -> String {
        let mapped = self.draft.map().is_some_and(|map| attribution(map, self.method()).is_some());
        match self.draft.changes() {
            0 => title.to_owned(),
            count if mapped => format!("{title} · {count} changed"),
            _ => format!("{title} · as it was"),
        }
    }
}
