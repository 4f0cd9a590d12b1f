//! What the encoding of one text may take: bytes that a text may become, and time of the processor.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time of the processor that one text may take; a text of the largest size takes well below a second.
const LONGEST: Duration = Duration::from_secs(10);
/// Questions of whether time is left between two looks at the clock.
const BETWEEN: u32 = 16;

/// Bytes that a text of `length` bytes may become. Scripts that are taken apart (Hangul) become three times as long, and
/// bytes that are written as letters twice.
#[must_use]
pub(super) fn allowed(length: usize) -> usize {
    const SMALL: usize = 4 << 10;
    const MORE: usize = 2 << 20;
    SMALL + 2 * length + (6 * length).min(MORE)
}

/// What the encoding of one text has taken so far, and why it was stopped.
#[derive(Debug)]
pub(super) struct Meter {
    length: usize,
    /// Bytes of the parts that have been normalised.
    done: Cell<usize>,
    began: Duration,
    asked: Cell<u32>,
    refusal: RefCell<Option<String>>,
}

impl Meter {
    /// For a text of `length` bytes, on this thread.
    pub(super) fn new(length: usize) -> Self {
        Self { length, done: Cell::new(0), began: thread_time(), asked: Cell::new(0), refusal: RefCell::new(None) }
    }

    /// Bytes that what is being normalised may become.
    pub(super) fn room(&self) -> usize {
        allowed(self.length).saturating_sub(self.done.get())
    }

    /// A part of the text has become `length` bytes.
    pub(super) fn add(&self, length: usize) {
        self.done.set(self.done.get() + length);
    }

    /// All parts together have become `length` bytes.
    pub(super) fn set(&self, length: usize) {
        self.done.set(length);
    }

    /// Bytes of all parts so far.
    pub(super) fn done(&self) -> usize {
        self.done.get()
    }

    /// Refuses more bytes than there is room for.
    pub(super) fn check_room(&self, length: usize) -> Result<(), String> {
        if length <= self.room() {
            return Ok(());
        }
        let (from, to) = (self.length, allowed(self.length));
        Err(format!("it makes more than {to} bytes of the {from} of a text; remove what multiplies the text"))
    }

    /// Refuses to go on when too much time has gone by.
    pub(super) fn check_time(&self) -> Result<(), String> {
        self.asked.set(self.asked.get() + 1);
        if !self.asked.get().is_multiple_of(BETWEEN) || thread_time().saturating_sub(self.began) < LONGEST {
            return Ok(());
        }
        let (seconds, length) = (LONGEST.as_secs(), self.length);
        Err(format!("its patterns take more than {seconds} s for a text of {length} bytes; simplify them"))
    }

    /// Keeps why the text is refused, where the library does not pass it on.
    pub(super) fn refuse(&self, why: String) {
        self.refusal.borrow_mut().get_or_insert(why);
    }

    /// Why the text was refused, if it was.
    pub(super) fn outcome(&self) -> Result<(), String> {
        self.refusal.borrow_mut().take().map_or(Ok(()), Err)
    }
}

/// Time of the processor that this thread has taken.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
