//! The Explain screen as a widget: the text as a heat map, and around it what each method found and how it was checked.

use pellucid_protocol::Explanation;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Widget;

use super::answer::AnswerOverTime;
use super::findings::{Findings, has_findings};
use super::methods::methods_height;
use super::strengths::MapOverTime;
use super::{ExplainView, View, Wait};
use crate::screens::train::ExplanationsChart;
use crate::widgets::{Panel, PutText};

impl Widget for ExplainView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(current) = self.screen.current() else { return self.render_invitation(area, buf) };
        match self.screen.view {
            View::Map if area.width >= 110 && area.height >= 20 => self.render_wide(current, area, buf),
            View::Map => self.render_narrow(current, area, buf),
            View::Table => self.render_scores(current, area, buf),
            View::Waterfall => self.render_waterfall(current, area, buf),
            View::Agreement => self.render_agreement(current, area, buf),
        }
    }
}

/// The first `rows` of an area, and the rest.
fn split(area: Rect, rows: u16) -> [Rect; 2] {
    Layout::vertical([Constraint::Length(rows.min(area.height)), Constraint::Fill(1)]).areas(area)
}

impl ExplainView<'_> {
    fn render_wide(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let side = (area.width * 2 / 5).clamp(44, 72);
        let [main, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(side)]).areas(area);
        let explanation = self.screen.looked_at(current);
        let [text, rest] = split(main, self.text_rows(current, main.width).max(9).min(area.height / 2));
        let [checks, rest] = split(rest, methods_height(area));
        let [history, trust] = split(rest, if rest.height >= 20 { rest.height / 2 } else { rest.height });
        self.render_heat_map(current, text, buf);
        self.render_methods(explanation, checks, buf);
        MapOverTime { screen: self.screen, styles: self.styles }.render(history, buf);
        ExplanationsChart { run: self.run, styles: self.styles }.render(trust, buf);
        let [answer, rest] = split(right, (current.probabilities.len() as u16 + 5).min(area.height / 2));
        let fitted = current.words.len() as u16 + 4;
        let [findings, over_time] = split(rest, if rest.height >= fitted + 10 { fitted } else { rest.height });
        self.render_answer(current, answer, buf);
        self.findings(explanation).render(findings, buf);
        AnswerOverTime { screen: self.screen, run: self.run, styles: self.styles }.render(over_time, buf);
    }

    fn render_narrow(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let [text, lower] = split(area, area.height.saturating_sub(methods_height(area)).max(5));
        self.render_heat_map(current, text, buf);
        let explanation = self.screen.looked_at(current);
        if area.width < 76 {
            return self.render_methods(explanation, lower, buf);
        }
        let [checks, side] = Layout::horizontal([Constraint::Length(53), Constraint::Fill(1)]).areas(lower);
        self.render_methods(explanation, checks, buf);
        // Until a method is chosen by hand, the answer comes first.
        let wanted = self.screen.chosen.is_some_and(|chosen| has_findings(current, chosen));
        if wanted && !self.screen.draft.is_changed() {
            self.findings(current).render(side, buf);
        } else {
            self.render_answer(current, side, buf);
        }
    }

    fn findings<'b>(&'b self, explanation: &'b Explanation) -> Findings<'b> {
        Findings { explanation, method: self.screen.method(), styles: self.styles }
    }

    /// How to get an explanation, where there is none.
    fn render_invitation(&self, area: Rect, buf: &mut Buffer) {
        let inside = Panel::new("explain", self.styles).draw(area, buf);
        let words = match &self.screen.wait {
            Wait::Asked => "under way: it comes between two training steps".to_owned(),
            Wait::Refused(why) => format!("refused: {why}"),
            Wait::Nothing | Wait::Cut if self.run.explains() => {
                "See what an answer is based on: press 3, choose a sample, press e. Or press t and type a text."
                    .to_owned()
            }
            Wait::Nothing | Wait::Cut => "Nothing was explained in this run.".to_owned(),
        };
        buf.put_centered(inside, &words, self.styles.muted);
    }
}
