//! The fuzzer's targets of the dashboard on their saved inputs, and on some thousand mutations of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "../../../tests/fuzz/entries/dashboard.rs"]
mod dashboard;
#[path = "../../../tests/fuzz/mutator.rs"]
mod mutator;

#[test]
fn no_file_of_the_users_makes_it_stumble() {
    mutator::run("files", dashboard::files, 5000);
}

#[test]
fn no_bytes_of_a_terminal_make_it_stumble() {
    mutator::run("input", dashboard::input, 10_000);
}
