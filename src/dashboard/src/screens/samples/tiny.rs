//! The samples where there is no room for a screen.

use ratatui::layout::Rect;

use super::Samples;
use super::table::whole_text;
use crate::run::Run;
use crate::widgets::paper::{Paper, below, row};

impl Samples {
    /// ```text
    /// 3 of 60
    /// ✔   0 Crushing ches…
    /// ✖   5 Where can the …
    /// ```
    pub fn draw_tiny(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        if self.shows_words() {
            return self.words.draw_tiny(run, &self.found, paper, area);
        }
        if self.shows_suspects() {
            return self.suspects.draw(run, &self.samples, paper, area);
        }
        let survey = self.survey.as_ref().filter(|_| self.is_surveyed());
        let place = match survey {
            Some(survey) => format!("explaining {}/{}", survey.done, survey.total),
            None => format!("{} of {}", self.cursor + usize::from(!self.order.is_empty()), self.order.len()),
        };
        paper.write(row(area, 0), &place, styles.muted);
        let list = below(area, 1);
        let page = usize::from(list.height).max(1);
        let top = self.cursor / page * page;
        for (index, &sample) in self.order.iter().enumerate().skip(top).take(page) {
            let Some(known) = self.samples.get(sample) else { continue };
            let (sign, style) = match self.answers.get(sample) {
                None => ("  ", styles.muted),
                Some(answer) if answer.class() == known.label => ("✔ ", styles.good),
                Some(_) => ("✖ ", styles.bad),
            };
            let line = row(list, (index - top) as u16);
            let number = format!("{sample:>3} ");
            paper.line(line, &[(sign, style), (&number, styles.muted), (&whole_text(known), styles.text)]);
            if index == self.cursor {
                paper.buffer.set_style(line.intersection(paper.buffer.area), styles.selection);
            }
        }
    }
}
