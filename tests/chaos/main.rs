//! Breaks runs on purpose, in every way that a machine does, and says what became of them: JSON lines on stdout.
//!
//! ```text
//! kills   SIGKILLs at random moments over one run, each followed by a resume
//! cuts    the log cut at every byte of its last record
//! faults  writes that fail: no space, errors of the disk, short writes (faults.c, preloaded)
//! trees   commands on folders with links, pipes, sockets, foreign, missing and damaged files at any depth
//! races   starts, resumes, stops and removals at random moments on one run folder
//! owned   commands that write or remove, with random arguments, beside a model of what they may touch
//! ```
//!
//! `make chaos` runs all; `ONLY=kills SEED=7 make chaos` one of them, or several between commas, with other moments. Of
//! the last three `TRY=17,40` makes those tries alone, and `TRIES=20` the first so many. Exit code 1 when anything was
//! lost. What it does is fixed by the seed as far as the scheduling of processes allows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod cuts;
mod faults;
mod kills;
mod model;
mod owned;
mod races;
mod tree;
mod trees;
mod trial;
mod tries;
mod worker;

use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};

use model::Place;

/// One kind of destruction: its name, and what it found in the end as figures.
type Part = (&'static str, fn(&Place, u64) -> Value);

const PARTS: [Part; 6] = [
    ("kills", kills::kills),
    ("cuts", cuts::cuts),
    ("faults", faults::faults),
    ("trees", trees::trees),
    ("races", races::races),
    ("owned", owned::owned),
];

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let seed = variable("SEED").map_or(1, |seed| seed.parse().expect("SEED is a number"));
    let only = variable("ONLY");
    let place = Place::new();
    let mut sound = true;
    for (name, part) in
        PARTS.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only.split(',').any(|only| only == *name)))
    {
        let start = Instant::now();
        let mut figures = part(&place, seed);
        let lost = figures["lost"].as_array().is_none_or(|lost| !lost.is_empty());
        figures["chaos"] = json!(name);
        figures["seed"] = json!(seed);
        figures["seconds"] = json!(start.elapsed().as_secs());
        figures["sound"] = json!(!lost);
        println!("{figures}");
        sound &= !lost;
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
