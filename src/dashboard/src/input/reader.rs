//! Keys, read on a thread of their own, and the end of the terminal noticed at once.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::parser::Parser;
use crate::msg::Msg;

/// How long an escape waits for the rest of a sequence: longer than a slow line cuts it apart,
/// shorter than a person notices.
const ESCAPE_TIMEOUT: Timespec = Timespec { tv_sec: 0, tv_nsec: 60_000_000 };

/// What comes from the terminal.
#[derive(Debug)]
pub(crate) enum Input {
    /// A key or pasted text.
    Message(Msg),
    /// The terminal is gone.
    Gone,
}

/// Receives the input of the terminal: the screen that was opened last.
static LISTENER: Mutex<Option<UnboundedSender<Input>>> = Mutex::new(None);

/// Starts to listen. There is one reader for all screens that are opened one after the other: two of them
/// would take each other's keys.
///
/// # Errors
/// When there is no terminal, or no thread to be had.
pub(crate) fn listen() -> io::Result<UnboundedReceiver<Input>> {
    let (inputs, received) = unbounded_channel();
    let tty = tty()?;
    if listener().replace(inputs).is_none() {
        thread::Builder::new().name("pellucid-keys".to_owned()).spawn(move || {
            let _ended = read(tty);
            send(Input::Gone);
        })?;
    }
    Ok(received)
}

fn listener() -> MutexGuard<'static, Option<UnboundedSender<Input>>> {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Between two screens and after the last one there is no listener.
fn send(input: Input) {
    if let Some(inputs) = listener().as_ref() {
        let _unheard = inputs.send(input);
    }
}

/// Standard input where it is the terminal, else the terminal itself.
fn tty() -> io::Result<BorrowedFd<'static>> {
    static TTY: OnceLock<File> = OnceLock::new();
    let input = rustix::stdio::stdin();
    if rustix::termios::isatty(input) {
        return Ok(input);
    }
    let opened = match TTY.get() {
        Some(file) => file,
        None => {
            let file = File::options().read(true).write(true).open("/dev/tty")?;
            TTY.get_or_init(|| file)
        }
    };
    Ok(opened.as_fd())
}

/// Reads until the terminal is gone. Reads only when there is something to read, so that it never blocks or spins.
fn read(tty: BorrowedFd<'static>) -> io::Result<()> {
    let mut parser = Parser::default();
    let mut bytes = [0; 4096];
    loop {
        let timeout = parser.is_waiting().then_some(&ESCAPE_TIMEOUT);
        let flags = poll_for(tty, timeout)?;
        let messages = if flags.contains(PollFlags::IN) {
            match rustix::io::read(tty, &mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => parser.feed(&bytes[..count]),
                Err(Errno::INTR | Errno::AGAIN) => Vec::new(),
                Err(error) => return Err(error.into()),
            }
        } else if flags.is_empty() {
            parser.flush()
        } else {
            return Ok(());
        };
        messages.into_iter().map(Input::Message).for_each(send);
    }
}

/// Waits until the terminal has something, or until the time is over.
fn poll_for(tty: BorrowedFd<'_>, timeout: Option<&Timespec>) -> io::Result<PollFlags> {
    let mut asked = [PollFd::new(&tty, PollFlags::IN)];
    loop {
        match poll(&mut asked, timeout) {
            Ok(_) => return Ok(asked[0].revents()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the terminal has hung up.
#[must_use]
pub(crate) fn is_gone() -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let flags = tty().and_then(|tty| poll_for(tty, Some(&at_once)));
    flags.map_or(true, |flags| flags.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL))
}
