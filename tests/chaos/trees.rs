//! Random trees: links, pipes, sockets, foreign, missing and damaged files at any depth of a run or model folder, and a
//! command on it. It ends in time and in one line, touches nothing outside and nothing that is somebody's, and calls
//! nothing a success that lacks what the intact folder has.

mod commands;
mod garden;
mod plant;

use std::fs;
use std::path::PathBuf;

use rand::Rng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use self::commands::{ALL, Ground, LONG, SHORT, Success, training};
use self::garden::{Garden, Harvest};
use self::plant::Plant;
use crate::model::{Place, cut};
use crate::tree::{Tree, clear, copy_tree};
use crate::trial::Bench;
use crate::tries::{Attempt, Tries};

const TRIES: u64 = 1000;
/// Plants of one try at most.
const PLANTS: usize = 4;
/// Bytes of a log from which on its columns are read.
const COLUMNS_FROM: u64 = 512 << 10;
/// The step after which the killed run was killed; its checkpoints are at 70 and 140.
const KILLED_AT: u64 = 150;

/// The folders from which each try is copied, and what the commands come to when nothing is planted.
struct Nursery {
    place: PathBuf,
    intact: Vec<Harvest>,
}

pub(crate) fn trees(place: &Place, seed: u64) -> Value {
    let nursery = Nursery::new(place);
    let chances = WeightedIndex::new(ALL.iter().map(|tried| tried.weight)).unwrap();
    Tries::new(seed, TRIES).run(|number, mut random| {
        let index = chances.sample(&mut random);
        let plants = nursery.draw(ALL[index].ground, &mut random);
        let lost = nursery.attempt(number, index, &plants);
        Attempt { kinds: vec![ALL[index].args[0].to_owned()], lost: nursery.least(number, index, &plants, lost) }
    })
}

impl Nursery {
    /// Trains the runs, and gives every command an intact folder.
    fn new(place: &Place) -> Self {
        let home = place.path("trees");
        let seedbed = home.join("seedbed");
        fs::create_dir_all(seedbed.join("runs")).unwrap();
        copy_tree(&place.path("model"), &seedbed.join("model"));
        for name in ["train.jsonl", "valid.jsonl"] {
            fs::copy(place.path(name), seedbed.join(name)).unwrap();
        }
        let bench = Bench::new(&seedbed, &home.join("aside"));
        for (run, seed, length) in [("ended", 0, LONG), ("killed", 0, SHORT), ("other", 7, SHORT)] {
            let mut args = training(&format!("runs/{run}"), length);
            args.extend(["--seed".to_owned(), seed.to_string()]);
            let ending = bench.run("pellucid", &args);
            assert!(ending.is_success() && bench.wait_until_quiet(), "the run of all tries: {}", ending.err);
        }
        copy_tree(&seedbed.join("runs/killed/checkpoints/step-000210"), &seedbed.join("tuned"));
        cut(&seedbed.join("runs/killed"), KILLED_AT);
        let log = fs::metadata(seedbed.join("runs/ended/events.jsonl")).unwrap().len();
        assert!(log > COLUMNS_FROM, "the log has {log} bytes, of which no columns are read");
        let intact = ALL.iter().enumerate().map(|(number, tried)| {
            let garden = Garden::new(&home, &format!("intact-{number}"), tried, &[]);
            if tried.ground == Ground::Leftover {
                // What comes of it must be what comes of a new folder.
                garden.clear_run();
            }
            let ending = garden.run(tried);
            garden.wait();
            assert!(ending.wrong().is_none(), "{:?} of an intact folder: {ending:?}", tried.args);
            assert_eq!(ending.is_success(), tried.success != Success::Never, "{:?}: {ending:?}", tried.args);
            garden.harvest(tried, ending)
        });
        let intact = intact.collect();
        Self { place: home, intact }
    }

    /// Something to plant.
    fn draw(&self, ground: Ground, random: &mut ChaCha8Rng) -> Vec<Plant> {
        let known = Tree::of(&self.place.join("seedbed").join(ground.seed()));
        let count = random.random_range(1..=PLANTS);
        let first = (ground == Ground::Leftover).then(|| Plant::without("events.jsonl"));
        first.into_iter().chain((0..count).map(|_| Plant::draw(&known, random))).collect()
    }

    /// What is wrong when the command is given a folder with these plants.
    fn attempt(&self, number: u64, index: usize, plants: &[Plant]) -> Vec<String> {
        let tried = &ALL[index];
        let garden = Garden::new(&self.place, &number.to_string(), tried, plants);
        let ending = garden.run(tried);
        let told = |what: String| format!("`{}` ({:?}): {what} [{}]", tried.line(), tried.ground, listed(plants));
        let lost = garden.judge(tried, ending, &self.intact[index], plants).into_iter().map(told).collect();
        clear(garden.root());
        lost
    }

    /// As `lost`, or what one of the plants does alone.
    fn least(&self, number: u64, index: usize, plants: &[Plant], lost: Vec<String>) -> Vec<String> {
        let always = usize::from(ALL[index].ground == Ground::Leftover);
        if lost.is_empty() || plants.len() <= always + 1 {
            return lost;
        }
        let alone = |plant: &Plant| {
            let with: Vec<Plant> = plants[..always].iter().chain([plant]).cloned().collect();
            let found = self.attempt(number, index, &with);
            (!found.is_empty()).then_some(found)
        };
        plants[always..].iter().find_map(alone).unwrap_or(lost)
    }
}

fn listed(plants: &[Plant]) -> String {
    plants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
