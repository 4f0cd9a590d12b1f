//! The terminal: taken, given back on every way out, and drawn on in whole frames.

pub(crate) mod backend;
mod diff_writer;

use std::io::{self, IsTerminal, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use pellucid_protocol::scrub::scrub;
use ratatui::Frame;
use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{self, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::layout::Size;

use self::backend::{DiffBackend, terminal_on};

use crate::state::Alerts;

/// Whether the terminal is taken: what was taken is given back once, by whoever comes first.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is taken; given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Tui {
    terminal: ratatui::Terminal<DiffBackend<TakenTerminal>>,
    mouse: Mouse,
}

/// Whether the terminal reports its mouse; selecting text then needs Shift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mouse {
    /// Buttons, the wheel, and drags.
    #[default]
    Reported,
    /// The terminal handles the mouse itself.
    Left,
}

/// Buttons and drags in numbers that no terminal is too wide for (modes 1002 and 1006).
const REPORT_MOUSE: &[u8] = b"\x1b[?1002h\x1b[?1006h";
const LEAVE_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1002l";

/// Asks for the background colour (OSC 11).
const ASK_BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\";

impl Tui {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard output is no terminal or does not answer.
    pub(crate) fn take(mouse: Mouse) -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is no terminal; --headless needs none"));
        }
        // Before anything is taken: there is nothing yet that would give it back.
        let size = Self::size()?;
        give_back_on_panic();
        enter(mouse)?;
        Ok(Self { terminal: terminal_on(TakenTerminal, size)?, mouse })
    }

    /// The size of the terminal now.
    ///
    /// # Errors
    /// What the terminal says.
    pub(crate) fn size() -> io::Result<Size> {
        let (width, height) = terminal::size()?;
        Ok(Size { width, height })
    }

    /// Draws a frame for a terminal of `size`: sends what has changed since the last one, in one write, or nothing.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn draw(&mut self, size: Size, paint: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.backend_mut().resize(size);
        self.terminal.draw(paint).map(drop)
    }

    /// Makes the next frame clear the terminal and draw everything.
    ///
    /// # Errors
    /// Never: it is sent with the next frame.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Takes the terminal again: another program may have changed it meanwhile.
    ///
    /// # Errors
    /// When the terminal cannot be taken.
    pub(crate) fn retake(&mut self) -> io::Result<()> {
        self.forget()?;
        enter(self.mouse)
    }

    /// Asks the terminal whether it is light or dark; the answer comes as a key does.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn ask_background(&self) -> io::Result<()> {
        TakenTerminal.write_all(ASK_BACKGROUND)
    }

    /// Puts `text` on the clipboard of the terminal, wherever that is (OSC 52).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn copy(&self, text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, CopyToClipboard::to_clipboard_from(text))?;
        TakenTerminal.write_all(&bytes)
    }

    /// Rings, or shows `words` as a notification (OSC 9).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn notify(&self, alerts: Alerts, words: &str) -> io::Result<()> {
        match alerts {
            Alerts::Off => Ok(()),
            Alerts::Bell => TakenTerminal.write_all(b"\x07"),
            Alerts::Notify => TakenTerminal.write_all(format!("\x1b]9;{}\x1b\\", scrub(words)).as_bytes()),
        }
    }

    /// Gives the terminal to the shell until the program is called back.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        self.retake()
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: Mouse) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    terminal::enable_raw_mode()?;
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if mouse == Mouse::Reported {
        bytes.extend_from_slice(REPORT_MOUSE);
    }
    write_at_once(&bytes)
}

/// Gives the terminal back as it was, if it was taken: whether it was. On a terminal that is gone there is nothing to do.
pub(crate) fn give_back() -> bool {
    // Under the lock, so that no frame of another thread comes after.
    let _no_frame = io::stdout().lock();
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return false;
    }
    let mut bytes = LEAVE_MOUSE.to_vec();
    let queued = queue!(bytes, EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, Show);
    if queued.is_ok() {
        let _gone = write_at_once(&bytes);
    }
    let _gone = terminal::disable_raw_mode();
    true
}

fn write_at_once(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Standard output while the terminal is taken. What comes later goes nowhere: a panic on another thread gives the
/// terminal back while this one draws, and the frame would cover the report.
#[derive(Debug)]
struct TakenTerminal;

impl Write for TakenTerminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if TAKEN.load(Ordering::SeqCst) { out.write_all(bytes).and_then(|()| out.flush()) } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

/// A panic's report is of use only on a terminal that was given back before; and a panic on any thread ends the
/// program, or the others would go on drawing over the shell.
fn give_back_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let was_taken = give_back();
            report(info);
            if was_taken {
                std::process::exit(PANICKED);
            }
        }));
    });
}
