//! A text as a heat map: a colour behind each word, and a sign under it that needs no colour.

use pellucid_protocol::explanation::{Scale, Sign, Span};
use pellucid_protocol::scrub::scrub;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

use super::area::{from, row, to};
use super::put_text::PutText;
use crate::text;
use crate::theme::Styles;

/// A text with a score for each word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeatText<'a> {
    /// The text.
    pub text: &'a str,
    /// Its words.
    pub words: &'a [Span],
    /// A score for each word; words without one are plain.
    pub scores: &'a [f64],
    /// How they are written and painted; without it none is.
    pub scale: Option<Scale>,
    /// Characters that a person marked as the reason.
    pub rationale: &'a [Span],
    /// Whether the strengths are worth a colour.
    pub trust: Trust,
    /// What was done to each word; words without one are as they were.
    pub changed: &'a [Changed],
    /// The marked word.
    pub cursor: Option<usize>,
    /// The first line that is shown.
    pub first_line: usize,
    /// Whether each line has a line of signs below it.
    pub signs: Signs,
    /// The styles.
    pub styles: &'a Styles,
}

/// Whether signs stand under the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    /// They do, so that colour is not needed.
    Shown,
    /// The text is shown alone.
    Hidden,
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
    score: Option<f64>,
    reason: bool,
}

impl Piece {
    /// Columns up to the blank.
    fn solid(&self) -> u16 {
        u16::try_from(text::width(self.content.trim_end())).unwrap_or(u16::MAX)
    }
}

/// A sign, or its first letter where the word is shorter.
fn fitting(sign: &str, width: u16) -> String {
    let letters = if sign.len() <= usize::from(width) { sign.len() } else { 1 };
    sign.chars().take(letters).collect()
}

impl Widget for &HeatText<'_> {
    /// ```text
    /// the pain is sudden and severe      text, broken at words
    ///     +3      +21        +93         points for the class, or against it
    /// ```
    /// Where there is room, lines have air between them.
    fn render(self, area: Rect, buf: &mut Buffer) {
        let lines = self.lines(area.width);
        let pitch = match self.signs {
            Signs::Hidden => 1,
            Signs::Shown if lines.len() * 3 <= usize::from(area.height) + 1 => 3,
            Signs::Shown => 2,
        };
        let needed = if self.signs == Signs::Shown { 2 } else { 1 };
        let room = usize::from((area.height + pitch - needed) / pitch);
        for (index, line) in lines.iter().skip(self.first_line).take(room).enumerate() {
            self.render_words(line, row(area, index as u16 * pitch), buf);
            if self.signs == Signs::Shown {
                self.render_signs(line, row(area, index as u16 * pitch + 1), buf);
            }
        }
    }
}

impl HeatText<'_> {
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

    fn lines(&self, width: u16) -> Vec<Vec<Piece>> {
        let mut lines = vec![Vec::new()];
        let mut used = 0_u16;
        let mut pieces = self.pieces().into_iter().peekable();
        while let Some(piece) = pieces.next() {
            // A comma stays with its word; the blank after the last word of a line need not fit.
            let glued = pieces.peek().filter(|next| next.score.is_none()).map_or(0, Piece::solid);
            let needed = if piece.score.is_some() { piece.width.saturating_add(glued) } else { piece.solid() };
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
            let score = self.scores.get(index).copied();
            pieces.push(Piece { word: Some(index), ..self.piece(&characters[start..end], start, score) });
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

    fn piece(&self, characters: &[char], start: usize, score: Option<f64>) -> Piece {
        let content: String = characters.iter().collect();
        let span = Span { start, end: start + characters.len() };
        let width = u16::try_from(text::width(&content)).unwrap_or(u16::MAX);
        Piece { width, word: None, score, reason: self.rationale.iter().any(|reason| reason.overlaps(span)), content }
    }

    fn render_words(&self, line: &[Piece], area: Rect, buf: &mut Buffer) {
        let mut x = 0;
        for piece in line {
            let mut style = self.style(piece.score);
            if piece.reason && (piece.score.is_some() || !piece.content.trim().is_empty()) {
                style = style.add_modifier(Modifier::UNDERLINED);
            }
            style = style.add_modifier(self.modifier(piece.word));
            let room = from(area, x);
            let content = if piece.width > room.width { piece.content.trim_end() } else { &piece.content };
            x += buf.put(room, content, style);
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

    fn style(&self, score: Option<f64>) -> Style {
        match (score.zip(self.scale), self.trust) {
            (Some((score, scale)), Trust::Passed) => self.styles.heat(scale.sign, scale.strength(score)),
            (_, Trust::Failed) => self.styles.muted,
            (None, Trust::Passed) => self.styles.text,
        }
    }

    /// Puts each sign under its word. It may be longer than the word, and the next one then begins later under its own:
    /// a blank stays between them.
    fn render_signs(&self, line: &[Piece], area: Rect, buf: &mut Buffer) {
        let starts = line.iter().scan(0u16, |x, piece| {
            let start = *x;
            *x = x.saturating_add(piece.width);
            Some(start)
        });
        let signed: Vec<(u16, &Piece)> = starts.zip(line).filter(|(_, piece)| self.has_sign(piece)).collect();
        let mut free = 0;
        for (index, (x, piece)) in signed.iter().enumerate() {
            let start = free.max(*x);
            let end =
                signed.get(index + 1).map_or(area.width, |(next, after)| (next + self.slack(after)).saturating_sub(1));
            let (shown, style) = self.sign_of(piece, end.saturating_sub(start));
            free = start + buf.put(to(from(area, start), end.saturating_sub(start)), &shown, style) + 1;
        }
    }

    /// How much later than its word a sign can begin.
    fn slack(&self, piece: &Piece) -> u16 {
        let (whole, _) = self.sign_of(piece, u16::MAX);
        piece.width.saturating_sub(text::width(&whole) as u16)
    }

    fn has_sign(&self, piece: &Piece) -> bool {
        self.change(piece.word) != Changed::Not || !self.number(piece, usize::MAX).is_empty()
    }

    fn number(&self, piece: &Piece, width: usize) -> String {
        piece.score.zip(self.scale).map_or_else(String::new, |(score, scale)| scale.fitted(score, width))
    }

    /// What stands under a word: its score, or what was done to it.
    fn sign_of(&self, piece: &Piece, width: u16) -> (String, Style) {
        let sign = self.scale.map_or(Sign::None, |scale| scale.sign);
        let style = match self.trust {
            Trust::Passed => self.styles.ink(sign, piece.score.unwrap_or(0.0)),
            Trust::Failed => self.styles.muted,
        };
        let room = usize::from(width);
        match self.change(piece.word) {
            Changed::Not => (self.number(piece, room), style),
            Changed::Masked => (fitting("mask", piece.width.min(width)), self.styles.warn),
            Changed::Deleted => (fitting("del", piece.width.min(width)), self.styles.warn),
            Changed::Retyped => (format!("={}", self.number(piece, room.saturating_sub(1))), self.styles.warn),
        }
    }
}
