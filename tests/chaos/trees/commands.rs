//! The commands that are tried on a planted folder: what each may write, and what its success means.

/// A command, as it is given in the folder that holds `runs`, `model` and the data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    pub(super) args: &'static [&'static str],
    pub(super) ground: Ground,
    pub(super) writes: Writes,
    pub(super) success: Success,
    /// Of so many tries it gets one share.
    pub(super) weight: u32,
}

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// The run `alpha`, which has ended.
    Ended,
    /// The run `alpha`, which was killed in the middle.
    Killed,
    /// The run `alpha` of other settings, of which everything but the log is left.
    Leftover,
    /// The folder `model`, beside the killed run that began from it.
    Model,
    /// The folder `tuned`, a model that a run has written.
    Tuned,
}

/// What a command may write, make or remove; somebody's files are none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    Nothing,
    /// The folder or file that begins with `out`.
    Out,
    /// `report.html` and `report.md` of the run.
    Report,
    /// All that is of the run `alpha`.
    Run,
    /// The run `new`.
    NewRun,
}

/// What the exit code 0 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Success {
    /// It printed what it prints of the intact folder, or said what is missing.
    Printed,
    /// It drew something and was left.
    Shown,
    /// The run `alpha` is in the list, unless it is no run any more.
    Listed,
    /// The page has a line for a line of the intact folder's, or something was said.
    Reported,
    /// Nothing but somebody's files is left of `alpha`.
    Removed,
    /// The run of this name has all numbers and the weights of the undisturbed run, or something was said.
    Trained(&'static str),
    /// There is none.
    Never,
}

const TEXT: [&str; 2] = ["--text", "the film was not very good"];

const fn reading(args: &'static [&'static str], ground: Ground, success: Success, weight: u32) -> Tried {
    writing(args, ground, Writes::Nothing, success, weight)
}

const fn writing(
    args: &'static [&'static str],
    ground: Ground,
    writes: Writes,
    success: Success,
    weight: u32,
) -> Tried {
    Tried { args, ground, writes, success, weight }
}

/// How long a training is: its steps, and how many lie between its checkpoints, and its evaluations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    pub(super) steps: u64,
    pub(super) every: u64,
}

/// That of most runs here: a stretch of steps is long enough for a block of columns.
pub(super) const SHORT: Length = Length { steps: 210, every: 70 };
/// That of a run whose log is so long that its columns are read.
pub(super) const LONG: Length = Length { steps: 3600, every: 1800 };

/// The flags of a training into the folder `run`.
pub(super) fn training(run: &str, length: Length) -> Vec<String> {
    let Length { steps, every } = length;
    let line = format!(
        "train --headless --model model --train train.jsonl --valid valid.jsonl --batch-size 8 --lr 1e-2 --probe 0 \
         --threads 1 --max-steps {steps} --checkpoint-every {every} --eval-every {every} --run-dir {run}"
    );
    line.split(' ').map(str::to_owned).collect()
}

pub(super) const ALL: [Tried; 26] = [
    reading(&["runs"], Ground::Ended, Success::Listed, 3),
    reading(&["runs", "--json"], Ground::Killed, Success::Listed, 3),
    reading(&["export", "alpha"], Ground::Ended, Success::Printed, 4),
    reading(&["export", "alpha", "--format", "jsonl"], Ground::Killed, Success::Printed, 3),
    reading(&["compare", "alpha", "beta"], Ground::Ended, Success::Printed, 4),
    reading(&["frontier"], Ground::Ended, Success::Shown, 2),
    reading(&["stop", "alpha"], Ground::Killed, Success::Never, 2),
    reading(&["attach", "alpha", "--read-only"], Ground::Ended, Success::Shown, 3),
    reading(&["attach", "alpha", "--read-only"], Ground::Killed, Success::Shown, 3),
    reading(&["replay", "alpha"], Ground::Ended, Success::Shown, 3),
    reading(
        &["predict", "--model", "runs/alpha/checkpoints/last", TEXT[0], TEXT[1]],
        Ground::Ended,
        Success::Printed,
        4,
    ),
    reading(
        &["explain", "--format", "csv", "--method", "gxi", "--model", "runs/alpha/checkpoints/best", TEXT[0], TEXT[1]],
        Ground::Ended,
        Success::Printed,
        2,
    ),
    reading(&["predict", "--model", "tuned", TEXT[0], TEXT[1]], Ground::Tuned, Success::Printed, 3),
    writing(&["report", "alpha", "--explain", "0"], Ground::Ended, Writes::Report, Success::Reported, 4),
    writing(&["report", "alpha", "--explain", "1"], Ground::Ended, Writes::Report, Success::Reported, 1),
    writing(&["report", "alpha", "--explain", "0", "--out", "out"], Ground::Killed, Writes::Out, Success::Reported, 3),
    writing(
        &["screenshot", "alpha", "--screen", "samples", "--out", "out.svg"],
        Ground::Ended,
        Writes::Out,
        Success::Shown,
        2,
    ),
    writing(
        &["screenshot", "alpha", "--screen", "log", "--out", "out.svg"],
        Ground::Killed,
        Writes::Out,
        Success::Shown,
        2,
    ),
    writing(
        &["screenshot", "alpha", "--beside", "beta", "--out", "out.svg"],
        Ground::Ended,
        Writes::Out,
        Success::Shown,
        1,
    ),
    writing(&["rm", "alpha", "--yes"], Ground::Ended, Writes::Run, Success::Removed, 6),
    writing(&["rm", "alpha", "--yes"], Ground::Killed, Writes::Run, Success::Removed, 3),
    writing(&["resume", "alpha", "--headless"], Ground::Killed, Writes::Run, Success::Trained("alpha"), 8),
    writing(&["resume", "alpha", "--headless"], Ground::Ended, Writes::Run, Success::Trained("alpha"), 2),
    writing(&["resume", "alpha", "--headless"], Ground::Model, Writes::Run, Success::Trained("alpha"), 3),
    writing(&["train", "new"], Ground::Model, Writes::NewRun, Success::Trained("new"), 4),
    writing(&["train", "alpha"], Ground::Leftover, Writes::Run, Success::Trained("alpha"), 3),
];

impl Tried {
    /// The arguments of the command; those of a training are written out.
    pub(super) fn arguments(&self) -> Vec<String> {
        match self.args {
            ["train", run] => training(&format!("runs/{run}"), SHORT),
            args => args.iter().map(|&arg| arg.to_owned()).collect(),
        }
    }

    /// The command as it is typed.
    pub(super) fn line(&self) -> String {
        format!("pellucid {}", self.args.join(" "))
    }

    pub(super) fn needs_terminal(&self) -> bool {
        matches!(self.args[0], "attach" | "replay")
    }

    pub(super) fn starts_worker(&self) -> bool {
        matches!(self.args[0], "train" | "resume")
    }
}
