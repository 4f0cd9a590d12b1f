//! Splits rows into parts: by seed, with the labels of each part as in the whole, and no group on two sides.

mod folds;
mod record;

use std::collections::HashMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use smallvec::{SmallVec, smallvec};

use crate::rows::Rows;

pub use self::folds::{Folds, folds};
pub use self::record::SplitRecord;

/// Makes these draws differ from others that have the same seed.
const SALT: u64 = 0x7370_6c69_7464_6174;

/// The rows of each part, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows for validation.
    pub valid: Vec<usize>,
    /// Rows that are left for a test.
    pub test: Vec<usize>,
}

/// The shares of the rows that are split off.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// For validation.
    pub valid: f64,
    /// For the test.
    pub test: f64,
}

/// Why rows cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsplit {
    /// Nothing would be left to train on.
    #[error("--valid and --test take {0} of the rows; leave some to train on")]
    Everything(String),
    /// A part has no rows.
    #[error("the part for {part} would have no rows: {rows} rows in {units} are too few to split off {share} of them")]
    Empty {
        /// Which part.
        part: &'static str,
        /// How many rows there are.
        rows: usize,
        /// How many units they come in, in words.
        units: String,
        /// The share.
        share: String,
    },
    /// There are not as many rows or groups as folds.
    #[error("--folds {folds} are more than the {units} {what}; give fewer folds")]
    TooFew {
        /// How many folds there should be.
        folds: usize,
        /// How many rows or groups there are.
        units: usize,
        /// Which of these.
        what: &'static str,
    },
}

/// Splits `rows`. With groups, each group is in one part as a whole.
///
/// # Errors
/// When a part would be empty.
pub fn split(rows: &Rows, shares: Shares, seed: u64) -> Result<Split, Unsplit> {
    if shares.valid + shares.test >= 1.0 {
        return Err(Unsplit::Everything(format!("{}", shares.valid + shares.test)));
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ SALT);
    let units = units(rows);
    let (count, grouped) = (units.len(), rows.group(0).is_some());
    let mut filling = Filling::new(rows, shares);
    filling.place(units, rows, &mut random);
    let split = filling.split();
    for (part, share, found) in [("validation", shares.valid, &split.valid), ("the test", shares.test, &split.test)] {
        if share > 0.0 && found.is_empty() {
            let units = if grouped { format!("{count} groups") } else { format!("{} classes", rows.labels().len()) };
            return Err(Unsplit::Empty { part, rows: rows.len(), units, share: share.to_string() });
        }
    }
    Ok(split)
}

/// Rows that stay together: a group, or a row alone, for which nothing is allocated.
type Unit = SmallVec<[usize; 2]>;

fn units(rows: &Rows) -> Vec<Unit> {
    if rows.is_empty() || rows.group(0).is_none() {
        return (0..rows.len()).map(|row| smallvec![row]).collect();
    }
    let (mut units, mut places): (Vec<Unit>, HashMap<&str, usize>) = (Vec::new(), HashMap::new());
    for row in 0..rows.len() {
        let place = *places.entry(rows.group(row).unwrap_or_default()).or_insert(units.len());
        if place == units.len() {
            units.push(Unit::new());
        }
        units[place].push(row);
    }
    units
}

/// The parts as they are filled.
struct Filling {
    /// How many rows of each label each part should have: validation, test, training.
    wanted: [Vec<f64>; 3],
    have: [Vec<f64>; 3],
    rows: [Vec<usize>; 3],
}

impl Filling {
    fn new(rows: &Rows, shares: Shares) -> Self {
        let of = |share: f64| rows.labels().iter().map(|label| share * label.count as f64).collect::<Vec<_>>();
        let wanted = [of(shares.valid), of(shares.test), of(1.0 - shares.valid - shares.test)];
        let none = vec![0.0; rows.labels().len()];
        Self { wanted, have: [none.clone(), none.clone(), none], rows: Default::default() }
    }

    /// Places the large units first, each where its labels are most wanted.
    fn place(&mut self, mut units: Vec<Unit>, rows: &Rows, random: &mut ChaCha8Rng) {
        units.shuffle(random);
        units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
        for unit in units {
            let mut counts: HashMap<usize, f64> = HashMap::new();
            unit.iter().filter_map(|row| rows.label(*row)).for_each(|label| *counts.entry(label).or_default() += 1.0);
            let mut labels: Vec<(usize, f64)> = counts.into_iter().collect();
            labels.sort_unstable_by_key(|(label, _)| *label);
            let part = self.most_wanted(&labels);
            labels.iter().for_each(|(label, count)| self.have[part][*label] += count);
            self.rows[part].extend(unit);
        }
    }

    /// The part that is furthest from having what it should of these labels; training where two are as far.
    fn most_wanted(&self, labels: &[(usize, f64)]) -> usize {
        let cost = |part: usize| -> f64 {
            let of = |(label, count): &(usize, f64)| {
                let (wanted, have) = (self.wanted[part][*label], self.have[part][*label]);
                // How full the label is in this part afterwards.
                if wanted > 0.0 { (have + count) / wanted } else { f64::INFINITY }
            };
            labels.iter().map(of).fold(0.0, f64::max)
        };
        [2, 0, 1].into_iter().min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(2)
    }

    fn split(self) -> Split {
        let [valid, test, train] = self.rows.map(|mut rows| {
            rows.sort_unstable();
            rows
        });
        Split { train, valid, test }
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::settings::reading::Reading;
    use proptest::prelude::*;

    use super::*;
    use crate::rows::{LabelNeed, read_rows};

    pub(super) fn rows(lines: impl Iterator<Item = (usize, usize)>) -> Rows {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let lines: String = lines.map(|(label, group)| format!("some words,label {label},g{group}\n")).collect();
        std::fs::write(&path, format!("text,label,patient\n{lines}")).unwrap();
        let mut reading = Reading::default();
        reading.columns.group = Some("patient".to_owned());
        read_rows(&path, &reading, LabelNeed::Required).unwrap()
    }

    const TENTHS: Shares = Shares { valid: 0.1, test: 0.2 };

    #[test]
    fn each_part_has_its_share_of_each_label_and_the_seed_decides_which_rows() {
        let rows = rows((0..1000).map(|row| (usize::from(row % 10 == 0), row)));
        let split = |seed| split(&rows, TENTHS, seed).unwrap();
        let first = split(1);
        assert_eq!([first.train.len(), first.valid.len(), first.test.len()], [700, 100, 200]);
        let rare = |part: &[usize]| part.iter().filter(|row| rows.label(**row) == rows.label(0)).count();
        assert_eq!([rare(&first.train), rare(&first.valid), rare(&first.test)], [70, 10, 20]);
        assert!(first == split(1) && first != split(2));
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let few = rows([(0, 0), (1, 0), (0, 0), (1, 0)].into_iter());
        let told = split(&few, TENTHS, 0).unwrap_err().to_string();
        assert!(told.contains("validation would have no rows: 4 rows in 1 groups are too few"), "{told}");
        assert!(split(&few, Shares { valid: 0.5, test: 0.5 }, 0).unwrap_err().to_string().contains("leave some"));
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_part_and_every_group_as_well(
            lines in prop::collection::vec((0..4usize, 0..30usize), 30..200), seed in any::<u64>(),
        ) {
            let rows = rows(lines.iter().copied());
            let Ok(split) = split(&rows, TENTHS, seed) else { return Ok(()) };
            let parts = [&split.train, &split.valid, &split.test];
            let mut all: Vec<usize> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..rows.len()).collect::<Vec<_>>());
            for (at, part) in parts.iter().enumerate() {
                for other in &parts[at + 1..] {
                    prop_assert!(!part.iter().any(|row| other.iter().any(|else_| rows.group(*row) == rows.group(*else_))));
                }
            }
        }
    }
}
