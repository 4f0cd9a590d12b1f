//! The teacher's answers on disk, for later runs on the same examples, under a hash of everything that they depend on.
//!
//! The last bit of a logit depends on the texts in the same batch and on the number of threads. So how batches are made is
//! part of the hash: a run that finds answers has the same numbers as a run without them.

use std::fs;
use std::path::{Path, PathBuf};

use pellucid_files::regular;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::weights::ModelWeights;
use sha2::{Digest, Sha256};
use tch::Tensor;

use super::Answers;
use crate::data::tokens::{TokenSource, Tokens};
use crate::model::weights::tensor_file;

/// How this program computes logits. It changes where the last bit of a logit does.
const COMPUTED: &[u8] = b"matrix products by oneDNN";

/// The file of one teacher's answers to one set of examples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeacherCache {
    path: PathBuf,
}

/// The files of a teacher's folder on which its answers depend.
fn files(teacher: &Path) -> Option<Vec<PathBuf>> {
    let weights = ModelWeights::open(teacher).ok()?;
    Some(std::iter::once(ConfigFile::path(teacher)).chain(weights.files().map(Path::to_owned)).collect())
}

impl TeacherCache {
    /// The file in `folder` for the answers of the model in `teacher` to `tokens`. `how` says how they are computed: the order
    /// of classes, how batches are made, the device. `None` if the teacher cannot be read any more.
    #[must_use]
    pub fn new(folder: &Path, teacher: &Path, tokens: &Tokens, how: &str) -> Option<Self> {
        let mut hash = Sha256::new();
        hash.update((how.len() as u64).to_le_bytes());
        hash.update(how);
        hash.update(COMPUTED);
        for file in files(teacher)? {
            let mut file = regular::open_named(&file).ok()?;
            hash.update(file.metadata().ok()?.len().to_le_bytes());
            std::io::copy(&mut file, &mut hash).ok()?;
        }
        for row in (0..tokens.count()).map(|text| tokens.row(text)) {
            hash.update((row.ids.len() as u64).to_le_bytes());
            row.ids.iter().chain(&row.types).for_each(|id| hash.update(id.to_le_bytes()));
        }
        let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Some(Self { path: folder.join(format!("{name}.safetensors")) })
    }

    /// The folder for a user's caches: `$XDG_CACHE_HOME/pellucid/teacher`, or below `~/.cache`.
    #[must_use]
    pub fn folder() -> Option<PathBuf> {
        let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        Some(own.or_else(home)?.join("pellucid/teacher"))
    }

    /// Takes over the answers that are there. A damaged file counts as none.
    pub fn fill(&self, answers: &mut Answers) {
        if let Some((logits, known)) = self.read() {
            answers.restore(&logits, &known);
        }
    }

    /// Adds answers to those that are there. If the disk refuses, the run goes on.
    pub fn add(&self, answers: &Answers) {
        let (mut logits, mut known) = answers.state();
        if let Some((theirs, there)) = self.read()
            && theirs.size() == logits.size()
        {
            // [examples] -> [examples, 1]
            logits = theirs.where_self(&there.gt(0.0).unsqueeze(1), &logits);
            known = known.maximum(&there);
        }
        if let Some(folder) = self.path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let _ = tensor_file::write(&self.path, &[("logits", &logits), ("known", &known)], "");
    }

    fn read(&self) -> Option<(Tensor, Tensor)> {
        let (mut tensors, _) = tensor_file::read(&self.path).ok()?;
        Some((tensors.remove("logits")?, tensors.remove("known")?))
    }
}
