//! Turns panics of libraries on a damaged or hostile file into errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic becomes the first line of its text. What `work` has changed must not be used after one.
///
/// # Errors
/// The text of the panic.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    done.map_err(|panic| text(&*panic))
}

/// Whether this thread is inside [`caught`], so that a panic hook can stay silent.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get()
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.and_then(|text| text.lines().next()).unwrap_or("its reader panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_first_line_and_the_guard_is_taken_down() {
        assert_eq!(caught(is_guarded), Ok(true));
        let fell = caught(|| u8::try_from(300).unwrap_or_else(|error| panic!("fell: {error}\nmore")));
        assert_eq!(fell.unwrap_err(), "fell: out of range integral type conversion attempted");
        assert!(!is_guarded());
    }
}
