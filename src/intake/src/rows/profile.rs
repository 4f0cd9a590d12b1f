//! What the columns of a table hold: shown where nobody can know which of them is the text.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pellucid_protocol::readable::grouped;
use pellucid_protocol::settings::reading::{Reading, Role};

use super::table::{Cell, Table, first_rows};
use crate::error::Result;

/// Columns that are shown at most.
const SHOWN: usize = 12;
/// Words of a text at least, in the median.
const WORDS: usize = 3;

/// What a column holds.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnProfile {
    name: String,
    /// Rows with something in it.
    filled: usize,
    /// Whether any row has a list, an object or what cannot be read.
    nested: bool,
    different: HashSet<u64>,
    /// How many rows have a number of words, by that number; the last counts all that have more.
    words: Vec<usize>,
}

/// Words beyond which texts are not told apart.
const MOST_WORDS: usize = 4096;

impl ColumnProfile {
    fn take(&mut self, cell: &Cell<'_>) {
        self.nested |= matches!(cell, Cell::Nested(_));
        let (Cell::Text(text) | Cell::Plain(text) | Cell::Rounded(text)) = cell else { return };
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        let mut hash = DefaultHasher::new();
        text.hash(&mut hash);
        self.different.insert(hash.finish());
        let count = text.split_whitespace().count().min(MOST_WORDS);
        if self.words.len() <= count {
            self.words.resize(count + 1, 0);
        }
        self.words[count] += 1;
    }

    /// Words of a row in the median.
    pub(super) fn median_words(&self) -> usize {
        let mut seen = 0;
        self.words
            .iter()
            .position(|count| {
                seen += count;
                2 * seen >= self.filled
            })
            .unwrap_or(0)
    }

    /// How many different values there are.
    pub(super) fn different(&self) -> usize {
        self.different.len()
    }

    /// Whether its values can be classes: few for the number of rows.
    pub(super) fn has_few_values(&self) -> bool {
        self.different() <= (self.filled / 20).max(20) && self.different() < self.filled
    }

    /// What it holds in words.
    fn told(&self) -> String {
        let (name, different) = (&self.name, grouped(self.different()));
        match self.median_words() {
            _ if self.nested => format!("`{name}`: no texts or numbers"),
            _ if self.filled == 0 => format!("`{name}`: empty"),
            _ if self.has_few_values() => {
                format!("`{name}`: {different} value{}", if self.different() == 1 { "" } else { "s" })
            }
            words if words >= WORDS => format!("`{name}`: {different} texts of {} words in the median", grouped(words)),
            _ => format!("`{name}`: {different} different values"),
        }
    }
}

/// Cells that are looked at to know what columns hold.
const LOOKED_AT: u64 = 20_000_000;

/// What the columns of `table` hold, over all its rows or as many as come to [`LOOKED_AT`] cells. `skip_bad`
/// rows that cannot be read count for nothing.
///
/// Columns of private data go by their numbers: what stands where names are looked for may be a row.
///
/// # Errors
/// When the file cannot be read to its end.
pub(super) fn of(table: &dyn Table, reading: &Reading) -> Result<Vec<ColumnProfile>> {
    let mut skip_bad = reading.skip_bad;
    let named = |(place, name): (usize, &String)| {
        let name = if reading.private.is_on() { (place + 1).to_string() } else { name.clone() };
        ColumnProfile { name, ..ColumnProfile::default() }
    };
    let mut profiles: Vec<ColumnProfile> = table.columns().iter().enumerate().map(named).collect();
    let all: Vec<usize> = (0..profiles.len()).collect();
    let rows = LOOKED_AT / profiles.len().max(1) as u64;
    first_rows(table, &all, rows, &mut |row| {
        match row {
            Ok(row) => profiles.iter_mut().zip(row.cells).for_each(|(profile, cell)| profile.take(cell)),
            Err(error) if skip_bad == 0 => return Err(error),
            Err(_) => skip_bad -= 1,
        }
        Ok(())
    })?;
    Ok(profiles)
}

/// The columns with what they hold, and the flags to type if it is clear which is the text; `labelled` asks for the label.
pub(super) fn listed(profiles: &[ColumnProfile], labelled: bool) -> String {
    format!("{}; {}", told(profiles), proposed(profiles, labelled))
}

/// The columns with what they hold.
pub(super) fn told(profiles: &[ColumnProfile]) -> String {
    let mut shown: Vec<String> = profiles.iter().take(SHOWN).map(ColumnProfile::told).collect();
    if profiles.len() > SHOWN {
        shown.push(format!("{} more", profiles.len() - SHOWN));
    }
    shown.join("; ")
}

/// What to type.
fn proposed(profiles: &[ColumnProfile], labelled: bool) -> String {
    let text =
        profiles.iter().filter(|profile| profile.median_words() > 1).max_by_key(|profile| profile.median_words());
    let other = |profile: &&ColumnProfile| text.is_none_or(|text| text.name != profile.name);
    let few = |profile: &&ColumnProfile| other(profile) && profile.different() > 1 && profile.has_few_values();
    let label = profiles.iter().filter(few).min_by_key(|profile| profile.different());
    let flag = |role: Role, found: Option<&ColumnProfile>, unknown: &str| {
        // A name that two columns have names none of them.
        let place = |found: &ColumnProfile| profiles.iter().position(|other| std::ptr::eq(other, found)).unwrap_or(0);
        let is_twice = |found: &ColumnProfile| {
            profiles.iter().filter(|other| other.name.eq_ignore_ascii_case(&found.name)).count() > 1
        };
        let name = |found: &ColumnProfile| {
            if is_twice(found) { (place(found) + 1).to_string() } else { quoted(&found.name) }
        };
        let name = found.map_or(unknown.to_owned(), name);
        format!("{} {name}", role.flag())
    };
    let text = flag(Role::Text, text, "NAME");
    if labelled { format!("give {text} {}", flag(Role::Label, label, "NAME")) } else { format!("give {text}") }
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_holds_is_said_by_what_it_can_be() {
        let profile = |name: &str, cells: &[&str]| {
            let mut profile = ColumnProfile { name: name.to_owned(), ..ColumnProfile::default() };
            cells.iter().for_each(|cell| profile.take(&Cell::Text((*cell).into())));
            profile
        };
        let texts: Vec<String> = (0..100).map(|row| format!("a note of some words {row}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let ids: Vec<String> = (0..100).map(|row| row.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let groups: Vec<&str> = (0..100).map(|row| ["a", "b", "c"][row % 3]).collect();
        let all = [profile("patient", &ids), profile("group", &groups), profile("the note", &texts), profile("x", &[])];
        assert_eq!(
            listed(&all, true),
            "`patient`: 100 different values; `group`: 3 values; `the note`: 100 texts of 6 words in the median; `x`: empty; \
             give --text-column 'the note' --label-column group"
        );
        assert!(listed(&all, false).ends_with("give --text-column 'the note'"));
    }
}
