//! What a snapshot lacks of the files that a model is read from: some programs fetch only those that they need.

use std::path::Path;

use pellucid_files::weight_names::{INDEX, SINGLE};

use crate::model_folder::config::ConfigFile;
use crate::model_folder::old_layout::{PICKLES, VOCABULARIES, first_of};
use crate::model_folder::sentence::SentenceModel;
use crate::model_folder::weights::index::ShardIndex;

/// The only file of a module of sentence-transformers that is fetched.
const POOLING: &str = "1_Pooling/config.json";

/// What `snapshot` lacks, for people; `None` if nothing is known to be missing. Damage is for whoever reads the files.
pub(super) fn missing(snapshot: &Path) -> Option<String> {
    if !ConfigFile::path(snapshot).is_file() {
        return Some("config.json".to_owned());
    }
    of_weights(snapshot).or_else(|| of_tokenizer(snapshot)).or_else(|| of_pooling(snapshot))
}

fn of_weights(snapshot: &Path) -> Option<String> {
    if snapshot.join(SINGLE).is_file() {
        return None;
    }
    let index = snapshot.join(INDEX);
    if index.is_file() {
        return of_shards(snapshot, &index, ".safetensors");
    }
    match first_of(snapshot, PICKLES) {
        Some(index) if index.extension().is_some_and(|ending| ending == "json") => of_shards(snapshot, &index, ".bin"),
        Some(_) => None,
        None => Some("weights".to_owned()),
    }
}

/// The first file that `index` names and that is not there.
fn of_shards(snapshot: &Path, index: &Path, ending: &str) -> Option<String> {
    let index = ShardIndex::read(index, ending).ok()?;
    index.shards().find(|shard| !snapshot.join(shard).is_file()).map(str::to_owned)
}

fn of_tokenizer(snapshot: &Path) -> Option<String> {
    let has = |name: &str| snapshot.join(name).is_file();
    if has("tokenizer.json") {
        return None;
    }
    match first_of(snapshot, VOCABULARIES) {
        Some(vocabulary) if vocabulary.ends_with("vocab.json") && !has("merges.txt") => Some("merges.txt".to_owned()),
        Some(_) => None,
        None => Some("tokenizer".to_owned()),
    }
}

fn of_pooling(snapshot: &Path) -> Option<String> {
    let error = SentenceModel::of(snapshot).err()?;
    let is_missing = error.path() == snapshot.join(POOLING) && !error.path().is_file();
    is_missing.then(|| POOLING.to_owned())
}
