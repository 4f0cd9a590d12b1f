//! What lies over a screen: help, questions, lists, a line to type on.

mod lists;
pub(super) mod measures;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tui_input::Input;

use crate::input::keymap::Place;

use crate::run::Stage;
use crate::state::{Overlay, State};
use crate::text;
use crate::widgets::paper::{Paper, from, row, to};

/// Draws what is open, over everything.
pub(super) fn draw(state: &State, paper: &mut Paper, area: Rect) {
    match &state.overlay {
        None => {}
        Some(Overlay::Help(top)) => help(state, paper, area, *top),
        Some(Overlay::Leaving) => question(state, paper, area, "leave", leaving_fact(state)),
        Some(Overlay::Stopping) => question(state, paper, area, "stop the training", "It cannot be taken back."),
        Some(Overlay::Text(input)) => typing(state, paper, area, "explain this text", input),
        Some(Overlay::Retype(input)) => typing(state, paper, area, "another word in its place", input),
        Some(Overlay::Search(input)) => typing(state, paper, area, "search the log", input),
        Some(Overlay::Filter(input)) => typing(state, paper, area, "only samples with", input),
        Some(Overlay::Charts(cursor)) => lists::charts(state, *cursor, paper, area),
        Some(Overlay::Measures(top)) => measures::measures(state, *top, paper, area),
        Some(Overlay::Palette(open)) => lists::commands(state, open, paper, area),
        Some(Overlay::Values(open)) => lists::values(state, open, paper, area),
    }
}

fn leaving_fact(state: &State) -> &'static str {
    if state.run.stage == Stage::Paused { "The run is paused, and stays so." } else { "The run goes on." }
}

/// A blank box in the middle; returns its inside, with a margin.
fn dialog(paper: &mut Paper, area: Rect, (width, height): (u16, u16), title: &str) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    // A little air, so that it stands apart from what is below.
    let air = Rect { x: place.x.saturating_sub(1), width: place.width + 2, ..place };
    paper.clear(air.intersection(area));
    let inside = paper.boxed(place, title);
    to(from(inside, 1), inside.width.saturating_sub(2))
}

/// ```text
/// ╭ leave ──────────────────────────────────────╮
/// │ The run goes on.                            │
/// │                                             │
/// │ d    leave; the training goes on            │
/// │ s    end the training, then leave           │
/// │ Esc  stay here                              │
/// ╰─────────────────────────────────────────────╯
/// ```
fn question(state: &State, paper: &mut Paper, area: Rect, title: &str, fact: &str) {
    let choices = state.keys.bindings().iter();
    let choices: Vec<_> =
        choices.filter(|binding| binding.place == state.place() && state.has(binding.needs)).collect();
    let inside = dialog(paper, area, (76, choices.len() as u16 + 4), title);
    let styles = paper.styles;
    paper.write(row(inside, 0), fact, styles.text);
    for (index, binding) in choices.iter().enumerate() {
        let line = row(inside, index as u16 + 2);
        paper.write(to(line, 4), &binding.key(), styles.accent);
        paper.write(from(line, 5), binding.help, styles.text);
    }
}

/// ```text
/// ╭ explain this text ──────────────────────────╮
/// │ the pain is sudd_                           │
/// ╰─────────────────────────────────────────────╯
/// ```
fn typing(state: &State, paper: &mut Paper, area: Rect, title: &str, input: &Input) {
    let long = matches!(state.overlay, Some(Overlay::Text(_)));
    let inside = dialog(paper, area, (if long { area.width * 4 / 5 } else { 60 }, 3), title);
    line_of_text(paper, inside, input);
}

/// A line that is typed on, with its cursor.
fn line_of_text(paper: &mut Paper, area: Rect, input: &Input) {
    let styles = paper.styles;
    let room = usize::from(area.width.saturating_sub(1).max(1));
    let before: String = input.value().chars().take(input.cursor()).collect();
    let before = tail(&before, room);
    let mut after = input.value().chars().skip(input.cursor());
    let under = after.next().unwrap_or(' ').to_string();
    let rest: String = after.collect();
    let cursor = Style::new().add_modifier(Modifier::REVERSED);
    paper.line(area, &[(&before, styles.text), (&under, cursor), (&rest, styles.text)]);
}

/// The end of `content` that fits.
fn tail(content: &str, room: usize) -> String {
    let mut kept: Vec<char> = Vec::new();
    let mut used = 0;
    for c in content.chars().rev() {
        used += text::width(&c.to_string()).max(1);
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.into_iter().rev().collect()
}

/// A line of the help: a heading, or keys and what they do.
enum Entry {
    Heading(&'static str),
    Keys(String, &'static str),
    Blank,
}

/// Every binding, in two columns where there is room.
fn help(state: &State, paper: &mut Paper, area: Rect, top: usize) {
    let entries = entries(state);
    let wide = area.width >= 150;
    let columns: u16 = if wide { 2 } else { 1 };
    let rows = entries.len().div_ceil(usize::from(columns)) as u16;
    let size = (area.width.saturating_sub(6).min(75 * columns), (rows + 3).min(area.height.saturating_sub(2)));
    let inside = dialog(paper, area, size, "keys");
    let page = usize::from(inside.height.saturating_sub(1)) * usize::from(columns);
    let top = (top * 5).min(entries.len().saturating_sub(page));
    let column_width = inside.width / columns;
    for (index, entry) in entries.iter().skip(top).take(page).enumerate() {
        let (column, line) =
            (index / usize::from(inside.height.max(2) - 1), index % usize::from(inside.height.max(2) - 1));
        let place = to(from(row(inside, line as u16), column as u16 * column_width), column_width);
        entry.draw(paper, place);
    }
    let more = if top + page < entries.len() { "↓ more" } else { "Esc closes" };
    let muted = paper.styles.muted;
    paper.right(row(inside, inside.height.saturating_sub(1)), &[(more, muted)]);
}

fn entries(state: &State) -> Vec<Entry> {
    let mut entries = Vec::new();
    for place in Place::ALL {
        entries.push(Entry::Heading(place.title()));
        let own = state.keys.bindings().iter().filter(|binding| binding.place == place);
        entries.extend(own.map(|binding| Entry::Keys(binding.all_keys(), binding.help)));
        entries.push(Entry::Blank);
    }
    entries.retain({
        let mut before_blank = false;
        move |entry| {
            let blank = matches!(entry, Entry::Blank);
            let keep = !(blank && before_blank);
            before_blank = blank;
            keep
        }
    });
    entries
}

impl Entry {
    fn draw(&self, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        match self {
            Entry::Heading(title) => {
                paper.write(area, title, styles.strong);
            }
            Entry::Keys(keys, help) => {
                paper.write(to(from(area, 1), 14), keys, styles.accent);
                paper.write(from(area, 16), help, styles.text);
            }
            Entry::Blank => {}
        }
    }
}
