//! Bytes of a terminal.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/dashboard.rs"]
mod dashboard;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dashboard::input(bytes));
