//! Circles among the modules of a crate: files that name each other, by way of others or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Violation;
use super::modules::{Modules, Use, parent};

/// One violation for every circle, at the first step of a shortest way round. Parent and child may name each other.
pub(super) fn circles(modules: &Modules) -> Vec<Violation> {
    let uses = modules.uses();
    let between = uses.iter().filter(|step| parent(&step.from) != step.to && parent(&step.to) != step.from);
    let mut steps = BTreeMap::<&str, Vec<&Use>>::new();
    between.for_each(|step| steps.entry(&step.from).or_default().push(step));
    let (mut told, mut broken) = (BTreeSet::new(), Vec::new());
    for &module in steps.keys() {
        if told.contains(module) {
            continue;
        }
        if let Some(circle) = shortest(module, &steps) {
            told.extend(reached(module, &steps).into_iter().filter(|other| reached(other, &steps).contains(module)));
            let way: Vec<_> = circle.iter().map(|step| format!("{} (line {})", step.file, step.line)).collect();
            let what = format!("a circle of files: {} and back", way.join(" → "));
            broken.push(Violation { file: circle[0].file.clone(), line: circle[0].line, what });
        }
    }
    broken
}

/// The steps of a shortest way from `module` back to it.
fn shortest<'a>(module: &str, steps: &BTreeMap<&str, Vec<&'a Use>>) -> Option<Vec<&'a Use>> {
    let mut ways = VecDeque::from([Vec::new()]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let end = way.last().map_or(module, |step: &&Use| step.to.as_str());
        if end == module && !way.is_empty() {
            return Some(way);
        }
        for &step in steps.get(end).into_iter().flatten().filter(|step| seen.insert(step.to.as_str())) {
            ways.push_back(way.iter().copied().chain([step]).collect());
        }
    }
    None
}

fn reached<'a>(module: &'a str, steps: &BTreeMap<&'a str, Vec<&'a Use>>) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![module]);
    while let Some(name) = next.pop() {
        next.extend(steps.get(name).into_iter().flatten().map(|step| step.to.as_str()).filter(|to| seen.insert(*to)));
    }
    seen
}
