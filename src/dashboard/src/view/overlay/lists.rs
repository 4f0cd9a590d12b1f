//! Lists over a screen: charts to choose, commands to find, values to change.

use ratatui::layout::Rect;

use super::{dialog, line_of_text};
use crate::dialogs::palette;
use crate::run::live::{self, Values};
use crate::state::{Palette, State};
use crate::text;
use crate::widgets::paper::{Paper, below, from, row, to};

/// ```text
/// ╭ charts ─────────────────╮
/// │ ▸ [x] loss              │
/// │   [ ] speed             │
/// ╰─────────────────────────╯
/// ```
pub(super) fn charts(state: &State, cursor: usize, paper: &mut Paper, area: Rect) {
    let choice = state.train.choice(&state.run);
    let height = (choice.len() as u16 + 4).min(area.height.saturating_sub(2));
    let inside = dialog(paper, area, (48, height), "charts");
    let list = Rect { height: inside.height.saturating_sub(1), ..inside };
    let top = first_seen(cursor, list.height);
    for (index, (title, shown)) in choice.iter().enumerate().skip(top).take(usize::from(list.height)) {
        let box_ = if *shown { "[x] " } else { "[ ] " };
        let words = format!("{box_}{title}");
        marked_line(paper, row(list, (index - top) as u16), &words, index == cursor);
    }
    let foot = row(inside, inside.height.saturating_sub(1));
    paper.write(foot, "Space shows or hides   r the usual   Esc done", paper.styles.muted);
}

/// ```text
/// ╭ commands ───────────────────────────────────╮
/// │ chk_                                        │
/// │                                             │
/// │ ▸ checkpoint: write a checkpoint now      c │
/// ╰─────────────────────────────────────────────╯
/// ```
pub(super) fn commands(state: &State, open: &Palette, paper: &mut Paper, area: Rect) {
    let lines = palette::lines(open, state);
    let height = area.height.saturating_sub(4).min(24);
    let inside = dialog(paper, area, (76, height), "commands: type a few letters");
    line_of_text(paper, row(inside, 0), &open.input);
    let list = below(inside, 2);
    let list = Rect { height: list.height.saturating_sub(1), ..list };
    let cursor = open.cursor.min(lines.len().saturating_sub(1));
    let top = first_seen(cursor, list.height);
    for (index, line) in lines.iter().enumerate().skip(top).take(usize::from(list.height)) {
        let place = row(list, (index - top) as u16);
        let used = paper.right(place, &[(&line.keys, paper.styles.accent)]);
        let room = to(place, place.width.saturating_sub(used + 1));
        marked_line(paper, room, &line.words, index == cursor);
    }
    let muted = paper.styles.muted;
    if lines.is_empty() {
        paper.write(row(list, 0), "nothing is called that", muted);
    }
    let foot = row(inside, inside.height.saturating_sub(1));
    paper.write(foot, "↑↓ choose   Enter do it   Esc close", muted);
    paper.right(foot, &[(&text::plural(lines.len(), "command"), muted)]);
}

/// ```text
/// ╭ change the training ────────────────────────────────╮
/// │ ▸ lr                5e-5    highest learning rate   │
/// │     new value  7.9e-5_                              │
/// │   l1                1e-6    lambda of the L1 penalty│
/// │ ← → a little, or type   Enter sends it   Esc closes │
/// ╰─────────────────────────────────────────────────────╯
/// ```
pub(super) fn values(state: &State, open: &Values, paper: &mut Paper, area: Rect) {
    let offered = live::offered(&state.run);
    let inside = dialog(paper, area, (72, offered.len() as u16 + 6), "change the training");
    let styles = paper.styles;
    let mut y = 0;
    for (index, key) in offered.iter().enumerate() {
        let place = row(inside, y);
        marked_line(paper, to(place, 18), key.key(), index == open.cursor);
        let now = state.run.setting(*key).map_or_else(|| "–".to_owned(), |now| format!("{now}"));
        paper.right(to(from(place, 18), 12), &[(&now, styles.strong)]);
        paper.write(from(place, 33), key.title(), styles.muted);
        y += 1;
        if index == open.cursor {
            let used = paper.write(from(row(inside, y), 4), "new value  ", styles.muted);
            line_of_text(paper, from(row(inside, y), 4 + used), &open.draft);
            y += 1;
        }
    }
    let trouble = open.trouble.as_deref().unwrap_or_default();
    paper.write(row(inside, y + 1), trouble, styles.warn);
    let foot = row(inside, inside.height.saturating_sub(1));
    paper.write(foot, "← → a little, or type   Enter sends it   Esc closes", styles.muted);
}

/// A line of a list; the marked one has a sign.
fn marked_line(paper: &mut Paper, area: Rect, words: &str, marked: bool) {
    let styles = paper.styles;
    let (sign, style) = if marked { ("▸ ", styles.strong) } else { ("  ", styles.text) };
    paper.line(area, &[(sign, styles.accent), (words, style)]);
}

/// The first line of a list that is seen, so that the marked one is.
fn first_seen(cursor: usize, height: u16) -> usize {
    (cursor + 1).saturating_sub(usize::from(height))
}
