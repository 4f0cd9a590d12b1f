//! What servers send to a pull.

#![no_main]
#![expect(dead_code, reason = "the targets of one crate stand in one file")]

#[path = "../entries/file.rs"]
mod file;
#[path = "../entries/hub.rs"]
mod hub;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hub::hub(bytes));
