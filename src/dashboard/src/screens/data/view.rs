//! The Data screen as a widget: what may mislead first, then part by part.

use pellucid_protocol::data_report::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

use super::Data;
use crate::run::Run;
use crate::text;
use crate::theme::{Styles, Tone};
use crate::widgets::area::{inset, row};
use crate::widgets::{Panel, PutText};

/// What findings begin with.
const FINDINGS: [&str; 3] = ["leak: ", "conflict: ", "gives away: "];

/// The Data screen of a run.
///
/// ```text
/// ╭─ data ─────────────────────────────╮
/// │ leak: 3 rows of validation are in … │
/// │                                     │
/// │ training: 2,000 rows                │
/// │   classes   routine 729 (36.5 %)    │
/// ╰─────────────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataView<'a> {
    pub(super) data: &'a Data,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
}

/// What there is to say of the data of a run.
pub(super) fn lines(run: &Run) -> Vec<String> {
    let report = run.started.as_ref().and_then(|started| started.data.as_deref());
    report.map_or_else(|| vec!["this run did not record what its data holds".to_owned()], words::lines)
}

impl Widget for DataView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let lines = lines(self.run);
        let height = usize::from(area.height.saturating_sub(2)).max(1);
        let top = self.data.top.min(lines.len().saturating_sub(height));
        let below = lines.len().saturating_sub(top + height);
        let note = if below > 0 { format!("{below} below") } else { String::new() };
        let inside = inset(Panel::new("data", self.styles).note(&note, self.styles.muted).draw(area, buf));
        for (index, line) in (0u16..inside.height).zip(&lines[top..]) {
            let place = row(inside, index);
            buf.put(place, &text::clip(line, usize::from(place.width)), self.style(line));
        }
    }
}

impl DataView<'_> {
    /// Findings stand out, and so do the names of parts.
    fn style(&self, line: &str) -> Style {
        if FINDINGS.iter().any(|begin| line.starts_with(begin)) {
            return self.styles.tone(Tone::Warn);
        }
        if line.starts_with(' ') { self.styles.text } else { self.styles.text.add_modifier(Modifier::BOLD) }
    }
}
