//! The text itself: strengths behind its words, now and over the run.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Check, Explanation, Verdict};
use ratatui::layout::Rect;

use super::what_if::Shown;
use super::{Explain, Wait, attribution, highest};
use crate::run::Run;
use crate::text;
use crate::widgets::heat::{HeatText, Trust, shares, sign};
use crate::widgets::paper::{Paper, below, from, row, to};

impl Explain {
    /// ```text
    /// ╭ sample 12 · gradient x input · as of step 1200 ─── 2 of 3 ╮
    /// │ text and signs                                            │
    /// │ ✖ why the map is not to be trusted                        │
    /// │ for `urgent` · +9 speaks for it most, -9 against it ...   │
    /// ╰───────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn draw_text(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let (explanation, scores) = self.painted(current);
        let inside = paper.boxed(area, &self.title(explanation));
        self.place_on_shelf(paper, area);
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let shown = self.draft.shown(current);
        let strengths = scores.map(|scores| shares(&shown.scores(explanation, scores))).unwrap_or_default();
        let heat = HeatText {
            text: &shown.text,
            words: &shown.words,
            shares: &strengths,
            rationale: &current.rationale,
            trust: if scores.is_some_and(|scores| !scores.fails()) { Trust::Passed } else { Trust::Failed },
            changed: &shown.changed,
            cursor: self.draft.cursor,
        };
        let mut notes = self.notes(run, explanation, scores, inside.width);
        let needed = 2 * heat.line_count(inside.width);
        if usize::from(inside.height) < needed + notes.len() {
            // Figures give way to the text; two lines are its own, whatever else there is to say.
            notes.retain(|(_, kind)| *kind != Note::Figures);
        }
        let height = inside.height.saturating_sub(notes.len() as u16).max(2);
        heat.draw(paper, Rect { height, ..inside }, self.skipped(&heat, inside.width, height));
        for (index, (note, kind)) in notes.iter().enumerate() {
            let style = match kind {
                Note::Warning => paper.styles.bad,
                Note::Word | Note::Change => paper.styles.strong,
                Note::Figures | Note::Legend => paper.styles.muted,
            };
            paper.write(row(inside, height + index as u16), note, style);
        }
    }

    /// What is painted on the text: the map of the changed text as soon as it has the chosen method, else
    /// that of the text as it is.
    pub(super) fn painted<'a>(&'a self, current: &'a Explanation) -> (&'a Explanation, Option<&'a Attribution>) {
        let changed = self.draft.map().and_then(|map| Some((map, attribution(map, self.method)?)));
        let found = changed.or_else(|| self.mapped());
        found.map_or((current, None), |(explanation, scores)| (explanation, Some(scores)))
    }

    /// Lines above the first one that is seen: the marked word is always seen.
    fn skipped(&self, heat: &HeatText, width: u16, height: u16) -> usize {
        let room = usize::from(height / 2).max(1);
        let skip = self.scroll.min(heat.line_count(width).saturating_sub(room));
        match self.draft.cursor.and_then(|word| heat.line_of(word, width)) {
            Some(line) if line < skip => line,
            Some(line) if line >= skip + room => line + 1 - room,
            _ => skip,
        }
    }

    fn title(&self, explanation: &Explanation) -> String {
        let subject = explanation.sample.map_or_else(|| "your text".to_owned(), |index| format!("sample {index}"));
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

    fn place_on_shelf(&self, paper: &mut Paper, area: Rect) {
        let (words, style) = match &self.wait {
            Wait::Asked => ("under way …".to_owned(), paper.styles.warn),
            Wait::Refused(_) => ("refused".to_owned(), paper.styles.bad),
            _ if self.draft.is_busy() || self.current().is_some_and(|current| current.partial) => {
                ("under way …".to_owned(), paper.styles.warn)
            }
            Wait::Nothing | Wait::Cut => {
                (format!("{} of {}", self.shown.map_or(0, |shown| shown + 1), self.shelf.len()), paper.styles.muted)
            }
        };
        if area.width >= 70 {
            paper.corner(area, &words, style);
        }
    }

    /// Rows that the text and all that stands under it need in a box of this width.
    pub(super) fn text_rows(&self, run: &Run, current: &Explanation, width: u16) -> u16 {
        let (explanation, scores) = self.painted(current);
        let width = width.saturating_sub(4);
        let notes = self.notes(run, explanation, scores, width).len();
        (2 * text_lines(&self.draft.shown(current), width) + notes + 2) as u16
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

/// What is said under the text.
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

/// Lines of a text in this width.
fn text_lines(shown: &Shown, width: u16) -> usize {
    let heat = HeatText {
        text: &shown.text,
        words: &shown.words,
        shares: &vec![0.0; shown.words.len()],
        rationale: &[],
        trust: Trust::Passed,
        changed: &[],
        cursor: None,
    };
    heat.line_count(width)
}

/// ```text
/// ╭ the map over the run ─────────────────────────╮
/// │ step   the  pain  is  sudden                  │
/// │  400    +1    +3        +9                    │  oldest first, one line for each explanation
/// │ 1200          +7        +9                    │
/// ╰───────────────────────────────────────────────╯
/// ```
pub(super) fn over_time(screen: &Explain, paper: &mut Paper, area: Rect) {
    let Some(current) = screen.current().filter(|_| area.height >= 5) else { return };
    let inside = paper.boxed(area, "the map over the run");
    let inside = to(from(inside, 1), inside.width.saturating_sub(2));
    let done = |known| Some((known, attribution(known, screen.method)?));
    let rows: Vec<(&Explanation, &Attribution)> = screen.related().filter_map(done).collect();
    let columns = columns(current, rows.last().map(|(_, scores)| *scores), inside.width.saturating_sub(8));
    let muted = paper.styles.muted;
    paper.right(to(row(inside, 0), 6), &[("step", muted)]);
    header(current, &columns, paper, from(inside, 8));
    let room = usize::from(inside.height.saturating_sub(1));
    for (index, (known, scores)) in rows.iter().skip(rows.len().saturating_sub(room)).enumerate() {
        line(known.step, scores, &columns, paper, row(below(inside, 1), index as u16));
    }
}

/// Words that fit, with their places: the strongest ones of the last map, in the order of the text.
pub(super) fn columns(current: &Explanation, scores: Option<&Attribution>, width: u16) -> Vec<(usize, u16, u16)> {
    let strength = |word: usize| scores.and_then(|scores| scores.scores.get(word)).map_or(0.0, |score| score.abs());
    let mut ranked: Vec<usize> = (0..current.words.len()).collect();
    ranked.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)).then(a.cmp(&b)));
    let mut free = width;
    let mut chosen: Vec<(usize, u16)> = Vec::new();
    for word in ranked {
        let wide = (text::width(&current.word(word)) as u16).clamp(2, 14) + 1;
        if wide > free {
            break;
        }
        free -= wide;
        chosen.push((word, wide));
    }
    chosen.sort_unstable();
    let places = chosen.iter().scan(0, |next, (_, wide)| {
        let place = *next;
        *next += wide;
        Some(place)
    });
    let places: Vec<u16> = places.collect();
    chosen.into_iter().zip(places).map(|((word, wide), x)| (word, x, wide)).collect()
}

pub(super) fn header(current: &Explanation, columns: &[(usize, u16, u16)], paper: &mut Paper, area: Rect) {
    let muted = paper.styles.muted;
    for (word, x, wide) in columns {
        paper.write(to(from(row(area, 0), *x), wide - 1), &current.word(*word), muted);
    }
}

fn line(step: u64, scores: &Attribution, columns: &[(usize, u16, u16)], paper: &mut Paper, area: Rect) {
    let trusted = !scores.fails();
    let style = if trusted { paper.styles.text } else { paper.styles.muted };
    paper.right(to(area, 6), &[(&step.to_string(), style)]);
    strip(scores, columns, paper, from(area, 8));
}

/// One method's strengths in the columns of the words.
pub(super) fn strip(scores: &Attribution, columns: &[(usize, u16, u16)], paper: &mut Paper, area: Rect) {
    let trusted = !scores.fails();
    let strengths = shares(&scores.scores);
    for (word, x, wide) in columns {
        let Some(&share) = strengths.get(*word) else { continue };
        let style = if trusted { paper.styles.heat(share) } else { paper.styles.muted };
        let content = format!("{:^width$}", sign(share), width = usize::from(wide - 1));
        paper.write(to(from(area, *x), wide - 1), &content, style);
    }
}
