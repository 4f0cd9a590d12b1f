//! Which crate may know which, from the manifests and the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::Violation;

/// A crate of the house.
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) folder: &'static str,
    /// Crates of the house that it may depend on.
    may_know: &'static [&'static str],
}

const fn may(name: &'static str, folder: &'static str, may_know: &'static [&'static str]) -> Crate {
    Crate { name, folder, may_know }
}

/// Each crate stands below those that it may know.
pub(super) const CRATES: &[Crate] = &[
    may("pellucid-files", "src/files", &[]),
    may("pellucid-protocol", "src/protocol", &[]),
    may("pellucid-formats", "src/formats", &["pellucid-protocol"]),
    may("pellucid-record", "src/record", &["pellucid-files", "pellucid-protocol"]),
    may("pellucid-intake", "src/intake", &["pellucid-files", "pellucid-protocol"]),
    may("pellucid-import", "src/import", &["pellucid-files", "pellucid-protocol", "pellucid-intake"]),
    may("pellucid-hub", "src/hub", &["pellucid-files", "pellucid-protocol", "pellucid-intake"]),
    may("pellucid-evaluate", "src/evaluate", &["pellucid-protocol"]),
    may("pellucid-explain", "src/explain", &["pellucid-protocol"]),
    may(
        "pellucid-engine",
        "src/engine",
        &[
            "pellucid-files",
            "pellucid-protocol",
            "pellucid-formats",
            "pellucid-record",
            "pellucid-intake",
            "pellucid-evaluate",
            "pellucid-explain",
        ],
    ),
    may("pellucid-client", "src/client", &["pellucid-files", "pellucid-protocol", "pellucid-record"]),
    may(
        "pellucid-dashboard",
        "src/dashboard",
        &["pellucid-files", "pellucid-protocol", "pellucid-record", "pellucid-client"],
    ),
    may(
        "pellucid",
        "src/pellucid",
        &[
            "pellucid-files",
            "pellucid-protocol",
            "pellucid-formats",
            "pellucid-record",
            "pellucid-intake",
            "pellucid-import",
            "pellucid-hub",
            "pellucid-evaluate",
            "pellucid-explain",
            "pellucid-client",
            "pellucid-dashboard",
        ],
    ),
    may("pellucid-data", "data/generator", &[]),
];
/// What only the tests of a crate may use.
const FOR_TESTS: &[&str] = &["pellucid-fixture"];
/// The one crate that has tensors in it.
const TORCH_CRATE: &str = "pellucid-engine";
const TORCH: &[&str] = &["tch", "torch-sys"];
/// The crates that encode texts, or make what encodes them; the library compiles C.
const TOKENIZER_CRATES: &[&str] = &[TORCH_CRATE, "pellucid-data"];
const TOKENIZERS: &[&str] = &["tokenizers", "onig", "onig_sys"];
/// The one crate that opens connections, and the one that may ask it to.
const NETWORK_CRATES: &[&str] = &["pellucid-hub", "pellucid"];
const NETWORK: &[&str] = &[
    "ureq",
    "rustls",
    "reqwest",
    "hyper",
    "native-tls",
    "openssl-sys",
    "curl",
    "hf-hub",
    "isahc",
    "attohttpc",
    "minreq",
];
/// Crates of plain values and functions, which wait for nothing.
const TOKIO_FREE: &[&str] = &[
    "pellucid-files",
    "pellucid-protocol",
    "pellucid-formats",
    "pellucid-record",
    "pellucid-intake",
    "pellucid-import",
    "pellucid-hub",
    "pellucid-evaluate",
    "pellucid-explain",
];

/// The manifests of the house against [`CRATES`].
pub(super) fn between_crates(top: &Path) -> Vec<Violation> {
    let mut folders: Vec<_> = fs::read_dir(top.join("src")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let manifests = folders.iter().map(|folder| folder.join("Cargo.toml")).filter(|path| path.is_file());
    let read = |path: std::path::PathBuf| {
        of_manifest(&path.strip_prefix(top).unwrap().display().to_string(), &fs::read_to_string(&path).unwrap())
    };
    let scripts = CRATES.iter().filter(|of| of.name != TORCH_CRATE).map(|of| format!("{}/build.rs", of.folder));
    let scripts = scripts.filter(|path| top.join(path).exists()).map(|file| Violation {
        file,
        line: 1,
        what: format!("only `{TORCH_CRATE}` has a build script, which asks for libtorch"),
    });
    manifests.flat_map(read).chain(scripts).collect()
}

/// The manifest `text` at `path`: the crates of the house that it must not name, and that clippy's rules hold for it.
pub(super) fn of_manifest(path: &str, text: &str) -> Vec<Violation> {
    let violation = |line, what| Violation { file: path.to_owned(), line, what };
    let Some(of) = CRATES.iter().find(|of| path.strip_suffix("/Cargo.toml") == Some(of.folder)) else {
        return vec![violation(1, "this crate stands in no list of `arrows.rs`".to_owned())];
    };
    let mut broken = Vec::new();
    if !text.contains("[lints]\nworkspace = true\n") {
        broken.push(violation(1, "`[lints]` must be those of the workspace".to_owned()));
    }
    let mut section = "";
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with('[') {
            section = line.trim();
        }
        let known = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let of_house = known == "pellucid" || known.starts_with("pellucid-");
        let for_tests = section == "[dev-dependencies]" && FOR_TESTS.contains(&known);
        if section.contains("dependencies") && of_house && !for_tests && !of.may_know.contains(&known) {
            broken.push(violation(number, format!("`{}` must not know `{known}`", of.name)));
        }
    }
    broken
}

/// Paths in the lock file from a crate without torch to torch, from one without connections to what opens them, and from the
/// plain crates to tokio.
pub(super) fn torch_free(lock: &str) -> Vec<Violation> {
    let graph = graph(lock);
    let without = |such: &'static [&'static str]| CRATES.iter().map(|of| of.name).filter(|name| !such.contains(name));
    let torch_free = without(&[TORCH_CRATE]).map(|from| (from, TORCH));
    let tokenizer_free = without(TOKENIZER_CRATES).map(|from| (from, TOKENIZERS));
    let network_free = without(NETWORK_CRATES).map(|from| (from, NETWORK));
    let tokio_free = TOKIO_FREE.iter().map(|from| (*from, &["tokio"][..]));
    let rules = torch_free.chain(tokenizer_free).chain(network_free).chain(tokio_free);
    let mut broken = Vec::new();
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
