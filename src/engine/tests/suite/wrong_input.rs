//! What is wrong is named before anything is written.

use std::fs;

use pellucid_engine::train::prepare::prepare;
use pellucid_protocol::RawSettings;
use pellucid_protocol::settings::Device;

use crate::fixture::Fixture;

fn refusal(fixture: &Fixture, change: impl FnOnce(&mut RawSettings)) -> String {
    let mut raw = fixture.settings("run");
    change(&mut raw);
    let Err(error) = prepare(raw.check().unwrap(), &mut |_| {}) else { panic!("it was accepted") };
    assert!(!fixture.path("run").exists(), "something was written");
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

fn bad_file(fixture: &Fixture, name: &str, content: &[u8]) -> String {
    fs::write(fixture.path(name), content).unwrap();
    refusal(fixture, |raw| raw.train = Some(fixture.path(name)))
}

#[test]
fn data_files_are_named_with_their_line() {
    let fixture = Fixture::new();
    let unknown = "train.csv:3: unknown label `maybe`; the classes are `negative`, `positive`";
    let valid = b"text,label\ngood,positive\nbad,maybe\n";
    fs::write(fixture.path("train.csv"), valid).unwrap();
    let message = refusal(&fixture, |raw| raw.valid = Some(fixture.path("train.csv").into()));
    assert!(message.ends_with(unknown), "{message}");
    for (name, content, part) in [
        ("a.csv", b"id,label\n1,positive\n".as_slice(), "a.csv:1: no column is called `text`"),
        ("b.csv", b"".as_slice(), "b.csv: is empty"),
        ("c.tsv", b"good\tpositive\nb\xe4d\tnegative\n".as_slice(), "c.tsv:2: is not UTF-8"),
        ("d.csv", b"text,label\ngood,x\nfine,x\n".as_slice(), "has 1 label; a classifier needs two"),
        ("none.tsv.gone", b"x".as_slice(), "unknown format"),
    ] {
        let message = bad_file(&fixture, name, content);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn model_folders_are_named_with_what_they_miss() {
    let fixture = Fixture::new();
    let model = |name: &str| fixture.path(name);
    let copy = |name: &str, files: &[&str]| {
        fs::create_dir_all(fixture.path(name)).unwrap();
        for file in files {
            fs::copy(fixture.path("student").join(file), fixture.path(name).join(file)).unwrap();
        }
    };
    copy("untokenised", &["config.json", "model.safetensors"]);
    copy("pickled", &["config.json", "tokenizer.json"]);
    fs::write(fixture.path("pickled/pytorch_model.bin"), b"\x80\x02").unwrap();
    for (name, part) in [
        ("untokenised", "untokenised: has no tokenizer.json, and none of vocab.txt, "),
        ("pickled", "pytorch_model.bin: is a pickle, which is not opened here; `pellucid import "),
        ("nowhere", "nowhere: is not a folder"),
    ] {
        let message = refusal(&fixture, |raw| raw.model = Some(model(name).into()));
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_teacher_of_other_classes_is_refused_and_one_in_another_order_is_mapped() {
    let fixture = Fixture::new();
    let path = fixture.path("teacher").join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"positive\"", "\"neutral\"")).unwrap();
    let message = refusal(&fixture, |raw| raw.teacher = Some(fixture.path("teacher").into()));
    assert!(message.contains("the teacher's classes are `negative`, `neutral`, those of the data"), "{message}");
}

#[test]
fn a_tokenizer_that_knows_more_than_the_embeddings_is_refused() {
    let fixture = Fixture::new();
    let path = fixture.path("student").join("tokenizer.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"dull\":14", "\"dull\":14,\"unheard\":15")).unwrap();
    let message = refusal(&fixture, |_| {});
    assert!(
        message.contains("student: tokenizer.json knows 16 tokens, but config.json has vocab_size 15"),
        "{message}"
    );
}

#[test]
fn settings_that_do_not_fit_the_model_the_data_or_the_machine_are_named() {
    let fixture = Fixture::new();
    let message = refusal(&fixture, |raw| raw.freeze = Some("layers:2".parse().unwrap()));
    assert_eq!(message, "--freeze: layers:2 is more than the 1 layers of the model");
    let message = refusal(&fixture, |raw| raw.class_weights = Some("neutral=2".parse().unwrap()));
    assert_eq!(message, "--class-weights: there is no class `neutral`; there are negative, positive");
    let message = refusal(&fixture, |raw| raw.device = Some(Device::Cuda(99)));
    assert!(message.starts_with("--device: cuda:99 is not there"), "{message}");
}

#[test]
fn a_run_folder_in_use_is_refused() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.path("old")).unwrap();
    fs::write(fixture.path("old/events.jsonl"), "").unwrap();
    let message = refusal(&fixture, |raw| raw.run_dir = Some(fixture.path("old")));
    assert!(message.contains("already holds a run"), "{message}");
}
