//! Explanations of texts in the foreground, in one of several formats.

use pellucid_explain::{Context, OracleError, Samples, Steps};
use pellucid_protocol::Explanation;
use pellucid_protocol::scrub::escape_json;
use pellucid_protocol::work::{ExplainFormat, ExplainWork};
use serde_json::json;

use super::predict::MAX_TOKENS;
use super::texts;
use crate::data::labels::Labels;
use crate::data::read::Row;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::explain::oracle::{ModelOracle, ROWS_PER_CALL};
use crate::explain::session;
use crate::explain::subject::{Subject, Unit};
use crate::model::classifier::Classifier;
use crate::train::evaluate;
use crate::train::prepare::{check_ids, device, load_classifier};

use explained::Explained;
use sink::Sink;
use units::{UnitScores, scores_by_unit, unit};

pub mod csv_rows;
pub mod explained;
pub mod html_page;
pub mod json_line;
pub mod plain_text;
pub mod sink;
pub mod units;

/// A model that explains.
struct Desk<'a> {
    work: &'a ExplainWork,
    model: Classifier,
    labels: Labels,
    encoder: TextEncoder,
    /// The class that is explained; the predicted one if none was asked for.
    class: Option<usize>,
}

/// Writes an explanation of each text.
///
/// # Errors
/// When model or data are not what they should be, there is no such class, or the output cannot be written.
pub fn explain(work: &ExplainWork) -> Result<()> {
    let rows = texts::rows(&work.texts)?;
    let (model, labels, encoder) = load_classifier(&work.model, MAX_TOKENS)?;
    let model = model.to_device(device(work.device)?);
    let class = class(work, &labels)?;
    let desk = Desk { work, model, labels, encoder, class };
    let mut out = Sink::open(work.out.as_deref())?;
    match work.format {
        ExplainFormat::Csv => out.write(&csv_rows::header(&work.methods)?)?,
        ExplainFormat::Html => out.write(&html_page::head(work, rows.len()))?,
        ExplainFormat::Text | ExplainFormat::Json | ExplainFormat::Record => {}
    }
    for (index, row) in rows.iter().enumerate() {
        let explained = desk.explain(row)?;
        out.write(&match work.format {
            ExplainFormat::Text => plain_text::plain_text(&explained),
            ExplainFormat::Json => escape_json(&json_line::json_line(&explained).to_string()).into_owned() + "\n",
            ExplainFormat::Csv => csv_rows::rows(&explained, index + 1)?,
            ExplainFormat::Html => html_page::part(&explained, index + 1),
            ExplainFormat::Record => escape_json(&json!(explained.explanation).to_string()).into_owned() + "\n",
        })?;
    }
    if work.format == ExplainFormat::Html {
        out.write(html_page::foot())?;
    }
    out.finish()
}

fn class(work: &ExplainWork, labels: &Labels) -> Result<Option<usize>> {
    let Some(wanted) = &work.class else { return Ok(None) };
    let unknown = || Error::Setting {
        key: "--class",
        message: format!("no class `{wanted}`; there are {}", labels.names().join(", ")),
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

fn failed(error: &OracleError) -> Error {
    Error::Torch(error.to_string())
}

impl Desk<'_> {
    fn explain<'a>(&'a self, row: &'a Row) -> Result<Explained<'a>> {
        let subject = Subject::new(&self.encoder, &row.text, row.pair.as_deref())?;
        check_ids(&self.work.model, self.model.config(), [&vec![subject.encoded.clone()]])?;
        let logits = evaluate::logits(&self.model, std::slice::from_ref(&subject.encoded))?;
        let target = self.class.unwrap_or_else(|| evaluate::prediction(&logits[0], 0, None).class());
        let blank = session::blank(&subject, evaluate::softmax(&logits[0]), target);
        let mut oracle = ModelOracle { model: &self.model, subject: &subject, target };
        let blank = Explanation { rationale: row.rationale.clone(), ..blank };
        let done = session::explain(&mut oracle, blank, &self.work.methods, context(self.work), &mut |_| {});
        let explanation = done.map_err(|error| failed(&error))?;
        let by_unit = match self.work.format {
            ExplainFormat::Json => self.by_unit(&subject, &explanation)?,
            ExplainFormat::Text | ExplainFormat::Csv | ExplainFormat::Html | ExplainFormat::Record => Vec::new(),
        };
        let tokens = subject.encoded.ids.iter().map(|&id| self.encoder.token(id)).collect();
        Ok(Explained { explanation, row, labels: &self.labels, tokens, by_unit })
    }

    /// The scores of all methods by other units; those by word are not computed again.
    fn by_unit(&self, subject: &Subject, explanation: &Explanation) -> Result<Vec<UnitScores>> {
        let words = subject.words.len();
        let of = |made: &pellucid_protocol::Attribution| {
            let unit = unit(made.method);
            let alike = unit == Unit::DistinctWord && subject.by(unit).words.len() == words;
            if alike || unit == Unit::Word {
                let (scores, ms) = (made.scores.clone(), made.ms);
                return Ok(UnitScores { unit, scores, ms, evaluations: made.evaluations });
            }
            let asked = (made.method, context(self.work));
            scores_by_unit(&self.model, subject, explanation.target, asked).map_err(|error| failed(&error))
        };
        explanation.attributions.iter().map(of).collect()
    }
}
