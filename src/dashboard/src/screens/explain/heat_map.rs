//! The text as a heat map of the chosen method, and what is to be said about it.

use pellucid_protocol::explanation::{Scalar, StandIn};
use pellucid_protocol::{Attribution, Check, Explanation, Verdict};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{Explain, ExplainView, Wait, attribution, highest};
use crate::run::Run;
use crate::text;
use crate::widgets::area::{inset, row};
use crate::widgets::heat_text::{HeatText, Signs, Trust, shares};
use crate::widgets::{Panel, PutText, inner};

impl ExplainView<'_> {
    /// ```text
    /// ╭─ sample 12 · gradient x input · as of step 1200 ── 2 of 3 ╮
    /// │ text and signs                                            │
    /// │ ✖ why the map is not to be trusted                        │
    /// │ for `urgent` · +9 speaks for it most, -9 against it ...   │
    /// ╰───────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn render_heat_map(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let (screen, styles) = (self.screen, self.styles);
        let (explanation, scores) = screen.painted(current);
        let title = screen.title(explanation);
        let panel = Panel::new(&title, styles);
        let (place, style) = self.place_in_history();
        if area.width >= 70 {
            panel.note(&place, style).draw(area, buf)
        } else {
            panel.draw(area, buf)
        };
        let inside = inset(inner(area));
        let shown = screen.draft.shown(current);
        let strengths = scores.map(|scores| shares(&shown.scores(explanation, scores))).unwrap_or_default();
        let mut notes = screen.notes(self.run, explanation, scores, inside.width);
        let heat = HeatText {
            text: &shown.text,
            words: &shown.words,
            shares: &strengths,
            rationale: &current.rationale,
            trust: if scores.is_some_and(|scores| !scores.fails()) { Trust::Passed } else { Trust::Failed },
            changed: &shown.changed,
            cursor: screen.draft.cursor,
            first_line: 0,
            signs: Signs::Shown,
            styles,
        };
        if usize::from(inside.height) < 2 * heat.line_count(inside.width) + notes.len() {
            // Figures give way to the text; two lines are always its own.
            notes.retain(|(_, kind)| *kind != Note::Figures);
        }
        let height = inside.height.saturating_sub(notes.len() as u16).max(2);
        let first_line = screen.first_line(&heat, inside.width, height);
        HeatText { first_line, ..heat }.render(Rect { height, ..inside }, buf);
        for (y, (note, kind)) in (height..).zip(&notes) {
            buf.put(row(inside, y), note, self.note_style(*kind));
        }
    }

    fn note_style(&self, note: Note) -> Style {
        match note {
            Note::Warning => self.styles.bad,
            Note::Word | Note::Change => self.styles.strong,
            Note::Figures | Note::Legend => self.styles.muted,
        }
    }

    /// Which explanation of how many is shown, or that one is under way.
    fn place_in_history(&self) -> (String, Style) {
        let (screen, styles) = (self.screen, self.styles);
        let partial = screen.current().is_some_and(|current| current.partial);
        match &screen.wait {
            Wait::Asked => ("under way …".to_owned(), styles.warn),
            Wait::Refused(_) => ("refused".to_owned(), styles.bad),
            _ if screen.draft.is_busy() || partial => ("under way …".to_owned(), styles.warn),
            Wait::Nothing | Wait::Cut => {
                (format!("{} of {}", screen.shown.map_or(0, |shown| shown + 1), screen.history.len()), styles.muted)
            }
        }
    }

    /// Rows that the text and the notes under it need in a box of this width.
    pub(super) fn text_rows(&self, current: &Explanation, width: u16) -> u16 {
        let (explanation, scores) = self.screen.painted(current);
        let width = width.saturating_sub(4);
        let notes = self.screen.notes(self.run, explanation, scores, width).len();
        let shown = self.screen.draft.shown(current);
        let text = HeatText {
            text: &shown.text,
            words: &shown.words,
            shares: &vec![0.0; shown.words.len()],
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
        let changed = self.draft.map().and_then(|map| Some((map, attribution(map, self.method)?)));
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

    fn title(&self, explanation: &Explanation) -> String {
        let subject = match explanation.privacy.row() {
            Some(row) => row.to_owned(),
            None => explanation.sample.map_or_else(|| "your text".to_owned(), |index| format!("sample {index}")),
        };
        self.titled(&format!("{subject} · {} · as of step {}", self.method.title(), explanation.step))
    }

    /// A title, and whether the text is changed.
    pub(super) fn titled(&self, title: &str) -> String {
        let mapped = self.draft.map().is_some_and(|map| attribution(map, self.method).is_some());
        match self.draft.changes() {
            0 => title.to_owned(),
            count if mapped => format!("{title} · {count} changed"),
            _ => format!("{title} · as it was"),
        }
    }

    /// What stands under the text.
    fn notes(
        &self,
        run: &Run,
        explanation: &Explanation,
        scores: Option<&Attribution>,
        width: u16,
    ) -> Vec<(String, Note)> {
        let mut notes = self.changes(run, explanation, scores);
        match scores {
            None => notes.push((format!("{}: not done yet", self.method.title()), Note::Legend)),
            Some(scores) => {
                let objections = scores.checks.iter().filter_map(Check::objection).take(2);
                notes.extend(objections.map(|why| (format!("✖ not to be trusted: {why}"), Note::Warning)));
                notes.extend(StandIn::told(&explanation.stand_ins, scores).map(|told| (told, Note::Legend)));
                let figures = scores.checks.iter().filter(|check| check.verdict() == Verdict::Informative);
                let figures: Vec<_> = figures.map(Check::measured).collect();
                if !figures.is_empty() && width >= 60 {
                    notes.push((figures.join(" · "), Note::Figures));
                }
            }
        }
        if explanation.truncated_words > 0 {
            let lost = text::plural(explanation.truncated_words, "word");
            notes.push((format!("the model does not see the last {lost}: the text is too long for it"), Note::Legend));
        }
        notes.push((self.legend(run, explanation, scores, width), Note::Legend));
        let lines = |(note, kind): (String, Note)| {
            text::wrap(&note, usize::from(width)).into_iter().map(move |line| (line, kind))
        };
        notes.into_iter().flat_map(lines).collect()
    }

    /// The marked word, and what the changes do to the answer.
    fn changes(&self, run: &Run, explanation: &Explanation, scores: Option<&Attribution>) -> Vec<(String, Note)> {
        let Some(current) = self.current() else { return Vec::new() };
        let mut notes = Vec::new();
        if self.draft.is_changed() {
            notes.push((self.what_if(run, current), Note::Change));
        }
        if let Some(word) = self.draft.cursor {
            let shown = self.draft.shown(current);
            let score = scores.and_then(|made| shown.scores(explanation, made).get(word).copied());
            let error = scores.filter(|_| explanation.edits.is_empty()).and_then(|made| made.errors.get(word));
            let score = score.map_or_else(String::new, |score| format!("  {score:+.3}"));
            let error = error.map_or_else(String::new, |error| format!(" ±{error:.3}"));
            let place = format!("  word {} of {}", word + 1, current.words.len());
            notes.push((format!("▸ {}{score}{error}{place}", current.word(word)), Note::Word));
        }
        notes
    }

    /// `what if: urgent 0.931 → 0.412 (-0.519), the answer is routine then`.
    fn what_if(&self, run: &Run, current: &Explanation) -> String {
        let Some(answer) = self.draft.answer() else { return "what if: asking …".to_owned() };
        let of = |shares: &[f64]| shares.get(current.target).copied().unwrap_or(f64::NAN);
        let (before, after) = (of(&answer.before), of(&answer.after));
        let (was, is) = (highest(&answer.before), highest(&answer.after));
        let then = if was == is { String::new() } else { format!("; the answer is {} then", run.label(is)) };
        let class = run.label(current.target);
        format!("what if: {class} {before:.3} → {after:.3} ({:+.3}){then}", after - before)
    }

    fn legend(&self, run: &Run, explanation: &Explanation, scores: Option<&Attribution>, width: u16) -> String {
        let class = run.label(explanation.target);
        let scalar = scores.map_or("", |scores| match scores.scalar {
            Scalar::Logit => "logit of ",
            Scalar::Probability => "probability of ",
            Scalar::Margin => "margin of ",
            Scalar::Attention => "attention, not ",
        });
        let signs =
            if self.method.is_signed() { "+9 most for it, -9 most against" } else { "9 matters most, no direction" };
        let reason = if explanation.rationale.is_empty() { "" } else { " · underlined: marked by a person" };
        let whole = format!("for {scalar}{class} · {signs}{reason}");
        let without = format!("for {scalar}{class} · {signs}");
        let fits = |words: &String| text::width(words) <= usize::from(width);
        [whole, without].into_iter().find(fits).unwrap_or_else(|| format!("for {class} · {signs}"))
    }
}

/// A line under the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    /// What the signs mean, and what is not there.
    Legend,
    /// Figures of checks that have no limit.
    Figures,
    /// Why the map is not to be trusted.
    Warning,
    /// The marked word.
    Word,
    /// What the changes do to the answer.
    Change,
}
