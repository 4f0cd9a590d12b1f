//! Tokenizers.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/engine.rs"]
mod engine;
#[path = "../entries/file.rs"]
mod file;

use std::panic;
use std::sync::Once;

use pellucid_engine::panic_guard;

static HOOK: Once = Once::new();

/// The fuzzer ends at any panic; those of the library, which become errors behind the fence, are none of ours. What
/// panics on its other threads comes back to this one, and ends it if there is no fence.
fn pass_fenced_panics() {
    let (report, own) = (panic::take_hook(), std::thread::current().id());
    panic::set_hook(Box::new(move |info| {
        if !panic_guard::is_guarded() && std::thread::current().id() == own {
            report(info);
        }
    }));
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    HOOK.call_once(pass_fenced_panics);
    engine::tokenizer(bytes);
});
