//! The Hugging Face cache: where it is, how it is laid out, and which folder in it a name stands for. Nothing is fetched
//! and nothing written here.
//!
//! ```text
//! models--ORG--NAME/
//!   refs/REVISION          the commit that a branch or tag was at
//!   snapshots/COMMIT/      the files of a commit, as links
//!   blobs/                 what these lead to
//!   pellucid/COMMIT/       the model folder that was made of a commit in an old layout
//! ```

mod missing;

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_protocol::settings::{HubName, ModelSource, is_commit};

use self::missing::missing;
use crate::error::{Error, Result};
use crate::hub_snapshot::{self, MODELS, pull_command};
use crate::model_folder::config::ConfigFile;
use crate::model_folder::provenance::Provenance;
use crate::model_folder::weights::ModelWeights;

/// Bytes of a file in `refs` at most: a hash and a line break.
const LONGEST_REF: u64 = 100;

/// A Hugging Face cache, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubCache {
    root: PathBuf,
}

impl HubCache {
    /// The cache that the environment names, as `huggingface_hub` finds it; `None` if there is not even a home.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        Self::of(|name| env::var_os(name))
    }

    /// As [`HubCache::of_user`], in the environment `var`.
    pub fn of(var: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let named = |name| var(name).filter(|value| !value.is_empty()).map(|path| expanded(path, &var));
        let root = named("HF_HUB_CACHE").or_else(|| named("HUGGINGFACE_HUB_CACHE"));
        root.or_else(|| Some(home(&var)?.join("hub"))).map(Self::at)
    }

    /// The cache in the folder `root`.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What it has of the repository `ORG/NAME`, whose name has been checked.
    #[must_use]
    pub fn model(&self, name: &HubName) -> CachedModel {
        CachedModel { folder: self.root.join(format!("{MODELS}{}", name.repository().replace('/', "--"))) }
    }
}

/// Where the programs of Hugging Face keep what they keep: the cache and the token.
pub fn home(var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name| var(name).filter(|value| !value.is_empty()).map(|path| expanded(path, &var));
    let caches = || named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    named("HF_HOME").or_else(|| Some(caches()?.join("huggingface")))
}

/// A path that begins with `~/` taken from the home of the user.
fn expanded(path: OsString, var: &impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let path = PathBuf::from(path);
    match (path.strip_prefix("~"), var("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path,
    }
}

/// A model in a Hugging Face cache: its folder `models--ORG--NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedModel {
    folder: PathBuf,
}

impl CachedModel {
    /// The one whose folder is `folder`, if that is the folder of one.
    fn at(folder: &Path) -> Option<Self> {
        // A path as `.` has no name of its own.
        let name = folder.canonicalize().ok()?.file_name()?.to_str()?.starts_with(MODELS);
        (name && folder.join("snapshots").is_dir()).then(|| Self { folder: folder.to_owned() })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the contents of files are, by their hashes.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Where the commit of a branch or tag is kept.
    #[must_use]
    pub fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }

    /// The files of a commit.
    #[must_use]
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The model folder that is made of a commit in an old layout. Other programs do not look at it, and whoever removes the
    /// model from the cache removes it as well.
    #[must_use]
    pub fn imported(&self, commit: &str) -> PathBuf {
        self.folder.join("pellucid").join(commit)
    }

    /// The commit that `revision` was at when it was fetched; `None` if it never was.
    ///
    /// # Errors
    /// When the file that says it cannot be read or holds something else.
    pub fn commit(&self, revision: &str) -> Result<Option<String>> {
        if is_commit(revision) {
            return Ok(self.snapshot(revision).is_dir().then(|| revision.to_owned()));
        }
        let path = self.reference(revision);
        let text = match bounded::read_text(&path, LONGEST_REF) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(&path, error)),
        };
        let commit = text.trim();
        if !is_commit(commit) {
            return Err(Error::file(&path, "does not hold the hash of a commit; remove it and fetch the model again"));
        }
        Ok(self.snapshot(commit).is_dir().then(|| commit.to_owned()))
    }

    /// As [`CachedModel::readable`], if the model that is called `name` is there whole.
    fn whole(&self, commit: &str, name: Option<&HubName>) -> Result<PathBuf> {
        let (folder, snapshot) = (self.readable(commit), self.snapshot(commit));
        let lacking = missing(&snapshot).filter(|_| folder == snapshot);
        let Some((what, name)) = lacking.zip(name) else { return Ok(folder) };
        let (command, snapshot) = (pull_command(name), snapshot.display());
        let why = format!("the Hugging Face cache has no {what} of it ({snapshot}); {command} fetches what is missing");
        Err(Error::file(Path::new(&name.to_string()), why))
    }

    /// The folder to read for a commit: its snapshot or, where that is in an old layout, what was made of it.
    fn readable(&self, commit: &str) -> PathBuf {
        let (snapshot, imported) = (self.snapshot(commit), self.imported(commit));
        let is_own = || Provenance::of(&imported).ok().flatten().is_some_and(|said| said.is_own());
        if needs_import(&snapshot) && is_own() { imported } else { snapshot }
    }
}

/// Whether `folder` has to be imported before it is read: it has no weights or no tokenizer of today, or does not say of
/// which family it is.
#[must_use]
pub fn needs_import(folder: &Path) -> bool {
    let is_unnamed = || ConfigFile::load(folder).is_ok_and(|config| config.family().is_none());
    !ModelWeights::are_in(folder) || !folder.join("tokenizer.json").is_file() || is_unnamed()
}

/// The model folder that `source` stands for: a folder of that path, else the model of that name in `cache`. The folder of
/// a model in a cache stands for its `main` revision. What is neither a folder nor a name stays as it is: whoever reads it
/// says what is wrong with it.
///
/// # Errors
/// When there is no such folder and the cache does not have the model, in one line with the command that fetches it.
pub fn folder_of(source: &ModelSource, cache: Option<&HubCache>) -> Result<PathBuf> {
    let path = source.path();
    if path.is_dir() {
        return CachedModel::at(path).map_or_else(|| Ok(path.to_owned()), |model| main_of(&model, cache));
    }
    match source.name().filter(|_| path.symlink_metadata().is_err()) {
        Some(name) => named(name, cache),
        None => Ok(path.to_owned()),
    }
}

fn main_of(model: &CachedModel, cache: Option<&HubCache>) -> Result<PathBuf> {
    let told = "has no files of the revision main; name a folder in its snapshots";
    let commit = model.commit("main")?.ok_or_else(|| Error::file(model.folder(), told))?;
    // What is fetched comes into the cache alone.
    let name = hub_snapshot::repository(model.folder()).filter(|name| {
        let place = cache.and_then(|cache| cache.model(name).folder().canonicalize().ok());
        place.is_some() && place == model.folder().canonicalize().ok()
    });
    model.whole(&commit, name.as_ref())
}

/// The folder of the model of this name.
fn named(name: &HubName, cache: Option<&HubCache>) -> Result<PathBuf> {
    let command = pull_command(name);
    let refused = |why: String| Err(Error::file(Path::new(&name.to_string()), why));
    let Some(cache) = cache else {
        return refused("is no folder, and without HOME or HF_HOME there is no Hugging Face cache".to_owned());
    };
    let (model, root) = (cache.model(name), cache.root().display());
    if !model.folder().is_dir() {
        return refused(format!("is no folder, and no model in the Hugging Face cache ({root}); {command} fetches it"));
    }
    let Some(commit) = model.commit(name.revision())? else {
        let revision = name.revision();
        return refused(format!(
            "the Hugging Face cache ({root}) has no revision {revision} of it; {command} fetches it"
        ));
    };
    model.whole(&commit, Some(name))
}

#[cfg(test)]
mod tests;
