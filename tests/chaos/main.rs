//! Breaks runs on purpose, in every way that a machine does, and says what became of them: JSON lines on stdout.
//!
//! ```text
//! kills   SIGKILLs at random moments over one run, each followed by a resume
//! cuts    the log cut at every byte of its last record
//! faults  writes that fail: no space, errors of the disk, short writes (faults.c, preloaded)
//! ```
//!
//! `make chaos` runs all; `ONLY=kills SEED=7 make chaos` one of them, with other moments. Exit code 1 when anything
//! was lost. What it does is fixed by the seed as far as the scheduling of processes allows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod cuts;
mod faults;
mod kills;
mod model;
mod worker;

use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};

use model::Place;

/// One kind of destruction: its name, and what it found in the end as figures.
type Part = (&'static str, fn(&Place, u64) -> Value);

const PARTS: [Part; 3] = [("kills", kills::kills), ("cuts", cuts::cuts), ("faults", faults::faults)];

fn main() -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let seed = variable("SEED").map_or(1, |seed| seed.parse().expect("SEED is a number"));
    let only = variable("ONLY");
    let place = Place::new();
    let mut sound = true;
    for (name, part) in PARTS.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
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
