//! Saved inputs and seeded mutations of them: a short run of the fuzzer's targets on any compiler.

use std::fs;
use std::path::{Path, PathBuf};

/// A target, as the fuzzer calls it.
pub(crate) type Target = fn(&[u8]);

/// The saved inputs of a target, in order of their names.
pub(crate) fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(|folder| {
        let found = folder.join("tests/fuzz/corpus").join(name);
        found.is_dir().then_some(found)
    });
    let folder = folder.unwrap_or_else(|| panic!("no corpus of {name}"));
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Calls `target` with every saved input and `count` mutations of them. A panic names the input.
pub(crate) fn run(name: &str, target: Target, count: usize) {
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "the corpus of {name} is empty");
    corpus.iter().for_each(|input| call(name, target, input));
    let mut random = Random(0x5eed ^ name.len() as u64);
    for _ in 0..count {
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut input, &corpus, &mut random);
        }
        call(name, target, &input);
    }
}

fn call(name: &str, target: Target, input: &[u8]) {
    let done = std::panic::catch_unwind(|| target(input));
    assert!(done.is_ok(), "{name} falls over: b\"{}\"", input.escape_ascii());
}

/// Numbers and pieces that parsers stumble over.
const PIECES: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\xc2\x9b",
    b"\xf0\x9f\x98\x80",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"[[[[[[[[",
    b"{{",
    b"}",
    b"]",
    b",",
    b"-1",
    b"1e999",
    b"NaN",
    b"18446744073709551615",
    b"9223372036854775808",
    b"4294967296",
    b"0.1e-400",
    b"null",
    b"\n",
    b"\t",
    b"\r\n",
    b"'''",
];

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let end = (at + random.below(16)).min(input.len());
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = random.below(256) as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = PIECES[random.below(PIECES.len())];
            drop(input.splice(at..end, piece.iter().copied()));
        }
        4 => {
            let copy = input[at..end].to_vec();
            let there = random.below(input.len() + 1);
            drop(input.splice(there..there, copy));
        }
        5 => input.truncate(at),
        6 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            drop(input.splice(at.., other[from..].iter().copied()));
        }
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            drop(input.splice(at..at, piece.repeat(random.below(40))));
        }
    }
}

/// splitmix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % limit.max(1) as u64) as usize
    }
}
