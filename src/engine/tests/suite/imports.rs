//! The tokenizers that `pellucid import` makes, and transformers as well, give the token ids of transformers; see
//! tests/golden/make_imports.py.

use std::fs;
use std::path::Path;

use pellucid_engine::data::tokenise::TextEncoder;
use serde_json::Value;

#[test]
fn converted_tokenizers_give_the_ids_of_transformers() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/imports");
    let folders: Vec<_> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(folders.len() >= 24, "golden files are missing");
    for folder in folders {
        let expected: Value = serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
        let texts: Vec<(String, Option<String>)> = serde_json::from_value(expected["texts"].clone()).unwrap();
        let ids: Vec<Vec<i64>> = serde_json::from_value(expected["ids"].clone()).unwrap();
        let encoder = TextEncoder::load(&folder, 512).unwrap();
        let texts: Vec<_> = texts.iter().map(|(text, pair)| (text.as_str(), pair.as_deref())).collect();
        let found: Vec<Vec<i64>> = encoder.encode(&texts).unwrap().into_iter().map(|encoded| encoded.ids).collect();
        assert_eq!(found, ids, "{}", folder.display());
    }
}
