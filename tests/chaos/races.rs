//! Random races: two to eight processes start, resume, stop and remove one run at random moments. Afterwards there is one
//! run, whole and of one training, or none; and whoever lost has said so in one line and changed nothing.

mod one_run;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pellucid_record::RunDir;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use self::one_run::{in_one_piece, steps};
use crate::model::{Place, cut};
use crate::tree::{clear, copy_tree};
use crate::trial::{Bench, Ending, first_letters};
use crate::tries::{Attempt, Tries};

const TRIES: u64 = 1000;
/// Most processes of a race; each training of a race has a seed of its own, by which its numbers are known.
const RACERS: u64 = 8;
const STEPS: u64 = 300;
/// The step after which the run was killed that some races begin with; its training had the first seed.
const KILLED_AT: u64 = 160;
/// Latest begin of a process, in milliseconds.
const LATEST: u64 = 900;
/// Latest begin of one that waits for a worker, in milliseconds after that.
const SOON: u64 = 300;
/// Of the races, the share in which all begin at once.
const AT_ONCE: f64 = 0.3;
/// Of the races, the share that begins with a run that was killed.
const BEGUN: f64 = 0.4;
/// Of the races, the share in which nobody names the run, so that all have the name of the same second.
const UNNAMED: f64 = 0.1;

/// What one process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Racer {
    Train { seed: u64 },
    TrainUnnamed { seed: u64 },
    Resume,
    Stop,
    StopNow,
    Remove,
}

/// What is there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// Nothing: a training must make the folder.
    Nothing,
    /// A run that was killed.
    Killed,
    /// Nothing, and nobody names a folder.
    Unnamed,
}

/// When a process begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    /// So many milliseconds after the race has begun.
    At(u64),
    /// So many milliseconds after a worker has opened its socket; most races are too short to be hit otherwise.
    Trained(u64),
}

/// Who takes part, and when each begins.
struct Race {
    ground: Ground,
    racers: Vec<(Racer, When)>,
}

/// A process, when it begins, and how it ended.
struct Raced {
    racer: Racer,
    begin: When,
    ending: Ending,
}

/// The numbers of each step of a training by its seed.
type Numbers = BTreeMap<u64, BTreeMap<u64, BTreeMap<String, u64>>>;

/// The model, the data, and what each training comes to when nobody races it.
struct Track {
    place: PathBuf,
    expected: Numbers,
}

pub(crate) fn races(place: &Place, seed: u64) -> Value {
    let track = Track::new(place);
    Tries::new(seed, TRIES).run(|number, mut random| {
        let race = draw(&mut random);
        track.run(number, &race)
    })
}

/// Who takes part, and where.
fn draw(random: &mut ChaCha8Rng) -> Race {
    let (count, at_once) = (random.random_range(2..=RACERS), random.random_bool(AT_ONCE));
    let ground = match random.random::<f64>() {
        share if share < UNNAMED => Ground::Unnamed,
        share if share < UNNAMED + BEGUN => Ground::Killed,
        _ => Ground::Nothing,
    };
    let racer = |number: u64, random: &mut ChaCha8Rng| {
        // The first seed is that of the run that is there.
        let seed = (number + 1) % RACERS;
        match (ground, random.random_range(0..100)) {
            (Ground::Unnamed, _) => Racer::TrainUnnamed { seed },
            (Ground::Nothing, 0..45) | (Ground::Killed, 0..15) if seed > 0 => Racer::Train { seed },
            (_, 0..60) => Racer::Resume,
            (_, 60..72) => Racer::Stop,
            (_, 72..78) => Racer::StopNow,
            _ => Racer::Remove,
        }
    };
    let count = if ground == Ground::Unnamed { count.min(4) } else { count };
    let is_timed = !at_once && ground != Ground::Unnamed;
    let when = |racer: Racer, random: &mut ChaCha8Rng| match racer {
        Racer::Stop | Racer::StopNow | Racer::Remove if is_timed && random.random_bool(0.5) => {
            When::Trained(random.random_range(0..SOON))
        }
        _ if is_timed => When::At(random.random_range(0..LATEST)),
        _ => When::At(0),
    };
    let one = |number: u64| {
        let racer = racer(number, random);
        (racer, when(racer, random))
    };
    let mut racers: Vec<(Racer, When)> = (0..count).map(one).collect();
    if ground == Ground::Nothing && !racers.iter().any(|(racer, _)| racer.seed().is_some()) {
        racers[0].0 = Racer::Train { seed: 1 };
    }
    Race { ground, racers }
}

impl When {
    fn wait(self, socket: &Path) {
        let (When::At(millis) | When::Trained(millis)) = self;
        let start = Instant::now();
        while matches!(self, When::Trained(_))
            && !socket.exists()
            && start.elapsed() < 3 * Duration::from_millis(LATEST)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(millis));
    }
}

impl Racer {
    fn arguments(self, run: &str) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        match self {
            Racer::Train { seed } => [training(seed), words(&["--run-dir", run])].concat(),
            Racer::TrainUnnamed { seed } => training(seed),
            Racer::Resume => words(&["resume", run, "--headless"]),
            Racer::Stop => words(&["stop", run]),
            Racer::StopNow => words(&["stop", run, "--now"]),
            Racer::Remove => words(&["rm", "--yes", run]),
        }
    }

    fn seed(self) -> Option<u64> {
        if let Racer::Train { seed } | Racer::TrainUnnamed { seed } = self { Some(seed) } else { None }
    }
}

impl Raced {
    /// What it does, in a word.
    fn word(&self) -> String {
        format!("{:?}", self.racer).chars().take_while(|letter| letter.is_alphabetic()).collect()
    }

    /// Whether it trained: it has told of the run's begin.
    fn began(&self) -> bool {
        self.ending.err.contains(" began: ")
    }
}

impl std::fmt::Display for Raced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.ending.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        write!(f, "{:?} {:?}: {code}, {}", self.racer, self.begin, first_letters(self.ending.last_line()))
    }
}

/// The flags of a training; the model and the data are beside the folder of the race.
fn training(seed: u64) -> Vec<String> {
    let line = format!(
        "train --headless --model ../../model --train ../../train.jsonl --valid ../../valid.jsonl --max-steps {STEPS} \
         --batch-size 8 --lr 1e-2 --probe 0 --threads 1 --checkpoint-every 50 --keep 9 --eval-every 100 --seed {seed}"
    );
    line.split(' ').map(str::to_owned).collect()
}

impl Track {
    fn new(place: &Place) -> Self {
        let mut track = Self { place: place.path("races"), expected: Numbers::new() };
        for seed in 0..RACERS {
            let (folder, bench) = track.bench(&format!("alone-{seed}"));
            let ending = bench.run("pellucid", &Racer::Train { seed }.arguments("runs/run"));
            assert!(ending.is_success() && bench.wait_until_quiet(), "a training alone: {}", ending.err);
            let numbers = steps(&RunDir::new(folder.join("runs/run"))).unwrap();
            assert_eq!(numbers.len() as u64, STEPS);
            track.expected.insert(seed, numbers);
        }
        cut(&track.place.join("alone-0/runs/run"), KILLED_AT);
        track
    }

    fn bench(&self, name: &str) -> (PathBuf, Bench) {
        let folder = self.place.join(name);
        clear(&folder);
        fs::create_dir_all(&folder).unwrap();
        let bench = Bench::new(&folder, &self.place.join("aside").join(name));
        (folder, bench)
    }

    /// Runs a race.
    fn run(&self, number: u64, race: &Race) -> Attempt {
        let (folder, bench) = self.bench(&number.to_string());
        if race.ground == Ground::Killed {
            fs::create_dir(folder.join("runs")).unwrap();
            copy_tree(&self.place.join("alone-0/runs/run"), &folder.join("runs/run"));
        }
        let socket = folder.join("runs/run/worker.sock");
        let mut all: Vec<Raced> = std::thread::scope(|scope| {
            let (bench, socket) = (&bench, &socket);
            let started = race.racers.iter().map(|&(racer, begin)| {
                scope.spawn(move || {
                    begin.wait(socket);
                    Raced { racer, begin, ending: bench.run("pellucid", &racer.arguments("runs/run")) }
                })
            });
            let started: Vec<_> = started.collect();
            started.into_iter().map(|raced| raced.join().unwrap()).collect()
        });
        all.sort_by_key(|raced| raced.begin);
        let mut wrong = Vec::new();
        if !bench.wait_until_quiet() {
            wrong.push("a worker stays".to_owned());
        }
        wrong.extend(all.iter().filter_map(one_process));
        let runs = folder.join("runs");
        wrong.extend(match race.ground {
            Ground::Unnamed => self.unnamed(&runs, &all),
            ground => self.named(&RunDir::new(runs.join("run")), ground, &all),
        });
        if !wrong.is_empty() {
            let told: Vec<String> = all.iter().map(ToString::to_string).collect();
            wrong[0] += &format!(" [{}]", told.join("; "));
        }
        clear(&folder);
        clear(&self.place.join("aside").join(number.to_string()));
        let done =
            all.iter().filter(|raced| raced.ending.code != Some(1)).map(|raced| format!("{} done", raced.word()));
        Attempt { kinds: done.chain([format!("{:?}", race.ground)]).collect(), lost: wrong }
    }

    /// What is wrong with the one run that all meant.
    fn named(&self, run: &RunDir, ground: Ground, all: &[Raced]) -> Vec<String> {
        let removed = all.iter().any(|raced| raced.racer == Racer::Remove && raced.ending.is_success());
        let new = all.iter().filter(|raced| raced.began()).filter_map(|raced| raced.racer.seed());
        let begun: Vec<u64> = new.chain((ground == Ground::Killed).then_some(0)).collect();
        let mut wrong = Vec::new();
        if begun.len() > 1 && !removed {
            wrong.push(format!("{} trainings in one folder", begun.len()));
        }
        let left: Vec<String> = names(run.root());
        if left.is_empty() {
            if !begun.is_empty() && !removed {
                wrong.push("the run is gone, though nobody has removed it".to_owned());
            }
            if run.root().exists() {
                wrong.push("an empty folder is left".to_owned());
            }
            return wrong;
        }
        match self.of_one_training(run) {
            Err(why) => wrong.push(format!("{why}; there are {}", left.join(", "))),
            Ok(seed) if !begun.contains(&seed) => {
                wrong.push(format!("the run is of seed {seed}, whose training did not begin"));
            }
            Ok(_) => {}
        }
        wrong
    }

    /// What is wrong with the runs that nobody has named: each training has one of its own.
    fn unnamed(&self, runs: &Path, all: &[Raced]) -> Vec<String> {
        let mut wrong: Vec<String> = all
            .iter()
            .filter(|raced| !raced.ending.is_success())
            .map(|raced| format!("a training without a name fails: {}", first_letters(raced.ending.last_line())))
            .collect();
        let mut seeds = BTreeSet::new();
        for name in names(runs) {
            match self.of_one_training(&RunDir::new(runs.join(&name))) {
                Ok(seed) => drop(seeds.insert(seed)),
                Err(why) => wrong.push(format!("unnamed: {why}")),
            }
        }
        let expected: BTreeSet<u64> = all.iter().filter_map(|raced| raced.racer.seed()).collect();
        if wrong.is_empty() && seeds != expected {
            wrong.push(format!("the runs are of seeds {seeds:?} and not of {expected:?}"));
        }
        wrong
    }

    /// The seed of the one training that the folder is of.
    fn of_one_training(&self, run: &RunDir) -> Result<u64, String> {
        let text = fs::read_to_string(run.settings()).map_err(|error| format!("run.toml: {error}"))?;
        let seed = text.lines().find_map(|line| line.strip_prefix("seed = ")?.parse().ok());
        let seed = seed.ok_or("run.toml has no seed")?;
        in_one_piece(run, seed)?;
        let expected = self.expected.get(&seed).ok_or("run.toml has another seed")?;
        for (step, metrics) in steps(run)? {
            if expected.get(&step) != Some(&metrics) {
                return Err(format!("step {step} has not the numbers of seed {seed}"));
            }
        }
        Ok(seed)
    }
}

/// What is wrong with one process, whatever the others did.
fn one_process(raced: &Raced) -> Option<String> {
    let word = raced.word();
    if let Some(wrong) = raced.ending.wrong() {
        return Some(format!("{word} {wrong}"));
    }
    let errors = raced.ending.err.lines().filter(|line| line.starts_with("error: ")).count();
    let is_told = if raced.ending.is_success() { errors == 0 } else { errors == 1 || raced.ending.code == Some(130) };
    (!is_told).then(|| format!("{word} has not one line of error: {}", first_letters(&raced.ending.err)))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
