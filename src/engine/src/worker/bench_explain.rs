//! Times explanations and prints the JSON lines of the Python peer; or watches the memory over many of them.

use pellucid_explain::{Context, Depth, Samples, Steps};
use pellucid_intake::rows::Row;
use pellucid_protocol::Method;
use pellucid_protocol::work::{BenchExplainWork, Texts};
use serde_json::{Map, Value, json};

use calibration::Calibration;

use super::explain::unit_scores::{self, UnitRequest, UnitScores};
use super::memory::{peak_rss_mb, rss_mb};
use super::texts;
use super::writer::Writer;
use crate::data::tokenise::TextEncoder;
use crate::error::Result;
use crate::explain::oracle::ROWS_PER_CALL;
use crate::explain::remembering::Memory;
use crate::explain::subject::Subject;
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::model::pretrained::{TrainedOn, load_classifier};
use crate::task::output_of;

mod calibration;

/// The memory counts as settled after one in so many explanations of a soak.
const SETTLED: usize = 10;

struct Bench<'a> {
    work: &'a BenchExplainWork,
    model: Classifier,
    encoder: TextEncoder,
}

/// Explains the first texts of a file by each method, without checks: a line a text, then one with the medians.
///
/// # Errors
/// When model or data are not what they should be.
pub fn bench_explain(work: &BenchExplainWork) -> Result<()> {
    tch::set_num_threads(work.threads as i32);
    let trained = TrainedOn::of(&work.model)?;
    let file = Texts::File { path: work.data.clone(), limit: Some(work.texts), reading: Box::default(), skipped: None };
    let rows = texts::rows(&file, &trained, None)?;
    let rows: Vec<Row> = (0..rows.len()).map(|row| rows.row(row)).collect();
    let (model, _, encoder) = load_classifier(&work.model, trained.limit)?;
    let bench = Bench { work, model: model.fixed(), encoder };
    match (work.soak, work.random_maps) {
        (Some(explanations), _) => bench.soak(&rows, explanations),
        (None, Some(maps)) => Calibration { work, model: &bench.model, encoder: &bench.encoder, maps }.run(&rows),
        (None, None) => bench.time(&rows),
    }
}

impl Bench<'_> {
    fn time(&self, rows: &[Row]) -> Result<()> {
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); self.work.methods.len()];
        for row in rows {
            let subject = Subject::new(&self.encoder, &row.text, row.pair.as_deref())?;
            let probabilities = self.probabilities(&subject)?;
            let target = output_of(&self.model).answer(&probabilities);
            let mut methods = Map::new();
            for (method, times) in self.work.methods.iter().zip(&mut times) {
                let found = self.explain(&subject, target, *method)?;
                times.push(found.ms);
                methods.insert(method.key().to_owned(), line(*method, &found));
            }
            let tokens: Vec<_> = subject.encoded.ids.iter().map(|&id| self.encoder.token(id)).collect();
            print_line(&json!({"text": row.text, "label": row.label, "tokens": tokens, "probs": probabilities,
                    "target": target, "methods": methods}))?;
        }
        let medians: Map<String, Value> = self
            .work
            .methods
            .iter()
            .zip(times)
            .map(|(method, times)| (method.key().to_owned(), median(times)))
            .collect();
        let peer = format!("pellucid-{}", env!("CARGO_PKG_VERSION"));
        print_line(&json!({"peer": peer, "n": rows.len(), "median_ms": medians, "peak_rss_mb": peak_rss_mb()}))
    }

    /// Explains the texts over and over; prints how the resident memory has changed since it settled.
    fn soak(&self, rows: &[Row], explanations: usize) -> Result<()> {
        let subjects: Vec<Subject> = rows
            .iter()
            .map(|row| Subject::new(&self.encoder, &row.text, row.pair.as_deref()))
            .collect::<Result<_>>()?;
        let (methods, mut settled, mut most) = (&self.work.methods, 0.0, 0.0_f64);
        for done in 0..explanations {
            let (subject, method) = (&subjects[done / methods.len() % subjects.len()], methods[done % methods.len()]);
            self.explain(subject, 0, method)?;
            if done + 1 == explanations.div_ceil(SETTLED) {
                settled = rss_mb();
            }
            if done + 1 >= explanations.div_ceil(SETTLED) {
                most = most.max(rss_mb());
            }
        }
        let end = rss_mb();
        let moved = if settled > 0.0 { (end - settled) / settled * 100.0 } else { 0.0 };
        print_line(&json!({"soak": explanations, "texts": rows.len(), "rss_mb_settled": settled, "rss_mb_end": end,
                "rss_mb_most": most, "change_percent": moved, "peak_rss_mb": peak_rss_mb()}))
    }

    fn probabilities(&self, subject: &Subject) -> Result<Vec<f64>> {
        Ok(output_of(&self.model).probabilities(&answers::of_one(&self.model, &subject.encoded)?))
    }

    fn explain(&self, subject: &Subject, target: usize, method: Method) -> Result<UnitScores> {
        let fit = match method {
            Method::KernelShap | Method::Shapley => self.work.shap_samples,
            _ => self.work.lime_samples,
        };
        let steps = self.work.steps.map_or(Steps::Enough, Steps::Fixed);
        let context = Context::new(self.work.seed).with_samples(Samples { fit, ..Samples::default() });
        let context = context.with_steps(steps).with_depth(Depth::Gates).with_rows_per_call(ROWS_PER_CALL);
        Ok(UnitRequest { model: &self.model, subject, target, method, memory: &Memory::default(), deadline: None }
            .scores(context)?)
    }
}

/// Writes a line on stdout. Who reads no more has enough.
fn print_line(line: &Value) -> Result<()> {
    let mut out = Writer::open(None)?;
    out.write(&format!("{line}\n"))?;
    out.finish()
}

fn line(method: Method, found: &UnitScores) -> Value {
    json!({"ms": found.ms, "scores": found.scores, "unit": unit_scores::name(unit_scores::unit(method)), "evaluations": found.evaluations})
}

fn median(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let median = if times.len() % 2 == 1 { times[middle] } else { (times[middle - 1] + times[middle]) / 2.0 };
    json!((median * 10.0).round() / 10.0)
}
