//! The fuzzer's targets of this crate on their saved inputs, and on some thousand mutations of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "the attacks run in a test of their own")]
#[path = "../../../tests/hostile/checkpoints.rs"]
mod checkpoints;
#[path = "../../../tests/fuzz/entries/file.rs"]
mod file;
#[path = "../../../tests/fuzz/entries/import.rs"]
mod import;
#[path = "../../../tests/fuzz/mutator.rs"]
mod mutator;

#[test]
fn no_file_of_tensors_makes_it_stumble() {
    mutator::run("checkpoint", import::checkpoint, 5000);
    file::clear();
}

#[test]
fn no_pickle_makes_it_stumble() {
    mutator::run("pickle", import::pickle, 5000);
    file::clear();
}

#[test]
fn no_vocabulary_makes_it_stumble() {
    mutator::run("vocabulary", import::vocabulary, 5000);
    file::clear();
}
