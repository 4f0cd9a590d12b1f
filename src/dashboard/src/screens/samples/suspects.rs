//! Words that may be shortcuts: their share of importance over time, and the answers without them.

use pellucid_protocol::explanation::Span;
use pellucid_protocol::{Sample, Watched, WatchedWord};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::input::keymap::Action;
use crate::run::Run;
use crate::text;
use crate::widgets::paper::{Paper, below, from, inner, row, to};
use crate::widgets::spark;

/// Columns for the word and the class that it leads to.
const NAME: u16 = 12;
/// Columns behind the curve.
const NUMBERS: u16 = 40;

/// A word and what each evaluation said of it.
#[derive(Debug, Clone)]
struct Suspect {
    /// Evaluations that it was not watched at have none.
    seen: Vec<Option<WatchedWord>>,
}

impl Suspect {
    fn last(&self) -> Option<&WatchedWord> {
        self.seen.iter().rev().find_map(Option::as_ref)
    }

    /// The share of importance at each evaluation; NaN where it is not known.
    fn importance(&self) -> Vec<f64> {
        self.seen.iter().map(|seen| seen.as_ref().map_or(f64::NAN, |seen| seen.importance)).collect()
    }
}

/// A sample that is to be explained with a word masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// The sample.
    pub sample: usize,
    /// The word, as it is compared: see [`pellucid_protocol::word_importance::plain`].
    pub word: String,
}

/// The view.
#[derive(Debug, Clone, Default)]
pub(super) struct Suspects {
    /// Steps of the evaluations, and the accuracy at each.
    evals: Vec<(u64, f64)>,
    words: Vec<Suspect>,
    cursor: usize,
    /// Whether the marked word is thought away.
    masked: bool,
}

impl Suspects {
    /// Takes an evaluation in; one that was seen before, and all after it, are replaced.
    pub(super) fn take(&mut self, watched: &Watched) {
        let kept = self.evals.iter().take_while(|(step, _)| *step < watched.step).count();
        self.evals.truncate(kept);
        self.words.iter_mut().for_each(|suspect| suspect.seen.truncate(kept));
        for found in &watched.words {
            let is_it = |suspect: &Suspect| {
                suspect.last().is_some_and(|known| known.word == found.word && known.class == found.class)
            };
            if !self.words.iter().any(is_it) {
                self.words.push(Suspect { seen: vec![None; kept] });
                // Found below, where it has a name.
                if let Some(new) = self.words.last_mut() {
                    new.seen.push(Some(found.clone()));
                }
            } else if let Some(known) = self.words.iter_mut().find(|suspect| is_it(suspect)) {
                known.seen.push(Some(found.clone()));
            }
        }
        self.words.iter_mut().for_each(|suspect| suspect.seen.resize(kept + 1, None));
        self.words.retain(|suspect| suspect.last().is_some());
        self.evals.push((watched.step, watched.accuracy));
        self.cursor = self.cursor.min(self.words.len().saturating_sub(1));
    }

    /// Does what a key asks for.
    pub(super) fn act(&mut self, action: Action) {
        let before = self.cursor;
        match action {
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Down => self.cursor = (self.cursor + 1).min(self.words.len().saturating_sub(1)),
            Action::Mask => self.masked = !self.masked && !self.words.is_empty(),
            _ => {}
        }
        self.masked &= self.cursor == before;
    }

    /// The screen was clicked. A line of the list: its word is masked, or put back. An example: what is to be explained.
    pub(super) fn click(&mut self, y: u16, (run, body): (&Run, Rect), samples: &[Sample]) -> Option<Masking> {
        let line = y.checked_sub(inner(body).y + 1).map(usize::from).filter(|line| *line < self.words.len());
        if let Some(line) = line {
            (self.masked, self.cursor) = (line != self.cursor || !self.masked, line);
            return None;
        }
        let known = self.words.get(self.cursor)?.last()?;
        let inside = room(self.parts(body).1);
        let told: u16 = self.told(run, known).1.iter().map(|words| rows(words, inside)).sum();
        let line = usize::from(y.checked_sub(inside.y + told + 1).filter(|_| y < inside.bottom())?);
        let sample = known.examples.iter().copied().filter(|&index| index < samples.len()).nth(line)?;
        Some(Masking { sample, word: known.word.clone() })
    }

    /// The first example of the marked word, to be explained with the word masked.
    pub(super) fn masking(&self, samples: &[Sample]) -> Option<Masking> {
        let known = self.words.get(self.cursor)?.last()?;
        let sample = known.examples.iter().copied().find(|&index| index < samples.len())?;
        Some(Masking { sample, word: known.word.clone() })
    }

    /// The marked word and the samples that have it.
    pub(super) fn examples(&self) -> Option<(String, Vec<usize>)> {
        let known = self.words.get(self.cursor)?.last()?;
        Some((known.word.clone(), known.examples.clone()))
    }

    /// ```text
    /// ╭ words that may be shortcuts ──────────────────────────────── share of importance ╮
    /// │   word           to             since step 0     now   named  train  valid  texts │
    /// │ ▸ ashdown        emergency      ▁▁▂▄▆▇▇▇▇▇▇▇   0.412  at 120   94 %   29 %     48 │
    /// ╰───────────────────────────────────────────────────────────────────────────────────╯
    /// ╭ what if `ashdown` were masked ────────────────────────────────────────────────────╮
    /// ╰───────────────────────────────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn draw(&self, run: &Run, samples: &[Sample], paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        let (upper, lower) = self.parts(area);
        let inside = paper.boxed(upper, "words that may be shortcuts");
        if self.words.is_empty() {
            return paper.middle(inside, self.nothing(run), styles.muted);
        }
        paper.corner(upper, "share of importance", styles.muted);
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let curve = inside.width.saturating_sub(2 + 2 * NAME + NUMBERS).min(48);
        self.heading(paper, row(inside, 0), curve);
        for index in 0..self.words.len() {
            self.line(run, (index, curve), paper, row(below(inside, 1), index as u16));
        }
        if lower.height > 3 {
            self.detail(run, samples, paper, lower);
        }
    }

    /// The list, and what is told of the marked word.
    fn parts(&self, area: Rect) -> (Rect, Rect) {
        let wanted = (self.words.len() as u16 + 3).min(area.height / 2).max(4);
        let height = if self.words.is_empty() { area.height } else { wanted.min(area.height) };
        (Rect { height, ..area }, below(area, height))
    }

    fn heading(&self, paper: &mut Paper, area: Rect, curve: u16) {
        let muted = paper.styles.muted;
        paper.write(to(from(area, 2), NAME), "word", muted);
        paper.write(to(from(area, 2 + NAME), NAME), "leads to", muted);
        let since = self.evals.first().map_or_else(String::new, |(step, _)| format!("since {step}"));
        paper.write(to(from(area, 2 + 2 * NAME), curve), &since, muted);
        let heads = format!("{:>7}{:>10}{:>8}{:>8}{:>7}", "now", "named", "train", "valid", "texts");
        paper.write(from(area, 2 + 2 * NAME + curve), &heads, muted);
    }

    fn line(&self, run: &Run, (index, curve): (usize, u16), paper: &mut Paper, line: Rect) {
        let (Some(suspect), styles) = (self.words.get(index), paper.styles) else { return };
        let Some(known) = suspect.last() else { return };
        let here = index == self.cursor;
        let (cursor, style) = if here { ("▸ ", styles.strong) } else { ("  ", styles.text) };
        let word = if here && self.masked { format!("[{}]", known.word) } else { known.word.clone() };
        let alarmed = if known.named.is_some() { styles.warn } else { style };
        paper.line(to(line, 1 + NAME), &[(cursor, styles.accent), (&word, alarmed)]);
        paper.write(to(from(line, 2 + NAME), NAME - 1), &run.label(known.class), styles.text);
        let place = from(line, 2 + 2 * NAME);
        spark::draw(paper, to(place, curve), &thinned(&suspect.importance(), curve.into()), styles.series[0]);
        let named = known.named.map_or_else(|| "–".to_owned(), |step| format!("at {step}"));
        let shares = [known.in_training, known.in_validation].map(text::percent);
        let now = text::number(known.importance);
        let numbers = format!("{now:>7}{named:>10}{:>8}{:>8}{:>7}", shares[0], shares[1], known.texts);
        paper.write(from(place, curve), &numbers, styles.text);
    }

    /// What the marked word does, or what would be without it, and texts that have it.
    fn detail(&self, run: &Run, samples: &[Sample], paper: &mut Paper, area: Rect) {
        let Some(known) = self.words.get(self.cursor).and_then(Suspect::last) else { return };
        let styles = paper.styles;
        let (title, lines) = self.told(run, known);
        paper.boxed(area, &title);
        let inside = room(area);
        let mut used = 0;
        for (words, style) in lines.into_iter().zip([styles.strong, styles.text, styles.muted]) {
            used += paper.paragraph(below(inside, used), &words, style);
        }
        used += 1;
        for &index in &known.examples {
            let Some(sample) = samples.get(index).filter(|_| used < inside.height) else { continue };
            used += example((index, sample), (&known.word, self.masked), paper, below(inside, used));
        }
    }

    /// Title and lines about the marked word.
    fn told(&self, run: &Run, known: &WatchedWord) -> (String, Vec<String>) {
        if self.masked { self.without(run, known) } else { (format!("`{}`", known.word), with(run, known)) }
    }

    /// What would be without the word, as the last evaluation found it.
    fn without(&self, run: &Run, known: &WatchedWord) -> (String, Vec<String>) {
        let accuracy = self.evals.last().map_or(f64::NAN, |(_, accuracy)| *accuracy);
        let title = format!("what if `{}` were masked everywhere", known.word);
        let told = format!(
            "accuracy on the validation set {} → {} ({:+.1} points)",
            text::number(accuracy),
            text::number(known.masked_accuracy),
            100.0 * (known.masked_accuracy - accuracy)
        );
        let lost = format!(
            "mean probability of {} in its {} {} → {}; {} of them are {}",
            run.label(known.class),
            text::plural(known.texts, "text"),
            text::number(known.probability),
            text::number(known.masked_probability),
            text::percent(known.in_validation),
            run.label(known.class)
        );
        let hint = "Space puts it back; e masks it in one text. A model that was not trained on masked texts may answer them oddly: see masking.";
        (title, vec![told, lost, hint.to_owned()])
    }

    fn nothing(&self, run: &Run) -> &'static str {
        match (self.evals.is_empty(), run.evals.is_empty()) {
            (true, true) => "words are watched from the first evaluation on",
            _ => {
                "no word goes with a class in training more often than in validation. A shortcut that holds in both sets \
                 cannot be seen here"
            }
        }
    }
}

/// The inside of a box at `area`, with a margin.
fn room(area: Rect) -> Rect {
    let inside = inner(area);
    to(from(inside, 1), inside.width.saturating_sub(2))
}

/// Rows that a paragraph takes.
fn rows(words: &str, area: Rect) -> u16 {
    text::wrap(words, usize::from(area.width.max(1))).len() as u16
}

fn with(run: &Run, known: &WatchedWord) -> Vec<String> {
    let class = run.label(known.class);
    let named = known.named.map_or_else(
        || "the data offers it, the model does not use it: masking it takes little away".to_owned(),
        |step| format!("named by the alarm at step {step}"),
    );
    vec![
        format!("{} of the importance in texts that have it; {named}", text::percent(known.importance)),
        format!(
            "{} of the training texts with it are {class}, of the validation texts {}; mean probability of {class} there {}",
            text::percent(known.in_training),
            text::percent(known.in_validation),
            text::number(known.probability)
        ),
        "share of importance: its part of the sum of |gradient x input| over the words of a text, mean over the texts below"
            .to_owned(),
    ]
}

/// A text with the word set off, or without it; returns the rows used.
fn example((index, sample): (usize, &Sample), (word, masked): (&str, bool), paper: &mut Paper, area: Rect) -> u16 {
    let styles = paper.styles;
    let mut line = vec![(format!("{index:>5}  "), styles.muted)];
    let mut rest = sample.text.as_str();
    while let Some(span) = found(rest, word) {
        line.push((rest[..span.start].to_owned(), styles.text));
        let own = &rest[span.start..span.end];
        let shown = if masked { "▁".repeat(text::width(own)) } else { own.to_owned() };
        line.push((shown, if masked { styles.faint } else { styles.warn }));
        rest = &rest[span.end..];
    }
    line.push((rest.to_owned(), styles.text));
    let runs: Vec<(&str, Style)> = line.iter().map(|(words, style)| (words.as_str(), *style)).collect();
    paper.line(row(area, 0), &runs);
    1
}

/// Where `word` stands in `text` as a word of its own, in bytes.
fn found(text: &str, word: &str) -> Option<Span> {
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, c.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) if text[from..at].to_lowercase() == word => return Some(Span { start: from, end: at }),
            (Some(_), false) => start = None,
            _ => {}
        }
    }
    None
}

/// At most `count` values, the last of each stretch.
fn thinned(values: &[f64], count: usize) -> Vec<f64> {
    let stretch = values.len().div_ceil(count.max(1)).max(1);
    values.rchunks(stretch).rev().filter_map(|part| part.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_word_keeps_its_past_and_gaps_stay_gaps() {
        let mut suspects = Suspects::default();
        for (step, words) in [(0, vec![]), (100, vec!["ward"]), (200, vec!["ward", "clinic"]), (300, vec!["clinic"])] {
            let words = words.into_iter().map(|word| fixture::watched_word(word, step)).collect();
            suspects.take(&Watched { step, accuracy: 0.9, words });
        }
        let known: Vec<Vec<bool>> =
            suspects.words.iter().map(|word| word.seen.iter().map(Option::is_some).collect()).collect();
        assert_eq!(known, [[false, true, true, false], [false, false, true, true]]);
        assert!(suspects.words[0].importance()[3].is_nan());
        // A run that is taken up again from step 200 does that evaluation anew.
        suspects.take(&Watched { step: 200, accuracy: 0.8, words: vec![fixture::watched_word("ward", 200)] });
        assert_eq!((suspects.words.len(), suspects.evals.len()), (1, 3));
        suspects.take(&Watched { step: 0, accuracy: 0.8, words: vec![] });
        assert_eq!((suspects.words.len(), suspects.evals.len()), (0, 1));
    }

    #[test]
    fn a_word_is_found_as_a_word_of_its_own() {
        let at = |text, word| found(text, word).map(|span| (span.start, span.end));
        assert_eq!(at("Wards of (Ward, the other", "ward"), Some((10, 14)));
        assert_eq!((at("wards", "ward"), at("", "ward"), at("ward", "ward")), (None, None, Some((0, 4))));
    }

    #[test]
    fn a_long_course_keeps_its_end() {
        assert_eq!(thinned(&[1.0, 2.0, 3.0, 4.0, 5.0], 2), [2.0, 5.0]);
        assert_eq!((thinned(&[], 5), thinned(&[1.0], 5)), (vec![], vec![1.0]));
    }
}
