//! Data files.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/engine.rs"]
mod engine;
#[path = "../entries/file.rs"]
mod file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| engine::rows(bytes));
