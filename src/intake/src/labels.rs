//! Class names, from a model's `id2label` or from the data, and what the labels of data mean by them.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

use crate::rows::{Label, Rows};

/// Classes that may be as many as they like for the number of rows.
const FEW: usize = 20;

/// Class names by class index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels(Vec<String>);

/// Why the labels of data are no classes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoClasses {
    /// There are not enough.
    #[error("has {found} label; a classifier needs two or more")]
    TooFew {
        /// How many different labels there are.
        found: usize,
    },
    /// They are measures.
    #[error(
        "the labels are numbers with fractions, such as {0}: that is a regression, which is not trained here; make classes \
         of them"
    )]
    Fractions(String),
    /// They are as good as one for each row.
    #[error(
        "has {classes} different labels in {rows} rows, {once} of them seen once: is {example} a label? name the right \
         column with --label-column, or give --yes-many-classes"
    )]
    TooMany {
        /// How many different labels there are.
        classes: usize,
        /// How many rows.
        rows: usize,
        /// How many labels one row alone has.
        once: usize,
        /// One of these labels as it is told, cut short.
        example: String,
    },
}

/// How the labels of data name the classes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By their names.
    Names,
    /// By their numbers, from 0.
    Numbers,
}

impl Labels {
    /// Labels in this order.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The different labels of data as classes: sorted by value if all are numbers, otherwise alphabetically.
    ///
    /// # Errors
    /// When there are fewer than two, or they are numbers with fractions.
    pub fn from_data(seen: &[Label]) -> Result<Self, NoClasses> {
        let mut names: Vec<String> = seen.iter().map(|label| label.name.clone()).collect();
        names.sort_unstable();
        if names.iter().all(|name| is_whole(name)) {
            // Of more digits than a number of the machine has, those that are longer are larger.
            names.sort_by_key(|name| (name.parse::<i128>().unwrap_or(i128::MAX), name.len()));
        } else if names.iter().all(|name| is_number(name)) {
            let example = names.into_iter().find(|name| !is_whole(name));
            return Err(NoClasses::Fractions(example.unwrap_or_default()));
        }
        if names.len() < 2 {
            return Err(NoClasses::TooFew { found: names.len() });
        }
        Ok(Self(names))
    }

    /// [`Labels::from_data`] of the labels of `rows`.
    ///
    /// # Errors
    /// As there; no label of private rows is told that few of them share.
    pub fn of_rows(rows: &Rows) -> Result<Self, NoClasses> {
        let told = |name: String| {
            let label = rows.labels().iter().find(|label| label.name == name).filter(|_| rows.private().is_on());
            label.map_or(name, |label| rows.told_label(label))
        };
        Self::from_data(rows.labels()).map_err(|why| match why {
            NoClasses::Fractions(name) => NoClasses::Fractions(told(name)),
            other => other,
        })
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

    /// The class that a user means: by name, or by number where the names are words.
    #[must_use]
    pub fn index(&self, written: &str) -> Option<usize> {
        self.named(written, Naming::Names).or_else(|| self.named(written, Naming::Numbers))
    }

    /// The class of a label of the data.
    #[must_use]
    pub fn named(&self, written: &str, naming: Naming) -> Option<usize> {
        match naming {
            Naming::Names => self.0.iter().position(|name| name == written),
            Naming::Numbers => written.parse::<usize>().ok().filter(|&index| index < self.0.len()),
        }
    }

    /// How `seen` labels of data name these classes; `None` if one of them names none. Numbers stand for classes only if
    /// each class occurs: 0 and 1 of two classes are not the first two of three.
    #[must_use]
    pub fn naming(&self, seen: &[Label]) -> Option<Naming> {
        let all = |naming| seen.iter().all(|label| self.named(&label.name, naming).is_some());
        if all(Naming::Names) {
            return Some(Naming::Names);
        }
        let each = (0..self.len()).all(|class| seen.iter().any(|label| label.name == class.to_string()));
        (each && all(Naming::Numbers)).then_some(Naming::Numbers)
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

fn is_whole(name: &str) -> bool {
    let digits = name.strip_prefix(['-', '+']).unwrap_or(name);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(name: &str) -> bool {
    name.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Refuses labels that are as good as one for each row: the columns may be the other way round.
///
/// # Errors
/// When there are too many.
pub fn refuse_too_many(rows: &Rows) -> Result<(), NoClasses> {
    let (seen, all) = (rows.labels(), rows.len());
    let once = seen.iter().filter(|label| label.count == 1).count();
    let many = seen.len() > FEW && (20 * seen.len() > all || 2 * once > seen.len());
    let each = seen.len() == all && all > 3;
    if !many && !each {
        return Ok(());
    }
    let example = seen.iter().find(|label| label.count == 1).or(seen.first());
    let cut = |label: &Label| {
        let name = label.name.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
        rows.told_label(&Label { name, ..label.clone() })
    };
    let example = example.map(cut).unwrap_or_default();
    Err(NoClasses::TooMany { classes: seen.len(), rows: all, once, example })
}

/// Characters that show nothing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{2066}'..='\u{2069}')
}

/// What a label looks like: the number that it is, `true` being 1; else without case, blanks and what shows nothing, each
/// letter as the one that all
/// that look like it stand for (Unicode Technical Standard 39).
fn look(name: &str) -> String {
    let number = match name.to_lowercase().as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        // Exponents, too.
        written => {
            let number = written.parse::<f64>().ok().filter(|number| number.is_finite());
            // `0e1` and `0e2` are codes.
            number.filter(|number| *number != 0.0 || !written.contains('e'))
        }
    };
    if let Some(number) = number {
        // Zero has two signs.
        return (number + 0.0).to_string();
    }
    let shown = name.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c)).collect::<String>();
    let folded: String = skeleton(&shown.to_lowercase()).collect();
    // A letter may stand for one that has a case again.
    folded.to_lowercase()
}

/// Labels that look the same, or are the same but for case, blanks and zeros before them.
#[must_use]
pub fn look_alikes(seen: &[Label]) -> Vec<Vec<Label>> {
    let mut alike: BTreeMap<String, Vec<Label>> = BTreeMap::new();
    for label in seen {
        alike.entry(look(&label.name)).or_default().push(label.clone());
    }
    alike.into_values().filter(|labels| labels.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::settings::reading::Reading;

    use super::*;
    use crate::rows::{LabelNeed, read_rows};

    fn seen(names: &[&str]) -> Vec<Label> {
        names.iter().map(|name| Label { name: (*name).to_owned(), count: 1, first: 0 }).collect()
    }

    fn alike(names: &[&str]) -> Vec<Vec<String>> {
        let found = look_alikes(&seen(names)).into_iter();
        found.map(|labels| labels.into_iter().map(|label| label.name).collect()).collect()
    }

    #[test]
    fn numbers_are_sorted_by_value() {
        let labels = Labels::from_data(&seen(&["10", "2", "-1"])).unwrap();
        assert_eq!(labels.names(), ["-1", "2", "10"]);
        assert_eq!(labels.index("10"), Some(2));
        let long = format!("1{}", "0".repeat(50));
        let labels = Labels::from_data(&seen(&[&long, "9223372036854775808", "7", "18446744073709551616"])).unwrap();
        assert_eq!(labels.names(), ["7", "9223372036854775808", "18446744073709551616", &long]);
    }

    #[test]
    fn what_is_no_class_is_refused() {
        assert_eq!(Labels::from_data(&seen(&["a"])), Err(NoClasses::TooFew { found: 1 }));
        assert_eq!(Labels::from_data(&seen(&["5", "3.8"])), Err(NoClasses::Fractions("3.8".to_owned())));
        assert!(Labels::from_data(&seen(&["5", "3.8", "n/a"])).is_ok());
    }

    #[test]
    fn numbers_stand_for_names_only_if_each_class_occurs() {
        let three = Labels::new(["negative", "neutral", "positive"].map(str::to_owned).to_vec());
        assert_eq!(three.naming(&seen(&["0", "1"])), None);
        assert_eq!(three.naming(&seen(&["2", "0", "1"])), Some(Naming::Numbers));
        assert_eq!(three.naming(&seen(&["0", "1", "2", "3"])), None);
        assert_eq!(three.naming(&seen(&["neutral"])), Some(Naming::Names));
        assert_eq!(three.naming(&seen(&["0", "1", "2", "positive"])), None);
        assert_eq!((three.index("positive"), three.index("1"), three.index("3")), (Some(2), Some(1), None));
    }

    #[test]
    fn labels_that_differ_by_case_or_blanks_alone_are_found() {
        let found = alike(&["Spam", "ham", "spam", "very bad", "verybad", "spam "]);
        assert_eq!(found, [vec!["Spam", "spam", "spam "], vec!["very bad", "verybad"]]);
    }

    #[test]
    fn labels_that_look_the_same_are_found() {
        let found = alike(&["spam", "s\u{440}\u{430}m", "ham", "h\u{200b}am"]);
        assert_eq!(found, [["ham", "h\u{200b}am"], ["spam", "s\u{440}\u{430}m"]]);
        for (one, other) in [
            ("gr\u{f6}\u{df}e", "gro\u{308}\u{df}e"),
            ("caf\u{e9}", "CAFE\u{301}"),
            ("\u{ff21}", "a"),
            ("\u{fb01}ne", "fine"),
            ("\u{391}", "A"),
        ] {
            assert_eq!(alike(&[one, other]).len(), 1, "{one} {other}");
        }
        for [one, other] in [["1e2", "100"], ["01", "1"], ["True", "1"], ["false", "0"], ["-0.0", "0"]] {
            assert_eq!(alike(&[one, other]).len(), 1, "{one} {other}");
        }
        for differ in [
            ["yes", "no"],
            ["0", "1"],
            ["0e1", "0e2"],
            ["true", "false"],
            ["10", "1"],
            ["ja", "j\u{e4}"],
            ["\u{6d88}", "\u{6e05}"],
        ] {
            assert!(alike(&differ).is_empty(), "{differ:?}");
        }
    }

    #[test]
    fn as_many_classes_as_rows_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let check = |rows: usize, classes: usize| {
            let lines: String = (0..rows).map(|row| format!("some words,class {}\n", row % classes)).collect();
            let path = folder.path().join("a.csv");
            std::fs::write(&path, format!("text,label\n{lines}")).unwrap();
            refuse_too_many(&read_rows(&path, &Reading::default(), LabelNeed::Required).unwrap())
        };
        assert!(check(3, 3).is_ok() && check(4, 2).is_ok() && check(100, 20).is_ok() && check(1000, 50).is_ok());
        assert!(check(4, 4).is_err() && check(1000, 51).is_err());
        let told = check(40, 30).unwrap_err().to_string();
        assert!(told.starts_with("has 30 different labels in 40 rows, 20 of them seen once"), "{told}");
    }

    #[test]
    fn the_same_names_in_another_order_are_mapped() {
        let ours = Labels::new(vec!["a".into(), "b".into()]);
        assert_eq!(ours.permutation(&Labels::new(vec!["b".into(), "a".into()])), Some(vec![1, 0]));
        assert_eq!(ours.permutation(&Labels::new(vec!["b".into(), "c".into()])), None);
    }
}
