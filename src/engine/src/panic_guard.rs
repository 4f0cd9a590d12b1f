//! Turns panics into errors: those of libraries on a hostile file, and what libtorch throws.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

/// Where a library may panic on a hostile file.
pub use pellucid_intake::panic_guard::{caught, is_guarded};

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
