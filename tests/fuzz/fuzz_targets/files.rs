//! Themes, keys, and how charts are looked at.

#![no_main]
#![expect(dead_code, reason = "a target needs little of the program")]

#[macro_use]
#[path = "../entries/rooms.rs"]
mod macros;

rooms!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dashboard::files(bytes));
