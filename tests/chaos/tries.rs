//! Many tries of one kind, some at a time, each from a seed of its own, so that one that fails can be made again alone.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// How many tries run at a time: some of them wait, so more than there are cores.
const AT_A_TIME: usize = 4;

/// The tries of a part: all of them, as many as the variable TRIES says, or those alone that TRY names.
pub(crate) struct Tries {
    seed: u64,
    numbers: Vec<u64>,
    at_a_time: usize,
}

/// Of one way to fail, how many tries are shown.
const SHOWN: usize = 4;

/// What a try came to.
pub(crate) struct Attempt {
    /// What was tried and how it ended, each in a word or two: they are counted.
    pub(crate) kinds: Vec<String>,
    /// What was wrong, with what it takes to see it again.
    pub(crate) lost: Vec<String>,
}

#[derive(Default)]
struct Found {
    done: usize,
    kinds: BTreeMap<String, u64>,
    lost: BTreeMap<String, Lost>,
}

/// One way to fail.
#[derive(Default)]
struct Lost {
    times: u64,
    /// The first texts, each with its try.
    texts: Vec<String>,
}

impl Tries {
    pub(crate) fn new(seed: u64, count: u64) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let count = variable("TRIES").map_or(count, |count| count.parse().expect("TRIES is a number"));
        let named = |list: String| list.split(',').map(|number| number.parse().expect("TRY is a number")).collect();
        Self { seed, numbers: variable("TRY").map_or_else(|| (0..count).collect(), named), at_a_time: AT_A_TIME }
    }

    /// The source of all chance in try `number`.
    pub(crate) fn random(&self, number: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(number))
    }

    /// Makes every try; the figures, with what was lost.
    pub(crate) fn run(&self, attempt: impl Fn(u64, ChaCha8Rng) -> Attempt + Sync) -> Value {
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Found::default()));
        std::thread::scope(|scope| {
            for _ in 0..self.at_a_time.min(self.numbers.len()) {
                scope.spawn(|| {
                    while let Some(&number) = self.numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tried = attempt(number, self.random(number));
                        self.add(&found, number, tried);
                    }
                });
            }
        });
        eprintln!();
        let found = found.into_inner().unwrap();
        let told = |lost: Lost| format!("{} times: {}", lost.times, lost.texts.join("; "));
        let lost: Vec<String> = found.lost.into_values().map(told).collect();
        json!({"tries": found.done, "kinds": found.kinds, "lost": lost})
    }

    fn add(&self, found: &Mutex<Found>, number: u64, tried: Attempt) {
        let mut found = found.lock().unwrap();
        found.done += 1;
        for kind in tried.kinds {
            *found.kinds.entry(kind).or_default() += 1;
        }
        for text in tried.lost {
            // Ways to fail are told apart without what differs from time to time: numbers, and the story in brackets.
            let like = text.split(" [").next().unwrap_or_default();
            let like: String = like.chars().filter(|letter| !letter.is_ascii_digit()).collect();
            let lost = found.lost.entry(like).or_default();
            lost.times += 1;
            if lost.texts.len() < SHOWN {
                let told = format!("TRY={number}: {text}");
                eprintln!("\r{told}");
                lost.texts.push(told);
            }
        }
        eprint!("\r{} tries of {}, {} ways to fail ", found.done, self.numbers.len(), found.lost.len());
    }
}
