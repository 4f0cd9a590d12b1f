//! What matters most of an explanation, where there is no room for a screen.

use pellucid_protocol::{Attribution, Explanation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::methods::trust_style;
use super::{Explain, ExplainView};
use crate::run::Run;
use crate::text;
use crate::widgets::PutText;
use crate::widgets::area::{below, row};
use crate::widgets::heat_text::{HeatText, Signs, Trust};

/// The answer, the chosen method, the text, and the marked word.
///
/// ```text
/// urgent .93→.41 …
/// ●●● occlusion
/// pain is sudden and
/// mask       +41
/// ▸ pain +41 points
/// ```
pub(crate) struct TinyExplain<'a>(pub(crate) ExplainView<'a>);

impl Widget for TinyExplain<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let ExplainView { screen, run, styles } = self.0;
        let Some(current) = screen.current() else {
            buf.put_wrapped(area, "nothing is explained yet: press t, type a text", styles.muted);
            return;
        };
        let (explanation, made) = screen.painted(current);
        buf.put(row(area, 0), &screen.answer_in_short(run, current), styles.strong);
        let sign = match made {
            Some(made) => Span::styled(format!("{} ", made.dots()), trust_style(made, styles)),
            None => Span::styled("… ", styles.muted),
        };
        buf.put_spans(row(area, 1), &[sign, Span::styled(screen.method().title(), styles.muted)]);
        let shown = screen.draft.shown(current);
        let scores = made.map(|made| shown.scores(explanation, made)).unwrap_or_default();
        let scale = made.map(Attribution::scale);
        let foot = u16::from(screen.draft.cursor.is_some() && area.height >= 5);
        let place = Rect { height: area.height.saturating_sub(2 + foot), ..below(area, 2) };
        let heat = HeatText {
            text: &shown.text,
            words: &shown.words,
            scores: &scores,
            scale,
            rationale: &[],
            trust: if made.is_none_or(Attribution::is_trusted) { Trust::Passed } else { Trust::Failed },
            changed: &shown.changed,
            cursor: screen.draft.cursor,
            first_line: 0,
            signs: Signs::Shown,
            styles,
        };
        // Whole pages turn.
        let lines = usize::from(place.height / 2).max(1);
        let line = screen.draft.cursor.and_then(|word| heat.line_of(word, place.width)).unwrap_or(0);
        HeatText { first_line: line / lines * lines, ..heat }.render(place, buf);
        if let Some(word) = screen.draft.cursor.filter(|_| foot == 1) {
            let score = scores.get(word).zip(scale).map(|(score, scale)| format!(" {}", scale.told(*score)));
            let gone = shown.gone(word).map(|gone| format!(" {gone}"));
            let score = gone.or(score).unwrap_or_default();
            let words = format!("▸ {}{score}", current.word(word));
            buf.put(row(area, area.height - 1), &words, styles.accent.add_modifier(Modifier::BOLD));
        }
    }
}

impl Explain {
    /// `urgent .93→.41`.
    fn answer_in_short(&self, run: &Run, current: &Explanation) -> String {
        let short = |share: f64| format!("{share:.2}").trim_start_matches('0').to_owned();
        let target = current.target;
        let of = |shares: &[f64]| shares.get(target).copied().map(short).unwrap_or_default();
        let shares = match (self.draft.answer(), self.draft.is_changed()) {
            (Some(answer), _) => format!("{}→{}", of(&answer.before), of(&answer.after)),
            (None, true) => format!("{}→…", of(&current.probabilities)),
            (None, false) => of(&current.probabilities),
        };
        let label = text::clip(&run.label(target), 10).into_owned();
        format!("{label} {shares}")
    }
}
