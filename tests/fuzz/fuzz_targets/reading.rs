//! Data files, with what a user may say of them.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/intake.rs"]
mod intake;
#[path = "../entries/file.rs"]
mod file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| intake::reading(bytes));
