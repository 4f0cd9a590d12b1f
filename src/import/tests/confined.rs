//! A process that has confined itself can do nothing but read one folder and write into another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use pellucid_import::confine::confine;

/// Says to this test, started again as a process of its own, where its folders are.
const FOLDERS: &str = "PELLUCID_TEST_FOLDERS";

#[test]
fn nothing_is_left_but_reading_and_writing() {
    let Some(folders) = std::env::var_os(FOLDERS).map(PathBuf::from) else {
        return started_again();
    };
    let (source, draft) = (folders.join("source"), folders.join("draft"));
    let held = confine(&source, &draft);
    let is_held = |what: &str| held.iter().any(|held| held == what);
    for limit in ["memory", "time", "written bytes", "open files"] {
        assert!(is_held(limit), "{held:?}");
    }
    assert_eq!(fs::read_to_string(source.join("config.json")).unwrap(), "{}");
    fs::write(draft.join("made"), "made").unwrap();
    if is_held("landlock") {
        for path in [folders.join("secret"), PathBuf::from("/etc/passwd"), PathBuf::from("/proc/self/environ")] {
            assert!(File::open(&path).is_err(), "{}", path.display());
        }
        assert!(File::create(source.join("more")).is_err() && File::create(folders.join("more")).is_err());
    }
    if is_held("seccomp") {
        assert!(Command::new("true").spawn().is_err());
        assert!(TcpListener::bind("127.0.0.1:0").is_err());
        assert!(
            fs::remove_file(draft.join("made")).is_err() && fs::hard_link(draft.join("made"), draft.join("x")).is_err()
        );
    }
}

fn started_again() {
    let place = tempfile::tempdir().unwrap();
    for folder in ["source", "draft"] {
        fs::create_dir(place.path().join(folder)).unwrap();
    }
    fs::write(place.path().join("source/config.json"), "{}").unwrap();
    fs::write(place.path().join("secret"), "secret").unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "nothing_is_left_but_reading_and_writing", "--nocapture"]).env(FOLDERS, place.path());
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(place.path().join("draft/made")).unwrap(), "made");
}
