//! The fuzzer's targets of this crate on their saved inputs, and on some thousand mutations of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "../../../tests/fuzz/entries/file.rs"]
mod file;
#[path = "../../../tests/fuzz/mutator.rs"]
mod mutator;
#[path = "../../../tests/fuzz/entries/readers.rs"]
mod readers;

#[test]
fn no_log_makes_it_stumble() {
    mutator::run("log", readers::log, 3000);
    file::clear();
}

#[test]
fn no_frame_makes_it_stumble() {
    mutator::run("frame", readers::frame, 10_000);
}

#[test]
fn no_settings_make_it_stumble() {
    mutator::run("settings", readers::settings, 3000);
    file::clear();
}

#[test]
fn no_text_makes_it_stumble() {
    mutator::run("text", readers::text, 10_000);
}

#[test]
fn no_run_folder_makes_it_stumble() {
    mutator::run("run", readers::run, 3000);
    file::clear();
}
