//! Arguments that name runs, files and folders, and what a command that is given them may touch.

use std::path::{Path, PathBuf};

use crate::tree::{Change, How, Tree};

/// An argument, and what it means where it is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument {
    /// `HOME` in it stands for the folder that holds everything, and `ID` for the id of the run `beta`.
    pub(super) text: &'static str,
    pub(super) means: Means,
}

/// What an argument means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// Wrong: the command fails, and changes nothing.
    Refused,
    /// This run by its whole name or its folder.
    Run(&'static str),
    /// This run, in a way that is refused where something is removed.
    Loosely(&'static str),
    /// This run, in a way that may be refused.
    Perhaps(&'static str),
    /// A file that is not there or may be replaced.
    File(&'static str),
    /// Files that are not there yet, at or below this folder, whose permissions may change.
    New(&'static str),
    /// A folder that this program has written: all of it may be replaced.
    Own(&'static str),
    /// The pages of a report in this folder, where no link or folder is in their place.
    Pages(&'static str),
}

const fn to(text: &'static str, means: Means) -> Argument {
    Argument { text, means }
}

const fn no(text: &'static str) -> Argument {
    Argument { text, means: Means::Refused }
}

/// Names of runs, given beside `runs`.
pub(super) const RUNS: [Argument; 40] = [
    to("beta", Means::Run("beta")),
    to("alpha", Means::Run("alpha")),
    to("alpha-two", Means::Run("alpha-two")),
    to("alpha.old", Means::Run("alpha.old")),
    to("alpha.partial", Means::Run("alpha.partial")),
    to("runs/beta", Means::Run("beta")),
    to("./runs/alpha", Means::Run("alpha")),
    to("HOME/runs/beta", Means::Run("beta")),
    to("runs/beta/", Means::Perhaps("beta")),
    to("runs/beta/.", Means::Perhaps("beta")),
    to("runs/alpha/../beta", Means::Perhaps("beta")),
    to("ID", Means::Perhaps("beta")),
    to("bet", Means::Loosely("beta")),
    to("two", Means::Loosely("alpha-two")),
    to(".old", Means::Loosely("alpha.old")),
    to("partial", Means::Loosely("alpha.partial")),
    to("to-run", Means::Loosely("beta")),
    to("linked", Means::Loosely("beta")),
    to("runs/linked", Means::Loosely("beta")),
    to("runs/linked/", Means::Loosely("beta")),
    to("to-run/.", Means::Loosely("beta")),
    no(""),
    no("."),
    no(".."),
    no("./"),
    no("../"),
    no("/"),
    no("runs"),
    no("runs/"),
    no("runs/."),
    no("runs/alpha/.."),
    no(" "),
    no("alph"),
    no("BETA"),
    no("beta\n"),
    no("diary"),
    no("pictures"),
    no("runs/beta/events.jsonl"),
    no("runs/beta/checkpoints"),
    no("nothing"),
];

/// Names of runs, given inside the folder of the run `beta`.
pub(super) const INSIDE: [Argument; 5] =
    [no(""), no("."), no(".."), to("../beta", Means::Perhaps("beta")), to("HOME/runs/beta", Means::Run("beta"))];

/// Files to write, of a command whose inputs are `train.jsonl`, `model`, `theme.toml` and the run `beta`.
pub(super) const FILES: [Argument; 38] = [
    to("fresh.out", Means::File("fresh.out")),
    to("HOME/fresh.out", Means::File("fresh.out")),
    to("./fresh.out", Means::File("fresh.out")),
    to("runs/fresh.out", Means::File("runs/fresh.out")),
    to("fresh/fresh.out", Means::New("fresh")),
    to("diary", Means::File("diary")),
    to("diary.partial", Means::File("diary.partial")),
    to("precious/diary", Means::File("precious/diary")),
    to("to-folder/diary", Means::File("precious/diary")),
    to("same-data", Means::File("same-data")),
    to("runs/beta/fresh.out", Means::File("runs/beta/fresh.out")),
    no("train.jsonl"),
    no("./train.jsonl"),
    no("model/../train.jsonl"),
    no("HOME/train.jsonl"),
    no("to-data"),
    no("to-file"),
    no("to-nothing"),
    no("to-folder"),
    no("to-run"),
    no("pipe"),
    no("empty"),
    no("precious"),
    no("precious/report.html"),
    no("model"),
    no("model/config.json"),
    no("model/model.safetensors"),
    no("model/tokenizer.json"),
    no("runs/beta"),
    no("runs/beta/events.jsonl"),
    no("runs/beta/samples.jsonl"),
    no("to-run/events.jsonl"),
    no("theme.toml"),
    no(""),
    no("."),
    no(".."),
    no("fresh.out/"),
    no("train.jsonl/fresh.out"),
];

/// Folders for the pages of a report.
pub(super) const PAGES: [Argument; 16] = [
    to("fresh", Means::New("fresh")),
    to("empty", Means::Pages("empty")),
    to("empty/", Means::Pages("empty")),
    to("HOME/empty", Means::Pages("empty")),
    to("precious", Means::Pages("precious")),
    to("to-folder", Means::Pages("precious")),
    to("runs/beta", Means::Pages("runs/beta")),
    to("runs/alpha", Means::Pages("runs/alpha")),
    to("model", Means::Pages("model")),
    to(".", Means::Pages("")),
    to("", Means::Pages("")),
    no("diary"),
    no("train.jsonl"),
    no("to-file"),
    no("to-nothing"),
    no("pipe"),
];

/// Folders for a new model, of a command whose input is `raw`, or `model` itself.
pub(super) const MODELS: [Argument; 26] = [
    to("fresh", Means::New("fresh")),
    to("fresh/", Means::New("fresh")),
    to("fresh/deeper", Means::New("fresh")),
    to("precious/fresh", Means::New("precious/fresh")),
    to("empty", Means::New("empty")),
    to("HOME/empty", Means::New("empty")),
    to("model", Means::Own("model")),
    to("HOME/model", Means::Own("model")),
    to("model/", Means::Own("model")),
    no("raw"),
    no("raw/."),
    no("precious"),
    no("precious/"),
    no("HOME/precious"),
    no("to-folder"),
    no("to-nothing"),
    no("to-file"),
    no("diary"),
    no("texts.txt"),
    no("pipe"),
    no("runs"),
    no("runs/beta"),
    no("runs/pictures"),
    no(""),
    no("."),
    no(".."),
];

/// Folders for runs, or for one run.
pub(super) const FOLDERS: [Argument; 17] = [
    to("fresh", Means::New("fresh")),
    to("fresh/deeper", Means::New("fresh")),
    to("runs/fresh", Means::New("runs/fresh")),
    to("HOME/fresh", Means::New("fresh")),
    to("empty", Means::New("empty")),
    to("precious", Means::New("precious")),
    to("half", Means::New("half")),
    to("linked", Means::New("linked")),
    no("to-nothing"),
    no("to-file"),
    no("diary"),
    no("train.jsonl"),
    no("pipe"),
    no("raw/config.json"),
    no("diary/fresh"),
    no(""),
    no("/dev/null"),
];

/// What a command may touch.
#[derive(Debug, Clone, Default)]
pub(super) struct May {
    pub(super) allowed: Vec<Means>,
    /// Whether exit code 0 is wrong.
    pub(super) must_refuse: bool,
    /// Whether a failure must leave everything as it was.
    pub(super) is_all_or_nothing: bool,
}

impl May {
    pub(super) fn allows(&self, change: &Change, before: &Tree) -> bool {
        self.allowed.iter().any(|means| means.allows(change, before))
    }
}

impl Means {
    fn allows(self, change: &Change, before: &Tree) -> bool {
        let path = change.path.as_path();
        let is_replaced = || change.how == How::Made || (change.how == How::Changed && before.is_file(path));
        match self {
            Means::Refused => false,
            Means::Run(run) | Means::Loosely(run) | Means::Perhaps(run) => {
                let folder = PathBuf::from("runs").join(run);
                path.starts_with(folder) && !path.ends_with("diary")
            }
            Means::File(file) => path == Path::new(file) && is_replaced(),
            Means::New(folder) => {
                path.starts_with(folder)
                    && (change.how == How::Made || (path == Path::new(folder) && change.how == How::Changed))
            }
            Means::Own(folder) => path.starts_with(folder),
            Means::Pages(folder) => {
                ["report.html", "report.md"].iter().any(|page| path == Path::new(folder).join(page)) && is_replaced()
            }
        }
    }
}
