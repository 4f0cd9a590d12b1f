//! Pickles of tensors.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../../hostile/checkpoints.rs"]
mod checkpoints;
#[path = "../entries/file.rs"]
mod file;
#[path = "../entries/import.rs"]
mod import;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| import::pickle(bytes));
