//! Logits and probabilities of texts, one line each.

use std::io::{self, Write};
use std::path::Path;

use pellucid_evaluate::classification::{accuracy, macro_f1};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_protocol::scrub::{escape_json, scrub};
use pellucid_protocol::work::{Output, PredictWork};
use serde_json::json;

use super::texts::{self, FailedRows};
use crate::device::device;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::model::answers;
use crate::model::pretrained::{check_ids, load_classifier};
use crate::model::weights::save::{SaveRequest, Storage, place, save};
use crate::task::classification::prediction;
use crate::task::output_of;

/// The longest text in tokens.
pub const MAX_TOKENS: usize = 512;

/// Prints one line for each text on stdout; if labels are known, a summary on stderr.
///
/// # Errors
/// When model or data are not what they should be, a row has no answer (the others are printed), or stdout is gone.
pub fn predict(work: &PredictWork) -> Result<()> {
    let rows = texts::rows(&work.texts)?;
    let (model, labels, encoder) = load_classifier(&work.model, MAX_TOKENS)?;
    let model = model.to_device(device(work.device)?);
    let texts: Vec<_> = rows.iter().map(|row| (row.text.as_str(), row.pair.as_deref())).collect();
    let encoded = encoder.encode(&texts)?;
    check_ids(&work.model, model.config(), [&encoded])?;
    let answers = answers::each(&model, &encoded, &Interrupt::default())?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut write = |line: &str| writeln!(out, "{line}").map_err(|error| Error::Refused(error.to_string()));
    let (mut predicted, mut known, mut failed) = (Vec::new(), Vec::new(), FailedRows::new(&work.texts));
    for (row, answer) in rows.iter().zip(answers) {
        let logits = match answer {
            Ok(logits) => logits,
            Err(fault) => {
                let why = failed.add(row, &fault);
                if work.output == Output::Json {
                    write(&json_line(&json!({"text": row.text, "error": why})))?;
                }
                continue;
            }
        };
        let probabilities = output_of(&model).probabilities(&logits);
        let class = prediction(&logits, 0, None).class();
        let name = &labels.names()[class];
        write(&match work.output {
            Output::Json => {
                json_line(&json!({"text": row.text, "logits": logits, "probs": probabilities, "label": name}))
            }
            Output::Plain => {
                format!("{:>6.1} %  {:<16} {}", probabilities[class] * 100.0, scrub(name), scrub(&row.text))
            }
        })?;
        if let Some(label) = row.label.as_deref().and_then(|label| labels.index(label)) {
            predicted.push(class);
            known.push(label);
        }
    }
    out.flush().map_err(|error| Error::Refused(error.to_string()))?;
    if !known.is_empty() {
        let (accuracy, f1) = (accuracy(&predicted, &known), macro_f1(&predicted, &known, labels.len()));
        eprintln!("accuracy {accuracy:.4}, F1 {f1:.4} on {} labelled rows of {}", known.len(), rows.len());
    }
    failed.finish(rows.len())
}

fn json_line(line: &serde_json::Value) -> String {
    escape_json(&line.to_string()).into_owned()
}

/// Copies a fine-tuned model folder with its weights as 16-bit floats.
///
/// # Errors
/// When `from` is not one or `to` cannot be written or replaced.
pub fn halve(from: &Path, to: &Path) -> Result<()> {
    place::check(to, from)?;
    let (model, labels, _) = load_classifier(from, MAX_TOKENS)?;
    let config = model.config().for_classifier(&labels);
    let request = SaveRequest {
        params: model.params(),
        config: &config,
        tokenizer: &TokenizerFiles::read(from)?,
        storage: Storage::F16,
        checkpoint: None,
    };
    save(to, request)
}
