//! Run folders whose files hold anything.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/readers.rs"]
mod readers;
#[path = "../entries/file.rs"]
mod file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| readers::run(bytes));
