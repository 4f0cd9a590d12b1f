//! `pellucid pull`, and names in the place of folders, with the real programs and a server on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pellucid_fixture::hub_server::{COMMIT, Fault, HubServer};
use pellucid_protocol::Event;
use serde_json::{Value, json};

use crate::program::{Workplace, checkout, data, is_end, text, wait_until};

/// A place with a cache of its own, and a server.
struct Place {
    work: Workplace,
    server: HubServer,
}

impl Place {
    fn new() -> Self {
        let place = Self { work: Workplace::new(), server: HubServer::new() };
        place.server.has("org/teacher", files(&data().join("models/teacher")));
        place.server.has("org/finbert", files(&golden("prosusai-finbert").join("source")));
        place
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.work.pellucid(args);
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"] {
            command.env_remove(name);
        }
        command.env("HF_HOME", self.home()).env("HF_ENDPOINT", &self.server.endpoint).env("NO_PROXY", "127.0.0.1");
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn done(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The one line that a command says which fails.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let told = text(&output.stderr);
        assert_eq!(
            (output.status.code(), told.lines().count(), text(&output.stdout).as_str()),
            (Some(1), 1, ""),
            "{told}"
        );
        told
    }

    fn home(&self) -> PathBuf {
        self.work.path().join("huggingface")
    }

    fn cached(&self, name: &str) -> PathBuf {
        self.home().join("hub").join(format!("models--org--{name}"))
    }

    fn logits(&self, model: &str, sentence: &str) -> Value {
        let answer = self.done(&["predict", "--model", model, "--text", sentence, "--json", "--device", "cpu"]);
        serde_json::from_str::<Value>(&answer).unwrap()["logits"].clone()
    }
}

fn golden(name: &str) -> PathBuf {
    checkout().join("tests/golden/imports").join(name)
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap());
    entries.filter(|path| path.is_file()).map(file).collect()
}

#[test]
fn a_pulled_model_is_named_wherever_a_folder_is() {
    let place = Place::new();
    let told = place.refused(&["predict", "--model", "org/teacher", "--text", "a"]);
    assert!(
        told.contains("org/teacher: is no folder") && told.contains("`pellucid pull org/teacher` fetches it"),
        "{told}"
    );
    let output = place.output(&["pull", "org/teacher"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    let snapshot = place.cached("teacher").join("snapshots").join(COMMIT);
    let told = text(&output.stdout);
    assert!(told.contains("fetched model.safetensors: ") && told.contains(&snapshot.display().to_string()), "{told}");
    place.server.seen();
    let folder = data().join("models/teacher").display().to_string();
    let right = place.logits(&folder, "severe chest pain");
    let root = place.cached("teacher").display().to_string();
    for model in ["org/teacher", "org/teacher@main", &format!("org/teacher@{COMMIT}"), &root] {
        assert_eq!(place.logits(model, "severe chest pain"), right, "{model}");
    }
    let rows = data().join("triage/valid.jsonl").display().to_string();
    place.done(&["data", &rows, "--model", "org/teacher"]);
    place.done(&["explain", "--model", "org/teacher", "--text", "a", "--method", "gxi", "--checks", "figures"]);
    assert!(place.server.seen().is_empty(), "only pull opens a connection");
    // A folder comes before a name.
    fs::create_dir_all(place.work.path().join("org/teacher")).unwrap();
    assert!(place.refused(&["predict", "--model", "org/teacher", "--text", "a"]).contains("org/teacher/config.json"));
}

#[test]
fn a_run_records_the_commit_that_a_name_stood_for() {
    let place = Place::new();
    place.done(&["pull", "org/teacher"]);
    let rows = |name: &str| data().join("triage").join(name).display().to_string();
    let (train, valid) = (rows("train.jsonl"), rows("valid.jsonl"));
    fs::create_dir(place.work.path().join("settings")).unwrap();
    let settings = json!({"model": "org/teacher", "teacher": "org/teacher@main", "train": train, "valid": valid, "max_steps": 2,
        "batch_size": 4, "threads": 1, "probe": 0});
    let toml: String = settings.as_object().unwrap().iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    fs::write(place.work.path().join("settings/run.toml"), toml).unwrap();
    let run = place.work.run().root().display().to_string();
    place.done(&["train", "--config", "settings/run.toml", "--headless", "--run-dir", &run]);
    let snapshot = place.cached("teacher").join("snapshots").join(COMMIT);
    let events = place.work.wait_for_event("the end", is_end);
    let started = events.iter().find_map(|record| match &record.event {
        Event::Started(started) => Some(started),
        _ => None,
    });
    let settings = &started.unwrap().settings;
    assert_eq!((&settings.model, settings.teacher.as_ref()), (&snapshot, Some(&snapshot)));
    // A sweep over models names them as well.
    let args = [
        "sweep",
        "--grid",
        "model=org/teacher,org/teacher@main",
        "--train",
        &train,
        "--valid",
        &valid,
        "--out",
        "swept",
    ];
    let more = ["--max-steps", "1", "--batch-size", "4", "--threads", "1", "--probe", "0"];
    place.done(&[&args[..], &more].concat());
    let swept = fs::read_to_string(place.work.path().join("swept/model-org-teacher/run.toml")).unwrap();
    assert!(swept.contains(&format!("model = \"{}\"", snapshot.display())), "{swept}");
}

#[test]
fn a_model_in_an_old_layout_is_imported_beside_its_files() {
    let place = Place::new();
    let told = place.done(&["pull", "org/finbert"]);
    for part in ["fetched pytorch_model.bin: ", "none of it was run", "--model org/finbert, or "] {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }
    let imported = place.cached("finbert").join("pellucid").join(COMMIT);
    assert!(imported.join("model.safetensors").is_file() && told.contains(&imported.display().to_string()), "{told}");
    let expected: Value =
        serde_json::from_slice(&fs::read(golden("prosusai-finbert").join("expected.json")).unwrap()).unwrap();
    for (at, pair) in expected["texts"].as_array().unwrap().iter().enumerate().filter(|(_, pair)| pair[1].is_null()) {
        let found = place.logits("org/finbert", pair[0].as_str().unwrap());
        let gap =
            |class: usize| (found[class].as_f64().unwrap() - expected["logits"][at][class].as_f64().unwrap()).abs();
        assert!((0..found.as_array().unwrap().len()).all(|class| gap(class) < 1e-5), "{pair}: {found}");
    }
    let again: Value = serde_json::from_str(&place.done(&["pull", "org/finbert", "--json"])).unwrap();
    assert_eq!((&again["commit"], again.get("import")), (&json!(COMMIT), None), "it is imported already");
    assert!(again["files"].as_array().unwrap().iter().all(|file| file["fetched"] == false), "{again}");
    let asked: Value = serde_json::from_str(&place.done(&["pull", "org/finbert", "--json", "--uncased"])).unwrap();
    assert_eq!(asked["import"]["model_type"], "bert");
    // Without it the refusal says how.
    fs::remove_dir_all(place.cached("finbert").join("pellucid")).unwrap();
    let told = place.refused(&["predict", "--model", "org/finbert", "--text", "a"]);
    assert!(told.contains("`pellucid import "), "{told}");
}

#[test]
fn capitals_are_asked_about_after_the_files_have_come() {
    let place = Place::new();
    let mut source = files(&golden("prosusai-finbert").join("source"));
    for (name, content) in &mut source {
        if name == "vocab.txt" {
            *content = [&content[..], b"Berlin\nParis\nApril\n"].concat();
        }
    }
    source.retain(|(name, _)| name != "tokenizer_config.json");
    place.server.has("org/capitals", source);
    let told = text(&place.output(&["pull", "org/capitals"]).stderr);
    if told.contains("--cased") {
        place.server.seen();
        place.done(&["pull", "org/capitals", "--cased"]);
        assert!(place.server.seen().iter().all(|seen| !seen.is_storage), "nothing is fetched again");
    } else {
        panic!("{told}");
    }
}

#[test]
fn a_pull_that_is_killed_is_gone_on_with() {
    let place = Place::new();
    place.server.fails("GET", "model.safetensors", 99, Fault::Cut(100_000));
    let mut child = place.command(&["pull", "org/teacher"]).spawn().unwrap();
    let blobs = place.cached("teacher").join("blobs");
    let partial = || {
        let entries = fs::read_dir(&blobs).into_iter().flatten().flatten();
        let lengths = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".incomplete"));
        lengths.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).max().unwrap_or_default()
    };
    wait_until("the first bytes of the weights", || partial() >= 100_000);
    child.kill().unwrap();
    child.wait().unwrap();
    let told = place.refused(&["predict", "--model", "org/teacher", "--text", "a"]);
    assert!(told.contains("has no revision main of it") && told.contains("`pellucid pull org/teacher`"), "{told}");
    place.server.seen();
    place.server.heals();
    let from = format!("bytes={}-", partial());
    place.done(&["pull", "org/teacher"]);
    let seen = place.server.seen();
    assert!(seen.iter().any(|seen| seen.is_storage && seen.range.as_ref() == Some(&from)), "{seen:?}");
    assert_eq!(partial(), 0);
}

#[test]
fn what_cannot_be_pulled_is_said_in_one_line() {
    let place = Place::new();
    place.server.fails("GET", "/revision/main", 1, Fault::Status(403, "x-error-code: GatedRepo"));
    assert!(place.refused(&["pull", "org/teacher"]).contains("org/teacher: is gated: accept its terms"));
    assert!(
        place.refused(&["pull", "org/nothing"]).contains("org/nothing: is not there, or is private; check its name")
    );
    assert!(
        place.refused(&["pull", "org/teacher", "--revision", "v2"]).contains("org/teacher@v2: has no such revision")
    );
    place.server.fails("GET", "model.safetensors", 1, Fault::Damage);
    assert!(
        place.refused(&["pull", "org/teacher"]).contains("model.safetensors: what came is not what the Hub promises")
    );
    let offline = place.command(&["pull", "org/teacher"]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(text(&offline.stderr).starts_with("error: HF_HUB_OFFLINE: is set"), "{}", text(&offline.stderr));
    place.server.has("org/empty", [("README.md", "x")]);
    assert!(place.refused(&["pull", "org/empty"]).contains("has no config.json"));
    for args in [
        &["pull", "../x"][..],
        &["pull", "/etc/passwd"],
        &["pull", "org/teacher\u{1b}[2J"],
        &["pull", "org/teacher", "--revision", "../x"],
        &["pull", "org/teacher@v1", "--revision", "v1"],
        &["pull"],
    ] {
        let output = place.output(args);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(!told.trim_end().contains(char::is_control), "{told:?}");
    }
    assert!(!place.cached("teacher").join("refs").exists());
}

#[test]
fn what_is_no_name_is_read_as_a_path() {
    let place = Place::new();
    for path in ["../x", "/no/such", "./org/teacher", "org/teacher/more", "org/stu\u{1b}[2J"] {
        let told = place.refused(&["predict", "--model", path, "--text", "a"]);
        assert!(told.contains("is not a folder; give a model folder"), "{told}");
    }
}
