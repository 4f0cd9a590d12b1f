//! What a data set holds, in lines for people: what may mislead first.

use super::{DataReport, Lengths, PartReport};
use crate::readable::grouped;
use crate::settings::reading::Role;

/// Columns of the longest bar of a histogram.
const BAR: usize = 30;
/// Classes that are listed at most.
const CLASSES: usize = 12;

/// The report line by line.
#[must_use]
pub fn lines(report: &DataReport) -> Vec<String> {
    let findings = report.findings();
    let mut lines = if findings.is_empty() { vec!["nothing found that may mislead".to_owned()] } else { findings };
    for part in &report.parts {
        lines.push(String::new());
        lines.extend(part_lines(part));
    }
    lines
}

fn part_lines(part: &PartReport) -> Vec<String> {
    let mut lines = vec![format!("{}: {} rows", part.name, grouped(part.rows))];
    let roles = Role::ALL.iter().filter_map(|role| Some(format!("{} `{}`", name(*role), part.columns.of(*role)?)));
    lines.push(format!("  columns   {}", roles.collect::<Vec<_>>().join(", ")));
    lines.extend(part.notes.iter().map(|note| format!("            {note}")));
    if part.skipped > 0 {
        lines.push(format!("  bad rows  {} left out", grouped(part.skipped)));
    }
    lines.push(format!("  classes   {}", classes(part)));
    lines.push(format!("  words     {}", summed_up(&part.words)));
    lines.extend(histogram(&part.words));
    if let Some(tokens) = &part.tokens {
        lines.push(format!("  tokens    {}", summed_up(&tokens.lengths)));
        lines.extend(histogram(&tokens.lengths));
        let (limit, cut, words) = (tokens.limit, grouped(tokens.cut), grouped(tokens.cut_words));
        lines.push(format!(
            "            {limit} tokens are read by default: {cut} rows are cut, {words} words are not read"
        ));
    }
    lines.push(format!(
        "  texts     {} repeat an earlier one, {} with more than one label, {} of one word",
        grouped(part.duplicates),
        grouped(part.conflicts),
        grouped(part.one_word)
    ));
    let scripts = part.scripts.iter().map(|(script, share)| format!("{script} {:.1} %", 100.0 * share));
    lines.push(format!("  script    {}", scripts.collect::<Vec<_>>().join(", ")));
    lines
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::Text => "text",
        Role::Pair => "second text",
        Role::Label => "label",
        Role::Id => "id",
        Role::Group => "group",
        Role::Rationale => "rationale",
    }
}

fn classes(part: &PartReport) -> String {
    let Some(most) = part.classes.first() else { return "no labels".to_owned() };
    let share = |rows: usize| 100.0 * rows as f64 / part.rows.max(1) as f64;
    let shown = part.classes.iter().take(CLASSES);
    let each = shown.map(|class| format!("{} {} ({:.1} %)", class.name, grouped(class.rows), share(class.rows)));
    let mut each: Vec<String> = each.collect();
    if part.classes.len() > CLASSES {
        each.push(format!("{} more", part.classes.len() - CLASSES));
    }
    format!("{}; always `{}` would be right in {:.1} %", each.join(", "), most.name, 100.0 * part.majority())
}

fn summed_up(lengths: &Lengths) -> String {
    let Lengths { median, p90, p99, longest, .. } = lengths;
    format!("median {median}, 90 % up to {p90}, 99 % up to {p99}, longest {}", grouped(*longest))
}

fn histogram(lengths: &Lengths) -> Vec<String> {
    let most = lengths.histogram.iter().map(|(_, rows)| *rows).max().unwrap_or(0).max(1);
    let bar = |rows: usize| "#".repeat((rows * BAR).div_ceil(most));
    let line = |(bound, rows): &(usize, usize)| format!("  {bound:>9} {:<BAR$} {}", bar(*rows), grouped(*rows));
    lengths.histogram.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use crate::data_report::{ClassCount, GiveAway, Leak, Shared};

    use super::*;

    #[test]
    fn what_may_mislead_is_said_first() {
        let part = PartReport {
            name: "train.csv".into(),
            rows: 1200,
            classes: vec![ClassCount { name: "ham".into(), rows: 900 }, ClassCount { name: "spam".into(), rows: 300 }],
            words: Lengths::of(vec![3; 1200]),
            conflicts: 2,
            ..PartReport::default()
        };
        let give_away = GiveAway { word: "win".into(), label: "spam".into(), rows: 100, share: 0.98, at_least: 0.93 };
        let leak = Leak {
            part: "valid.csv".into(),
            other: "train.csv".into(),
            shared: Shared::Texts,
            rows: 3,
            lines: vec![4, 9, 12],
        };
        let lines = lines(&DataReport { parts: vec![part], leaks: vec![leak], give_aways: vec![give_away] });
        assert!(lines[0].starts_with("leak: 3 rows of valid.csv are in train.csv as well (lines 4, 9, 12)"));
        assert!(lines[1].starts_with("conflict: 2 texts of train.csv"));
        assert_eq!(lines[2], "gives away: `win` in 100 rows, 98 % of them `spam` (at least 93 %)");
        assert_eq!(lines[4], "train.csv: 1,200 rows");
        let classes = lines.iter().find(|line| line.starts_with("  classes")).unwrap();
        assert_eq!(classes, "  classes   ham 900 (75.0 %), spam 300 (25.0 %); always `ham` would be right in 75.0 %");
    }
}
