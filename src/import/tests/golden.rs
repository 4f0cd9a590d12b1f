//! Folders in old layouts become what transformers makes of them: see tests/golden/make_imports.py.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pellucid_import::convert::convert;
use pellucid_import::job::{Job, Report};
use pellucid_import::tokenizer::Casing;
use pellucid_intake::model_folder::weights_file::WeightsFile;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

struct Golden {
    name: String,
    folder: PathBuf,
    expected: Value,
}

fn goldens() -> Vec<Golden> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/imports");
    let mut folders: Vec<PathBuf> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 24, "golden files are missing");
    let golden = |folder: PathBuf| Golden {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        expected: json(&folder.join("expected.json")),
        folder,
    };
    folders.into_iter().map(golden).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

impl Golden {
    fn casing(&self) -> Option<Casing> {
        (self.expected["args"][0] == "--cased").then_some(Casing::Cased)
    }

    fn convert(&self, casing: Option<Casing>) -> (TempDir, Result<Report, String>) {
        let draft = tempfile::tempdir().unwrap();
        let job = Job { source: self.folder.join("source"), draft: draft.path().to_owned(), casing };
        let report = convert(&job, Vec::new()).map_err(|error| error.to_string());
        (draft, report)
    }
}

#[test]
fn every_tensor_has_the_bits_of_torch() {
    for golden in goldens() {
        let (draft, report) = golden.convert(golden.casing());
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        let file = WeightsFile::open(&draft.path().join("model.safetensors")).unwrap();
        let one = |name: String| {
            let (dtype, shape) = file.info(&name).unwrap();
            let hash = Sha256::digest(file.bytes(&name).unwrap());
            let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            let said = format!("{dtype:?} {shape:?} {digits}");
            (name, said)
        };
        let found: BTreeMap<String, String> = file.names().into_iter().map(one).collect();
        let today = |name: &str| {
            let name = name.replace("LayerNorm.gamma", "LayerNorm.weight");
            name.replace("LayerNorm.beta", "LayerNorm.bias")
        };
        let expected = golden.expected["tensors"].as_object().unwrap().iter();
        let expected: BTreeMap<String, String> =
            expected.map(|(name, said)| (today(name), said.as_str().unwrap().to_owned())).collect();
        assert_eq!(found, expected, "{}", golden.name);
        assert_eq!(
            (report.tensors, report.model_type.as_str()),
            (found.len(), golden.expected["model_type"].as_str().unwrap())
        );
    }
}

#[test]
fn every_tokenizer_is_that_of_transformers() {
    for golden in goldens() {
        let (draft, report) = golden.convert(golden.casing());
        report.unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        let (found, expected) =
            (json(&draft.path().join("tokenizer.json")), json(&golden.folder.join("tokenizer.json")));
        for (key, part) in expected.as_object().unwrap() {
            assert_eq!(&found[key], part, "{}: {key}", golden.name);
        }
    }
}

#[test]
fn the_report_says_what_was_read_and_decided() {
    let said = |name: &str| {
        let golden = goldens().into_iter().find(|golden| golden.name == name).unwrap();
        golden.convert(golden.casing()).1.unwrap()
    };
    let report = said("dmis-lab-biobert-base-cased-v1.1");
    assert_eq!(
        report.globals,
        BTreeMap::from([
            ("collections.OrderedDict", ()),
            ("torch.FloatStorage", ()),
            ("torch._utils._rebuild_tensor_v2", ())
        ])
        .into_keys()
        .map(str::to_owned)
        .collect()
    );
    let notes = report.notes.join("\n");
    for part in ["model_type bert: inferred", "capitals are kept: as asked", "tokenizer.json: made of vocab.txt"] {
        assert!(notes.contains(part), "no `{part}` in {notes}");
    }
    let bin = report.files.iter().find(|file| file.name == "pytorch_model.bin").unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/imports");
    let bytes = fs::read(folder.join("dmis-lab-biobert-base-cased-v1.1/source/pytorch_model.bin")).unwrap();
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((bin.bytes, &bin.sha256), (bytes.len() as u64, &hash));
    let notes = said("allenai-scibert_scivocab_uncased").notes.join("\n");
    assert!(
        notes.contains("are now `LayerNorm.weight`") && notes.contains("though 4 letters and ends of words"),
        "{notes}"
    );
    assert!(said("yiyanghkust-finbert-tone").notes.iter().any(|note| note.starts_with("3 classes without names")));
}

#[test]
fn capitals_that_nobody_speaks_of_are_asked_about() {
    for golden in goldens().iter().filter(|golden| golden.casing().is_some()) {
        let error = golden.convert(None).1.unwrap_err();
        assert!(error.contains("vocab.txt: has 6 words with capitals (Bank, Profit, Dr, ...)"), "{error}");
        assert!(error.contains("add --cased") && error.lines().count() == 1, "{error}");
    }
    let golden = goldens().into_iter().find(|golden| golden.name == "roberta-sharded").unwrap();
    assert!(golden.convert(Some(Casing::Cased)).1.unwrap_err().contains("leave --cased and --uncased out"));
}

/// What is said of a copy of the golden folder `name` that `change` has changed.
fn refused(name: &str, change: impl FnOnce(&Path)) -> String {
    let (folder, draft) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let golden = goldens().into_iter().find(|golden| golden.name == name).unwrap();
    for entry in fs::read_dir(golden.folder.join("source")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    change(folder.path());
    let job = Job { source: folder.path().to_owned(), draft: draft.path().to_owned(), casing: None };
    let error = convert(&job, Vec::new()).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn without(folder: &Path, keys: &[&str]) {
    let mut config = json(&folder.join("config.json"));
    for key in keys {
        config.as_object_mut().unwrap().remove(*key).unwrap();
    }
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

#[test]
fn what_the_weights_do_not_tell_is_asked_for_by_name() {
    for (name, keys, part) in [
        ("camembert-spm", &["model_type"][..], "the weights fit several (xlm-roberta, camembert)"),
        (
            "llama-sharded",
            &["model_type"],
            "fit several (llama, mistral, qwen2, qwen3, smollm3, gemma3_text, eurobert)",
        ),
        ("albert-spm", &["num_hidden_layers"], "has no num_hidden_layers, which the weights do not show"),
        ("mpnet", &["num_attention_heads"], "has no num_attention_heads, which the weights do not show"),
    ] {
        let told = refused(name, |folder| without(folder, keys));
        assert!(told.contains("config.json: ") && told.contains(part), "{told}");
    }
    let told = refused("llama-sharded", |folder| {
        fs::remove_file(folder.join("tokenizer.json")).unwrap();
        fs::remove_file(folder.join("tokenizer_config.json")).unwrap();
    });
    assert!(told.contains("a tokenizer of the class \"LlamaTokenizer\", which is not converted"), "{told}");
    let told = refused("albert-cased", |folder| fs::remove_file(folder.join("tokenizer_config.json")).unwrap());
    assert!(
        told.contains("spiece.model: has 6 words with capitals (Bank, Profit, ") && told.contains("--cased"),
        "{told}"
    );
}

#[test]
fn a_number_before_a_comma_that_python_alone_knows_is_refused() {
    let told = refused("albert-spm", |folder| {
        let path = folder.join("spiece.model");
        let bytes = fs::read(&path).unwrap();
        let at = bytes.windows(2).position(|pair| pair == b"m,").unwrap();
        // It is a byte longer than what it takes the place of.
        let other = "²".as_bytes();
        let piece = [&bytes[..at - 4], &[10, 10, 10, 3][..], other, b",", &bytes[at + 2..]].concat();
        fs::write(&path, piece).unwrap();
    });
    assert!(told.contains("has the piece \"²,\", which is not converted"), "{told}");
}
