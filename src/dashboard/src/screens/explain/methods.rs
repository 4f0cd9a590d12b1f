//! The methods with their checks, and each method's scores of the strongest words.

use pellucid_protocol::check::Grade;
use pellucid_protocol::explanation::Method;
use pellucid_protocol::{Attribution, Check, Explanation, Verdict};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::strengths::WordColumns;
use super::{ExplainView, attribution};
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// Columns for the name of a method.
const NAME: usize = 21;
/// Columns for the own check of a method.
const OWN: usize = 14;
/// Columns for the name and the checks of a method; the unit of its scores follows.
const FIGURES: u16 = 50;
/// Columns for the unit.
const UNIT: u16 = 8;

/// Rows of the box: a heading, and all methods where there is room, else five, which follow the one that is looked at.
pub(super) fn methods_height(screen: Rect) -> u16 {
    let methods = if screen.height >= 60 { Method::ALL.len() } else { Method::USUAL.len() };
    methods as u16 + 3
}

/// The style of what a map's grade is told in.
pub(super) fn trust_style(made: &Attribution, styles: &Styles) -> Style {
    match made.grade() {
        Some(Grade::Strong) => styles.good,
        Some(Grade::Weak) => styles.text,
        Some(Grade::None) => styles.bad,
        Some(Grade::Nothing | Grade::Undecided) | None => styles.muted,
    }
}

impl ExplainView<'_> {
    /// ```text
    ///   method               trust    r  own check     unit    chest  pain  since
    /// ▸ LIME                  ●●●  0.90  R² 0.71       points    +41   +12     -7
    ///   gradient x input      ●●○  0.52                logits   +1.2  +0.4   -0.3
    ///   gradient norm         ○○○  0.18                no unit     9     4      2
    /// ```
    /// In order of trust. Where there is room, the map of each method stands in its line, to show at a glance where the
    /// methods agree.
    pub(super) fn render_methods(&self, explanation: &Explanation, area: Rect, buf: &mut Buffer) {
        let (shown, listed, styles) = (self.screen.method(), self.screen.listed(), self.styles);
        let inside = inset(crate::widgets::inner(area));
        // Five methods are more important than their heading.
        let heading = u16::from(inside.height > Method::USUAL.len() as u16);
        let room = usize::from(inside.height - heading.min(inside.height));
        let at = listed.iter().position(|&method| method == shown).unwrap_or(0);
        let first = (at + 1).saturating_sub(room.max(1));
        let panel = Panel::new("methods in order of trust", styles);
        if room < listed.len() && area.width >= 50 {
            panel.note(&format!("{} of {}", at + 1, listed.len()), styles.muted).draw(area, buf);
        } else {
            panel.draw(area, buf);
        }
        let strip = from(inside, FIGURES + UNIT);
        let columns = (strip.width >= 20)
            .then(|| WordColumns::fit(explanation, attribution(explanation, shown), strip.width, styles));
        let unit = if columns.is_some() { "unit" } else { "" };
        let titles = format!("  {:<NAME$}{:>5}{:>5}  {:<OWN$} {unit}", "method", "trust", "r", "own check");
        buf.put(to(row(inside, 0), inside.width * heading), titles.trim_end(), styles.muted);
        if let Some(columns) = columns.as_ref().filter(|_| heading > 0) {
            columns.render_words(explanation, row(strip, 0), buf);
        }
        for (y, method) in (heading..).zip(listed.into_iter().skip(first).take(room)) {
            let line = row(inside, y);
            self.render_method(explanation, method, line, buf);
            if let (Some(columns), Some(made)) = (&columns, attribution(explanation, method)) {
                buf.put(to(from(line, FIGURES), UNIT - 1), made.scale().unit.told(), styles.muted);
                columns.render_strengths(made, from(line, FIGURES + UNIT), buf);
            }
        }
    }

    fn render_method(&self, explanation: &Explanation, method: Method, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let shown = method == self.screen.method();
        let cursor = Span::styled(if shown { "▸ " } else { "  " }, styles.accent);
        let name = format!("{:<NAME$}", method.title());
        let Some(made) = attribution(explanation, method) else {
            let rest = if explanation.partial { " under way" } else { " not done" };
            buf.put_spans(area, &[cursor, Span::styled(name + rest, styles.muted)]);
            return;
        };
        let style = match (made.is_trusted(), shown) {
            (true, true) => styles.strong,
            (true, false) => styles.text,
            (false, _) => styles.muted,
        };
        let dots = Span::styled(format!("{:>4} ", made.dots()), trust_style(made, styles));
        let correlation = made.correlation().map_or_else(|| "–".to_owned(), |found| format!("{found:.2}"));
        let rest = format!("{correlation:>5}  {}", text::clip(&own_check(made), OWN));
        buf.put_spans(area, &[cursor, Span::styled(name, style), dots, Span::styled(rest, style)]);
    }
}

/// The check that the method brings itself; a figure is of less weight than a gate.
fn own_check(made: &Attribution) -> String {
    let own = || made.checks.iter().filter(|check| !matches!(check, Check::Chance { .. }));
    let gate = own().find(|check| check.verdict() != Verdict::Informative);
    let brief = |check: &Check| match *check {
        Check::Sampling { error, .. } if error > 0.0 => Some(made.scale().error(error)),
        _ => check.brief(),
    };
    let brief = gate.into_iter().chain(own()).find_map(|check| Some((check, brief(check)?)));
    brief.map_or_else(String::new, |(check, brief)| if check.fails() { format!("{brief} ✖") } else { brief })
}
