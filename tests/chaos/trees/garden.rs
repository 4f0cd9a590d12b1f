//! The folders of one try, with what is planted in them, and what may be left of them after a command.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::commands::{Ground, Success, Tried, Writes};
use super::plant::{Plant, Soil};
use crate::tree::{Change, How, Tree, clear, copy_tree, make_pipe};
use crate::trial::{Bench, Ending, first_letters};

/// A folder `work` with runs, a model and data, and with `guard`, to which links lead.
pub(super) struct Garden {
    root: PathBuf,
    bench: Bench,
    before: Tree,
}

/// What a command came to.
pub(super) struct Harvest {
    ending: Ending,
    /// The lines of the report that it wrote.
    report: BTreeSet<String>,
    /// What it trained.
    numbers: BTreeMap<u64, Value>,
    weights: Option<Vec<u8>>,
}

impl Ground {
    /// The folder from which that is copied which is planted.
    pub(super) fn seed(self) -> &'static str {
        match self {
            Ground::Ended => "runs/ended",
            Ground::Killed => "runs/killed",
            Ground::Leftover => "runs/other",
            Ground::Model => "model",
            Ground::Tuned => "tuned",
        }
    }

    /// The run that is beside.
    fn run(self) -> &'static str {
        if self.is_model() { "runs/killed" } else { self.seed() }
    }

    /// Where it is in a garden.
    fn place(self) -> &'static str {
        if self.is_model() { self.seed() } else { "runs/alpha" }
    }

    fn is_model(self) -> bool {
        matches!(self, Ground::Model | Ground::Tuned)
    }
}

impl Garden {
    /// A garden called `name` for a command, with these plants.
    pub(super) fn new(nursery: &Path, name: &str, tried: &Tried, plants: &[Plant]) -> Self {
        let (root, seedbed) = (nursery.join(name), nursery.join("seedbed"));
        clear(&root);
        let work = root.join("work");
        let alpha = tried.ground.run();
        for (from, to) in [
            (alpha, "runs/alpha"),
            ("runs/ended", "runs/beta"),
            ("model", "model"),
            ("tuned", "tuned"),
            (alpha, "guard/run"),
            ("model", "guard/model"),
            ("tuned", "guard/tuned"),
        ] {
            copy_tree(&seedbed.join(from), &work.join(to));
        }
        for file in ["train.jsonl", "valid.jsonl"] {
            fs::copy(seedbed.join(file), work.join(file)).unwrap();
        }
        fs::write(work.join("guard/precious"), "precious").unwrap();
        make_pipe(&work.join("guard/pipe"));
        fs::create_dir(work.join("out")).unwrap();
        // The run goes on from the model of this garden.
        let settings = work.join("runs/alpha/run.toml");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(settings, text.replace(&seedbed.display().to_string(), &work.display().to_string())).unwrap();
        let outside = work.join("guard").join(if tried.ground.is_model() { tried.ground.seed() } else { "run" });
        let soil = Soil { folder: &work.join(tried.ground.place()), outside: &outside };
        plants.iter().for_each(|plant| plant.put(soil));
        Self { before: Tree::of(&work), bench: Bench::new(&work, &root.join("aside")), root }
    }

    /// Removes the run.
    pub(super) fn clear_run(&self) {
        clear(&self.work().join("runs/alpha"));
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn work(&self) -> &Path {
        &self.bench.folder
    }

    /// Waits for all that the command has started.
    pub(super) fn wait(&self) {
        assert!(self.bench.wait_until_quiet(), "the worker of an intact run stays");
    }

    /// Gives the command this garden.
    pub(super) fn run(&self, tried: &Tried) -> Ending {
        let args = tried.arguments();
        let mut ending =
            if tried.needs_terminal() { self.bench.look(&args) } else { self.bench.run("pellucid", &args) };
        if tried.starts_worker() && !self.bench.wait_until_quiet() {
            ending.hung = true;
        }
        ending
    }

    /// Collects what the command came to.
    pub(super) fn harvest(&self, tried: &Tried, ending: Ending) -> Harvest {
        let page = if tried.writes == Writes::Out { "out/report.md" } else { "runs/alpha/report.md" };
        let report = if tried.success == Success::Reported { self.lines(page) } else { BTreeSet::new() };
        let (mut numbers, mut weights) = (BTreeMap::new(), None);
        if let (Success::Trained(run), true) = (tried.success, ending.is_success()) {
            let exported = self.bench.run("pellucid", &["export", run, "--format", "jsonl"].map(str::to_owned));
            numbers = exported.out.lines().filter_map(metrics).collect();
            weights = self.regular(&format!("runs/{run}/checkpoints/last/model.safetensors"));
        }
        let ending = Ending { out: self.general(&ending.out), err: self.general(&ending.err), ..ending };
        Harvest { ending, report, numbers, weights }
    }

    /// The bytes of a regular file.
    fn regular(&self, path: &str) -> Option<Vec<u8>> {
        let path = self.work().join(path);
        path.is_file().then(|| fs::read(path).unwrap_or_default())
    }

    fn lines(&self, path: &str) -> BTreeSet<String> {
        let text = String::from_utf8_lossy(&self.regular(path).unwrap_or_default()).into_owned();
        text.lines().map(|line| self.general(line)).collect()
    }

    /// A text without what differs between gardens.
    fn general(&self, text: &str) -> String {
        text.replace(&self.work().display().to_string(), "WORK")
    }

    /// What is wrong with what the command has done.
    pub(super) fn judge(&self, tried: &Tried, ending: Ending, intact: &Harvest, plants: &[Plant]) -> Vec<String> {
        let mut lost: Vec<String> = ending.wrong().into_iter().collect();
        if !self.bench.wait_until_quiet() {
            lost.push(format!("its worker stays; {}", first_letters(ending.last_line())));
        }
        let after = Tree::of(self.work());
        let changes = self.before.changes(&after);
        let is_aside = |change: &Change| {
            change.how == How::Gone && after.entry(&aside(&change.path)) == self.before.entry(&change.path)
        };
        let is_wrong = |change: &&Change| !self.may(tried, change, plants) && !is_aside(change);
        let forbidden: Vec<String> = changes.iter().filter(is_wrong).map(ToString::to_string).collect();
        if !forbidden.is_empty() {
            lost.push(format!("{} (exit code {:?})", forbidden[..forbidden.len().min(4)].join(", "), ending.code));
        }
        if lost.is_empty() {
            lost.extend(match ending.code {
                Some(0) => self
                    .not_a_success(tried, ending, intact, &changes)
                    .filter(|_| !plants.iter().any(Plant::is_torn_log)),
                _ => self.not_a_failure(tried, &ending),
            });
        }
        lost
    }

    /// Whether the command may change this.
    fn may(&self, tried: &Tried, change: &Change, plants: &[Plant]) -> bool {
        let path = &change.path;
        let somebodys =
            plants.iter().filter_map(Plant::somebodys).map(|theirs| Path::new(tried.ground.place()).join(theirs));
        if somebodys.into_iter().any(|theirs| path.starts_with(&theirs) && self.before.has(&theirs)) {
            return false;
        }
        match tried.writes {
            Writes::Nothing => false,
            Writes::Out => path.iter().next().is_some_and(|first| first.to_string_lossy().starts_with("out")),
            Writes::Report => {
                let is_page =
                    ["report.html", "report.md"].iter().any(|page| *path == Path::new("runs/alpha").join(page));
                is_page && (self.before.is_file(path) || !self.before.has(path))
            }
            Writes::Run => path.starts_with("runs/alpha"),
            Writes::NewRun => path.starts_with("runs/new"),
        }
    }

    /// Why exit code 0 is not what happened, if it is not.
    fn not_a_success(&self, tried: &Tried, ending: Ending, intact: &Harvest, changes: &[Change]) -> Option<String> {
        let before: BTreeSet<String> = intact.ending.err.lines().map(told).collect();
        let found = self.harvest(tried, ending);
        let said = found.ending.err.lines().map(told).any(|line| !before.contains(&line));
        let silent = |what: &str| (!said).then(|| format!("a success without a word, though {what}"));
        match tried.success {
            Success::Shown => None,
            Success::Never => Some("a success".to_owned()),
            Success::Printed if found.ending.out == intact.ending.out => None,
            Success::Printed => silent("it does not print what it prints of the intact folder"),
            Success::Listed if found.ending.out.contains("alpha") => None,
            // What has no log at all is no run.
            Success::Listed if !self.before.has(Path::new("runs/alpha/events.jsonl")) => None,
            Success::Listed => silent("the run is not listed"),
            Success::Reported if found.report.is_empty() => silent("there is no report"),
            Success::Reported => {
                let missing = intact.report.difference(&found.report).next();
                let is_instead = found.report.difference(&intact.report).next().is_some();
                missing.filter(|_| !is_instead).and_then(|line| silent(&format!("the report lacks `{line}`")))
            }
            Success::Removed => self.left(changes),
            Success::Trained(_) if found.numbers != intact.numbers => silent("the numbers are not those of the run"),
            Success::Trained(_) if found.weights != intact.weights => silent("the weights are not those of the run"),
            Success::Trained(_) => None,
        }
    }

    /// What a removal has left of what was the run's and nobody has touched. A checkpoint whose mark was touched may be
    /// somebody else's.
    fn left(&self, changes: &[Change]) -> Option<String> {
        let seed = Tree::of(&self.work().join("guard/run"));
        let is_gone = |path: &PathBuf| changes.iter().any(|change| change.path == *path);
        let place = |path: &Path| Path::new("runs/alpha").join(path);
        let is_marked = |path: &&Path| match mark_above(path) {
            Some(mark) => seed.entry(&mark) == self.before.entry(&place(&mark)),
            None => true,
        };
        let theirs = seed.paths().filter(is_marked).map(place);
        let mut files = theirs.filter(|path| self.before.is_file(path) && !is_gone(path));
        files.next().map(|path| format!("a success, but {} is still there", path.display()))
    }

    /// What is wrong with a failure.
    fn not_a_failure(&self, tried: &Tried, ending: &Ending) -> Option<String> {
        if tried.needs_terminal() {
            return None;
        }
        let errors = ending.err.lines().filter(|line| line.starts_with("error: ")).count();
        if errors != 1 || (!tried.starts_worker() && !ending.is_one_error()) {
            return Some(format!(
                "exit code {:?}, but not one line of error: {}",
                ending.code,
                first_letters(&ending.err)
            ));
        }
        let trained = || self.regular("runs/new/events.jsonl").unwrap_or_default();
        if tried.writes == Writes::NewRun && String::from_utf8_lossy(&trained()).contains("\"event\":\"step\"") {
            return Some(format!("fails after the first step: {}", ending.last_line()));
        }
        None
    }
}

/// The mark of the checkpoint in which a file of a run lies.
fn mark_above(path: &Path) -> Option<PathBuf> {
    let mut parts = path.iter();
    let checkpoints = parts.next().filter(|part| *part == "checkpoints")?;
    Some(Path::new(checkpoints).join(parts.next()?).join("pellucid.json"))
}

/// Where a file of a checkpoint lies once the checkpoint is set aside: it is not lost.
fn aside(path: &Path) -> PathBuf {
    let is_step = |part: &str| part.starts_with("step-") && !part.contains('.');
    let part = |part: &OsStr| match part.to_str().filter(|part| is_step(part)) {
        Some(step) => OsString::from(format!("{step}.aside")),
        None => part.to_owned(),
    };
    path.iter().map(part).collect()
}

/// A message without its numbers.
fn told(line: &str) -> String {
    line.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// The step of an exported line and its numbers, but for those of speed.
fn metrics(line: &str) -> Option<(u64, Value)> {
    let row: Value = serde_json::from_str(line).ok()?;
    let mut metrics = row["metrics"].as_object()?.clone();
    metrics.retain(|name, _| !name.starts_with("speed/") && !name.starts_with("system/"));
    Some((row["step"].as_u64()?, Value::Object(metrics)))
}
