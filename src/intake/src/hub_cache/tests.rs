//! A name, a path and what lies in a cache.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::model_folder::old_layout::without_tokenizer;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba98";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn cache(&self) -> HubCache {
        HubCache::at(self.folder.path().join("hub"))
    }

    /// A model with these files, at `main`.
    fn model(&self, name: &str, files: &[&str]) -> CachedModel {
        let model = self.cache().model(&name.parse().unwrap());
        for folder in [model.blobs(), model.snapshot(COMMIT), model.folder().join("refs")] {
            fs::create_dir_all(folder).unwrap();
        }
        for (number, file) in files.iter().enumerate() {
            fs::write(model.blobs().join(number.to_string()), r#"{"model_type":"bert"}"#).unwrap();
            symlink(format!("../../blobs/{number}"), model.snapshot(COMMIT).join(file)).unwrap();
        }
        fs::write(model.reference("main"), COMMIT).unwrap();
        model
    }

    fn found(&self, source: impl Into<ModelSource>) -> std::result::Result<PathBuf, String> {
        folder_of(&source.into(), Some(&self.cache())).map_err(|error| error.to_string())
    }
}

const WHOLE: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

#[test]
fn the_cache_is_where_the_programs_of_hugging_face_look_for_it() {
    let root = |vars: &[(&str, &str)]| {
        let var = |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        HubCache::of(var).map(|cache| cache.root().display().to_string())
    };
    let all = [
        ("HF_HUB_CACHE", "/a"),
        ("HUGGINGFACE_HUB_CACHE", "/b"),
        ("HF_HOME", "~/c"),
        ("XDG_CACHE_HOME", "/d"),
        ("HOME", "/home/u"),
    ];
    let found: Vec<_> = (0..=all.len()).map(|from| root(&all[from..])).collect();
    let expected = ["/a", "/b", "/home/u/c/hub", "/d/huggingface/hub", "/home/u/.cache/huggingface/hub"];
    assert_eq!(found[..5], expected.map(|path| Some(path.to_owned())));
    assert_eq!(found[5], None);
    assert_eq!(root(&[("HF_HUB_CACHE", ""), ("HOME", "/u")]).unwrap(), "/u/.cache/huggingface/hub");
}

#[test]
fn a_name_is_a_folder_of_the_cache() {
    let place = Place::new();
    let model = place.model("org/name", &WHOLE);
    for name in ["org/name", "org/name@main", &format!("org/name@{COMMIT}")] {
        assert_eq!(place.found(name).unwrap(), model.snapshot(COMMIT));
    }
    fs::create_dir_all(model.reference("refs/pr")).unwrap();
    fs::create_dir_all(model.snapshot(OTHER)).unwrap();
    for file in WHOLE {
        fs::write(model.snapshot(OTHER).join(file), "{\"model_type\":\"bert\"}").unwrap();
    }
    fs::write(model.reference("refs/pr/3"), format!("{OTHER}\n")).unwrap();
    assert_eq!(place.found("org/name@refs/pr/3").unwrap(), model.snapshot(OTHER));
    assert_eq!(place.found(model.folder()).unwrap(), model.snapshot(COMMIT), "the folder of the model itself");
    assert_eq!(place.found(model.snapshot(OTHER).as_path()).unwrap(), model.snapshot(OTHER));
    let old = place.model("bert-base-uncased", &WHOLE);
    assert_eq!(place.found("bert-base-uncased").unwrap(), old.snapshot(COMMIT));
}

#[test]
fn a_path_that_is_there_comes_first() {
    let place = Place::new();
    place.model("src/hub_cache", &WHOLE);
    assert_eq!(place.found("src/hub_cache").unwrap(), Path::new("src/hub_cache"));
    place.model("src/lib.rs", &WHOLE);
    assert_eq!(place.found("src/lib.rs").unwrap(), Path::new("src/lib.rs"), "whoever reads it says what it is");
    for path in ["no/such/folder", "../x", "/no/such", "./org/name"] {
        assert_eq!(place.found(path).unwrap(), Path::new(path));
    }
}

#[test]
fn what_is_missing_is_said_with_the_command_that_fetches_it() {
    let place = Place::new();
    let told = |name: &str, parts: &[&str]| {
        let message = place.found(name).unwrap_err();
        assert!(!message.contains('\n') && parts.iter().all(|part| message.contains(part)), "{message}");
    };
    told("org/name", &["org/name: is no folder", "hub)", "`pellucid pull org/name` fetches it"]);
    let model = place.model("org/name", &["config.json"]);
    told("org/name", &["has no weights of it", "`pellucid pull org/name`"]);
    told("org/name@v1", &["has no revision v1", "`pellucid pull org/name --revision v1`"]);
    told(&format!("org/name@{OTHER}"), &["has no revision fedc"]);
    fs::write(model.reference("main"), OTHER).unwrap();
    told("org/name", &["has no revision main"]);
    for text in ["../../../elsewhere", "", &"0".repeat(5000)] {
        fs::write(model.reference("main"), text).unwrap();
        told("org/name", &["refs/main: "]);
    }
    place.model("org/other", &["config.json", "model.safetensors"]);
    fs::remove_file(place.model("org/broken", &WHOLE).blobs().join("0")).unwrap();
    told("org/broken", &["has no config.json of it"]);
    let message = folder_of(&"org/name".into(), None).unwrap_err().to_string();
    assert!(message.contains("no Hugging Face cache"), "{message}");
}

#[test]
fn a_file_that_a_snapshot_lacks_is_named_with_the_command_that_fetches_it() {
    let place = Place::new();
    let index = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    let pickles = r#"{"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}}"#;
    let modules = r#"[{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]"#;
    let texts = [
        ("model.safetensors.index.json", index),
        ("pytorch_model.bin.index.json", pickles),
        ("modules.json", modules),
        ("1_Pooling/config.json", "{}"),
    ];
    let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    let (json, tokenizer, shards) = ("config.json", "tokenizer.json", "model.safetensors.index.json");
    for (number, (files, lacking)) in [
        (vec![tokenizer, "model.safetensors"], "config.json"),
        (vec![json, tokenizer], "weights"),
        (vec![json, tokenizer, shards, first], second),
        (vec![json, tokenizer, shards, first, second], ""),
        (vec![json, tokenizer, shards, "model.safetensors"], ""),
        (vec![json, "vocab.txt", "pytorch_model.bin.index.json"], "pytorch_model-00001-of-00001.bin"),
        (vec![json, "model.safetensors", "tokenizer_config.json"], "tokenizer"),
        (vec![json, "model.safetensors", "vocab.json"], "merges.txt"),
        (vec![json, "model.safetensors", "vocab.json", "merges.txt"], ""),
        (vec![json, "model.safetensors", tokenizer, "modules.json"], "1_Pooling/config.json"),
        (vec![json, "model.safetensors", tokenizer, "modules.json", "1_Pooling/config.json"], ""),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("org/name-{number}");
        let model = place.model(&name, &[]);
        fs::create_dir(model.snapshot(COMMIT).join("1_Pooling")).unwrap();
        for file in &files {
            let text = texts.iter().find(|(name, _)| name == file).map_or(r#"{"model_type":"bert"}"#, |(_, text)| text);
            fs::write(model.snapshot(COMMIT).join(file), text).unwrap();
        }
        for source in [ModelSource::from(name.as_str()), ModelSource::from(model.folder())] {
            let found = place.found(source);
            let snapshot = model.snapshot(COMMIT);
            let expected = format!(
                "{name}: the Hugging Face cache has no {lacking} of it ({}); `pellucid pull {name}` fetches what is missing",
                snapshot.display()
            );
            assert_eq!(found, if lacking.is_empty() { Ok(snapshot) } else { Err(expected) }, "{files:?}");
        }
    }
}

#[test]
fn a_snapshot_that_is_named_by_its_path_says_what_fetches_it() {
    let place = Place::new();
    let model = place.model("org/name", &["config.json"]);
    let snapshot = model.snapshot(COMMIT);
    let command = format!("; `pellucid pull org/name --revision {COMMIT}` fetches it into the Hugging Face cache");
    let refused = || ModelWeights::open(&snapshot).unwrap_err().to_string();
    assert!(refused().ends_with(&format!("has no model.safetensors{command}")), "{}", refused());
    fs::write(snapshot.join("model.safetensors.index.json"), r#"{"weight_map":{"a":"a.safetensors"}}"#).unwrap();
    let expected = format!("a.safetensors: is missing, but model.safetensors.index.json names it{command}");
    assert!(refused().ends_with(&expected), "{}", refused());
    assert!(without_tokenizer(&snapshot).ends_with(&format!("to make it of{command}")));
    assert!(without_tokenizer(place.folder.path()).ends_with("to make it of"));
}

#[test]
fn what_was_made_of_an_old_layout_is_found_beside_it() {
    let place = Place::new();
    let model = place.model("org/old", &["config.json", "pytorch_model.bin", "vocab.txt"]);
    assert_eq!(place.found("org/old").unwrap(), model.snapshot(COMMIT), "whoever reads it says how it is imported");
    fs::create_dir_all(model.imported(COMMIT)).unwrap();
    assert_eq!(place.found("org/old").unwrap(), model.snapshot(COMMIT), "it is not this program's");
    fs::write(model.imported(COMMIT).join("pellucid.json"), r#"{"written_by":"pellucid 0.1.0"}"#).unwrap();
    assert_eq!(place.found("org/old").unwrap(), model.imported(COMMIT));
    assert_eq!(place.found(model.folder()).unwrap(), model.imported(COMMIT));
    assert_eq!(place.found(model.snapshot(COMMIT).as_path()).unwrap(), model.snapshot(COMMIT), "a path is a path");
}
