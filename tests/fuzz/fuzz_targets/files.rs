//! Themes, keys, and how charts are looked at.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/dashboard.rs"]
mod dashboard;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dashboard::files(bytes));
