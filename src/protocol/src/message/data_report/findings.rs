//! What may mislead a model that is trained on a data set, or whoever measures it: a line each, with what to do.

use super::{ClassCount, DataReport, GiveAway, Leak, PartReport, Shared, TokenLengths};
use crate::readable::{counted, grouped};

/// Rows of a class below which little is learnt of it, and little measured.
const FEW: usize = 10;
/// Classes that are named at most.
const NAMED: usize = 5;

impl DataReport {
    /// What may mislead a model that is trained on the first part, or whoever measures it, a line each; the worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let refused = self.refused.iter().map(|why| format!("training would refuse: {why}"));
        let leaks = self.leaks.iter().map(|leak| self.leak(leak));
        let alike = self.alike.iter().map(|labels| alike(labels));
        let later = || self.parts.iter().skip(1);
        let unknown = later().filter_map(|part| self.unknown(part));
        let missing = later().filter_map(|part| self.missing(part));
        let unlabelled = self.parts.iter().filter_map(unlabelled);
        let conflicts = self.parts.iter().filter(|part| part.conflicts > 0).map(|part| {
            let have = if part.conflicts == 1 { "has" } else { "have" };
            format!("conflict: {} of {} {have} more than one label", counted(part.conflicts, "text"), part.name)
        });
        let few = self.parts.iter().filter_map(few);
        let cut = self.parts.iter().filter_map(|part| cut(part, part.tokens.as_ref()?));
        let give_aways = self.give_aways.iter().map(give_away);
        let labels = alike.chain(unknown).chain(missing).chain(unlabelled);
        refused.chain(leaks).chain(labels).chain(conflicts).chain(few).chain(cut).chain(give_aways).collect()
    }

    fn leak(&self, leak: &Leak) -> String {
        let Leak { part, other, shared, rows, other_label, lines } = leak;
        let more = if lines.len() < *rows { ", …" } else { "" };
        let listed: Vec<String> = lines.iter().map(u64::to_string).collect();
        let line = if *rows == 1 { "line" } else { "lines" };
        let (are, listed) = (if *rows == 1 { "is" } else { "are" }, listed.join(", "));
        let labels =
            if *other_label > 0 { format!(", {} with another label", grouped(*other_label)) } else { String::new() };
        let is_trained_on = self.parts.first().is_none_or(|first| first.name == *other);
        let (what, remedy) = match shared {
            Shared::Texts if is_trained_on => ("in", "; --drop-leaks trains without these texts"),
            Shared::Texts => ("in", ""),
            Shared::Groups => ("of groups in", ""),
        };
        let as_well = if *shared == Shared::Texts { " as well" } else { "" };
        let rows = counted(*rows, "row");
        format!("leak: {rows} of {part} {are} {what} {other}{as_well}{labels} ({line} {listed}{more}){remedy}")
    }

    /// Labels of a later part that no row of the first has.
    fn unknown(&self, part: &PartReport) -> Option<String> {
        let first = self.parts.first().filter(|first| !first.classes.is_empty())?;
        let unknown = only_in(part, first);
        let (train, classes) = (&first.name, named(&unknown, Count::Shown)?);
        let labels = if unknown.len() == 1 { "a label" } else { "labels" };
        Some(format!("unknown: {} has {labels} that no row of {train} has: {classes}", part.name))
    }

    /// Classes of the first part that no row of a later one has.
    fn missing(&self, part: &PartReport) -> Option<String> {
        let first = self.parts.first().filter(|_| !part.classes.is_empty())?;
        let missing = only_in(first, part);
        let class = if missing.len() == 1 { "class" } else { "classes" };
        let it = if missing.len() == 1 { "it" } else { "them" };
        let named = named(&missing, Count::Hidden)?;
        Some(format!("missing: no row of {} is of the {class} {named}: nothing is measured for {it}", part.name))
    }
}

fn only_in<'a>(part: &'a PartReport, other: &PartReport) -> Vec<&'a ClassCount> {
    let known: std::collections::HashSet<&str> = other.classes.iter().map(|class| class.name.as_str()).collect();
    part.classes.iter().filter(|class| !known.contains(class.name.as_str())).collect()
}

/// Whether the rows of a class are told as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    Shown,
    Hidden,
}

/// The first of these classes; `None` of none.
fn named(classes: &[&ClassCount], count: Count) -> Option<String> {
    let each = classes.iter().take(NAMED).map(|class| match count {
        Count::Shown => format!("`{}` ({})", class.name, grouped(class.rows)),
        Count::Hidden => format!("`{}`", class.name),
    });
    let mut each: Vec<String> = each.collect();
    if classes.len() > NAMED {
        each.push(format!("{} more", grouped(classes.len() - NAMED)));
    }
    (!each.is_empty()).then(|| each.join(", "))
}

fn unlabelled(part: &PartReport) -> Option<String> {
    let without = part.rows.saturating_sub(part.labelled());
    let some = without > 0 && !part.classes.is_empty();
    let have = if without == 1 { "has" } else { "have" };
    let (rows, name) = (counted(without, "row"), &part.name);
    some.then(|| {
        format!("no label: {rows} of {name} {have} none; training refuses them, or --skip-bad leaves them out")
    })
}

fn few(part: &PartReport) -> Option<String> {
    let few: Vec<&ClassCount> = part.classes.iter().filter(|class| class.rows < FEW).collect();
    let classes = named(&few, Count::Shown)?;
    let of = if few.len() == 1 { "a class has" } else { "classes have" };
    Some(format!("few rows: {of} fewer than {FEW} in {}: {classes}", part.name))
}

fn cut(part: &PartReport, tokens: &TokenLengths) -> Option<String> {
    let TokenLengths { limit, cut, cut_words, most, windows, .. } = tokens;
    let limit = if *windows > 0 { format!("{windows} windows of {limit} tokens") } else { format!("{limit} tokens") };
    let remedy = match (*windows, *most > tokens.limit) {
        (1.., _) => String::new(),
        (0, true) => format!("; --max-tokens (up to {most}) or --long windows reads more"),
        (0, false) => "; --long windows reads more".to_owned(),
    };
    let are = if *cut == 1 { "is" } else { "are" };
    let (words, all) = (counted(*cut_words, "word"), counted(part.rows, "text"));
    let words_are = if *cut_words == 1 { "is" } else { "are" };
    let told = || {
        let (cut, name) = (grouped(*cut), &part.name);
        format!("cut: {cut} of {all} of {name} {are} longer than {limit}, {words} {words_are} not read{remedy}")
    };
    (*cut > 0).then(told)
}

fn give_away(found: &GiveAway) -> String {
    let (word, label, rows) = (&found.word, &found.label, counted(found.rows, "row"));
    let (share, least) = (100.0 * found.share, 100.0 * found.at_least);
    format!("gives away: `{word}` in {rows}, {share:.0} % of them `{label}` (at least {least:.0} %)")
}

/// Labels that look alike, the most frequent first, and what makes them one class.
fn alike(labels: &[ClassCount]) -> String {
    let each = labels.iter().map(|label| format!("`{}` ({})", plainly(&label.name), grouped(label.rows)));
    let each = each.collect::<Vec<_>>().join(" and ");
    let remedy = label_map(labels).map_or_else(
        || "write them alike if they are one".to_owned(),
        |map| format!("--label-map {map} makes them one"),
    );
    format!("labels that look alike are different classes: {each}; {remedy}")
}

/// What to type; `None` if a label cannot be typed so.
fn label_map(labels: &[ClassCount]) -> Option<String> {
    let (most, others) = labels.split_first()?;
    let typed = |name: &str| name.chars().all(|c| c.is_ascii_graphic() && !",='".contains(c) || c == ' ');
    if !labels.iter().all(|label| typed(&label.name)) {
        return None;
    }
    let map = others.iter().map(|other| format!("{}={}", other.name, most.name)).collect::<Vec<_>>().join(",");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=,_-.".contains(c);
    Some(if map.chars().all(is_plain) { map } else { format!("'{map}'") })
}

/// A label as it is written; letters that may look like others by their numbers.
fn plainly(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use crate::data_report::Lengths;

    use super::*;

    fn classes(all: &[(&str, usize)]) -> Vec<ClassCount> {
        all.iter().map(|(name, rows)| ClassCount { name: (*name).to_owned(), rows: *rows }).collect()
    }

    fn part(name: &str, all: &[(&str, usize)]) -> PartReport {
        let classes = classes(all);
        let rows = classes.iter().map(|class| class.rows).sum();
        PartReport { name: name.to_owned(), rows, classes, ..PartReport::default() }
    }

    fn findings(parts: Vec<PartReport>) -> Vec<String> {
        DataReport { parts, ..DataReport::default() }.findings()
    }

    #[test]
    fn classes_that_are_rare_missing_or_unknown_are_found() {
        assert_eq!(findings(vec![part("a", &[("x", 10), ("y", 10)]), part("b", &[("x", 10), ("y", 10)])]), [""; 0]);
        let parts = vec![part("train", &[("x", 90), ("y", 3), ("z", 12)]), part("test", &[("x", 40), ("w", 11)])];
        let wanted = [
            "unknown: test has a label that no row of train has: `w` (11)",
            "missing: no row of test is of the classes `y`, `z`: nothing is measured for them",
            "few rows: a class has fewer than 10 in train: `y` (3)",
        ];
        assert_eq!(findings(parts), wanted);
        let many: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
        let many: Vec<(&str, usize)> = many.iter().map(|name| (name.as_str(), 1)).collect();
        assert!(findings(vec![part("train", &many)])[0].ends_with("`c3` (1), `c4` (1), 3 more"));
        // What has no labels is measured on nothing, and misses none.
        assert_eq!(findings(vec![part("train", &[("x", 10)]), PartReport { rows: 5, ..part("new", &[]) }]), [""; 0]);
    }

    #[test]
    fn rows_without_a_label_and_cut_texts_are_found() {
        let mut one = part("train.csv", &[("x", 300), ("y", 297)]);
        one.rows += 3;
        let tokens = |most, windows| {
            Some(TokenLengths { lengths: Lengths::default(), limit: 128, cut: 200, cut_words: 24_108, most, windows })
        };
        one.tokens = tokens(512, 0);
        let wanted = [
            "no label: 3 rows of train.csv have none; training refuses them, or --skip-bad leaves them out",
            "cut: 200 of 600 texts of train.csv are longer than 128 tokens, 24,108 words are not read; --max-tokens (up to \
             512) or --long windows reads more",
        ];
        assert_eq!(findings(vec![one.clone()]), wanted);
        one.tokens = tokens(128, 0);
        assert!(findings(vec![one.clone()])[1].ends_with("are not read; --long windows reads more"));
        one.tokens = tokens(512, 64);
        assert!(findings(vec![one])[1].ends_with("longer than 64 windows of 128 tokens, 24,108 words are not read"));
    }

    #[test]
    fn a_leak_says_what_to_do_and_how_many_have_another_label() {
        let leak = |other: &str, rows, lines: &[u64]| Leak {
            part: "b".to_owned(),
            other: other.to_owned(),
            shared: Shared::Texts,
            rows,
            other_label: rows / 2,
            lines: lines.to_vec(),
        };
        let leaks = vec![leak("a", 1, &[7]), leak("a", 30, &[2, 3]), leak("c", 2, &[2, 3])];
        let report = DataReport { parts: vec![part("a", &[])], leaks, ..DataReport::default() };
        let wanted = [
            "leak: 1 row of b is in a as well (line 7); --drop-leaks trains without these texts",
            "leak: 30 rows of b are in a as well, 15 with another label (lines 2, 3, …); --drop-leaks trains without these \
             texts",
            "leak: 2 rows of b are in c as well, 1 with another label (lines 2, 3)",
        ];
        assert_eq!(report.findings(), wanted);
    }

    #[test]
    fn labels_that_look_alike_come_with_the_flag_that_makes_them_one() {
        let told = |all: &[(&str, usize)]| alike(&classes(all));
        assert!(
            told(&[("emergency", 290), ("Emergency", 10)])
                .ends_with("`emergency` (290) and `Emergency` (10); --label-map Emergency=emergency makes them one")
        );
        assert!(told(&[("very bad", 2), ("verybad", 1)]).ends_with("--label-map 'verybad=very bad' makes them one"));
        assert!(told(&[("ham", 2), ("h\u{430}m", 1)]).ends_with("`h\\u{430}m` (1); write them alike if they are one"));
        assert!(told(&[("a=b", 2), ("A=b", 1)]).ends_with("; write them alike if they are one"));
    }
}
