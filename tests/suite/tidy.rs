//! The rules of the house, each checked over all files at once and each shown to be able to fail.
//!
//! ```text
//! sources  the .rs files, which of their lines are test code, and their functions
//! rules    what a file may not be or have
//! arrows   which crate may know which
//! ```

mod arrows;
mod rules;
mod sources;

use std::fmt;

use crate::program::checkout;
use sources::Source;

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Fails with all violations, one a line.
fn none(violations: &[Violation]) {
    let told: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{} rule(s) broken:\n{}", told.len(), told.join("\n"));
}

fn over_all(rule: fn(&Source) -> Vec<Violation>) {
    let sources = sources::all(&checkout());
    assert!(sources.len() > 30, "only {} files found", sources.len());
    none(&sources.iter().flat_map(rule).collect::<Vec<_>>());
}

/// The lines at which `rule` finds something in `text`, as if it were the file at `path`.
fn found(rule: fn(&Source) -> Vec<Violation>, path: &str, text: &str) -> Vec<usize> {
    rule(&Source::new(path, text)).iter().map(|violation| violation.line).collect()
}

const ROOM: &str = "src/engine/src/train.rs";

#[test]
fn every_file_says_first_what_it_is_for() {
    over_all(rules::purpose);
    assert_eq!(found(rules::purpose, ROOM, "use a;\n//! Late.\n"), [1]);
    assert_eq!(found(rules::purpose, ROOM, "//!\n"), [1]);
    assert!(found(rules::purpose, ROOM, "//! Trains.\n").is_empty());
}

#[test]
fn files_are_short() {
    over_all(rules::file_length);
    let code = "fn a() {}\n".repeat(401);
    assert_eq!(found(rules::file_length, ROOM, &code), [401]);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(400), "fn b() {}\n".repeat(90));
    assert!(found(rules::file_length, ROOM, &tested).is_empty());
}

#[test]
fn functions_are_short_and_take_few_arguments() {
    over_all(rules::functions);
    let long = format!("struct A;\nimpl A {{\n    fn long(&self) {{\n{}    }}\n}}\n", "        a();\n".repeat(59));
    assert_eq!(found(rules::functions, ROOM, &long), [3]);
    let just = format!("fn just() {{\n{}}}\n", "    a();\n".repeat(58));
    assert!(found(rules::functions, ROOM, &just).is_empty());
    assert_eq!(found(rules::functions, ROOM, "\nfn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}\n"), [2]);
    assert!(found(rules::functions, ROOM, "fn some(a: u8, b: u8, c: u8, d: u8, e: u8) {}\n").is_empty());
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    over_all(rules::words);
    for bad in ["    a.unwrap();", "    todo!()", "    dbg!(a);", "#[allow(dead_code)]", "    unimplemented!()"] {
        assert_eq!(found(rules::words, ROOM, &format!("//! x\nfn f() {{\n{bad}\n}}\n")), [3], "{bad}");
    }
    let in_tests = "//! x\n// not a.unwrap()\n#[cfg(test)]\nmod tests {\n    fn a() { b.unwrap(); }\n}\n";
    assert!(found(rules::words, ROOM, in_tests).is_empty());
    let silenced = "//! x\n#[cfg(test)]\nmod tests {\n    #[allow(dead_code)]\n    fn a() {}\n}\n";
    assert_eq!(found(rules::words, ROOM, silenced), [4], "also in tests");
}

#[test]
fn a_training_step_waits_for_its_device_in_one_place() {
    over_all(rules::crossings);
    let (step, line) = ("src/engine/src/train/trainer/step.rs", "//! x\nfn f() {\n    let a = t.to_device(d);\n}\n");
    assert_eq!(found(rules::crossings, step, line), [3]);
    assert_eq!(found(rules::crossings, step, &line.replace("t.to_device(d)", "Vec::<i64>::try_from(&t)")), [3]);
    assert!(found(rules::crossings, "src/engine/src/model/folder.rs", line).is_empty());
    assert!(found(rules::crossings, "src/engine/src/explain/maps.rs", line).is_empty());
}

#[test]
fn names_say_something() {
    over_all(rules::names);
    for bad in ["src/engine/src/utils.rs", "src/engine/src/base/a.rs", "src/engine/src/data/mod.rs"] {
        assert_eq!(found(rules::names, bad, "//! x\n"), [1], "{bad}");
    }
    assert!(found(rules::names, ROOM, "//! x\n").is_empty());
}

#[test]
fn crates_know_only_whom_they_may() {
    none(&arrows::between_crates(&checkout()));
    let manifest =
        "[package]\nname = \"x\"\n[dependencies]\npellucid-engine.workspace = true\n[dev-dependencies]\ntch = \"1\"\n";
    let broken = arrows::of_manifest("pellucid-explain", "Cargo.toml", manifest);
    assert_eq!(broken.iter().map(|violation| violation.line).collect::<Vec<_>>(), [4]);
    assert!(arrows::of_manifest("pellucid-engine", "Cargo.toml", "[dependencies]\npellucid-explain = {}\n").is_empty());
}

#[test]
fn only_the_engine_has_torch_in_it() {
    let lock = std::fs::read_to_string(checkout().join("Cargo.lock")).unwrap();
    none(&arrows::torch_free(&lock));
    let planted = "[[package]]\nname = \"pellucid\"\ndependencies = [\n \"middle 1.0\",\n]\n\n\
                   [[package]]\nname = \"middle\"\ndependencies = [\n \"torch-sys\",\n]\n\n\
                   [[package]]\nname = \"torch-sys\"\n";
    assert_eq!(arrows::torch_free(planted).len(), 1);
}
