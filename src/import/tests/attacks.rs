//! Files that pass for weights and are not: each is refused in one line, and none is run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../../tests/hostile/checkpoints.rs"]
mod checkpoints;

use std::fs;
use std::path::Path;

use pellucid_import::checkpoint::Checkpoint;

use checkpoints::{attacks, shared, sound};

/// Opens a file with these bytes and reads all its numbers; how many bytes they have.
fn opened(folder: &Path, bytes: &[u8]) -> Result<u64, String> {
    let path = folder.join("pytorch_model.bin");
    fs::write(&path, bytes).unwrap();
    Checkpoint::open(&path).and_then(|file| file.measure()).map_err(|error| error.to_string())
}

#[test]
fn what_is_sound_is_read() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(opened(place.path(), &sound()), Ok(24));
    assert_eq!(opened(place.path(), &shared(3, 5)), Ok(60));
}

#[test]
fn every_attack_is_refused_in_one_line_that_names_it() {
    let place = tempfile::tempdir().unwrap();
    let witness = place.path().join("witness");
    for attack in attacks(&witness) {
        let told = opened(place.path(), &attack.bytes).expect_err(&attack.name);
        assert!(told.contains("pytorch_model.bin: ") && told.contains(&attack.said), "{}: {told}", attack.name);
        assert!(!told.contains(char::is_control) && told.len() < 600, "{}: {told:?}", attack.name);
        assert!(!witness.exists(), "{} was run", attack.name);
    }
}
