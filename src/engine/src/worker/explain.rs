//! Explanations of texts in the foreground, in one of several formats.

use std::io;
use std::time::Instant;

use pellucid_explain::{Context, OracleError, Samples, Steps};
use pellucid_formats::html;
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Row;
use pellucid_protocol::explanation::privacy::masked;
use pellucid_protocol::explanation::{LeftOut, Privacy};
use pellucid_protocol::scrub::escape_json;
use pellucid_protocol::settings::Switch;
use pellucid_protocol::work::{ExplainFormat, ExplainWork};
use pellucid_protocol::{Attribution, Explanation};
use serde_json::json;

use super::memory::{TEXTS_A_GIVING, give_back};
use super::texts::{self, FailedRows, note};
use crate::data::tokenise::TextEncoder;
use crate::device::device;
use crate::error::{Error, Result};
use crate::explain::oracle::{ModelOracle, ROWS_PER_CALL};
use crate::explain::remembering::{Memory, Remembering};
use crate::explain::session::{self, Plan, Stage};
use crate::explain::subject::{Subject, Unit};
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::model::pretrained::{TrainedOn, check_encoded, load_classifier};
use crate::task::classification::prediction;
use crate::task::output_of;

use super::writer::{Outputs, Writer};
use bar::Bar;
use explained_text::ExplainedText;
use unit_scores::{UnitRequest, UnitScores, unit};

mod bar;
pub mod csv_table;
pub mod explained_text;
pub mod html_page;
pub mod json_line;
pub mod plain_text;
pub mod unit_scores;

/// A loaded model and how it is to be explained.
struct Explainer<'a> {
    work: &'a ExplainWork,
    model: Classifier,
    labels: Labels,
    encoder: TextEncoder,
    /// The class to explain; `None` for the one that the model predicts.
    class: Option<usize>,
}

/// Explains each text and writes the explanations in the format that `work` asks for.
///
/// # Errors
/// When the model or the data cannot be read, the model has no such class, a text has no explanation (the others are
/// written), or the output cannot be written.
pub fn explain(work: &ExplainWork) -> Result<()> {
    let outputs = Outputs::of(work.out.as_deref(), &work.model, &work.texts)?;
    let trained = TrainedOn::of(&work.model)?;
    let rows = texts::rows(&work.texts, &trained, outputs.skipped.as_ref())?;
    let (model, labels, encoder) = load_classifier(&work.model, trained.limit(work.long))?;
    let model = model.to_device(device(work.device)?).fixed();
    let class = class(work, &labels)?;
    let explainer = Explainer { work, model, labels, encoder, class };
    let mut out = Writer::open(outputs.answers)?;
    match work.format {
        ExplainFormat::Csv => out.write(&csv_table::header(&work.methods).map_err(no_table)?)?,
        ExplainFormat::Html => out.write(&html_page::begin(work, rows.len()))?,
        ExplainFormat::Text | ExplainFormat::Json | ExplainFormat::Record => {}
    }
    let mut failed = FailedRows::new(&work.texts);
    let bar = Bar::new(rows.len());
    for index in 0..rows.len() {
        let row = &rows.row(index);
        out.write(&match explainer.explain(row, &mut |stage| bar.show(index, &stage)) {
            Ok(explained) => {
                tell_left_out(&explained);
                formatted(&explained, work, index + 1)?
            }
            Err(error @ (Error::NoNumber(_) | Error::Explain(_))) => {
                unexplained(row, work, &failed.add(row, &error), index + 1)
            }
            Err(error) => return Err(error),
        })?;
        out.flush()?;
        if (index + 1) % TEXTS_A_GIVING == 0 {
            give_back();
        }
    }
    if work.format == ExplainFormat::Html {
        out.write(html::END)?;
    }
    out.finish()?;
    failed.finish(rows.len())
}

fn formatted(explained: &ExplainedText, work: &ExplainWork, number: usize) -> Result<String> {
    Ok(match work.format {
        ExplainFormat::Text => plain_text::plain_text(explained),
        ExplainFormat::Json => escaped_line(&json_line::json_line(explained)),
        ExplainFormat::Csv => csv_table::rows(explained, &work.methods, number).map_err(no_table)?,
        ExplainFormat::Html => html_page::article(explained, number),
        ExplainFormat::Record => escaped_line(&json!(explained.explanation)),
    })
}

/// Says which methods are missing, and why.
fn tell_left_out(explained: &ExplainedText) {
    for LeftOut { method, why } in &explained.explanation.left_out {
        note(&format!("{}: {method} is left out: {why}", name(explained.row)));
    }
}

/// What stands in the place of a text without an explanation, beside what is said on stderr.
fn unexplained(row: &Row, work: &ExplainWork, why: &str, number: usize) -> String {
    match work.format {
        ExplainFormat::Json | ExplainFormat::Record => escaped_line(&match work.private {
            Switch::On => json!({"text": null, "id": name(row), "error": why}),
            Switch::Off => json!({"text": row.text, "error": why}),
        }),
        ExplainFormat::Html => html_page::failure(number, why),
        ExplainFormat::Text | ExplainFormat::Csv => String::new(),
    }
}

/// What a row is called where its text must not be written.
fn name(row: &Row) -> String {
    row.id.clone().unwrap_or_else(|| format!("line {}", row.line))
}

fn escaped_line(line: &serde_json::Value) -> String {
    escape_json(&line.to_string()).into_owned() + "\n"
}

fn no_table(error: io::Error) -> Error {
    Error::Refused(format!("table: {error}"))
}

fn class(work: &ExplainWork, labels: &Labels) -> Result<Option<usize>> {
    let Some(wanted) = &work.class else { return Ok(None) };
    let unknown = || Error::Setting {
        key: "--class",
        message: format!("no class `{wanted}`; there are {}, numbered from 0", labels.names().join(", ")),
    };
    labels.index(wanted).map(Some).ok_or_else(unknown)
}

fn context(work: &ExplainWork) -> Context {
    let usual = Samples::default();
    let samples = Samples { fit: work.samples.unwrap_or(usual.fit), ..usual };
    let context = Context::new(work.seed).with_samples(samples).with_baseline(work.baseline).with_depth(work.checks);
    let steps = work.steps.map_or(Steps::Enough, Steps::Fixed);
    let context = context.with_steps(steps).with_scalar(work.scalar).with_removal(work.removal);
    context.with_rows_per_call(ROWS_PER_CALL)
}

impl Explainer<'_> {
    fn explain<'a>(&'a self, row: &'a Row, watch: &mut dyn FnMut(Stage<'_>)) -> Result<ExplainedText<'a>> {
        let subject = Subject::new(&self.encoder, &row.text, row.pair.as_deref())?;
        check_encoded(&self.work.model, self.model.config(), std::slice::from_ref(&subject.encoded))?;
        let logits = answers::of_one(&self.model, &subject.encoded)?;
        let target = self.class.unwrap_or_else(|| prediction(&logits, 0, None).class());
        let blank = session::blank(&subject, output_of(&self.model).probabilities(&logits), target);
        let (oracle, memory) = (ModelOracle { model: &self.model, subject: &subject, target }, Memory::default());
        let mut oracle = Remembering { oracle, memory: &memory };
        let blank = Explanation { rationale: row.rationale.clone(), ..blank };
        let deadline = self.work.budget.map(|budget| Instant::now() + budget);
        let plan = Plan { methods: &self.work.methods, context: context(self.work), budget: self.work.budget };
        let explanation = session::explain(&mut oracle, blank, plan, watch)?;
        let by_unit = match self.work.format {
            ExplainFormat::Json => {
                let request = |method| UnitRequest {
                    model: &self.model,
                    subject: &subject,
                    target,
                    method,
                    memory: &memory,
                    deadline,
                };
                let made = explanation.attributions.iter();
                made.map(|made| self.by_unit(made, request(made.method))).collect::<Result<_>>()?
            }
            ExplainFormat::Text | ExplainFormat::Csv | ExplainFormat::Html | ExplainFormat::Record => Vec::new(),
        };
        let tokens = subject.encoded.ids.iter().map(|&id| self.encoder.token(id));
        let (explanation, tokens) = match self.work.private {
            Switch::Off => (explanation, tokens.collect()),
            Switch::On => {
                let named = Explanation { privacy: Privacy::Named(name(row)), ..explanation };
                (named.recordable().into_owned(), tokens.map(|token| masked(&token)).collect())
            }
        };
        Ok(ExplainedText {
            explanation,
            row,
            labels: &self.labels,
            tokens,
            by_unit,
            distinct: subject.distinct_words(),
        })
    }

    /// The scores of a method by its own unit; those by word where that is the same. `None` without time.
    fn by_unit(&self, made: &Attribution, request: UnitRequest<'_>) -> Result<Option<UnitScores>> {
        let unit = unit(made.method);
        let all_differ =
            unit == Unit::DistinctWord && request.subject.distinct_words().len() == request.subject.words.len();
        if all_differ || unit == Unit::Word {
            let (scores, ms) = (made.scores.clone(), made.ms);
            return Ok(Some(UnitScores { scores, ms, evaluations: made.evaluations }));
        }
        match request.scores(context(self.work)) {
            Err(OracleError::OutOfTime | OracleError::Unsupported(_)) => Ok(None),
            found => Ok(Some(found?)),
        }
    }
}
