//! What a file may not be or have.

use std::path::Path;

use super::Violation;
use super::sources::Source;

const LONGEST_FILE: usize = 400;
/// Names that say nothing, and the old name of a module's own file.
const EMPTY_NAMES: &[&str] = &["base", "utils", "util", "common", "manager", "helper", "helpers", "misc", "mod"];
fn violation(source: &Source, line: usize, what: impl Into<String>) -> Violation {
    Violation { file: source.path.clone(), line, what: what.into() }
}

/// The first line says what the file is for.
pub(super) fn purpose(source: &Source) -> Vec<Violation> {
    let first = source.text.lines().next().unwrap_or_default();
    let says = first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty());
    let missing = || violation(source, 1, "the first line must be `//!` and say what the file is for");
    (!says).then(missing).into_iter().collect()
}

/// Files have at most so many lines that are no tests.
pub(super) fn file_length(source: &Source) -> Vec<Violation> {
    let lines: Vec<_> = source.lines().map(|(number, _)| number).filter(|&line| !source.is_test_line(line)).collect();
    let first_over = lines.get(LONGEST_FILE).copied();
    let told = |line| violation(source, line, format!("{} lines without tests; {LONGEST_FILE} at most", lines.len()));
    first_over.map(told).into_iter().collect()
}

/// No lint is silenced for a whole file; clippy sees to the other places, and to what else must not stand in code.
pub(super) fn silenced(source: &Source) -> Vec<Violation> {
    let lines = (1..).zip(source.code.lines()).filter(|(_, line)| line.contains("#![allow("));
    lines.map(|(number, _)| violation(source, number, "`#![allow(` must not stand here; `expect` can")).collect()
}

/// Ways between the host and a device for which one of them waits, other than those of `host.rs`.
const CROSSINGS: &[&str] = &[
    ".to_device(",
    ".double_value(",
    ".int64_value(",
    "Vec::<f32>::try_from(",
    "Vec::<f64>::try_from(",
    "Vec::<i64>::try_from(",
];
/// Where a training step has its code.
const STEP_ROOMS: &[&str] =
    &["src/engine/src/train/", "src/engine/src/task/", "src/engine/src/model/", "src/engine/src/data/"];
/// Files there that may wait, since a step does not come by.
const NOT_IN_A_STEP: &[(&str, &str)] = &[
    ("model/weights/load.rs", "loads"),
    ("model/weights/save/written.rs", "saves"),
    ("model/weights/tensor_file.rs", "loads and saves"),
    ("model/weights/params.rs", "moves a model before it is trained"),
    ("model/classifier.rs", "moves a model before it is trained"),
    ("model/answers.rs", "answers of an evaluation"),
    ("model/teacher.rs", "answers that are kept, and the map of a text, once each"),
    ("task/classification.rs", "weights of classes, once"),
    ("task/classification/class_output.rs", "the number that is explained"),
    ("train/prepare/models.rs", "moves models before they are trained"),
    ("train/trainer/testing.rs", "moves the model that is tested, once the steps are done"),
    ("data/batch.rs", "tokens that are alike, on the CPU alone"),
];

/// A training step waits for its device where its numbers are read, and nowhere else.
pub(super) fn crossings(source: &Source) -> Vec<Violation> {
    let in_step = STEP_ROOMS.iter().any(|room| source.path.starts_with(room));
    if !in_step || NOT_IN_A_STEP.iter().any(|(file, _)| source.path.ends_with(file)) {
        return Vec::new();
    }
    let broken = source.code_lines().flat_map(|(number, line)| {
        let hits = CROSSINGS.iter().filter(move |word| line.contains(**word));
        hits.map(move |word| {
            violation(source, number, format!("`{word}` waits for the device; host.rs has the ways across"))
        })
    });
    broken.collect()
}

/// What opens a connection to another machine; `pellucid-hub` does it through a library.
const CONNECTIONS: &[&str] = &["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "AddressFamily::INET"];

/// Nothing but a test opens a connection to another machine by itself.
pub(super) fn connections(source: &Source) -> Vec<Violation> {
    let is_product = source.path.starts_with("src/") && !source.path.contains("/tests/");
    let lines = source.code_lines().filter(|_| is_product);
    let opens = lines.filter(|(_, line)| CONNECTIONS.iter().any(|word| line.contains(word)));
    opens
        .map(|(number, _)| violation(source, number, "opens a connection; only `pellucid-hub` may".to_owned()))
        .collect()
}

/// Files and folders have names that say something.
pub(super) fn names(source: &Source) -> Vec<Violation> {
    let path = Path::new(&source.path);
    let parts = path.iter().filter_map(|part| Path::new(part).file_stem()).filter_map(|stem| stem.to_str());
    let empty = parts.filter(|part| EMPTY_NAMES.contains(part));
    empty
        .map(|name| violation(source, 1, format!("`{name}` says nothing; name the file after what it defines")))
        .collect()
}
