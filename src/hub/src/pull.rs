//! What is fetched of a model, and in which order: what is small first, then the weights, and when all is there the branch.

use std::path::PathBuf;

use pellucid_intake::hub_cache::CachedModel;
use pellucid_intake::model_folder::weights::index::ShardIndex;
use pellucid_protocol::settings::HubName;

use crate::client::Client;
use crate::error::PullError;
use crate::hub::Hub;
use crate::listing::{ADAPTER, Commit, INDEX, WEIGHTS, WeightFiles};
use crate::progress::Progress;
use crate::remote_file::RemoteFile;
use crate::store::{Store, Stored};

/// A model that is in the cache now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Where it is in the cache.
    pub model: CachedModel,
    /// The hash of its commit.
    pub commit: String,
    /// Its files.
    pub files: Vec<PulledFile>,
}

/// A file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledFile {
    /// Its path in the repository.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its hash, as it is called in the cache.
    pub hash: String,
    /// Whether it was there before, and only checked.
    pub was_there: bool,
}

impl Pulled {
    /// The folder with its files.
    #[must_use]
    pub fn snapshot(&self) -> PathBuf {
        self.model.snapshot(&self.commit)
    }
}

/// Fetches the model `name` into the cache of `hub`, as far as it is not there.
///
/// # Errors
/// When the Hub does not have it or does not show it, sends something else than it promises, or does not answer; and what
/// the file system says. What has come stays, and the next pull goes on from there.
pub fn pull(hub: &Hub, name: &HubName, progress: &mut dyn Progress) -> Result<Pulled, PullError> {
    let client = Client::new(hub);
    if let Some(warning) = hub.warning() {
        progress.note(&warning);
    }
    let told = |why: String| PullError::told(name, why);
    let commit = Commit::ask(&client, name, progress).map_err(told)?;
    if commit.has(ADAPTER) {
        progress.note(&format!("{ADAPTER} is not fetched: the model is, and no adapter of another one"));
    }
    let (beside, weights) = (commit.beside().map_err(told)?, commit.weights().map_err(told)?);
    let mut pull = Pull { client, store: Store::of(hub.cache(), name)?, commit, name, files: Vec::new() };
    pull.fetch(&beside, progress)?;
    match weights {
        WeightFiles::One(file) => pull.fetch(&[(file, WEIGHTS)], progress)?,
        WeightFiles::Several(index, ending) => {
            pull.fetch(&[(index, INDEX)], progress)?;
            let shards = pull.shards(index, ending)?;
            let shards: Vec<(&str, u64)> = shards.iter().map(|shard| (shard.as_str(), WEIGHTS)).collect();
            pull.fetch(&shards, progress)?;
        }
    }
    let Pull { store, commit, files, .. } = pull;
    store.refer(name.revision(), &commit.hash)?;
    Ok(Pulled { model: store.model().clone(), commit: commit.hash, files })
}

/// A pull under way.
struct Pull<'a> {
    client: Client,
    store: Store,
    commit: Commit,
    name: &'a HubName,
    files: Vec<PulledFile>,
}

impl Pull<'_> {
    /// Fetches these files, which have so many bytes at most.
    fn fetch(&mut self, wanted: &[(&str, u64)], progress: &mut dyn Progress) -> Result<(), PullError> {
        let mut files = Vec::new();
        for (name, limit) in wanted {
            let file = RemoteFile::ask(&self.client, &self.commit, (name, *limit), progress);
            files.push(file.map_err(|why| PullError::told(format!("{}: {name}", self.name), why))?);
        }
        let missing = |file: &RemoteFile| self.store.missing(file);
        self.store.check_room(files.iter().map(missing).fold(0, u64::saturating_add))?;
        files.iter().filter(|file| missing(file) > 0).for_each(|file| progress.expect(file.size));
        for file in &files {
            let stored = self.store.fetch(&self.client, file, &self.commit, progress)?;
            self.files.push(PulledFile {
                name: file.name.clone(),
                bytes: file.size,
                hash: file.hash.digits().to_owned(),
                was_there: stored == Stored::Before,
            });
        }
        Ok(())
    }

    /// The files that an index names; the repository must have them.
    fn shards(&self, index: &str, ending: &str) -> Result<Vec<String>, PullError> {
        let path = self.store.model().snapshot(&self.commit.hash).join(index);
        let shards: Vec<String> = ShardIndex::read(&path, ending)?.shards().map(str::to_owned).collect();
        match shards.iter().find(|shard| !self.commit.has(shard)) {
            Some(shard) => {
                Err(PullError::told(self.name, format!("{index} names {shard}, which the model does not have")))
            }
            None => Ok(shards),
        }
    }
}
