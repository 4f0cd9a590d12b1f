//! The samples where there is no room for a screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::View;
use super::view::{SamplesView, whole_text};
use super::words::TinyWords;
use crate::widgets::PutText;
use crate::widgets::area::{below, row};

/// The samples in one column.
///
/// ```text
/// 3 of 60
/// ✔   0 Crushing ches…
/// ✖   5 Where can the …
/// ```
pub(crate) struct TinySamples<'a>(pub(crate) SamplesView<'a>);

impl Widget for TinySamples<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let SamplesView { samples, styles, .. } = self.0;
        match samples.view {
            View::Words => return TinyWords(self.0.words()).render(area, buf),
            View::Suspects => return self.0.shortcuts().render(area, buf),
            View::Table => {}
        }
        let survey = samples.survey.as_ref().filter(|_| samples.is_surveyed());
        let place = match survey {
            Some(survey) => format!("explaining {}/{}", survey.done, survey.total),
            None => format!("{} of {}", samples.cursor + usize::from(!samples.order.is_empty()), samples.order.len()),
        };
        buf.put(row(area, 0), &place, styles.muted);
        let list = below(area, 1);
        let page = usize::from(list.height).max(1);
        let top = samples.cursor / page * page;
        for (index, &sample) in samples.order.iter().enumerate().skip(top).take(page) {
            let Some(known) = samples.samples.get(sample) else { continue };
            let (sign, style) = match samples.answers.get(sample) {
                None => ("  ", styles.muted),
                Some(answer) if answer.class() == known.label => ("✔ ", styles.good),
                Some(_) => ("✖ ", styles.bad),
            };
            let line = row(list, (index - top) as u16);
            let spans = [
                Span::styled(sign, style),
                Span::styled(format!("{sample:>3} "), styles.muted),
                Span::styled(whole_text(known), styles.text),
            ];
            buf.put_spans(line, &spans);
            if index == samples.cursor {
                buf.set_style(line, styles.selection);
            }
        }
    }
}
