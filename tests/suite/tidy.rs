//! The rules of the house, each checked over all files at once and each shown to be able to fail.
//!
//! ```text
//! code     a text without comments and strings      sources  the .rs files, and which of their lines are test code
//! rules    what a file may not be or have
//! arrows   which crate may know which
//! modules  what each file of a crate names of the others
//!   folders  the order of a crate's folders           circles  files that name each other
//! ```
//!
//! How long a function may be, how many arguments it may take and which words must not stand in code is clippy's:
//! `clippy.toml`, and the lints of the workspace.

mod arrows;
mod circles;
mod code;
mod folders;
mod modules;
mod rules;
mod sources;

use std::fmt;

use crate::program::checkout;
use arrows::Crate;
use folders::Order;
use modules::Modules;
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
fn no_file_silences_a_lint() {
    over_all(rules::silenced);
    assert_eq!(found(rules::silenced, ROOM, "//! x\n#![allow(dead_code)]\n"), [2]);
    assert!(
        found(rules::silenced, ROOM, "//! x\n//! not `#![allow(dead_code)]`\nfn f() -> &str { \"#![allow(\" }\n")
            .is_empty()
    );
}

#[test]
fn a_training_step_waits_for_its_device_in_one_place() {
    over_all(rules::crossings);
    let (step, line) = ("src/engine/src/train/trainer/step.rs", "//! x\nfn f() {\n    let a = t.to_device(d);\n}\n");
    assert_eq!(found(rules::crossings, step, line), [3]);
    assert_eq!(found(rules::crossings, step, &line.replace("t.to_device(d)", "Vec::<i64>::try_from(&t)")), [3]);
    assert!(found(rules::crossings, "src/engine/src/model/weights/load.rs", line).is_empty());
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
    let manifest = "[package]\nname = \"x\"\n[lints]\nworkspace = true\n[dependencies]\npellucid-engine.workspace = true\n\
                    [dev-dependencies]\npellucid-fixture = \"1\"\n";
    let lines = |path: &str, text: &str| {
        arrows::of_manifest(path, text).iter().map(|violation| violation.line).collect::<Vec<_>>()
    };
    assert_eq!(lines("src/explain/Cargo.toml", manifest), [6]);
    assert_eq!(lines("src/other/Cargo.toml", manifest), [1], "a crate without a place");
    let turned = manifest.replace("pellucid-engine", "pellucid-explain");
    assert!(lines("src/engine/Cargo.toml", &turned).is_empty());
    assert_eq!(lines("src/engine/Cargo.toml", &turned.replace("[lints]", "[other]")), [1], "without the lints");
    assert_eq!(lines("src/engine/Cargo.toml", &turned.replace("dev-dep", "dep")), [8], "a fixture in the product");
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

#[test]
fn only_the_hub_opens_connections() {
    let planted = |from: &str| {
        let lock = format!(
            "[[package]]\nname = \"{from}\"\ndependencies = [\n \"middle 1.0\",\n]\n\n\
             [[package]]\nname = \"middle\"\ndependencies = [\n \"ureq\",\n]\n\n[[package]]\nname = \"ureq\"\n"
        );
        arrows::torch_free(&lock).len()
    };
    let counts = ["pellucid-hub", "pellucid", "pellucid-engine", "pellucid-intake", "pellucid-import"].map(planted);
    assert_eq!(counts, [0, 0, 1, 1, 1]);
    over_all(rules::connections);
    let line = "//! x\nfn f() {\n    std::net::TcpStream::connect(a);\n}\n";
    assert_eq!(found(rules::connections, "src/intake/src/rows.rs", line), [3]);
    assert!(found(rules::connections, "src/client/src/link.rs", &line.replace("Tcp", "Unix")).is_empty());
}

/// The files of a crate in `src/x`, as a test makes them up.
fn crate_of(files: &[(&str, &str)]) -> Modules {
    let mut sources: Vec<_> =
        files.iter().map(|(path, text)| Source::new(&format!("src/x/src/{path}"), text)).collect();
    sources::mark_test_files(&mut sources);
    Modules::of("src/x", &sources)
}

fn names(modules: &Modules) -> Vec<(String, String, usize)> {
    modules.uses().into_iter().map(|step| (step.from, step.to, step.line)).collect()
}

#[test]
fn a_path_leads_to_the_file_that_defines_what_it_names() {
    let uses = |text: &str| {
        let modules = crate_of(&[
            ("lib.rs", "mod a;\nmod b;\npub use b::deep::Thing;\n"),
            ("a.rs", text),
            ("b.rs", "pub mod deep;\npub use deep::{Other as Known, inner};\npub struct Own;\n"),
            ("b/deep.rs", "pub struct Thing;\n"),
        ]);
        let of_a = names(&modules).into_iter().filter(|(from, _, _)| from == "a");
        of_a.map(|(_, to, line)| format!("{to}:{line}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(uses("use crate::b::Own;"), "b:1");
    assert_eq!(uses("use crate::{b::{self, deep::Thing}, Thing as T};"), "b:1 b::deep:1");
    assert_eq!(uses("use crate::Thing;"), "b::deep:1", "by way of the root");
    assert_eq!(uses("use crate::b::Known;"), "b::deep:1", "by way of its parent, under another name");
    assert_eq!(uses("\nfn f() { super::b::Own; }"), "b:2", "in the midst of code");
    assert_eq!(
        uses("use crate::b as c;\nfn f() { c::deep::g(); }"),
        "b:1 b::deep:2",
        "from a module that was brought in"
    );
    assert_eq!(uses("use std::fs;\nuse serde::b;\nfn f() { fs::read(b::c) }"), "", "other crates");
    assert_eq!(uses("// crate::b\n/* crate::b /* */ */ const A: &str = \"crate::b\"; const B: char = '\"';"), "");
    assert_eq!(uses("const A: &str = r#\" \" crate::b \"#; fn f<'a>(c: char) { c == '\\''; }"), "");
    assert_eq!(uses("#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n#[cfg(test)]\nuse crate::b;\nfn f() {}"), "");
}

/// The crate as it is, but that its first module names the last one.
fn turned(order: &Order, sources: &[Source]) -> Modules {
    let (first, last) = (order.modules[0], order.modules[order.modules.len() - 1]);
    let file = format!("{}/src/{first}.rs", order.folder);
    let planted = |source: &Source| {
        let more = if source.path == file { format!("\nuse crate::{last};\n") } else { String::new() };
        Source::new(&source.path, &(source.text.clone() + &more))
    };
    let mut sources: Vec<_> =
        sources.iter().filter(|source| source.path.starts_with(order.folder)).map(planted).collect();
    sources::mark_test_files(&mut sources);
    Modules::of(order.folder, &sources)
}

#[test]
fn folders_stand_in_an_order() {
    let (top, sources) = (checkout(), sources::all(&checkout()));
    for of in arrows::CRATES.iter().filter(|of| top.join(of.folder).is_dir()) {
        let order = folders::ORDERS.iter().find(|order| order.folder == of.folder);
        let order = order.unwrap_or_else(|| panic!("`{}` has no order in folders.rs", of.name));
        none(&folders::upwards(&Modules::of(of.folder, &sources), order.modules));
        let turned = folders::upwards(&turned(order, &sources), order.modules);
        assert_eq!(turned.len(), 1, "`{}`, whose first module uses the last one", of.name);
    }
    let modules = |second: &str| {
        crate_of(&[("lib.rs", "mod a;\nmod b;\n"), ("a.rs", "mod c;\n"), ("a/c.rs", second), ("b.rs", "use crate::a;")])
    };
    let lines = |second: &str, order: &[&str]| {
        folders::upwards(&modules(second), order)
            .into_iter()
            .map(|broken| (broken.file, broken.line))
            .collect::<Vec<_>>()
    };
    let at = |file: &str, line| vec![(file.to_owned(), line)];
    assert!(lines("", &["a", "b"]).is_empty());
    assert_eq!(lines("\nuse crate::b::Thing;", &["a", "b"]), at("src/x/src/a/c.rs", 2));
    assert_eq!(lines("", &["b", "a"]), at("src/x/src/b.rs", 1), "the order turned round");
    assert_eq!(lines("use crate::Own;", &["a", "b"]), at("src/x/src/a/c.rs", 1), "what the root defines");
    assert_eq!(lines("", &["a"]), at("src/x/src/b.rs", 1), "a module without a place");
    assert_eq!(lines("", &["a", "b", "d"]), at("tests/suite/tidy/folders.rs", 1), "a place without a module");
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let sources = sources::all(&checkout());
    let circles = |of: &Crate| circles::circles(&Modules::of(of.folder, &sources));
    none(&arrows::CRATES.iter().flat_map(circles).collect::<Vec<_>>());
    let two =
        |first: &str| crate_of(&[("lib.rs", "mod a;\nmod b;\n"), ("a.rs", first), ("b.rs", "use crate::a::X;\n")]);
    assert!(circles::circles(&two("pub struct X;\n")).is_empty());
    let turned = circles::circles(&two("\nuse crate::b::Y;\n"));
    assert_eq!(
        turned.iter().map(|broken| (broken.file.as_str(), broken.line)).collect::<Vec<_>>(),
        [("src/x/src/a.rs", 2)]
    );
    let by_way_of_others = crate_of(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use crate::b::X;"),
        ("b.rs", "use crate::c::X;"),
        ("c.rs", "use crate::a::X;"),
    ]);
    assert_eq!(circles::circles(&by_way_of_others).len(), 1);
    let family = crate_of(&[("lib.rs", "mod a;\n"), ("a.rs", "mod b;\nuse b::X;\n"), ("a/b.rs", "use super::Y;\n")]);
    assert!(circles::circles(&family).is_empty(), "parent and child may name each other");
}
