//! The results of a sweep: a row for each run, and means over the seeds and folds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use pellucid_formats::table::Table;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Metrics, metric};
use pellucid_record::RunDir;
use serde::Serialize;

use super::grid::{Choice, Point, as_map};
use crate::commands::export::ordered;
use crate::result::RunResult;

/// A run of the sweep.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    run: String,
    #[serde(serialize_with = "as_map")]
    grid: Point,
    outcome: Option<Outcome>,
    step: u64,
    /// Of the best evaluation; what that did not measure, from the last one that did.
    metrics: Metrics,
    /// The metric that decides which evaluation is the best.
    #[serde(skip)]
    primary_metric: String,
}

/// Runs that differ only in their seed or their fold, as one.
#[derive(Debug, Serialize)]
struct Mean {
    #[serde(serialize_with = "as_map")]
    grid: Point,
    runs: usize,
    metrics: BTreeMap<String, Spread>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    mean: f64,
    /// The standard deviation of a sample; 0 of one run.
    deviation: f64,
    least: f64,
    most: f64,
}

/// Settings whose values are repeats of one thing: runs that differ in these alone are averaged.
const REPEATS: [&str; 2] = ["seed", "fold"];

impl Row {
    /// The row of `run`, from its log as far as it goes.
    pub(super) fn of(run: &RunDir, grid: Point) -> Self {
        let RunResult { summary, metrics } = RunResult::of(run).unwrap_or_default();
        let primary_metric = summary.primary_metric().to_owned();
        Self { run: run.name(), grid, outcome: summary.outcome(), step: summary.step, metrics, primary_metric }
    }

    /// Whether the run has finished, so that nothing is left to do.
    pub(super) fn is_finished(&self) -> bool {
        self.outcome == Some(Outcome::Finished)
    }

    /// How it went, in a few words.
    pub(super) fn told(&self) -> String {
        let outcome = self.outcome.map_or("lost", Outcome::word);
        let best = self.metrics.get(&self.primary_metric).map_or("-".to_owned(), |value| format!("{value:.3}"));
        format!("{outcome} at step {}, {} {best}", self.step, metric::short(&self.primary_metric))
    }
}

/// All runs as CSV: name, grid, outcome, steps, then every metric.
///
/// # Errors
/// When the table cannot be written.
pub(super) fn csv(rows: &[Row]) -> io::Result<String> {
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.metrics.iter().map(|(name, _)| name)).collect();
    let names = ordered(names);
    let keys = rows.first().into_iter().flat_map(|row| row.grid.iter().map(|choice| choice.key.as_str()));
    let titles = ["run"].into_iter().chain(keys).chain(["outcome", "step"]).chain(names.iter().copied());
    let mut table = Table::new(Vec::new());
    titles.into_iter().try_for_each(|title| table.text(title))?;
    table.end_row()?;
    for row in rows {
        table.text(&row.run)?;
        row.grid.iter().try_for_each(|choice| table.text(&choice.value))?;
        table.text(row.outcome.map_or("", Outcome::word))?;
        table.number(row.step)?;
        names.iter().try_for_each(|name| table.number_or_empty(row.metrics.get(name)))?;
        table.end_row()?;
    }
    String::from_utf8(table.finish()?).map_err(io::Error::other)
}

/// All runs, and the means over seeds, as one JSON object.
pub(super) fn json(rows: &[Row]) -> io::Result<String> {
    #[derive(Serialize)]
    struct All<'a> {
        runs: &'a [Row],
        points: Vec<Mean>,
    }
    let text = serde_json::to_string_pretty(&All { runs: rows, points: means(rows) })?;
    Ok(text + "\n")
}

/// Finished runs, those that differ only in their seed or fold as one, in the order of the grid.
fn means(rows: &[Row]) -> Vec<Mean> {
    let mut groups: Vec<(Point, Vec<&Row>)> = Vec::new();
    for row in rows.iter().filter(|row| row.is_finished()) {
        let point: Point = row.grid.iter().filter(|choice| !REPEATS.contains(&choice.key.as_str())).cloned().collect();
        match groups.iter_mut().find(|(known, _)| *known == point) {
            Some((_, group)) => group.push(row),
            None => groups.push((point, vec![row])),
        }
    }
    groups.into_iter().map(|(grid, rows)| Mean { metrics: spreads(&rows), runs: rows.len(), grid }).collect()
}

fn spreads(rows: &[&Row]) -> BTreeMap<String, Spread> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in rows.iter().flat_map(|row| row.metrics.iter()) {
        values.entry(name.to_owned()).or_default().push(value);
    }
    let spread = |values: Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Spread {
            mean,
            deviation: (squares / (values.len() - 1).max(1) as f64).sqrt(),
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    };
    values.into_iter().map(|(name, values)| (name, spread(values))).collect()
}

/// The metrics of the table for people, and their titles.
const SHOWN: [(&str, &str); 6] = [
    ("valid/accuracy", "accuracy"),
    ("test/accuracy", "test accuracy"),
    ("sparsity/exact", "zeros"),
    ("explain/faithfulness", "faithful"),
    ("explain/drift_start", "drift from start"),
    ("explain/drift_teacher", "drift from teacher"),
];

/// The lines of a table for people: the mean of each metric, and its range over the seeds and folds.
pub(super) fn shown(rows: &[Row]) -> Vec<String> {
    let means = means(rows);
    let is_there = |name: &str| means.iter().any(|mean| mean.metrics.contains_key(name));
    let columns: Vec<_> = SHOWN.into_iter().filter(|(name, _)| is_there(name)).collect();
    let title = |mean: &Mean| {
        mean.grid.iter().map(|Choice { key, value }| format!("{key} {value}")).collect::<Vec<_>>().join("  ")
    };
    let width = means.iter().map(|mean| title(mean).chars().count()).max().unwrap_or(0).max("settings".len());
    let mut head = format!("{:width$}  runs", "settings");
    for (_, words) in &columns {
        let _ = write!(head, "  {words:>22}");
    }
    let line = |mean: &Mean| {
        let mut line = format!("{:width$}  {:4}", title(mean), mean.runs);
        for (name, _) in &columns {
            let cell = mean.metrics.get(*name).map_or("-".to_owned(), |spread| {
                format!("{:.3} ({:.3} to {:.3})", spread.mean, spread.least, spread.most)
            });
            let _ = write!(line, "  {cell:>22}");
        }
        line
    };
    [head].into_iter().chain(means.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(l1: &str, seed: &str, accuracy: f64) -> Row {
        let mut metrics = Metrics::default();
        metrics.set("valid/accuracy", accuracy);
        let choice = |key: &str, value: &str| Choice { key: key.to_owned(), value: value.to_owned() };
        let grid = vec![choice("l1", l1), choice("seed", seed)];
        let primary_metric = "valid/accuracy".to_owned();
        Row { run: format!("{l1}-{seed}"), grid, outcome: Some(Outcome::Finished), step: 9, metrics, primary_metric }
    }

    fn rows() -> Vec<Row> {
        let lost = Row { outcome: None, ..row("1", "3", 0.1) };
        vec![row("0", "1", 0.5), row("0", "2", 0.75), row("1", "1", 0.25), lost]
    }

    #[test]
    fn a_line_a_run_with_every_metric() {
        let lines = "run,l1,seed,outcome,step,valid/accuracy\n0-1,0,1,finished,9,0.5\n";
        let written = csv(&rows()).unwrap();
        assert!(written.starts_with(lines) && written.ends_with("1-3,1,3,,9,0.1\n"), "{written}");
    }

    #[test]
    fn means_are_over_the_seeds_of_finished_runs() {
        let json: serde_json::Value = serde_json::from_str(&json(&rows()).unwrap()).unwrap();
        assert_eq!((json["runs"].as_array().unwrap().len(), json["points"].as_array().unwrap().len()), (4, 2));
        let accuracy = &json["points"][0]["metrics"]["valid/accuracy"];
        // statistics.stdev([0.5, 0.75])
        assert_eq!((&accuracy["mean"], &accuracy["deviation"]), (&0.625.into(), &0.176_776_695_296_636_9.into()));
        assert_eq!(json["points"][1]["runs"], 1);
        let shown = shown(&rows());
        assert_eq!(shown[1].trim_end(), "l1 0         2  0.625 (0.500 to 0.750)");
    }
}
