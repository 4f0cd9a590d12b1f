//! `pellucid export`: the metrics of a run as a table or as JSON lines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use pellucid_client::failure::{Ending, Failure};
use pellucid_formats::table::Table;
use pellucid_protocol::metric::DEFINITIONS;
use pellucid_protocol::scrub::to_json;
use pellucid_protocol::{Event, Metrics, Record};
use pellucid_record::RunDir;
use serde::Serialize;

use crate::cli::run::ExportFormat;
use crate::recorded;

/// `pellucid export`.
pub(super) fn export(run: &RunDir, format: ExportFormat) -> Result<Ending, Failure> {
    let cannot = |error: io::Error| Failure::Failed(format!("cannot read {}: {error}", run.events().display()));
    let mut rows = BTreeMap::new();
    recorded::each(run, &mut |record| add(&mut rows, record)).map_err(cannot)?;
    let rows: Vec<Row> = rows.into_values().collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        ExportFormat::Csv => write_csv(&rows, &mut out)?,
        ExportFormat::Jsonl => write_lines(&rows, &mut out)?,
    }
    out.flush()?;
    Ok(Ending::Done)
}

/// What was measured at one step, in training and in evaluation.
#[derive(Debug, Serialize)]
struct Row {
    step: u64,
    time: f64,
    epoch: f64,
    metrics: Metrics,
}

/// Adds what a record has measured to the row of its step: what an evaluation measured joins what the step has.
fn add(rows: &mut BTreeMap<u64, Row>, Record { time, event }: Record) {
    let (step, epoch, metrics) = match event {
        Event::Step(step) => (step.step, step.epoch, step.metrics),
        Event::Eval(eval) => (eval.step, eval.epoch, eval.metrics),
        _ => return,
    };
    let new = || Row { step, time, epoch, metrics: Metrics::default() };
    rows.entry(step).or_insert_with(new).metrics.extend(metrics);
}

fn write_csv(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let columns = columns(rows);
    let mut table = Table::new(out);
    ["step", "time", "epoch"].iter().chain(&columns).try_for_each(|title| table.text(title))?;
    table.end_row()?;
    for row in rows {
        table.number(row.step)?;
        table.number(row.time)?;
        table.number(row.epoch)?;
        columns.iter().try_for_each(|name| table.number_or_empty(row.metrics.get(name)))?;
        table.end_row()?;
    }
    table.finish().map(drop)
}

fn write_lines(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    for row in rows {
        writeln!(out, "{}", to_json(row)?)?;
    }
    Ok(())
}

fn columns(rows: &[Row]) -> Vec<&str> {
    ordered(rows.iter().flat_map(|row| row.metrics.iter().map(|(name, _)| name)).collect())
}

/// Names of metrics: first those of the manual in its order, then the layers, then others.
pub(super) fn ordered(names: BTreeSet<&str>) -> Vec<&str> {
    let mut columns: Vec<_> = names.into_iter().collect();
    columns.sort_by_key(|&name| (place(name), layer(name)));
    columns
}

fn place(name: &str) -> usize {
    let known = DEFINITIONS.iter().position(|definition| definition.name == name);
    known.unwrap_or(DEFINITIONS.len() + usize::from(layer(name).is_none()))
}

fn layer(name: &str) -> Option<usize> {
    name.strip_prefix("sparsity/layer/")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::event::{Eval, Step};

    use super::*;

    fn rows(records: Vec<Record>) -> Vec<Row> {
        let mut rows = BTreeMap::new();
        records.into_iter().for_each(|record| add(&mut rows, record));
        rows.into_values().collect()
    }

    fn metrics(values: &[(&str, f64)]) -> Metrics {
        let mut metrics = Metrics::default();
        values.iter().for_each(|&(name, value)| metrics.set(name, value));
        metrics
    }

    fn step(step: u64, values: &[(&str, f64)]) -> Record {
        let event = Event::Step(Step { step, epoch: 0.5, metrics: metrics(values) });
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let time = step as f64;
        Record { time, event }
    }

    fn eval(step: u64, values: &[(&str, f64)]) -> Record {
        let event = Event::Eval(Eval { step, epoch: 0.5, metrics: metrics(values), best: true, predictions: None });
        Record { time: 9.0, event }
    }

    #[test]
    fn the_table_has_a_row_a_step_and_every_metric() {
        let rows = rows(vec![
            step(1, &[("loss/total", 0.75), ("sparsity/layer/10", 0.5), ("sparsity/layer/2", 0.25)]),
            step(2, &[("loss/total", f64::NAN), ("my,metric", 1e-9)]),
            eval(2, &[("valid/accuracy", 1.0)]),
        ]);
        let mut out = Vec::new();
        write_csv(&rows, &mut out).unwrap();
        let wanted = "step,time,epoch,loss/total,valid/accuracy,sparsity/layer/2,sparsity/layer/10,\"my,metric\"\n\
                      1,1,0.5,0.75,,0.25,0.5,\n\
                      2,2,0.5,NaN,1,,,0.000000001\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn lines_are_objects() {
        let mut out = Vec::new();
        write_lines(&rows(vec![step(1, &[("loss/total", 0.75)])]), &mut out).unwrap();
        let wanted = "{\"step\":1,\"time\":1.0,\"epoch\":0.5,\"metrics\":{\"loss/total\":0.75}}\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
