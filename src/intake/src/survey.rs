//! What the rows of a data set hold, and what may mislead a model that is trained on them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use pellucid_protocol::data_report::{ClassCount, DataReport, GiveAway, Leak, Lengths, PartReport, Shared};

use crate::labels::{Labels, look_alikes, refuse_too_many};
use crate::rows::{Label, Rows};

/// Words that are named at most.
const NAMED: usize = 10;
/// Lines that are named at most.
const LINES: usize = 5;
/// Rows with a word below which nothing is said of it.
const LEAST: usize = 10;
/// The share of a label among the rows with a word from which the word gives it away, at the lower end of the interval.
const NEARLY_ALL: f64 = 0.8;

/// A part of a data set: its name and its rows.
pub type Part<'a> = (String, &'a Rows);

/// What these parts hold; the first is the one to train on.
#[must_use]
pub fn survey(parts: &[Part<'_>]) -> DataReport {
    let Some((_, first)) = parts.first() else { return DataReport::default() };
    let pairs =
        parts.iter().enumerate().flat_map(|(at, earlier)| parts[at + 1..].iter().map(move |later| (earlier, later)));
    let mut report = DataReport {
        parts: parts.iter().map(|(name, rows)| part(name, rows)).collect(),
        leaks: pairs.flat_map(|(earlier, later)| leaks(earlier, later)).collect(),
        give_aways: give_aways(first),
        alike: alike(parts),
        refused: None,
    };
    rename(&mut report, &told_names(parts));
    report
}

/// What labels are called that must not be told: those that few rows of private data share.
fn told_names(parts: &[Part<'_>]) -> HashMap<String, String> {
    let mut all: HashMap<&str, (Label, &Rows)> = HashMap::new();
    for (_, rows) in parts.iter().filter(|(_, rows)| rows.private().is_on()) {
        for label in rows.labels() {
            let (known, _) = all.entry(&label.name).or_insert_with(|| (Label { count: 0, ..label.clone() }, *rows));
            known.count += label.count;
        }
    }
    let told = |(name, (label, rows)): (&str, (Label, &Rows))| {
        let told = rows.told_label(&label);
        (told != format!("`{name}`")).then(|| (name.to_owned(), told))
    };
    all.into_iter().filter_map(told).collect()
}

fn rename(report: &mut DataReport, names: &HashMap<String, String>) {
    let classes = report.parts.iter_mut().flat_map(|part| &mut part.classes);
    let of_classes = classes.chain(report.alike.iter_mut().flatten()).map(|class| &mut class.name);
    for name in of_classes.chain(report.give_aways.iter_mut().map(|found| &mut found.label)) {
        if let Some(told) = names.get(name) {
            name.clone_from(told);
        }
    }
}

/// What these files hold; the first is the one to train on. Also said is why nothing would be trained on it.
#[must_use]
pub fn survey_files(files: &[&Rows]) -> DataReport {
    let parts: Vec<Part<'_>> = files.iter().map(|rows| (rows.path().display().to_string(), *rows)).collect();
    let refused = files.first().filter(|first| !first.labels().is_empty());
    let refused = refused.and_then(|first| {
        let too_many = refuse_too_many(first).err();
        let why = too_many.or_else(|| Labels::of_rows(first).err())?;
        Some(format!("{}: {why}", first.path().display()))
    });
    DataReport { refused, ..survey(&parts) }
}

/// Labels of any part that look alike, the most frequent first.
fn alike(parts: &[Part<'_>]) -> Vec<Vec<ClassCount>> {
    let mut all: BTreeMap<&str, Label> = BTreeMap::new();
    for label in parts.iter().flat_map(|(_, rows)| rows.labels()) {
        let known = all.entry(&label.name).or_insert_with(|| Label { count: 0, ..label.clone() });
        known.count += label.count;
    }
    let counts = |labels: Vec<Label>| {
        let counts = labels.into_iter().map(|label| ClassCount { name: label.name, rows: label.count });
        let mut counts: Vec<ClassCount> = counts.collect();
        counts.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
        counts
    };
    look_alikes(&all.into_values().collect::<Vec<_>>()).into_iter().map(counts).take(NAMED).collect()
}

/// A number for a text and its second text; the same for texts that differ only in case and blanks, which many
/// tokenizers do not see.
fn hash_of(rows: &Rows, row: usize) -> u64 {
    let mut hash = DefaultHasher::new();
    let pair = rows.pair(row);
    for word in rows
        .text(row)
        .split_whitespace()
        .chain(pair.map(|_| "\n"))
        .chain(pair.into_iter().flat_map(str::split_whitespace))
    {
        word.chars().flat_map(char::to_lowercase).for_each(|c| c.hash(&mut hash));
        ' '.hash(&mut hash);
    }
    hash.finish()
}

/// The rows of `rows` whose texts are in `others` as well.
#[must_use]
pub fn shared(rows: &Rows, others: &[&Rows]) -> Vec<usize> {
    let known: HashSet<u64> = others.iter().flat_map(|other| (0..other.len()).map(|row| hash_of(other, row))).collect();
    (0..rows.len()).filter(|row| known.contains(&hash_of(rows, *row))).collect()
}

/// What the later of two parts shares with the earlier one.
fn leaks((other, earlier): &Part<'_>, (name, rows): &Part<'_>) -> Vec<Leak> {
    let groups: HashSet<&str> = (0..earlier.len()).filter_map(|row| earlier.group(row)).collect();
    let of_groups = (0..rows.len()).filter(|row| rows.group(*row).is_some_and(|group| groups.contains(group)));
    let found = [(Shared::Texts, shared(rows, &[earlier])), (Shared::Groups, of_groups.collect())];
    let leak = |(shared, found): (Shared, Vec<usize>)| {
        let lines = found.iter().take(LINES).map(|row| rows.line(*row)).collect();
        let other_label = if shared == Shared::Texts { with_other_label(rows, &found, earlier) } else { 0 };
        let leak = || Leak { part: name.clone(), other: other.clone(), shared, rows: found.len(), other_label, lines };
        (!found.is_empty()).then(leak)
    };
    found.into_iter().filter_map(leak).collect()
}

/// How many of the rows at `shared` have a label that no row of `earlier` with the same text has.
fn with_other_label(rows: &Rows, shared: &[usize], earlier: &Rows) -> usize {
    let wanted: HashSet<u64> = shared.iter().map(|row| hash_of(rows, *row)).collect();
    let mut labels: HashMap<u64, HashSet<&str>> = HashMap::new();
    for row in 0..earlier.len() {
        if let Some(label) = earlier.label(row)
            && let hash = hash_of(earlier, row)
            && wanted.contains(&hash)
        {
            labels.entry(hash).or_default().insert(&earlier.labels()[label].name);
        }
    }
    let differs = |row: &&usize| {
        let label = rows.label(**row).map(|label| rows.labels()[label].name.as_str());
        label.is_some_and(|label| labels.get(&hash_of(rows, **row)).is_some_and(|known| !known.contains(label)))
    };
    shared.iter().filter(differs).count()
}

fn part(name: &str, rows: &Rows) -> PartReport {
    let mut classes: Vec<ClassCount> =
        rows.labels().iter().map(|label| ClassCount { name: label.name.clone(), rows: label.count }).collect();
    classes.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
    let words: Vec<u32> = (0..rows.len()).map(|row| word_count(rows, row)).collect();
    let (duplicates, conflicts) = repeated(rows);
    PartReport {
        name: name.to_owned(),
        rows: rows.len(),
        skipped: rows.skipped().len(),
        columns: rows.columns().clone(),
        notes: rows.notes().to_vec(),
        classes,
        one_word: words.iter().filter(|count| **count == 1).count(),
        words: Lengths::of(words),
        tokens: None,
        duplicates,
        conflicts,
        scripts: scripts(rows),
    }
}

fn word_count(rows: &Rows, row: usize) -> u32 {
    let words = rows.text(row).split_whitespace().chain(rows.pair(row).into_iter().flat_map(str::split_whitespace));
    words.count() as u32
}

/// Rows whose text is in an earlier row, and different texts with more than one label.
fn repeated(rows: &Rows) -> (usize, usize) {
    let mut first: HashMap<u64, Option<usize>> = HashMap::with_capacity(rows.len());
    let (mut duplicates, mut conflicts) = (0, HashSet::new());
    for row in 0..rows.len() {
        let (hash, label) = (hash_of(rows, row), rows.label(row));
        match first.get(&hash) {
            None => drop(first.insert(hash, label)),
            Some(before) => {
                duplicates += 1;
                if label.is_some() && *before != label {
                    conflicts.insert(hash);
                }
            }
        }
    }
    (duplicates, conflicts.len())
}

/// The scripts that texts are mostly written in, with their shares.
fn scripts(rows: &Rows) -> Vec<(String, f64)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for row in 0..rows.len() {
        let mut own: HashMap<&str, usize> = HashMap::new();
        rows.text(row).chars().filter(|c| c.is_alphabetic()).for_each(|c| *own.entry(script(c)).or_default() += 1);
        let most = own.into_iter().max_by_key(|(name, count)| (*count, *name)).map_or("no letters", |(name, _)| name);
        *counts.entry(most).or_default() += 1;
    }
    let mut shares: Vec<(String, f64)> =
        counts.into_iter().map(|(name, count)| (name.to_owned(), count as f64 / rows.len().max(1) as f64)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    shares
}

/// The script of a letter, by the blocks of Unicode.
fn script(letter: char) -> &'static str {
    match letter {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => "Latin",
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{400}'..='\u{52f}' => "Cyrillic",
        '\u{590}'..='\u{5ff}' => "Hebrew",
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => "Arabic",
        '\u{900}'..='\u{97f}' => "Devanagari",
        '\u{e00}'..='\u{e7f}' => "Thai",
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => "Hangul",
        '\u{3040}'..='\u{30ff}' => "Kana",
        '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}' => "Han",
        _ => "other scripts",
    }
}

/// How often each word is in rows of each label, each row counted once.
fn word_counts(rows: &Rows) -> HashMap<String, Vec<u32>> {
    let mut counts: HashMap<String, Vec<u32>> = HashMap::new();
    for row in 0..rows.len() {
        let Some(label) = rows.label(row) else { continue };
        let pair = rows.pair(row).into_iter().flat_map(str::split_whitespace);
        let words = rows.text(row).split_whitespace().chain(pair);
        let words: HashSet<String> = words.map(plain).filter(|word| !word.is_empty()).collect();
        for word in words {
            counts.entry(word).or_insert_with(|| vec![0; rows.labels().len()])[label] += 1;
        }
    }
    counts
}

fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Words that are nearly always in rows of one label.
fn give_aways(rows: &Rows) -> Vec<GiveAway> {
    if rows.labels().len() < 2 {
        return Vec::new();
    }
    let base: Vec<f64> = rows.labels().iter().map(|label| label.count as f64 / rows.len() as f64).collect();
    let mut found: Vec<GiveAway> = word_counts(rows)
        .into_iter()
        .filter_map(|(word, counts)| {
            let all = counts.iter().sum::<u32>() as usize;
            let (label, most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
            let at_least = wilson(*most as usize, all);
            let says_something = all >= LEAST && at_least >= NEARLY_ALL.max((1.0 + base[label]) / 2.0);
            let share = f64::from(*most) / all as f64;
            let label = || rows.labels()[label].name.clone();
            says_something.then(|| GiveAway { word, label: label(), rows: all, share, at_least })
        })
        .collect();
    // Those that decide the most rows first.
    found.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.word.cmp(&b.word)));
    found.truncate(NAMED);
    found
}

/// The lower end of the 95 % interval of a share (Wilson 1927).
fn wilson(hits: usize, all: usize) -> f64 {
    let (n, z) = (all as f64, 1.959_963_984_540_054);
    let share = hits as f64 / n;
    let middle = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    (middle - spread) / (1.0 + z * z / n)
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::settings::reading::Reading;

    use super::*;
    use crate::rows::{LabelNeed, read_rows};

    fn rows(lines: &str) -> Rows {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, format!("text,label\n{lines}")).unwrap();
        read_rows(&path, &Reading::default(), LabelNeed::Required).unwrap()
    }

    // Wilson's formula in Python 3.11, z = 1.959963984540054: 0.7863976856252035 and 0.7224672001371106.
    #[test]
    fn the_interval_is_wilsons() {
        assert!((wilson(45, 50) - 0.786_397_685_6).abs() < 1e-6);
        assert!((wilson(10, 10) - 0.722_467_200_1).abs() < 1e-6);
    }

    #[test]
    fn what_rows_hold_is_counted() {
        let lines = "a b c,x\na b c,y\na b c,x\nd,x\nд е,x\n";
        let report = survey(&[("train".to_owned(), &rows(lines))]);
        let part = &report.parts[0];
        assert_eq!((part.rows, part.duplicates, part.conflicts, part.one_word), (5, 2, 1, 1));
        assert_eq!(part.classes, [ClassCount { name: "x".into(), rows: 4 }, ClassCount { name: "y".into(), rows: 1 }]);
        assert_eq!((part.share(part.classes[0].rows), part.words.median), (0.8, 3));
        assert_eq!(part.scripts, [("Latin".to_owned(), 0.8), ("Cyrillic".to_owned(), 0.2)]);
    }

    #[test]
    fn texts_on_both_sides_are_found_by_line() {
        let (train, valid) = (rows("a b,x\nc d,y\n"), rows("e f,x\n A  b ,y\nc d,y\n"));
        let report = survey(&[("train".to_owned(), &train), ("valid".to_owned(), &valid)]);
        let leak = |rows, other_label, lines| Leak {
            part: "valid".into(),
            other: "train".into(),
            shared: Shared::Texts,
            rows,
            other_label,
            lines,
        };
        assert_eq!(report.leaks, [leak(2, 1, vec![3, 4])]);
        assert_eq!(shared(&train, &[&valid]), [0, 1]);
    }

    #[test]
    fn labels_that_look_alike_in_any_part_are_found() {
        let (train, valid) = (rows("a,emergency\nb,emergency\nc,routine\n"), rows("d,Emergency\ne,routine\n"));
        let report = survey(&[("train".to_owned(), &train), ("valid".to_owned(), &valid)]);
        let count = |name: &str, rows| ClassCount { name: name.to_owned(), rows };
        assert_eq!(report.alike, [vec![count("emergency", 2), count("Emergency", 1)]]);
    }

    #[test]
    fn what_training_refuses_is_said() {
        let refused = |lines: &str| survey_files(&[&rows(lines)]).refused;
        assert_eq!(refused("a,x\nb,y\nc,x\n"), None);
        assert!(refused("a,0.5\nb,1.25\nc,0.5\n").unwrap().contains("a.csv: the labels are numbers with fractions"));
        assert!(refused("a,1\nb,2\nc,3\nd,4\ne,5\n").unwrap().contains("has 5 different labels in 5 rows"));
        assert!(refused("a,x\nb,x\n").unwrap().contains("a.csv: has 1 label; a classifier needs two or more"));
    }

    #[test]
    fn a_word_that_gives_a_label_away_is_named_with_its_share() {
        let lines: String = (0..200)
            .map(|row| match row % 2 {
                0 => format!("Ashdown ward note {row},urgent\n"),
                _ => format!("quiet ward note {row},{}\n", if row % 20 == 1 { "urgent" } else { "routine" }),
            })
            .collect();
        let found = survey(&[("train".to_owned(), &rows(&lines))]).give_aways;
        assert_eq!((found[0].word.as_str(), found[0].label.as_str(), found[0].rows), ("ashdown", "urgent", 100));
        assert!(found[0].share == 1.0 && found[0].at_least > 0.96);
        let quiet = found.iter().find(|found| found.word == "quiet").unwrap();
        assert!(quiet.label == "routine" && (quiet.share - 0.9).abs() < 1e-9);
        assert!(!found.iter().any(|found| found.word == "ward"));
    }
}
