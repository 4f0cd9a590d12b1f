//! Labels that may say that there is none: what pandas, datasets and people write where nothing is.

use super::Label;

/// What pandas reads as nothing, and what other programs write for it.
const MISSING: [&str; 18] = [
    "nan", "NaN", "-nan", "-NaN", "NAN", "None", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaT", "null", "NULL",
    "Null", "?", "(null)",
];
/// What datasets writes in a column of classes where there is none.
pub(super) const NO_CLASS: &str = "-1";

/// Whether a label looks like a missing value.
pub(super) fn looks_missing(label: &str) -> bool {
    MISSING.contains(&label)
}

/// Where one of these labels is -1 and all others count up from 0: that one.
pub(super) fn no_class(labels: &[Label]) -> Option<&Label> {
    let none = labels.iter().find(|label| label.name == NO_CLASS)?;
    let others = labels.len() - 1;
    let counts = |class: usize| labels.iter().any(|label| label.name == class.to_string());
    (others > 0 && (0..others).all(counts)).then_some(none)
}

/// What is said of a row whose label looks like a missing value.
pub(super) fn what_to_do(label: &str) -> String {
    format!("the label `{label}` looks like a missing value; --skip-bad N leaves such rows out, {}", make_class(label))
}

/// What is said of `count` rows that have none.
pub(super) fn read_as_none(label: &str, count: usize) -> String {
    let rows = if count == 1 { "row has" } else { "rows have" };
    let make_class = make_class(label);
    format!("{count} {rows} the label `{label}`, which is read as none: it looks like a missing value; {make_class}")
}

fn make_class(label: &str) -> String {
    format!("--label-map='{label}={label}' makes it a class")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_one_is_no_class_only_beside_numbers_that_count_from_zero() {
        let found = |names: &[&str]| {
            let labels: Vec<Label> =
                names.iter().map(|name| Label { name: (*name).to_owned(), count: 1, first: 0 }).collect();
            no_class(&labels).is_some()
        };
        assert!(found(&["-1", "0"]) && found(&["1", "-1", "0"]) && found(&["2", "0", "-1", "1"]));
        assert!(!found(&["-1"]) && !found(&["-1", "1"]) && !found(&["-1", "0", "2"]) && !found(&["0", "1"]));
        assert!(!found(&["-1", "0", "yes"]) && !found(&["-1", "-2", "0"]));
    }
}
