//! The fuzzer's targets of the engine on their saved inputs, and on some thousand mutations of them.

#[path = "../../../../tests/fuzz/entries/engine.rs"]
mod engine;
#[path = "../../../../tests/fuzz/entries/file.rs"]
mod file;
#[path = "../../../../tests/fuzz/mutator.rs"]
mod mutator;

#[test]
fn no_configuration_makes_it_stumble() {
    mutator::run("config", engine::config, 3000);
}

#[test]
fn no_tokenizer_makes_it_stumble() {
    mutator::run("tokenizer", engine::tokenizer, 200);
    file::clear();
}
