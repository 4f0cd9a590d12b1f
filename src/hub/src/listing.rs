//! The files of a commit, and which of them are wanted: what a model folder is read from, and nothing else.

use pellucid_protocol::settings::{HubName, is_commit};
use serde::Deserialize;

use crate::address::{Slashes, escaped};
use crate::client::Client;
use crate::progress::Progress;

/// Bytes of a listing at most.
const LONGEST: u64 = 16 << 20;
/// Bytes of a file of settings, of a tokenizer, of an index and of weights at most.
pub(crate) const SMALL: u64 = 4 << 20;
pub(crate) const TOKENIZER: u64 = 64 << 20;
pub(crate) const INDEX: u64 = 32 << 20;
pub(crate) const WEIGHTS: u64 = 200 << 30;

/// The file that describes an adapter, which transformers with peft reads first.
pub(crate) const ADAPTER: &str = "adapter_config.json";
/// The file without which there is no model.
const CONFIG: &str = "config.json";

/// What is fetched beside the weights where it is there, and the bytes it has at most.
const BESIDE: &[(&str, u64)] = &[
    (CONFIG, SMALL),
    ("tokenizer_config.json", SMALL),
    ("special_tokens_map.json", SMALL),
    ("added_tokens.json", SMALL),
    ("tokenizer.json", TOKENIZER),
    ("vocab.txt", TOKENIZER),
    ("vocab.json", TOKENIZER),
    ("merges.txt", TOKENIZER),
    ("spm.model", TOKENIZER),
    ("spiece.model", TOKENIZER),
    ("sentencepiece.bpe.model", TOKENIZER),
    ("modules.json", SMALL),
    ("1_Pooling/config.json", SMALL),
];

/// Files with weights, in the order in which they are looked for: as a whole or as an index, and what their shards end with.
const WEIGHT_FILES: &[(&str, Option<&str>)] = &[
    ("model.safetensors", None),
    ("model.safetensors.index.json", Some(".safetensors")),
    ("pytorch_model.bin", None),
    ("pytorch_model.bin.index.json", Some(".bin")),
];

/// A commit of a repository, and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// `ORG/NAME`.
    pub(crate) repository: String,
    /// The hash.
    pub(crate) hash: String,
    /// The files, as the server names them.
    files: Vec<String>,
}

/// What the weights are fetched as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeightFiles {
    /// One file.
    One(&'static str),
    /// An index, and the files that it names, which end so.
    Several(&'static str, &'static str),
}

#[derive(Deserialize)]
struct Answer {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Commit {
    /// Asks the Hub which commit `name` is at.
    pub(crate) fn ask(client: &Client, name: &HubName, progress: &mut dyn Progress) -> Result<Self, String> {
        let revision = escaped(name.revision(), Slashes::Escaped);
        let address = client.address(&format!("/api/models/{}/revision/{revision}", name.repository()))?;
        let content = client.listing(&address, LONGEST, progress)?;
        let answer: Answer = serde_json::from_slice(&content).map_err(|error| {
            format!("{} does not answer as a Hub does ({error}); check HF_ENDPOINT", address.host())
        })?;
        if !is_commit(&answer.sha) || (is_commit(name.revision()) && answer.sha != name.revision()) {
            return Err(format!("{} names a commit that is none, or another one", address.host()));
        }
        let files = answer.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
        Ok(Self { repository: name.repository().to_owned(), hash: answer.sha, files })
    }

    /// Whether it has a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }

    /// The files beside the weights that are fetched, and the bytes they have at most.
    pub(crate) fn beside(&self) -> Result<Vec<(&'static str, u64)>, String> {
        if !self.has(CONFIG) {
            let adapter = if self.has(ADAPTER) { ": it is an adapter; pull the model that it adapts" } else { "" };
            return Err(format!("has no {CONFIG}, so it is no model that can be read{adapter}"));
        }
        Ok(BESIDE.iter().copied().filter(|(name, _)| self.has(name)).collect())
    }

    /// The weights that are fetched: safetensors where there are such.
    pub(crate) fn weights(&self) -> Result<WeightFiles, String> {
        let found = WEIGHT_FILES.iter().find(|(name, _)| self.has(name));
        match found.ok_or_else(|| self.no_weights())? {
            (name, None) => Ok(WeightFiles::One(name)),
            (name, Some(ending)) => Ok(WeightFiles::Several(name, ending)),
        }
    }

    fn no_weights(&self) -> String {
        let others = ["tf_model.h5", "flax_model.msgpack", "rust_model.ot"];
        let only = others.iter().find(|name| self.has(name)).map(|name| format!(", only {name}, which is not read"));
        let looked: Vec<&str> = WEIGHT_FILES.iter().map(|(name, _)| *name).collect();
        format!("has no weights: none of {}{}", looked.join(", "), only.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(files: &[&str]) -> Commit {
        let files = files.iter().map(|name| (*name).to_owned()).collect();
        Commit { repository: "a/b".to_owned(), hash: "0".repeat(40), files }
    }

    #[test]
    fn safetensors_come_before_pickles_and_other_frameworks_are_left_out() {
        let all = ["tf_model.h5", "pytorch_model.bin", "flax_model.msgpack", "rust_model.ot", "model.safetensors"];
        assert_eq!(commit(&all).weights(), Ok(WeightFiles::One("model.safetensors")));
        assert_eq!(commit(&all[..4]).weights(), Ok(WeightFiles::One("pytorch_model.bin")));
        let sharded = commit(&["pytorch_model.bin", "model.safetensors.index.json"]);
        assert_eq!(sharded.weights(), Ok(WeightFiles::Several("model.safetensors.index.json", ".safetensors")));
        assert!(commit(&["tf_model.h5"]).weights().unwrap_err().ends_with("only tf_model.h5, which is not read"));
    }

    #[test]
    fn only_what_a_model_folder_is_read_from_is_fetched() {
        let listed = [
            "README.md",
            "../../evil",
            "/etc/passwd",
            "config.json",
            "vocab.txt",
            "onnx/model.onnx",
            "1_Pooling/config.json",
        ];
        let names: Vec<&str> = commit(&listed).beside().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["config.json", "vocab.txt", "1_Pooling/config.json"]);
        assert!(commit(&["adapter_config.json"]).beside().unwrap_err().contains("it is an adapter"));
    }
}
