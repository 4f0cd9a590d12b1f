//! What a data set holds, in lines for people: what may mislead first.

use std::fmt;

use super::{DataReport, Lengths, PartReport};
use crate::readable::{counted, grouped};
use crate::settings::reading::Role;

/// Characters of the longest bar of a histogram.
const BAR: usize = 30;
/// Classes that are listed at most.
const CLASSES: usize = 12;

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing: before a part.
    Blank,
    /// That nothing was found which may mislead.
    Sound,
    /// What may mislead.
    Finding(String),
    /// The part that the lines below are about.
    Part(String),
    /// What is said, and of what; nothing for what belongs to the line above.
    Fact(&'static str, String),
    /// A bar of a histogram of lengths.
    Bar {
        /// The longest length that is counted here.
        up_to: usize,
        /// Characters, of those of the longest bar.
        width: usize,
        /// How many there are.
        rows: usize,
    },
}

impl Line {
    /// Columns before what is said of something: the name of what it is said of stands there.
    pub const INDENT: usize = 12;

    /// What stands before the bar of a histogram, as wide as the indent.
    #[must_use]
    pub fn before_bar(up_to: usize) -> String {
        format!("  {:>9} ", format!("to {up_to}"))
    }

    /// What stands behind the bar of a histogram.
    #[must_use]
    pub fn behind_bar(width: usize, rows: usize) -> String {
        format!("{:1$} {2}", "", BAR.saturating_sub(width), grouped(rows))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Blank => Ok(()),
            Self::Sound => out.write_str("nothing found that may mislead"),
            Self::Finding(words) | Self::Part(words) => out.write_str(words),
            Self::Fact(name, words) => write!(out, "  {name:<9} {words}"),
            Self::Bar { up_to, width, rows } => {
                write!(out, "{}{}{}", Self::before_bar(*up_to), "#".repeat(*width), Self::behind_bar(*width, *rows))
            }
        }
    }
}

/// The report line by line.
#[must_use]
pub fn lines(report: &DataReport) -> Vec<Line> {
    let mut lines: Vec<Line> = report.findings().into_iter().map(Line::Finding).collect();
    if lines.is_empty() {
        lines.push(Line::Sound);
    }
    for part in &report.parts {
        lines.push(Line::Blank);
        lines.extend(part_lines(part));
    }
    lines
}

fn part_lines(part: &PartReport) -> Vec<Line> {
    let unlabelled = match part.rows.saturating_sub(part.labelled()) {
        0 => String::new(),
        all if all == part.rows => String::new(),
        some => format!(", {} without a label", grouped(some)),
    };
    let mut lines = vec![Line::Part(format!("{}: {}{unlabelled}", part.name, counted(part.rows, "row")))];
    let roles = Role::ALL.iter().filter_map(|role| Some(format!("{} `{}`", name(*role), part.columns.of(*role)?)));
    lines.push(Line::Fact("columns", roles.collect::<Vec<_>>().join(", ")));
    lines.extend(part.notes.iter().map(|note| Line::Fact("", note.clone())));
    if part.skipped > 0 {
        lines.push(Line::Fact("bad rows", format!("{} left out", grouped(part.skipped))));
    }
    lines.push(Line::Fact("classes", classes(part)));
    lines.push(Line::Fact("words", summed_up(&part.words)));
    lines.extend(histogram(&part.words));
    if let Some(tokens) = &part.tokens {
        lines.push(Line::Fact("tokens", summed_up(&tokens.lengths)));
        lines.extend(histogram(&tokens.lengths));
        let (limit, cut, words) = (tokens.limit, grouped(tokens.cut), grouped(tokens.cut_words));
        let windows =
            if tokens.windows > 0 { format!(" in each of {} windows", tokens.windows) } else { String::new() };
        let read =
            format!("{limit} tokens of a text are read{windows}: {cut} rows are cut, {words} words are not read");
        lines.push(Line::Fact("", read));
    }
    let (repeated, conflicts, one_word) = (part.duplicates, part.conflicts, part.one_word);
    let texts =
        [(repeated, "repeat an earlier one"), (conflicts, "with more than one label"), (one_word, "of one word")];
    lines.push(Line::Fact("texts", texts.map(|(count, what)| format!("{} {what}", grouped(count))).join(", ")));
    let scripts = part.scripts.iter().map(|(script, share)| format!("{script} {:.1} %", 100.0 * share));
    lines.push(Line::Fact("script", scripts.collect::<Vec<_>>().join(", ")));
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
    let share = |rows: usize| 100.0 * part.share(rows);
    let shown = part.classes.iter().take(CLASSES);
    let each = shown.map(|class| format!("`{}` {} ({:.1} %)", class.name, grouped(class.rows), share(class.rows)));
    let mut each: Vec<String> = each.collect();
    if part.classes.len() > CLASSES {
        each.push(format!("{} more", part.classes.len() - CLASSES));
    }
    format!("{}; always `{}` would be right in {:.1} %", each.join(", "), most.name, share(most.rows))
}

fn summed_up(lengths: &Lengths) -> String {
    let Lengths { median, p90, p99, longest, .. } = lengths;
    format!("median {median}, 90 % up to {p90}, 99 % up to {p99}, longest {}", grouped(*longest))
}

fn histogram(lengths: &Lengths) -> impl Iterator<Item = Line> {
    let most = lengths.histogram.iter().map(|(_, rows)| *rows).max().unwrap_or(0).max(1);
    let bars = lengths.histogram.iter();
    bars.map(move |&(up_to, rows)| Line::Bar { up_to, width: (rows * BAR).div_ceil(most), rows })
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
            other_label: 0,
            lines: vec![4, 9, 12],
        };
        let report =
            DataReport { parts: vec![part], leaks: vec![leak], give_aways: vec![give_away], ..DataReport::default() };
        let lines: Vec<String> = lines(&report).iter().map(Line::to_string).collect();
        assert!(lines[0].starts_with("leak: 3 rows of valid.csv are in train.csv as well (lines 4, 9, 12)"));
        assert!(lines[1].starts_with("conflict: 2 texts of train.csv"));
        assert_eq!(lines[2], "gives away: `win` in 100 rows, 98 % of them `spam` (at least 93 %)");
        assert_eq!(lines[4], "train.csv: 1,200 rows");
        let classes = lines.iter().find(|line| line.starts_with("  classes")).unwrap();
        assert!(lines.contains(&format!("       to 8 {} 1,200", "#".repeat(BAR))), "{lines:?}");
        assert_eq!(
            classes,
            "  classes   `ham` 900 (75.0 %), `spam` 300 (25.0 %); always `ham` would be right in 75.0 %"
        );
    }
}
