//! The dashboard as a whole: recorded runs and keys in, frames out.

mod charts;
mod explaining;
mod frames;
mod hostile;
mod reducer;
mod robust;
mod soak;
mod suspects;
mod thrift;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use crate::msg::{Effect, Msg};
use crate::state::State;
use crate::theme::{Level, Styles, Theme};
use crate::update::update;

fn size(width: u16, height: u16) -> Size {
    Size { width, height }
}

fn styles(level: Level) -> Styles {
    Styles::new(&Theme::find(None).unwrap(), level)
}

/// The text of a frame, without blanks at the ends of lines.
pub(super) fn text(buffer: &Buffer) -> String {
    let lines = buffer.content.chunks(usize::from(buffer.area.width.max(1)));
    let lines = lines.map(|cells| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn shown(state: &State) -> String {
    text(&crate::picture::frame(state, &styles(Level::Truecolor), state.size))
}

/// The text of a page.
pub(super) fn page_text(page: &impl crate::pages::page::Page, size: Size) -> String {
    let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, size.width, size.height));
    let (area, styles) = (buffer.area, styles(Level::Truecolor));
    page.render(&styles, area, &mut buffer);
    text(&buffer)
}

fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    keys.chars().flat_map(|c| key(state, if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) })).collect()
}

fn key(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn ctrl(state: &mut State, c: char) -> Vec<Effect> {
    update(state, Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)))
}
