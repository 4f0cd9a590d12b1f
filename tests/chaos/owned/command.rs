//! The commands that write or remove, each with an argument that says where.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use pellucid_record::RunDir;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::argument::{Argument, FILES, FOLDERS, INSIDE, MODELS, May, Means, PAGES, RUNS};

/// A kind of command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Remove,
    Stop,
    Resume,
    Report,
    Explain,
    ExplainRun,
    Screenshot,
    Themed,
    Sweep,
    Train,
    Pretrain,
    Adapt,
    Halve,
}

/// Each kind with its share of the tries in percent; those that train take longer.
const SHARES: [(Form, u32); 13] = [
    (Form::Remove, 28),
    (Form::Stop, 8),
    (Form::Resume, 8),
    (Form::Report, 12),
    (Form::Explain, 6),
    (Form::ExplainRun, 3),
    (Form::Screenshot, 8),
    (Form::Themed, 3),
    (Form::Sweep, 5),
    (Form::Train, 6),
    (Form::Pretrain, 7),
    (Form::Adapt, 3),
    (Form::Halve, 3),
];

/// A command with its arguments.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) form: Form,
    /// Where it is given, from the folder that holds everything.
    pub(super) folder: &'static str,
    targets: Vec<Argument>,
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// The flags of a short training.
pub(super) fn training(run: &str, steps: &str) -> Vec<String> {
    let line = format!(
        "train --headless --model model --train train.jsonl --valid valid.jsonl --max-steps {steps} --batch-size 8 \
         --probe 0 --threads 1 --checkpoint-every 2 --eval-every 2 --run-dir"
    );
    [words(&line), vec![run.to_owned()]].concat()
}

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Remove => "rm",
            Form::Stop => "stop",
            Form::Resume => "resume",
            Form::Report => "report",
            Form::Explain | Form::ExplainRun => "explain",
            Form::Screenshot | Form::Themed => "screenshot",
            Form::Sweep => "sweep",
            Form::Train => "train",
            Form::Pretrain | Form::Adapt => "pretrain",
            Form::Halve => "halve",
        }
    }

    pub(super) fn program(self) -> &'static str {
        if matches!(self, Form::Pretrain | Form::Adapt | Form::Halve) { "pellucid-worker" } else { "pellucid" }
    }

    /// The words before the argument.
    fn words(self) -> Vec<String> {
        match self {
            Form::Remove => words("rm --yes"),
            Form::Stop => words("stop"),
            Form::Resume => words("resume --headless"),
            Form::Report => words("report beta --explain 0 --out"),
            Form::Explain => words("explain --method gxi --limit 1 --model model --data train.jsonl --out"),
            Form::ExplainRun => {
                words("explain --method gxi --limit 1 --model runs/beta/checkpoints/last --data train.jsonl --out")
            }
            Form::Screenshot => words("screenshot beta --out"),
            Form::Themed => words("--theme theme.toml screenshot beta --out"),
            Form::Sweep => {
                let mut line = training("", "2");
                line.truncate(line.len() - 2);
                line.retain(|word| word != "train" && word != "--headless");
                [words("sweep --grid seed=1"), line, words("--out")].concat()
            }
            Form::Train => {
                let mut line = training("", "2");
                line.pop();
                line
            }
            Form::Pretrain => words("pretrain --epochs 1 --model raw --texts texts.txt --out"),
            Form::Adapt => words("pretrain --epochs 1 --model model --texts texts.txt --out"),
            Form::Halve => words("halve runs/beta/checkpoints/last"),
        }
    }

    /// The arguments from which one is drawn.
    fn arguments(self) -> &'static [Argument] {
        match self {
            Form::Remove | Form::Stop | Form::Resume => &RUNS,
            Form::Report => &PAGES,
            Form::Explain | Form::ExplainRun | Form::Screenshot | Form::Themed => &FILES,
            Form::Sweep | Form::Train => &FOLDERS,
            Form::Pretrain | Form::Adapt | Form::Halve => &MODELS,
        }
    }

    /// What the argument means to this command.
    fn meant(self, argument: Argument) -> Means {
        let text = argument.text;
        match (self, argument.means) {
            (Form::Remove | Form::Stop, Means::Loosely(_)) => Means::Refused,
            // Without a name it is the newest run, which is the last one by its name; a folder may be named in any way.
            (Form::Resume, Means::Refused) if matches!(text, "" | ".") => Means::Perhaps("beta"),
            (Form::Adapt, Means::Own(_)) => Means::Refused,
            // Only the inputs of the command itself are inputs.
            (Form::Screenshot, Means::Refused) if text == "theme.toml" => Means::File("theme.toml"),
            (Form::Screenshot | Form::Themed, Means::Refused) => match text {
                "train.jsonl" | "./train.jsonl" | "model/../train.jsonl" | "HOME/train.jsonl" => {
                    Means::File("train.jsonl")
                }
                "model/config.json" => Means::File("model/config.json"),
                "model/model.safetensors" => Means::File("model/model.safetensors"),
                "model/tokenizer.json" => Means::File("model/tokenizer.json"),
                _ => Means::Refused,
            },
            (Form::Explain | Form::ExplainRun, Means::Refused) => match text {
                "theme.toml" => Means::File("theme.toml"),
                "runs/beta/events.jsonl" | "to-run/events.jsonl" => Means::File("runs/beta/events.jsonl"),
                "runs/beta/samples.jsonl" => Means::File("runs/beta/samples.jsonl"),
                "model/config.json" if self == Form::ExplainRun => Means::File("model/config.json"),
                "model/model.safetensors" if self == Form::ExplainRun => Means::File("model/model.safetensors"),
                "model/tokenizer.json" if self == Form::ExplainRun => Means::File("model/tokenizer.json"),
                _ => Means::Refused,
            },
            (_, means) => means,
        }
    }
}

impl Asked {
    pub(super) fn draw(random: &mut ChaCha8Rng) -> Self {
        let form = SHARES.choose_weighted(random, |(_, share)| *share).unwrap().0;
        let is_inside = matches!(form, Form::Remove | Form::Stop | Form::Resume) && random.random_bool(0.1);
        let (folder, arguments): (_, &[Argument]) =
            if is_inside { ("runs/beta", &INSIDE) } else { ("", form.arguments()) };
        let count = if form == Form::Remove && random.random_bool(0.4) { random.random_range(2..=3) } else { 1 };
        Self { form, folder, targets: (0..count).map(|_| *arguments.choose(random).unwrap()).collect() }
    }

    /// The command as it is typed.
    pub(super) fn line(&self) -> String {
        let targets = self.targets.iter().map(|target| format!("{:?}", target.text));
        [self.form.program().to_owned()]
            .into_iter()
            .chain(self.form.words())
            .chain(targets)
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub(super) fn arguments(&self, home: &Path) -> Vec<String> {
        let id = RunDir::new(home.join("runs/beta")).id();
        let home = home.display().to_string();
        let full =
            |target: &Argument| if target.text == "ID" { id.clone() } else { target.text.replace("HOME", &home) };
        self.form.words().into_iter().chain(self.targets.iter().map(full)).collect()
    }

    /// What the command may touch.
    pub(super) fn may(&self) -> May {
        let meant: Vec<Means> = self.targets.iter().map(|target| self.form.meant(*target)).collect();
        let must_refuse = meant.contains(&Means::Refused);
        // A run that has ended cannot be stopped: there is nothing to do.
        let nothing = must_refuse || self.form == Form::Stop;
        let is_all_or_nothing = !matches!(self.form, Form::Resume | Form::Train | Form::Sweep);
        May { allowed: if nothing { Vec::new() } else { meant }, must_refuse, is_all_or_nothing }
    }

    /// Puts what is somebody's beside the place that is named, under names that a program might use for a moment.
    pub(super) fn neighbours(&self, home: &Path, random: &mut ChaCha8Rng) {
        let target = self.targets[0].text.replace("HOME/", "");
        let path = home.join(target.trim_end_matches('/'));
        let parts = [Form::Remove, Form::Stop, Form::Resume];
        if parts.contains(&self.form) || path.file_name().is_none() || target.is_empty() || target.ends_with('.') {
            return;
        }
        for ending in ["old", "partial", "new", "tmp", "aside"] {
            let beside = home.join(format!("{}.{ending}", target.trim_end_matches('/')));
            if fs::symlink_metadata(&beside).is_ok() || !beside.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match random.random_range(0..4) {
                0 => fs::write(&beside, "mine").unwrap(),
                1 => {
                    fs::create_dir(&beside).unwrap();
                    fs::write(beside.join("diary"), "mine").unwrap();
                }
                2 => symlink(home.join("precious/diary"), &beside).unwrap(),
                _ => {}
            }
        }
    }
}
