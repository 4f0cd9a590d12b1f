//! A fence around libraries that panic at what is in a file: a panic within it becomes an error, and is not reported.

use std::cell::Cell;
use std::panic::{UnwindSafe, catch_unwind};

use crate::worker::thread::panic_text;

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives.
///
/// # Errors
/// What it said when it panicked.
pub fn fenced<T>(work: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    let before = FENCED.replace(true);
    let done = catch_unwind(work);
    FENCED.set(before);
    done.map_err(|panic| panic_text(&*panic))
}

/// Whether this thread is within a fence: whoever reports panics need not.
#[must_use]
pub fn is_fenced() -> bool {
    FENCED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_the_fence_is_taken_down() {
        assert_eq!(fenced(is_fenced), Ok(true));
        let fell = fenced(|| u8::try_from(300).unwrap_or_else(|error| panic!("fell: {error}")));
        assert!(fell.unwrap_err().starts_with("fell: "));
        assert!(!is_fenced());
    }
}
