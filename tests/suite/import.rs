//! `pellucid import` with the real programs: what it makes answers as transformers does, and what is hostile is refused in
//! one line, never run, and leaves nothing.

#[path = "../hostile/checkpoints.rs"]
mod checkpoints;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::program::{Workplace, checkout, program, text};
use checkpoints::{attacks, shared};

fn golden(name: &str) -> PathBuf {
    checkout().join("tests/golden/imports").join(name)
}

fn import(place: &Workplace, source: &Path, more: &[&str]) -> Output {
    let (source, target) = (source.display().to_string(), place.path().join("made").display().to_string());
    place.output([&["import", &source, &target][..], more].concat())
}

/// A copy of a golden folder in this place.
fn copied(place: &Workplace, name: &str) -> PathBuf {
    let to = place.path().join("old");
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(golden(name).join("source")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to
}

/// Imports `source`, which must fail with one line that has all of `parts` and leave nothing.
fn refused(place: &Workplace, source: &Path, parts: &[&str]) {
    let before = names(place.path());
    let output = import(place, source, &[]);
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count(), text(&output.stdout).as_str()), (Some(1), 1, ""), "{told}");
    for part in parts {
        assert!(told.starts_with("error: ") && told.contains(part), "no `{part}` in: {told}");
    }
    assert!(!told.trim_end().contains(char::is_control), "{told:?}");
    assert_eq!(names(place.path()), before, "{told}");
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// The logits that a model gives texts, all of them pairs or none.
fn logits(place: &Workplace, model: &Path, texts: &[(String, Option<String>)]) -> Vec<Vec<f64>> {
    let row = |(text, pair): &(String, Option<String>)| match pair {
        Some(pair) => json!({"text": text, "text_pair": pair}).to_string(),
        None => json!({"text": text}).to_string(),
    };
    let lines: Vec<String> = texts.iter().map(row).collect();
    fs::write(place.path().join("texts.jsonl"), lines.join("\n")).unwrap();
    let model = model.display().to_string();
    let output = place.output(["predict", "--model", &model, "--data", "texts.jsonl", "--json", "--device", "cpu"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answers = text(&output.stdout);
    let answers = answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    answers.map(|answer| serde_json::from_value(answer["logits"].clone()).unwrap()).collect()
}

#[test]
fn imported_models_answer_as_they_do_in_transformers() {
    let mut folders = names(&checkout().join("tests/golden/imports"));
    assert!(folders.len() >= 24);
    for name in folders.drain(..) {
        let place = Workplace::new();
        let expected: Value = serde_json::from_slice(&fs::read(golden(&name).join("expected.json")).unwrap()).unwrap();
        let args: Vec<&str> = expected["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let output = import(&place, &golden(&name).join("source"), &args);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let texts: Vec<(String, Option<String>)> = serde_json::from_value(expected["texts"].clone()).unwrap();
        let right: Vec<Vec<f64>> = serde_json::from_value(expected["logits"].clone()).unwrap();
        for pairs in [false, true] {
            let of_kind = |index: &usize| texts[*index].1.is_some() == pairs;
            let chosen: Vec<usize> = (0..texts.len()).filter(of_kind).collect();
            let asked: Vec<_> = chosen.iter().map(|index| texts[*index].clone()).collect();
            let found = logits(&place, &place.path().join("made"), &asked);
            assert_eq!(found.len(), chosen.len());
            for (found, index) in found.iter().zip(chosen) {
                let gap = found.iter().zip(&right[index]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(found.len() == right[index].len() && gap < 1e-5, "{name}: {:?}: {gap}", texts[index]);
            }
        }
    }
}

#[test]
fn every_family_that_is_loaded_is_imported() {
    let place = Workplace::new();
    let source = copied(&place, "lexlms-legal-roberta-base");
    let config = source.join("config.json");
    let other = fs::read_to_string(&config).unwrap().replace("\"roberta\"", "\"nonsense\"");
    fs::write(config, other).unwrap();
    let listed = |told: String, before: &str| {
        let (_, list) = told.trim_end().split_once(before).unwrap_or_else(|| panic!("no `{before}` in: {told}"));
        list.split(", ").map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let imported = listed(text(&import(&place, &source, &[]).stderr), "is not imported; imported are ");
    let output = place.output(["predict", "--model", "old", "--text", "a"]);
    let loaded = listed(text(&output.stderr), "is not supported; supported are ");
    assert!(imported == loaded && loaded.len() >= 18, "{imported:?} {loaded:?}");
}

#[test]
fn a_folder_of_the_cache_of_hugging_face_is_imported() {
    let place = Workplace::new();
    let source = copied(&place, "prosusai-finbert");
    let snapshot = place.path().join("models--ProsusAI--finbert/snapshots/0123");
    fs::create_dir_all(&snapshot).unwrap();
    fs::rename(&source, place.path().join("models--ProsusAI--finbert/blobs")).unwrap();
    for name in names(&place.path().join("models--ProsusAI--finbert/blobs")) {
        symlink(format!("../../blobs/{name}"), snapshot.join(name)).unwrap();
    }
    let output = import(&place, &snapshot, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told =
        place.output([Path::new("predict"), Path::new("--model"), &snapshot, Path::new("--text"), Path::new("a")]);
    assert!(text(&told.stderr).contains(" finbert-imported`"), "{}", text(&told.stderr));
}

#[test]
fn what_it_found_and_decided_is_printed_and_kept() {
    let place = Workplace::new();
    let source = golden("yiyanghkust-finbert-tone/source");
    let told = text(&import(&place, &source, &[]).stdout);
    for part in [
        "read pytorch_model.bin: ",
        "the pickle asks for collections.OrderedDict, torch.FloatStorage, torch._utils._rebuild_tensor_v2; none of it was run",
        "model_type bert: inferred from the names of the weights",
        "3 classes without names: inferred from the head of the weights",
        "texts become lower case: no file says do_lower_case, and vocab.txt has no words with capitals",
        "made: bert, 41 tensors",
    ] {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }
    // A folder that it has made is made again.
    let report: Value = serde_json::from_slice(&import(&place, &source, &["--json"]).stdout).unwrap();
    let kept: Value =
        serde_json::from_slice(&fs::read(place.path().join("made/pellucid-import.json")).unwrap()).unwrap();
    assert_eq!((&report, report["container"].as_str()), (&kept, Some("zip")));
    for held in ["memory", "time", "written bytes"] {
        assert!(report["confined"].as_array().unwrap().contains(&json!(held)), "{report}");
    }
    #[cfg(target_os = "linux")]
    assert!(report["confined"].as_array().unwrap().contains(&json!("seccomp")), "{report}");
    assert_eq!(names(place.path()), ["made"]);
}

#[test]
fn every_attack_is_refused_in_one_line_never_run_and_leaves_nothing() {
    let place = Workplace::new();
    let source = copied(&place, "prosusai-finbert");
    let witness = place.path().join("witness");
    let mut attacks = attacks(&witness);
    assert!(attacks.len() > 70);
    for attack in attacks.drain(..) {
        fs::write(source.join("pytorch_model.bin"), &attack.bytes).unwrap();
        refused(&place, &source, &["pytorch_model.bin: ", &attack.said]);
        assert!(!witness.exists(), "{} was run", attack.name);
    }
    // 4 MB that would become 800.
    fs::write(source.join("pytorch_model.bin"), shared(200, 1 << 20)).unwrap();
    refused(&place, &source, &["pytorch_model.bin: ", "lie on each other"]);
}

#[test]
fn files_that_lead_out_of_the_folder_or_are_none_are_refused() {
    let place = Workplace::new();
    let source = copied(&place, "roberta-sharded");
    let index = source.join("pytorch_model.bin.index.json");
    let right = fs::read_to_string(&index).unwrap();
    for name in ["../outside.bin", "/etc/passwd", "sub/x.bin", "pytorch_model-00001-of-00003.txt"] {
        fs::write(&index, right.replace("pytorch_model-00001-of-00003.bin", name)).unwrap();
        refused(&place, &source, &["pytorch_model.bin.index.json: ", "is not the name of a .bin file"]);
    }
    fs::write(&index, right.replace("pytorch_model-00001", "pytorch_model-00009")).unwrap();
    refused(
        &place,
        &source,
        &["pytorch_model-00009-of-00003.bin: is missing, but pytorch_model.bin.index.json names it"],
    );
    fs::write(&index, &right).unwrap();
    let shard = source.join("pytorch_model-00002-of-00003.bin");
    fs::copy(source.join("pytorch_model-00001-of-00003.bin"), &shard).unwrap();
    refused(&place, &source, &["pytorch_model-00002-of-00003.bin: has the tensor"]);
    fs::remove_file(&shard).unwrap();
    fs::write(place.path().join("secret"), "secret").unwrap();
    symlink(place.path().join("secret"), &shard).unwrap();
    refused(&place, &source, &["pytorch_model-00002-of-00003.bin"]);
    fs::remove_file(&shard).unwrap();
    assert!(Command::new("mkfifo").arg(&shard).status().unwrap().success());
    refused(&place, &source, &["pytorch_model-00002-of-00003.bin"]);
}

#[test]
fn a_place_that_is_not_free_stays_as_it_is() {
    let place = Workplace::new();
    let source = copied(&place, "prosusai-finbert");
    let made = |target: &Path| {
        let output = place.output([Path::new("import"), &source, target]);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
        told
    };
    let before = names(&source);
    assert!(made(&source).contains("is not empty, and has no pellucid.json"));
    assert!(made(&source.join("inside")).contains("lies in the folder that is read"));
    assert!(made(place.path()).contains("is not empty"));
    assert_eq!(names(&source), before);
    fs::write(place.path().join("file"), "mine").unwrap();
    assert!(made(&place.path().join("file")).contains("is a file"));
    assert_eq!(fs::read_to_string(place.path().join("file")).unwrap(), "mine");
    let output = place.output([Path::new("import"), &place.path().join("file"), Path::new("made")]);
    assert!(text(&output.stderr).contains("file: is not a folder"));
}

#[test]
fn the_command_that_a_refusal_prints_makes_a_folder_that_is_taken() {
    let place = Workplace::new();
    let source = copied(&place, "allenai-scibert_scivocab_uncased");
    // Its pickle stands for all that is old in it.
    fs::write(
        source.join("tokenizer.json"),
        fs::read(golden("allenai-scibert_scivocab_uncased/tokenizer.json")).unwrap(),
    )
    .unwrap();
    let output = place.output(["predict", "--model", "old", "--text", "a bank"]);
    let told = text(&output.stderr);
    assert!(told.contains("pytorch_model.bin: is a pickle, which is not opened here"), "{told}");
    let line = told.split('`').nth(1).unwrap().strip_prefix("pellucid ").unwrap().to_owned();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("\"$0\" {line}")).arg(program("pellucid")).current_dir(place.path());
    assert!(shell.output().unwrap().status.success(), "{line}");
    let output = place.output(["predict", "--model", "old-imported", "--text", "a bank"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
