//! The methods with their checks, and each method's scores of the strongest words.

use pellucid_protocol::explanation::Method;
use pellucid_protocol::{Attribution, Check, Explanation, Verdict};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::strengths::WordColumns;
use super::{ExplainView, attribution};
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// Columns for the name and the checks of a method.
const FIGURES: u16 = 52;

/// Rows of the box: a heading, and all methods where there is room, else five, which follow the chosen one.
pub(super) fn methods_height(screen: Rect) -> u16 {
    let methods = if screen.height >= 60 { Method::ALL.len() } else { Method::USUAL.len() };
    methods as u16 + 3
}

impl ExplainView<'_> {
    /// ```text
    ///     method            faithful  random  own check  chest  pain  since
    /// ▸ ✔ gradient x input      0.81    0.50               +9    +8    -7
    ///   ✔ integrated gradients  0.84    0.50  gap 0.8 %    +9    +7    -6
    ///   ✖ gradient norm         0.31    0.50               +5    +9    +2
    /// ```
    /// Where there is room, the map of each method stands in its line, to show at a glance where the methods agree.
    pub(super) fn render_methods(&self, explanation: &Explanation, area: Rect, buf: &mut Buffer) {
        let (chosen, styles) = (self.screen.method, self.styles);
        let inside = inset(crate::widgets::inner(area));
        // Five methods are more important than their heading.
        let heading = u16::from(inside.height > Method::USUAL.len() as u16);
        let room = usize::from(inside.height - heading.min(inside.height));
        let at = Method::ALL.iter().position(|&method| method == chosen).unwrap_or(0);
        let first = (at + 1).saturating_sub(room.max(1));
        let panel = Panel::new("methods and their checks", styles);
        if room < Method::ALL.len() && area.width >= 50 {
            panel.note(&format!("{} of {}", at + 1, Method::ALL.len()), styles.muted).draw(area, buf);
        } else {
            panel.draw(area, buf);
        }
        let titles = format!("    {:<14}{:>12}{:>8}  own check", "method", "faithful", "random");
        buf.put(to(row(inside, 0), inside.width * heading), &titles, styles.muted);
        let strip = from(inside, FIGURES);
        let columns = (strip.width >= 20)
            .then(|| WordColumns::fit(explanation, attribution(explanation, chosen), strip.width, styles));
        if let Some(columns) = &columns {
            columns.render_words(explanation, row(strip, 0), buf);
        }
        for (y, method) in (heading..).zip(Method::ALL.iter().copied().skip(first).take(room)) {
            let line = row(inside, y);
            self.render_method(explanation, method, line, buf);
            if let (Some(columns), Some(made)) = (&columns, attribution(explanation, method)) {
                columns.render_strengths(made, from(line, FIGURES), buf);
            }
        }
    }

    fn render_method(&self, explanation: &Explanation, method: Method, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let chosen = method == self.screen.method;
        let cursor = Span::styled(if chosen { "▸ " } else { "  " }, styles.accent);
        let made = attribution(explanation, method);
        let (sign, style) = match made {
            Some(made) if made.is_trusted() => {
                (Span::styled("✔ ", styles.good), if chosen { styles.strong } else { styles.text })
            }
            Some(made) if made.fails() => (Span::styled("✖ ", styles.bad), styles.muted),
            // Not done, or no gate reached yet: still being refined.
            _ => (Span::styled("… ", styles.muted), styles.muted),
        };
        let rest =
            made.map_or_else(|| if explanation.partial { "  under way" } else { "  not done" }.to_owned(), figures);
        let name = format!("{:<20}", method.title());
        buf.put_spans(area, &[cursor, sign, Span::styled(name, style), Span::styled(rest, style)]);
    }
}

/// The figures of a method's checks in columns.
fn figures(scores: &Attribution) -> String {
    let mut trust = (String::from("–"), String::from("–"));
    let mut own = String::new();
    for check in &scores.checks {
        if let Check::Chance { grade, correlation, .. } = *check {
            trust = (grade.told().to_owned(), format!("{correlation:.2}"));
        } else if let Some(brief) = check.brief()
            // A figure is of less weight than a gate.
            && (own.is_empty() || check.verdict() != Verdict::Informative)
        {
            own = brief;
        }
    }
    format!("{:>6}{:>8}  {own:<9}", trust.0, trust.1)
}
