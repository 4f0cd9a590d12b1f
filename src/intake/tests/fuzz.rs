//! The fuzzer's targets of this crate on their saved inputs, and on some thousand mutations of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../../tests/fuzz/entries/file.rs"]
mod file;
#[path = "../../../tests/fuzz/entries/intake.rs"]
mod intake;
#[path = "../../../tests/fuzz/mutator.rs"]
mod mutator;

#[test]
fn no_data_file_makes_it_stumble() {
    mutator::run("rows", intake::rows, 5000);
    file::clear();
}

#[test]
fn no_weights_file_makes_it_stumble() {
    mutator::run("weights", intake::weights, 5000);
    file::clear();
}

#[test]
fn no_index_of_weights_makes_it_stumble() {
    mutator::run("shards", intake::shards, 3000);
    file::clear();
}

#[test]
fn no_word_of_a_saved_folder_makes_it_stumble() {
    mutator::run("provenance", intake::provenance, 5000);
    file::clear();
}

#[test]
fn no_wish_about_a_data_file_makes_it_stumble() {
    mutator::run("reading", intake::reading, 5000);
    file::clear();
}

#[test]
fn no_saved_data_set_makes_it_stumble() {
    mutator::run("saved", intake::saved, 3000);
    file::clear();
}
