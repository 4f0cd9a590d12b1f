//! A ratatui backend that sends few bytes: the changes of a frame in one write, inside a synchronized update.

use std::io::{self, Write};

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, EndSynchronizedUpdate};
use ratatui::layout::{Position, Rect, Size};

use super::diff_writer::{look_same, write};

/// Sends frames to `out`. The cursor is hidden while the terminal is taken, so its place is of no concern.
#[derive(Debug)]
pub(crate) struct DiffBackend<W> {
    out: W,
    size: Size,
    /// What the terminal shows.
    shown: Buffer,
    /// What the next flush sends.
    bytes: Vec<u8>,
}

/// A terminal of this size behind `out`. Its first frame clears it.
///
/// # Errors
/// Never: nothing is sent yet.
pub(crate) fn terminal_on<W: Write>(out: W, size: Size) -> io::Result<Terminal<DiffBackend<W>>> {
    let backend = DiffBackend { out, size, shown: Buffer::empty(area(size)), bytes: Vec::new() };
    let mut terminal = Terminal::new(backend)?;
    terminal.clear()?;
    Ok(terminal)
}

fn area(size: Size) -> Rect {
    Rect::new(0, 0, size.width, size.height)
}

impl<W> DiffBackend<W> {
    /// The terminal has this size from now on; the next frame follows it.
    pub(crate) fn resize(&mut self, size: Size) {
        self.size = size;
    }
}

impl DiffBackend<Vec<u8>> {
    /// The bytes that were sent since the last call.
    pub(crate) fn take_sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

impl<W: Write> Backend for DiffBackend<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let mut changes = Vec::new();
        for (x, y, cell) in content {
            let Some(shown) = self.shown.cell_mut((x, y)) else { continue };
            if !look_same(shown, cell) {
                changes.push((x, y, cell));
            }
            shown.clone_from(cell);
            // A wide character covers the cells after it.
            for covered in 1..cell.cell_width() {
                if let Some(cell) = self.shown.cell_mut((x.saturating_add(covered), y)) {
                    cell.reset();
                }
            }
        }
        if !changes.is_empty() {
            queue!(self.bytes, BeginSynchronizedUpdate)?;
            write(&mut self.bytes, &changes, &self.shown)?;
            queue!(self.bytes, EndSynchronizedUpdate)?;
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> io::Result<()> {
        Ok(())
    }

    /// Clears before the synchronized update that follows: tmux loses what comes after a clear inside of one.
    fn clear(&mut self) -> io::Result<()> {
        self.bytes.clear();
        self.shown = Buffer::empty(area(self.size));
        queue!(self.bytes, Clear(terminal::ClearType::All))
    }

    /// Clears all of it: a full-screen terminal is never cleared in part.
    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let sent = self.out.write_all(&self.bytes).and_then(|()| self.out.flush());
        self.bytes.clear();
        sent
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    /// What is sent for each of these lines, one frame after the other.
    fn sent(lines: &[&str]) -> Vec<String> {
        let mut terminal = terminal_on(Vec::new(), Size { width: 10, height: 1 }).unwrap();
        let mut draw = |line: &&str| {
            terminal.draw(|frame| frame.buffer_mut().set_string(0, 0, line, Style::new())).unwrap();
            String::from_utf8(terminal.backend_mut().take_sent()).unwrap()
        };
        lines.iter().map(&mut draw).collect()
    }

    #[test]
    fn only_changes_are_sent() {
        let frames = sent(&["abc", "abc", "abd"]);
        assert_eq!(frames[0], "\x1b[2J\x1b[?2026h\x1b[1Habc\x1b[?2026l");
        assert_eq!(frames[1..], ["", "\x1b[?2026h\x1b[1;3Hd\x1b[?2026l"]);
    }

    #[test]
    fn what_a_wide_character_covered_is_sent_again() {
        let frames = sent(&["abc", "漢c", "abc"]);
        assert!(frames[2].contains("ab"), "{:?}", frames[2]);
    }

    #[test]
    fn another_size_clears() {
        let mut terminal = terminal_on(Vec::new(), Size { width: 10, height: 1 }).unwrap();
        terminal.draw(|_| ()).unwrap();
        terminal.backend_mut().take_sent();
        terminal.backend_mut().resize(Size { width: 4, height: 2 });
        terminal.draw(|frame| assert_eq!(frame.area(), Rect::new(0, 0, 4, 2))).unwrap();
        assert_eq!(terminal.backend_mut().take_sent(), b"\x1b[2J");
    }
}
