//! What the curves of a chart mean: value, range, which way is good, source.

use ratatui::layout::Rect;

use super::dialog;
use crate::dialogs::measures::{Kind, height, lines, width};
use crate::state::State;
use crate::widgets::paper::{Paper, row};

/// ```text
/// ╭ what is measured: explanations ──────────────────────────────────╮
/// │ drift   explain/drift   0.123 at step 1200                       │
/// │   1 - Spearman between this and the previous evaluation's maps   │
/// │   less is better; 0 same order of words, 1 no relation           │
/// │   source: …                                                      │
/// ╰──────────────────────────────────────────────────────────────────╯
/// ```
pub(crate) fn measures(state: &State, top: usize, paper: &mut Paper, area: Rect) {
    let title = state.train.focused(&state.run).unwrap_or_default();
    let (lines, styles) = (lines(state, area), paper.styles);
    let height = height(&lines, area);
    let inside = dialog(paper, area, (width(area), height), &format!("what is measured: {title}"));
    let page = usize::from(inside.height.saturating_sub(1));
    let top = top.min(lines.len().saturating_sub(page));
    for (index, (words, kind)) in lines.iter().skip(top).take(page).enumerate() {
        let style = match kind {
            Kind::Name => styles.strong,
            Kind::Meaning => styles.text,
            Kind::Note => styles.muted,
        };
        paper.write(row(inside, index as u16), words, style);
    }
    let more = if top + page < lines.len() { "↓ more" } else { "Esc closes" };
    paper.right(row(inside, inside.height.saturating_sub(1)), &[(more, styles.muted)]);
}
