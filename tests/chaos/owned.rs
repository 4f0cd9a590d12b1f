//! Commands that write or remove, with random arguments, beside a model of what they may touch: all else stays as it is,
//! byte for byte.

mod argument;
mod command;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use self::command::{Asked, Form};
use crate::model::Place;
use crate::tree::{Change, How, Tree, clear, copy_tree, make_pipe};
use crate::trial::{Bench, first_letters};
use crate::tries::{Attempt, Tries};

const TRIES: u64 = 1000;
/// The runs of every try; `alpha-two` and `alpha.old` have `alpha` in their names.
pub(crate) const RUNS: [&str; 5] = ["alpha", "alpha-two", "alpha.old", "alpha.partial", "beta"];

/// Commands that a run in training, `live`, must survive.
const HARMLESS: [&str; 12] = [
    "stop \"\"",
    "stop .",
    "stop ..",
    "stop li",
    "stop ive",
    "stop /",
    "stop runs",
    "stop runs/",
    "rm --yes \"\"",
    "rm --yes live",
    "rm --yes runs/live",
    "train --model model --train train.jsonl --valid valid.jsonl --headless --run-dir runs/live",
];

/// The folder that is copied for each try.
struct Estate {
    place: PathBuf,
}

pub(crate) fn owned(place: &Place, seed: u64) -> Value {
    let estate = Estate::new(place);
    Tries::new(seed, TRIES).run(|number, mut random| {
        // The first try is of its own kind: a run that is in training.
        if number == 0 {
            return Attempt { kinds: vec!["live".to_owned()], lost: estate.live() };
        }
        let asked = Asked::draw(&mut random);
        let lost = estate.attempt(&number.to_string(), &asked, &mut random);
        Attempt { kinds: vec![asked.form.name().to_owned()], lost }
    })
}

impl Estate {
    fn new(place: &Place) -> Self {
        let estate = Self { place: place.path("owned") };
        let home = estate.home();
        fs::create_dir_all(home.join("runs")).unwrap();
        for folder in ["model", "raw"] {
            copy_tree(&place.path(folder), &home.join(folder));
        }
        for file in ["train.jsonl", "valid.jsonl", "texts.txt"] {
            fs::copy(place.path(file), home.join(file)).unwrap();
        }
        let bench = Bench::new(&home, &estate.place.join("aside"));
        let ending = bench.run("pellucid", &command::training("runs/beta", "4"));
        assert!(ending.is_success() && bench.wait_until_quiet(), "the run of all tries: {}", ending.err);
        RUNS.iter()
            .filter(|run| **run != "beta")
            .for_each(|run| copy_tree(&home.join("runs/beta"), &home.join("runs").join(run)));
        // What is somebody's: beside everything, in everything, and with names like ours.
        for folder in
            ["precious", "precious.old", "precious.partial", "model.old", "model.partial", "runs/pictures", "half"]
        {
            fs::create_dir_all(home.join(folder)).unwrap();
            fs::write(home.join(folder).join("diary"), "mine").unwrap();
        }
        for file in [
            "diary",
            "diary.partial",
            "diary.old",
            "train.jsonl.partial",
            "runs/alpha/diary",
            "runs/alpha/checkpoints/diary",
            "precious/report.html.partial",
            "precious/report.md",
            "precious/sweep.csv",
            "half/run.toml",
            "half/samples.jsonl",
        ] {
            fs::write(home.join(file), "mine").unwrap();
        }
        let themes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../themes");
        fs::copy(themes.join("dark.toml"), home.join("theme.toml")).unwrap();
        fs::create_dir(home.join("empty")).unwrap();
        for (target, link) in [
            ("diary", "to-file"),
            ("precious", "to-folder"),
            ("nothing", "to-nothing"),
            ("train.jsonl", "to-data"),
            ("runs/beta", "to-run"),
            ("beta", "runs/linked"),
            ("../diary", "precious/report.html"),
            ("../model", "half/settings"),
            ("../diary", "half/sweep.json"),
        ] {
            symlink(target, home.join(link)).unwrap();
        }
        fs::hard_link(home.join("valid.jsonl"), home.join("same-data")).unwrap();
        estate
    }

    fn home(&self) -> PathBuf {
        self.place.join("home")
    }

    /// What is wrong when this is asked for.
    fn attempt(&self, name: &str, asked: &Asked, random: &mut ChaCha8Rng) -> Vec<String> {
        let root = self.place.join(name);
        clear(&root);
        let work = root.join("work");
        copy_tree(&self.home(), &work);
        make_pipe(&work.join("pipe"));
        fs::remove_file(work.join("same-data")).unwrap();
        fs::hard_link(work.join("valid.jsonl"), work.join("same-data")).unwrap();
        asked.neighbours(&work, random);
        let before = Tree::of(&work);
        let (folder, args) = (work.join(asked.folder), asked.arguments(&work));
        let bench = Bench::new(&folder, &root.join("aside"));
        let mut ending = bench.run(asked.form.program(), &args);
        if !bench.wait_until_quiet() {
            ending.hung = true;
        }
        let changes = before.changes(&Tree::of(&work));
        let mut wrong: Vec<String> = ending.wrong().into_iter().collect();
        let may = asked.may();
        let forbidden: Vec<&Change> = changes.iter().filter(|change| !may.allows(change, &before)).collect();
        if !forbidden.is_empty() {
            let shown: Vec<String> = forbidden.iter().take(4).map(ToString::to_string).collect();
            let more = if forbidden.len() > 4 { format!(" and {} more", forbidden.len() - 4) } else { String::new() };
            wrong.push(format!("{}{more}; exit code {:?}", shown.join(", "), ending.code));
        }
        if may.must_refuse && ending.is_success() {
            wrong.push("exit code 0, though it must be refused".to_owned());
        }
        if !ending.is_success() && !ending.is_one_error() && asked.form != Form::Sweep {
            wrong.push(format!(
                "exit code {:?} without one line of error: {}",
                ending.code,
                first_letters(&ending.err)
            ));
        }
        if !ending.is_success() && changes.iter().any(|change| change.how != How::Made) && may.is_all_or_nothing {
            wrong.push(format!("fails, but {}: {}", changes[0], first_letters(ending.last_line())));
        }
        clear(&root);
        let line =
            |what: String| format!("`{}` in {}: {what}", asked.line(), Path::new("HOME").join(asked.folder).display());
        if wrong.is_empty() { wrong } else { vec![line(wrong.join("; and "))] }
    }

    /// What is wrong with a run in training after commands that may not touch it.
    fn live(&self) -> Vec<String> {
        let work = self.place.join("live");
        copy_tree(&self.home(), &work);
        let bench = Bench::new(&work, &self.place.join("live-aside"));
        std::thread::scope(|scope| {
            let training = scope.spawn(|| bench.run("pellucid", &command::training("runs/live", "1000000")));
            let log = work.join("runs/live/checkpoints/last");
            while !log.exists() && !training.is_finished() {
                std::thread::sleep(Duration::from_millis(20));
            }
            let hurt = HARMLESS.iter().find_map(|line| {
                let args: Vec<String> = line.split(' ').map(|word| word.trim_matches('"').to_owned()).collect();
                let ending = bench.run("pellucid", &args);
                let wrong = match (ending.wrong(), training.is_finished()) {
                    (Some(wrong), _) => Some(wrong),
                    (None, true) => Some("ends the run in training".to_owned()),
                    (None, false) => ending.is_success().then(|| "exit code 0, though it must be refused".to_owned()),
                };
                wrong.map(|wrong| format!("`pellucid {line}` beside the run `live` in training: {wrong}"))
            });
            let _ = bench.run("pellucid", &["stop", "--now", "live"].map(str::to_owned));
            let ending = training.join().unwrap();
            let hung = ending.hung.then(|| "`pellucid stop --now live` does not end it".to_owned());
            hurt.into_iter().chain(hung).collect()
        })
    }
}
