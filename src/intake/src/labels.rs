//! Class names, from a model's `id2label` or from the data.

/// Class names by class index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels(Vec<String>);

/// The data do not have enough classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has {found} label; a classifier needs two or more")]
pub struct TooFewLabels {
    /// How many different labels there are.
    pub found: usize,
}

impl Labels {
    /// Labels in this order.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The different labels in `seen`: sorted by value if all are numbers, otherwise alphabetically.
    ///
    /// # Errors
    /// When there are fewer than two.
    pub fn from_data<'a>(seen: impl Iterator<Item = &'a str>) -> Result<Self, TooFewLabels> {
        let mut names: Vec<String> = seen.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        if names.iter().all(|name| name.parse::<i64>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
        }
        if names.len() < 2 {
            return Err(TooFewLabels { found: names.len() });
        }
        Ok(Self(names))
    }

    /// Names by index.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Number of classes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The class of a label as written: by name, or by number where the names are words.
    #[must_use]
    pub fn index(&self, written: &str) -> Option<usize> {
        let by_name = self.0.iter().position(|name| name == written);
        by_name.or_else(|| written.parse::<usize>().ok().filter(|&index| index < self.0.len()))
    }

    /// For each of these classes, the class of `other` with the same name; `None` when the two sets of names differ.
    #[must_use]
    pub fn permutation(&self, other: &Labels) -> Option<Vec<usize>> {
        if self.len() != other.len() {
            return None;
        }
        self.0.iter().map(|name| other.0.iter().position(|theirs| theirs == name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_by_value() {
        let labels = Labels::from_data(["10", "2", "2", "-1"].into_iter()).unwrap();
        assert_eq!(labels.names(), ["-1", "2", "10"]);
        assert_eq!(labels.index("10"), Some(2));
    }

    #[test]
    fn one_label_is_not_enough() {
        assert_eq!(Labels::from_data(["a", "a"].into_iter()), Err(TooFewLabels { found: 1 }));
    }

    #[test]
    fn a_number_stands_for_a_name() {
        let labels = Labels::new(vec!["negative".into(), "positive".into()]);
        assert_eq!((labels.index("positive"), labels.index("1"), labels.index("2")), (Some(1), Some(1), None));
    }

    #[test]
    fn the_same_names_in_another_order_are_mapped() {
        let ours = Labels::new(vec!["a".into(), "b".into()]);
        assert_eq!(ours.permutation(&Labels::new(vec!["b".into(), "a".into()])), Some(vec![1, 0]));
        assert_eq!(ours.permutation(&Labels::new(vec!["b".into(), "c".into()])), None);
    }
}
