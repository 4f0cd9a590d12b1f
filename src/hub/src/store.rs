//! The cache as `huggingface_hub` lays it out: contents by their hashes, links to them for each commit, the commits of
//! branches, and locks that keep two programs from fetching the same thing.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_files::temporary::made_beside;
use pellucid_files::whole::{Draft, Readers, sync_folder};
use pellucid_intake::hub_cache::{CachedModel, HubCache};
use pellucid_protocol::settings::HubName;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open, statvfs};

use crate::client::Client;
use crate::download::{download, is_whole, partial_of};
use crate::error::PullError;
use crate::listing::Commit;
use crate::progress::Progress;
use crate::remote_file::RemoteFile;

/// Bytes of the file that says at which commit a branch is, at most.
const LONGEST_REFERENCE: u64 = 1024;

/// What a model has in the cache.
pub(crate) struct Store {
    model: CachedModel,
    locks: PathBuf,
}

/// Whether a file had to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Fetched,
    Before,
}

impl Store {
    /// The place of a model, which is made.
    pub(crate) fn of(cache: &HubCache, name: &HubName) -> Result<Self, PullError> {
        let model = cache.model(name);
        let locks = cache.root().join(".locks").join(model.folder().file_name().unwrap_or_default());
        for folder in [&locks, &model.blobs()] {
            fs::create_dir_all(folder).map_err(|error| PullError::io(folder, error))?;
        }
        Ok(Self { model, locks })
    }

    /// The model.
    pub(crate) fn model(&self) -> &CachedModel {
        &self.model
    }

    fn blob(&self, file: &RemoteFile) -> PathBuf {
        self.model.blobs().join(file.hash.digits())
    }

    /// Bytes of `file` that are still to come, as far as sizes tell.
    pub(crate) fn missing(&self, file: &RemoteFile) -> u64 {
        let length = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
        let blob = self.blob(file);
        if length(&blob) == file.size { 0 } else { file.size.saturating_sub(length(&partial_of(&blob))) }
    }

    /// Refuses to fetch more than fits on the disk.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), PullError> {
        let blobs = self.model.blobs();
        let disk = statvfs(&blobs).map_err(|error| PullError::io(&blobs, error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if bytes <= free {
            return Ok(());
        }
        Err(PullError::told(
            blobs.display(),
            format!("{bytes} bytes are to be fetched, and {free} are free on the disk"),
        ))
    }

    /// Fetches `file`, if its content is not there, and links to it from the files of `commit`.
    pub(crate) fn fetch(
        &self,
        client: &Client,
        file: &RemoteFile,
        commit: &Commit,
        progress: &mut dyn Progress,
    ) -> Result<Stored, PullError> {
        let blob = self.blob(file);
        let told = |error| PullError::io(&blob, error);
        let _lock = self.lock(file, progress)?;
        let stored = if is_whole(&blob, file).map_err(told)? {
            Stored::Before
        } else {
            if blob.symlink_metadata().is_ok() {
                progress.note(&format!("{}: the file in the cache is damaged; it is fetched anew", file.name));
                fs::remove_file(&blob).map_err(told)?;
            }
            progress.file(&file.name);
            let partial = partial_of(&blob);
            let failed = |why| PullError::told(format!("{}: {}", commit.repository, file.name), why);
            download(client, file, &partial, progress).map_err(failed)?;
            fs::rename(&partial, &blob).and_then(|()| sync_folder(&blob)).map_err(told)?;
            Stored::Fetched
        };
        self.link(file, &commit.hash)?;
        Ok(stored)
    }

    /// Waits until nobody else fetches `file`.
    fn lock(&self, file: &RemoteFile, progress: &mut dyn Progress) -> Result<File, PullError> {
        let path = self.locks.join(format!("{}.lock", file.hash.digits()));
        let told = |error: rustix::io::Errno| PullError::io(&path, error.into());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let lock = File::from(open(&path, flags, Mode::from_raw_mode(0o666)).map_err(told)?);
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(lock),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(told(error)),
        }
        progress.note(&format!("{}: another program fetches it; waiting", file.name));
        flock(&lock, FlockOperation::LockExclusive).map_err(told)?;
        Ok(lock)
    }

    /// Links to the content of `file` from the files of `commit`.
    fn link(&self, file: &RemoteFile, commit: &str) -> Result<(), PullError> {
        let path = self.model.snapshot(commit).join(&file.name);
        let told = |error: io::Error| PullError::io(&path, error);
        // Two folders up from the files of a commit, and one more for each folder in their names.
        let up = "../".repeat(2 + file.name.matches('/').count());
        let target = PathBuf::from(format!("{up}blobs/{}", file.hash.digits()));
        if fs::read_link(&path).is_ok_and(|found| found == target) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(told)?;
        let (fresh, ()) = made_beside(&path, |fresh| symlink(&target, fresh)).map_err(told)?;
        fs::rename(&fresh, &path).map_err(|error| {
            // It leads to the right file under a wrong name.
            let _ = fs::remove_file(&fresh);
            told(error)
        })
    }

    /// Says that `revision` is at `commit`.
    pub(crate) fn refer(&self, revision: &str, commit: &str) -> Result<(), PullError> {
        let path = self.model.reference(revision);
        let told = |error: io::Error| PullError::io(&path, error);
        if revision == commit || bounded::read(&path, LONGEST_REFERENCE).is_ok_and(|found| found == commit.as_bytes()) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(told)?;
        let mut draft = Draft::of(&path, Readers::Umask).map_err(told)?;
        io::Write::write_all(&mut draft, commit.as_bytes()).and_then(|()| draft.finish()).map_err(told)
    }
}
