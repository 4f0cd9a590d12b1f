//! Turns panics into errors: those of libraries on a hostile file, and what libtorch throws.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};

use crate::error::{Error, Result};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic becomes an error with its text, and the panic hook is not to report it.
///
/// # Errors
/// The text of the panic.
pub fn caught<T>(work: impl FnOnce() -> T + UnwindSafe) -> std::result::Result<T, String> {
    let before = GUARDED.replace(true);
    let done = catch_unwind(work);
    GUARDED.set(before);
    done.map_err(|panic| panic_text(&*panic))
}

/// Whether this thread is inside [`caught`], so that the panic hook stays silent.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Runs `work`; a panic, which is also what tch makes of an exception of libtorch, becomes an error. The panic hook
/// reports it.
///
/// # Errors
/// That of `work`, or [`Error::Panicked`].
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Error::Panicked(panic_text(&*panic))))
}

/// The first line of a panic's message; of an exception of libtorch, the exception's.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next()).unwrap_or("the worker thread panicked");
    // tch unwraps its errors: the exception stands there quoted, followed by the place that threw it.
    let thrown = line.split_once("`Err` value: Torch(\"").map(|(_, thrown)| thrown);
    let thrown = thrown.map(|thrown| thrown.split("\\n").next().unwrap_or(thrown).trim_end_matches("\")"));
    thrown.map_or_else(|| line.to_owned(), |thrown| format!("libtorch: {thrown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_the_guard_is_taken_down() {
        assert_eq!(caught(is_guarded), Ok(true));
        let fell = caught(|| u8::try_from(300).unwrap_or_else(|error| panic!("fell: {error}")));
        assert!(fell.unwrap_err().starts_with("fell: "));
        assert!(!is_guarded());
    }

    #[test]
    fn what_libtorch_threw_is_told_without_what_surrounds_it() {
        let said = |text: &str| panic_text(&text.to_owned());
        let torch = "called `Result::unwrap()` on an `Err` value: Torch(";
        assert_eq!(
            said(&format!("{torch}\"could not create a primitive\")")),
            "libtorch: could not create a primitive"
        );
        assert_eq!(said(&format!("{torch}\"out of memory\\nframe #0\")")), "libtorch: out of memory");
        assert_eq!((said("index 3\nmore"), panic_text(&7)), ("index 3".into(), "the worker thread panicked".into()));
    }
}
