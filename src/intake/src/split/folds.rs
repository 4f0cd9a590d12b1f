//! Folds for cross-validation: each row is in one of them, a group is in one as a whole, and each has its share of each
//! label.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{SALT, Unit, Unsplit, units};
use crate::rows::Rows;

/// The rows of each fold, in the order of the file.
pub type Folds = Vec<Vec<usize>>;

/// Puts the rows that `among` names into `count` folds.
///
/// # Errors
/// When there are fewer rows, or groups, than folds.
pub fn folds(rows: &Rows, among: &[usize], count: usize, seed: u64) -> Result<Folds, Unsplit> {
    let mut is_among = vec![false; rows.len()];
    among.iter().for_each(|row| is_among[*row] = true);
    let mut units: Vec<Unit> = units(rows).into_iter().filter(|unit| is_among[unit[0]]).collect();
    if units.len() < count {
        let what = if rows.group(0).is_some() { "groups" } else { "rows" };
        return Err(Unsplit::TooFew { folds: count, units: units.len(), what });
    }
    units.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ SALT));
    // Large groups first; rows label by label, so that the folds stay of one size.
    units.sort_by_key(|unit| (std::cmp::Reverse(unit.len()), rows.label(unit[0])));
    let mut filling = Filling { have: vec![vec![0; rows.labels().len()]; count], folds: vec![Vec::new(); count] };
    units.into_iter().for_each(|unit| filling.place(unit, rows));
    filling.folds.iter_mut().for_each(|fold| fold.sort_unstable());
    Ok(filling.folds)
}

/// The folds as they are filled.
struct Filling {
    /// How many rows of each label each fold has.
    have: Vec<Vec<usize>>,
    folds: Folds,
}

impl Filling {
    /// Places a unit where its labels are rarest, as shares of all rows that have them.
    fn place(&mut self, unit: Unit, rows: &Rows) {
        let mut labels: Vec<(usize, usize)> = Vec::new();
        for label in unit.iter().filter_map(|row| rows.label(*row)) {
            match labels.iter_mut().find(|(known, _)| *known == label) {
                Some((_, count)) => *count += 1,
                None => labels.push((label, 1)),
            }
        }
        let cost = |fold: usize| {
            let of = |(label, count): &(usize, usize)| {
                (self.have[fold][*label] + count) as f64 / rows.labels()[*label].count as f64
            };
            labels.iter().map(of).fold(0.0, f64::max)
        };
        let order = |a: &usize, b: &usize| {
            cost(*a).total_cmp(&cost(*b)).then_with(|| self.folds[*a].len().cmp(&self.folds[*b].len()))
        };
        let fold = (0..self.folds.len()).min_by(order).unwrap_or_default();
        labels.iter().for_each(|(label, count)| self.have[fold][*label] += count);
        self.folds[fold].extend(unit);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::tests::rows;
    use super::*;
    use crate::split::{Shares, split};

    /// How many rows of each label each fold has.
    fn counts(rows: &Rows, folds: &Folds) -> Vec<Vec<usize>> {
        let of = |fold: &Vec<usize>, label| fold.iter().filter(|row| rows.label(**row) == Some(label)).count();
        (0..rows.labels().len()).map(|label| folds.iter().map(|fold| of(fold, label)).collect()).collect()
    }

    fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
        counts.clone().max().unwrap() - counts.min().unwrap()
    }

    #[test]
    fn the_seed_decides_and_too_few_are_refused() {
        let many = rows((0..100).map(|row| (row % 3, row)));
        let all: Vec<usize> = (0..100).collect();
        let of = |seed| folds(&many, &all, 5, seed).unwrap();
        assert!(of(1) == of(1) && of(1) != of(2));
        let few = rows((0..12).map(|row| (row % 2, row % 3)));
        let told = folds(&few, &(0..12).collect::<Vec<_>>(), 4, 0).unwrap_err().to_string();
        assert_eq!(told, "--folds 4 are more than the 3 groups; give fewer folds");
        assert!(folds(&few, &(0..12).collect::<Vec<_>>(), 3, 0).is_ok());
    }

    #[test]
    fn the_rows_of_a_test_are_in_no_fold() {
        let rows = rows((0..200).map(|row| (row % 2, row / 2)));
        let parts = split(&rows, Shares { valid: 0.0, test: 0.2 }, 3).unwrap();
        let folds = folds(&rows, &parts.train, 4, 3).unwrap();
        let mut all: Vec<usize> = folds.concat();
        all.extend(&parts.test);
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn each_row_is_in_one_fold_and_each_fold_has_its_share_of_each_label(
            labels in prop::collection::vec(0..5usize, 20..150), count in 2..8usize, seed in any::<u64>(),
        ) {
            let rows = rows(labels.iter().copied().enumerate().map(|(row, label)| (label, row)));
            let folds = folds(&rows, &(0..rows.len()).collect::<Vec<_>>(), count, seed).unwrap();
            let mut all = folds.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..rows.len()).collect::<Vec<_>>());
            for counts in counts(&rows, &folds) {
                prop_assert!(spread(counts.iter().copied()) <= 1, "{counts:?}");
            }
            prop_assert!(spread(folds.iter().map(Vec::len)) <= 1);
        }

        #[test]
        fn no_group_is_in_two_folds(
            lines in prop::collection::vec((0..4usize, 0..30usize), 60..200), count in 2..6usize, seed in any::<u64>(),
        ) {
            let rows = rows(lines.iter().copied());
            let Ok(folds) = folds(&rows, &(0..rows.len()).collect::<Vec<_>>(), count, seed) else { return Ok(()) };
            let mut places: HashMap<&str, usize> = HashMap::new();
            for (number, fold) in folds.iter().enumerate() {
                prop_assert!(!fold.is_empty());
                for row in fold {
                    let place = places.entry(rows.group(*row).unwrap()).or_insert(number);
                    prop_assert_eq!(*place, number);
                }
            }
            prop_assert_eq!(folds.concat().len(), rows.len());
        }
    }
}
