//! The fuzzer's target of this crate on its saved inputs, and on some hundred mutations of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "a folder is all that is needed of it")]
#[path = "../../../tests/fuzz/entries/file.rs"]
mod file;
#[path = "../../../tests/fuzz/entries/hub.rs"]
mod hub;
#[path = "../../../tests/fuzz/mutator.rs"]
mod mutator;

#[test]
fn no_server_makes_it_stumble() {
    mutator::run("hub", hub::hub, 1000);
    file::clear();
}
