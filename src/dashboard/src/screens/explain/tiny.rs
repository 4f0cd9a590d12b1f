//! What matters most of an explanation, where there is no room for a screen.

use pellucid_protocol::Explanation;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::Explain;
use crate::run::Run;
use crate::text;
use crate::widgets::heat::{HeatText, Trust, shares};
use crate::widgets::paper::{Paper, below, row};

impl Explain {
    /// ```text
    /// urgent .93→.41 …
    /// ✔ occlusion
    /// pain is sudden and
    /// mask       +9
    /// ▸ pain +0.412
    /// ```
    pub fn draw_tiny(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        let Some(current) = self.current() else {
            paper.paragraph(area, "nothing is explained yet: press t, type a text", styles.muted);
            return;
        };
        let (explanation, made) = self.painted(current);
        paper.write(row(area, 0), &self.answer_in_short(run, current), styles.strong);
        let sign = match made {
            Some(made) if made.fails() => ("✖ ", styles.bad),
            Some(made) if made.is_trusted() => ("✔ ", styles.good),
            _ => ("… ", styles.muted),
        };
        paper.line(row(area, 1), &[sign, (self.method.title(), styles.muted)]);
        let shown = self.draft.shown(current);
        let scores = made.map(|made| shown.scores(explanation, made)).unwrap_or_default();
        let heat = HeatText {
            text: &shown.text,
            words: &shown.words,
            shares: &shares(&scores),
            rationale: &[],
            trust: if made.is_some_and(|made| made.fails()) { Trust::Failed } else { Trust::Passed },
            changed: &shown.changed,
            cursor: self.draft.cursor,
        };
        let foot = u16::from(self.draft.cursor.is_some() && area.height >= 5);
        let place = Rect { height: area.height.saturating_sub(2 + foot), ..below(area, 2) };
        let lines = usize::from(place.height / 2).max(1);
        let line = self.draft.cursor.and_then(|word| heat.line_of(word, place.width)).unwrap_or(0);
        heat.draw(paper, place, line / lines * lines);
        if let Some(word) = self.draft.cursor.filter(|_| foot == 1) {
            let score = scores.get(word).map_or_else(String::new, |score| format!(" {score:+.3}"));
            let words = format!("▸ {}{score}", current.word(word));
            paper.write(row(area, area.height - 1), &words, styles.accent.add_modifier(Modifier::BOLD));
        }
    }

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
