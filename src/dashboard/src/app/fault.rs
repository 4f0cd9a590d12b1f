//! Panics on purpose: a test of the real program needs them, and no input can cause them.

/// Panics when `PELLUCID_FAULT` is `panic-on-redraw`, or `panic-beside` for a panic on another thread.
pub(super) fn on_redraw() {
    match std::env::var("PELLUCID_FAULT").as_deref() {
        Ok("panic-on-redraw") => fail(),
        Ok("panic-beside") => drop(std::thread::spawn(fail)),
        _ => {}
    }
}

#[expect(clippy::panic, reason = "it is what was asked for")]
fn fail() {
    panic!("a fault on purpose");
}
