//! What can lie in a folder that no program of ours has put there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::tree::{Tree, clear, make_pipe};

/// Something planted at a place.
#[derive(Debug, Clone)]
pub(super) struct Plant {
    /// The place, relative to the folder that is planted.
    at: PathBuf,
    what: What,
}

/// What is planted. A link out leads to what a run or a model of its own has at the same place, so that it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    LinkOut,
    LinkToNothing,
    LinkToPipe,
    LinkToItself,
    LinkUp,
    LinkInside,
    Pipe,
    Socket,
    EmptyFolder,
    FolderOfSomebody,
    EmptyFile,
    Nothing,
    FileOfSomebody,
    Garbage,
    Half,
    Closed,
}

/// Those twice that are the most dangerous.
const ALL: [What; 19] = [
    What::LinkOut,
    What::LinkOut,
    What::LinkToNothing,
    What::LinkToPipe,
    What::LinkToPipe,
    What::LinkToItself,
    What::LinkUp,
    What::LinkInside,
    What::Pipe,
    What::Pipe,
    What::Socket,
    What::EmptyFolder,
    What::FolderOfSomebody,
    What::EmptyFile,
    What::Nothing,
    What::FileOfSomebody,
    What::Garbage,
    What::Half,
    What::Closed,
];

/// Names that a run or a model may have, or that somebody may give to what is theirs.
const NAMES: [&str; 39] = [
    ".run.toml.pellucid-0123456789abcdef",
    "checkpoints/.step-000210.pellucid-0123456789abcdef",
    "checkpoints/step-000140/pellucid.json",
    "view.toml",
    "view.toml.partial",
    "worker.sock",
    "worker.log",
    "worker.json",
    "worker.json.partial",
    "worker.lock",
    "events.columns",
    "events.jsonl.partial",
    "run.toml.partial",
    "samples.jsonl.partial",
    "report.html",
    "report.md",
    "report.html.partial",
    "notes.txt",
    "events.jsonl.old",
    "deep/er/still/notes.txt",
    "predictions/notes.txt",
    "predictions/step-000210.jsonl",
    "predictions/step-000210.jsonl.partial",
    "checkpoints/notes.txt",
    "checkpoints/best.partial",
    "checkpoints/last.partial",
    "checkpoints/step-000210",
    "checkpoints/step-000210.partial",
    "checkpoints/step-000210.old",
    "checkpoints/step-000070.old",
    "checkpoints/step-000140.aside",
    "checkpoints/step-000280",
    "checkpoints/step-000140/requested",
    "checkpoints/step-000140/notes.txt",
    "checkpoints/step-000070/requested",
    "checkpoints/step-000140/vocab.txt",
    "checkpoints/step-000140/tokenizer_config.json",
    "checkpoints/step-000140/model.safetensors.index.json",
    "checkpoints/step-000140/trainer.safetensors.partial",
];
const MODEL_NAMES: [&str; 9] = [
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "notes.txt",
];

/// What stands in every file of somebody.
const PRECIOUS: &str = "somebody's, and not to be lost";

/// The folder in which something is planted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Soil<'a> {
    /// The folder.
    pub(super) folder: &'a Path,
    /// A whole copy of it outside, where links lead.
    pub(super) outside: &'a Path,
}

impl Plant {
    /// Something at a place that `known` has, or at one that it might have.
    pub(super) fn draw(known: &Tree, random: &mut ChaCha8Rng) -> Self {
        let there: Vec<PathBuf> = known.paths().map(Path::to_owned).collect();
        let is_run = there.iter().any(|path| path.ends_with("events.jsonl"));
        let new = if is_run { &NAMES[..] } else { &MODEL_NAMES }.iter().map(PathBuf::from);
        // What every command opens lies at the top; without a preference most plants would lie where few look.
        let at: Vec<PathBuf> = match random.random_range(0..100) {
            0..40 => there.into_iter().chain(new).filter(|path| path.iter().count() == 1).collect(),
            40..75 => there,
            _ => new.collect(),
        };
        let at = at.choose(random).cloned();
        Self { at: at.unwrap(), what: *ALL.choose(random).unwrap() }
    }

    /// A place where nothing is any more.
    pub(super) fn without(at: &str) -> Self {
        Self { at: PathBuf::from(at), what: What::Nothing }
    }

    /// Puts it there, and whatever folders it needs.
    pub(super) fn put(&self, soil: Soil<'_>) {
        let path = soil.folder.join(&self.at);
        // Whatever an earlier plant has closed or turned into a link is left alone: nothing is planted outside.
        let parent = path.parent().unwrap();
        let inside = |folder: &Path| folder.canonicalize().is_ok_and(|real| real.starts_with(soil.folder));
        if parent.exists() && !inside(parent) || fs::create_dir_all(parent).is_err() || !inside(parent) {
            return;
        }
        let content = if path.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        if self.what != What::Closed && self.what != What::Half {
            clear(&path);
        }
        self.make(&path, &content, soil.outside);
    }

    fn make(&self, path: &Path, content: &[u8], outside: &Path) {
        let link = |target: &Path| symlink(target, path).unwrap();
        match self.what {
            What::LinkOut => {
                let same = outside.join(&self.at);
                link(&if same.exists() { same } else { outside.join("../precious") });
            }
            What::LinkToNothing => link(&outside.join("not-there")),
            What::LinkToPipe => link(&outside.join("../pipe")),
            What::LinkToItself => link(Path::new(path.file_name().unwrap())),
            What::LinkUp => link(Path::new("..")),
            What::LinkInside => link(Path::new("checkpoints/step-000070/config.json")),
            What::Pipe => make_pipe(path),
            What::Socket => {
                // The path of a socket is short, that of a file may be longer.
                if UnixListener::bind(path).is_err() {
                    make_pipe(path);
                }
            }
            What::EmptyFolder => fs::create_dir(path).unwrap(),
            What::FolderOfSomebody => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("precious"), PRECIOUS).unwrap();
            }
            What::EmptyFile => fs::write(path, "").unwrap(),
            What::Nothing => {}
            What::FileOfSomebody => fs::write(path, PRECIOUS).unwrap(),
            What::Garbage => fs::write(path, b"{\"time\":1,\"event\":\x00\xff[[[\n\n}{\"a\n").unwrap(),
            What::Half => {
                if path.is_file() {
                    fs::write(path, &content[..content.len() / 2]).unwrap();
                }
            }
            What::Closed => {
                if path.exists() && !path.is_symlink() {
                    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
                }
            }
        }
    }

    /// Whether it is what a kill can leave: a log that ends in the middle.
    pub(super) fn is_torn_log(&self) -> bool {
        self.what == What::Half && self.at.ends_with("events.jsonl")
    }

    /// What of it is somebody's whoever the folder belongs to, relative to the planted folder: a file in a folder of theirs,
    /// and whatever has a name that no run uses.
    pub(super) fn somebodys(&self) -> Option<PathBuf> {
        let is_theirs = self.at.ends_with("notes.txt") || self.at.ends_with("events.jsonl.old");
        match self.what {
            What::Nothing | What::Half | What::Closed => None,
            What::FolderOfSomebody => Some(self.at.join("precious")),
            _ => is_theirs.then(|| self.at.clone()),
        }
    }
}

impl std::fmt::Display for Plant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.what, self.at.display())
    }
}
