//! A text with a strength behind each word, and under each word a sign that needs no colour.

use pellucid_protocol::explanation::Span;
use pellucid_protocol::scrub::scrub;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::paper::{Paper, row};
use crate::text;

/// What is known of a text's words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeatText<'a> {
    /// The text.
    pub text: &'a str,
    /// Its words.
    pub words: &'a [Span],
    /// A strength from -1 to 1 for each word; words without one are plain.
    pub shares: &'a [f64],
    /// Characters that a person marked as the reason.
    pub rationale: &'a [Span],
    /// Whether the strengths are worth a colour.
    pub trust: Trust,
    /// What was done to each word; words without one are as they were.
    pub changed: &'a [Changed],
    /// The word that is marked.
    pub cursor: Option<usize>,
}

/// What a person has done to a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Changed {
    /// Nothing.
    #[default]
    Not,
    /// It is masked.
    Masked,
    /// It is left out.
    Deleted,
    /// It is another word.
    Retyped,
}

/// Whether the strengths passed their checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// In full colour.
    Passed,
    /// Without colour: a map that failed its check is not to be believed at a glance.
    Failed,
}

/// A piece of text that is not broken: a word or what stands between words.
#[derive(Debug)]
struct Piece {
    content: String,
    width: u16,
    /// Which word it is; none for what stands between.
    word: Option<usize>,
    share: Option<f64>,
    reason: bool,
}

impl Piece {
    /// Columns up to the blank.
    fn solid(&self) -> u16 {
        u16::try_from(text::width(self.content.trim_end())).unwrap_or(u16::MAX)
    }
}

/// The sign of a strength: `+9` to `-9`, nothing near zero.
#[must_use]
pub(crate) fn sign(share: f64) -> String {
    let strength = (share.abs() * 9.0).round();
    match strength {
        _ if !share.is_finite() => "?".to_owned(),
        0.0 => String::new(),
        _ => format!("{}{strength:.0}", if share < 0.0 { '-' } else { '+' }),
    }
}

/// Scores as strengths: the largest in size becomes 1 or -1.
#[must_use]
pub(crate) fn shares(scores: &[f64]) -> Vec<f64> {
    let largest = scores.iter().filter(|score| score.is_finite()).fold(0.0, |most: f64, score| most.max(score.abs()));
    scores.iter().map(|score| if largest > 0.0 { score / largest } else { 0.0 * score }).collect()
}

/// A sign, or its first letter where the word is shorter.
fn fitting(sign: &str, width: u16) -> String {
    let letters = if sign.len() <= usize::from(width) { sign.len() } else { 1 };
    sign.chars().take(letters).collect()
}

impl HeatText<'_> {
    /// ```text
    /// the pain is sudden and severe      text, broken at words
    ///     +3      +7         +9          strength for the class, or against it
    /// ```
    /// Starts at line `skip` of the text. Where there is room, lines have air between them.
    pub(crate) fn draw(&self, paper: &mut Paper, area: Rect, skip: usize) {
        let lines = self.lines(area.width);
        let pitch = if lines.len() * 3 <= usize::from(area.height) + 1 { 3 } else { 2 };
        for (index, line) in lines.iter().skip(skip).take(usize::from((area.height + pitch - 2) / pitch)).enumerate() {
            self.draw_line(paper, row(area, index as u16 * pitch), line);
            self.draw_signs(paper, row(area, index as u16 * pitch + 1), line);
        }
    }

    /// How many lines the text has at this width.
    #[must_use]
    pub(crate) fn line_count(&self, width: u16) -> usize {
        self.lines(width).len()
    }

    /// The line of a word at this width.
    #[must_use]
    pub(crate) fn line_of(&self, word: usize, width: u16) -> Option<usize> {
        self.lines(width).iter().position(|line| line.iter().any(|piece| piece.word == Some(word)))
    }

    /// The text alone, without signs.
    pub(crate) fn draw_plain(&self, paper: &mut Paper, area: Rect) {
        for (index, line) in self.lines(area.width).iter().take(usize::from(area.height)).enumerate() {
            self.draw_line(paper, row(area, index as u16), line);
        }
    }

    fn lines(&self, width: u16) -> Vec<Vec<Piece>> {
        let mut lines = vec![Vec::new()];
        let mut used = 0_u16;
        let mut pieces = self.pieces().into_iter().peekable();
        while let Some(piece) = pieces.next() {
            // A comma stays with its word; the blank after the last word of a line need not fit.
            let glued = pieces.peek().filter(|next| next.share.is_none()).map_or(0, Piece::solid);
            let needed = if piece.share.is_some() { piece.width.saturating_add(glued) } else { piece.solid() };
            if used.saturating_add(needed) > width && used > 0 {
                lines.push(Vec::new());
                used = 0;
            }
            if used == 0 && lines.len() > 1 && piece.content.trim().is_empty() {
                continue;
            }
            used = used.saturating_add(piece.width);
            if let Some(line) = lines.last_mut() {
                line.push(piece);
            }
        }
        lines
    }

    fn pieces(&self) -> Vec<Piece> {
        let characters: Vec<char> = scrub(self.text).chars().collect();
        let mut pieces = Vec::new();
        let mut at = 0;
        for (index, word) in self.words.iter().enumerate() {
            let (start, end) = (word.start.min(characters.len()), word.end.min(characters.len()));
            if start < at || end <= start {
                continue;
            }
            self.between(&characters[at..start], at, &mut pieces);
            let share = self.shares.get(index).copied();
            pieces.push(Piece { word: Some(index), ..self.piece(&characters[start..end], start, share) });
            at = end;
        }
        self.between(&characters[at..], at, &mut pieces);
        pieces
    }

    /// What stands between words, in pieces that may go to a new line each.
    fn between(&self, characters: &[char], start: usize, pieces: &mut Vec<Piece>) {
        let mut at = start;
        for part in characters.split_inclusive(|c| *c == ' ') {
            pieces.push(self.piece(part, at, None));
            at += part.len();
        }
    }

    fn piece(&self, characters: &[char], start: usize, share: Option<f64>) -> Piece {
        let content: String = characters.iter().collect();
        let span = Span { start, end: start + characters.len() };
        let width = u16::try_from(text::width(&content)).unwrap_or(u16::MAX);
        Piece { width, word: None, share, reason: self.rationale.iter().any(|reason| reason.overlaps(span)), content }
    }

    fn draw_line(&self, paper: &mut Paper, area: Rect, line: &[Piece]) {
        let mut x = 0;
        for piece in line {
            let mut style = self.style(paper, piece.share);
            if piece.reason && (piece.share.is_some() || !piece.content.trim().is_empty()) {
                style = style.add_modifier(Modifier::UNDERLINED);
            }
            style = style.add_modifier(self.modifier(piece.word));
            let room = super::paper::from(area, x);
            let content = if piece.width > room.width { piece.content.trim_end() } else { &piece.content };
            x += paper.write(room, content, style);
        }
    }

    fn change(&self, word: Option<usize>) -> Changed {
        word.and_then(|word| self.changed.get(word)).copied().unwrap_or_default()
    }

    /// What is seen without colour too.
    fn modifier(&self, word: Option<usize>) -> Modifier {
        let change = match self.change(word) {
            Changed::Not => Modifier::empty(),
            Changed::Masked => Modifier::DIM,
            Changed::Deleted => Modifier::CROSSED_OUT,
            Changed::Retyped => Modifier::ITALIC,
        };
        let marked = word.is_some() && word == self.cursor;
        change | if marked { Modifier::REVERSED } else { Modifier::empty() }
    }

    fn style(&self, paper: &Paper, share: Option<f64>) -> Style {
        match (share, self.trust) {
            (Some(share), Trust::Passed) => paper.styles.heat(share),
            (_, Trust::Failed) => paper.styles.muted,
            (None, Trust::Passed) => paper.styles.text,
        }
    }

    /// A sign stands under its word; where the word is too short, it may reach under the blank after it.
    fn draw_signs(&self, paper: &mut Paper, area: Rect, line: &[Piece]) {
        let mut x = 0u16;
        for (index, piece) in line.iter().enumerate() {
            if let Some(share) = piece.share {
                let blank = line.get(index + 1).filter(|next| next.content.starts_with(' '));
                let after = u16::from(blank.is_some() || index + 1 == line.len());
                let room = piece.width.saturating_add(after);
                let style = if self.trust == Trust::Passed { paper.styles.side(share) } else { paper.styles.muted };
                let (shown, style) = match self.change(piece.word) {
                    Changed::Not => (sign(share), style),
                    Changed::Masked => (fitting("mask", piece.width), paper.styles.warn),
                    Changed::Deleted => (fitting("del", piece.width), paper.styles.warn),
                    Changed::Retyped => (format!("={}", sign(share)), paper.styles.warn),
                };
                let shown = if room < 2 { shown.get(..1).unwrap_or("") } else { &shown };
                paper.write(super::paper::to(super::paper::from(area, x), room), shown, style);
            }
            x = x.saturating_add(piece.width);
        }
    }
}
