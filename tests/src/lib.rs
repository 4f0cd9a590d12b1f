//! What the end-to-end tests in `suite/` and the destruction in `chaos/` share.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pellucid_protocol::Event;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;

/// A program of this build; it lies two folders above the test's own.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is missing: build the workspace first (`make build`)", path.display());
    path
}

/// The library `chaos/faults.c`, made in `folder`: preloaded, it makes writes fail and sets the clock back.
#[must_use]
pub fn fault_library(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("chaos/faults.c");
    let library = folder.join("faults.so");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(compiler);
    command.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(command.status().is_ok_and(|status| status.success()), "no C compiler: cc, or what CC names");
    library
}

/// Metrics by step and name, as bits, but for those of speed. Steps that were done twice must agree.
#[must_use]
pub fn numbers(run: &RunDir) -> BTreeMap<(u64, String), u64> {
    let mut all = BTreeMap::new();
    for (key, value) in metrics(run) {
        let before = all.insert(key.clone(), value.to_bits());
        assert!(before.is_none_or(|bits| bits == value.to_bits()), "{key:?} was something else before");
    }
    all
}

/// Metrics by step and name, but for those of speed; of a step that was done twice those of the second time, which may
/// have been on another machine.
#[must_use]
pub fn last_numbers(run: &RunDir) -> BTreeMap<(u64, String), f64> {
    metrics(run).into_iter().collect()
}

fn metrics(run: &RunDir) -> Vec<((u64, String), f64)> {
    let mut all = Vec::new();
    for record in LogReader::new(&run.events()).read_new().unwrap() {
        let (step, metrics) = match record.event {
            Event::Step(step) => (step.step, step.metrics),
            Event::Eval(eval) => (eval.step, eval.metrics),
            _ => continue,
        };
        let kept = metrics.iter().filter(|(name, _)| !name.starts_with("speed/") && !name.starts_with("system/"));
        all.extend(kept.map(|(name, value)| ((step, name.to_owned()), value)));
    }
    all
}
