//! Which crate may know which, from the manifests and the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::Violation;

/// Each crate of the house, its folder, and the crates of the house it may depend on.
const ARROWS: &[(&str, &str, &[&str])] = &[
    ("pellucid-protocol", "src/protocol", &[]),
    ("pellucid-files", "src/files", &[]),
    ("pellucid-record", "src/record", &["pellucid-files", "pellucid-protocol"]),
    ("pellucid-explain", "src/explain", &["pellucid-protocol"]),
    ("pellucid-engine", "src/engine", &["pellucid-files", "pellucid-protocol", "pellucid-record", "pellucid-explain"]),
    ("pellucid-client", "src/client", &["pellucid-files", "pellucid-protocol", "pellucid-record", FIXTURE]),
    (
        "pellucid-dashboard",
        "src/dashboard",
        &["pellucid-files", "pellucid-protocol", "pellucid-record", "pellucid-client", FIXTURE],
    ),
    (
        "pellucid",
        "src/pellucid",
        &["pellucid-files", "pellucid-protocol", "pellucid-record", "pellucid-client", "pellucid-dashboard", FIXTURE],
    ),
];
/// A recorded run that the tests of several crates share.
const FIXTURE: &str = "pellucid-fixture";
/// Crates that must do without torch, and what that means.
const TORCH_FREE: &[&str] = &[
    "pellucid",
    "pellucid-protocol",
    "pellucid-files",
    "pellucid-record",
    "pellucid-explain",
    "pellucid-client",
    "pellucid-dashboard",
];
const TORCH: &[&str] = &["tch", "torch-sys", "tokenizers"];
/// Crates that must do without tokio.
const TOKIO_FREE: &[&str] = &["pellucid-protocol", "pellucid-files", "pellucid-record", "pellucid-explain"];

/// The manifests of the house against [`ARROWS`].
pub(super) fn between_crates(top: &Path) -> Vec<Violation> {
    let check = |&(name, folder, _): &(&str, &str, &[&str])| {
        let path = format!("{folder}/Cargo.toml");
        of_manifest(name, &path, &fs::read_to_string(top.join(&path)).unwrap())
    };
    ARROWS.iter().flat_map(check).collect()
}

/// The manifest `text` of the crate `name`.
pub(super) fn of_manifest(name: &str, path: &str, text: &str) -> Vec<Violation> {
    let (_, _, allowed) = ARROWS.iter().find(|arrow| arrow.0 == name).expect("a crate of the house");
    let mut section = "";
    let mut broken = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with('[') {
            section = line.trim();
        }
        let known = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let of_house = known == "pellucid" || known.starts_with("pellucid-");
        if section.contains("dependencies") && of_house && !allowed.contains(&known) {
            broken.push(Violation {
                file: path.to_owned(),
                line: number,
                what: format!("`{name}` must not know `{known}`"),
            });
        }
    }
    broken
}

/// Paths in the lock file from a torch-free crate to torch, and from the crates of [`TOKIO_FREE`] to tokio.
pub(super) fn torch_free(lock: &str) -> Vec<Violation> {
    let graph = graph(lock);
    let mut broken = Vec::new();
    let rules = TORCH_FREE.iter().map(|from| (from, TORCH)).chain(TOKIO_FREE.iter().map(|from| (from, &["tokio"][..])));
    for (from, forbidden) in rules {
        for reached in reach(&graph, from).into_iter().filter(|name| forbidden.contains(&name.as_str())) {
            let what = format!("`{from}` depends on `{reached}`, perhaps by way of others");
            broken.push(Violation { file: "Cargo.lock".to_owned(), line: 1, what });
        }
    }
    broken
}

/// Names of packages and of what they depend on.
fn graph(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph = BTreeMap::<_, BTreeSet<String>>::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default();
        let listed = package.lines().filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next());
        graph.entry(name.trim_matches('"').to_owned()).or_default().extend(listed.map(str::to_owned));
    }
    graph
}

fn reach(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = next.pop() {
        let further = graph.get(&name).into_iter().flatten().filter(|name| seen.insert((*name).clone()));
        next.extend(further.cloned().collect::<Vec<_>>());
    }
    seen
}
