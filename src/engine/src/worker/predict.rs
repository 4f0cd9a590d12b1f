//! Logits and probabilities of texts, a row each, in the format that is asked for.

mod answered;
mod lines;
mod output;
mod parquet;

use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use pellucid_intake::labels::{Labels, Naming};
use pellucid_intake::model_folder::place;
use pellucid_intake::model_folder::provenance::Provenance;
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_intake::rows::Rows;
use pellucid_protocol::readable::counted;
use pellucid_protocol::work::PredictWork;

use self::answered::{Answered, Gold, Scores};
use self::output::Output;
use super::texts::{self, FailedRows, note};
use super::writer::Outputs;
use crate::data::tokenise::{Encoded, TextEncoder};
use crate::device::device;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::model::pretrained::{TrainedOn, check_encoded, load_classifier};
use crate::model::weights::save::{SaveRequest, Storage, save};

/// Rows that are answered and written at once.
const AT_ONCE: usize = 1024;
/// How often as many are encoded ahead of the model.
const AHEAD: usize = 2;
/// Labels that are named at most.
const NAMED: usize = 10;

/// What every row is answered with.
struct Predictor<'a> {
    work: &'a PredictWork,
    model: Classifier,
    labels: Labels,
    encoder: TextEncoder,
    rows: Rows,
    /// The class that each label of the data names; of one that names none, its number among these.
    gold: Vec<Gold>,
}

/// Writes a row for each text; if labels are known, a summary on stderr.
///
/// # Errors
/// When model or data are not what they should be, a row has no answer (the others are written), or the output cannot be
/// written.
pub fn predict(work: &PredictWork) -> Result<()> {
    let outputs = Outputs::of(work.out.as_deref(), &work.model, &work.texts)?;
    let trained = TrainedOn::of(&work.model)?;
    let rows = texts::rows(&work.texts, &trained, outputs.skipped.as_ref())?;
    let (model, labels, encoder) = load_classifier(&work.model, trained.limit(work.long))?;
    let model = model.to_device(device(work.device)?).fixed();
    let gold = gold(&labels, &rows);
    let mut output = Output::new(work, &labels, &rows, outputs.answers)?;
    let predictor = Predictor { work, model, labels, encoder, rows, gold };
    let (mut scores, mut failed) = (Scores::default(), FailedRows::new(&work.texts));
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        let (rows, encoder) = (&predictor.rows, &predictor.encoder);
        scope.spawn(|| encode(rows, encoder, sender));
        for chunk in receiver {
            predictor.answer(chunk?, &mut output, &mut scores, &mut failed)?;
        }
        Ok::<_, Error>(())
    })?;
    output.finish()?;
    scores.tell_windows(predictor.encoder.limit(), predictor.rows.len());
    scores.tell(&predictor.labels, &predictor.rows);
    failed.finish(predictor.rows.len())
}

/// Rows with their token ids.
type Chunk = (Range<usize>, Vec<Encoded>);

/// Encodes all rows, on other cores than the model's where there are such, until one cannot be or no one wants more.
fn encode(rows: &Rows, encoder: &TextEncoder, chunks: SyncSender<Result<Chunk>>) {
    for start in (0..rows.len()).step_by(AT_ONCE) {
        let part = start..(start + AT_ONCE).min(rows.len());
        let texts: Vec<_> = part.clone().map(|row| (rows.text(row), rows.pair(row))).collect();
        let chunk = encoder.encode_from(&texts, start + 1).map(|encoded| (part, encoded));
        let is_last = chunk.is_err();
        if chunks.send(chunk).is_err() || is_last {
            return;
        }
    }
}

impl Predictor<'_> {
    /// Answers and writes some rows.
    fn answer(
        &self,
        (rows, encoded): Chunk,
        output: &mut Output,
        scores: &mut Scores,
        failed: &mut FailedRows<'_>,
    ) -> Result<()> {
        check_encoded(&self.work.model, self.model.config(), &encoded)?;
        let answers = answers::each(&self.model, &encoded, &Interrupt::default())?;
        for ((row, answer), encoded) in rows.zip(answers).zip(&encoded) {
            let words_cut = || encoded.words_cut(self.rows.text(row), self.rows.pair(row));
            let cut_words = if encoded.is_cut() { words_cut() } else { 0 };
            match answer {
                Ok(logits) => {
                    let gold = self.rows.label(row).map(|label| self.gold[label]);
                    let windows = encoded.windows.as_ref().map_or(1, |all| all.windows(encoded.ids.len()).len());
                    let answered = Answered { cut_words, windows, ..Answered::new(&self.model, row, logits, gold) };
                    scores.add(&answered, &self.labels);
                    output.row(&answered, &self.rows, &self.labels)?;
                }
                Err(fault) => {
                    let why = failed.add(&self.rows.row(row), &fault);
                    output.failure(row, &self.rows, &why)?;
                }
            }
        }
        output.flush()
    }
}

/// The classes that the labels of `rows` name. Labels that name none are said, with their first line.
fn gold(labels: &Labels, rows: &Rows) -> Vec<Gold> {
    let naming = labels.naming(rows.labels()).unwrap_or(Naming::Names);
    if naming == Naming::Numbers && !rows.labels().is_empty() {
        let read = labels.names().iter().enumerate().map(|(number, name)| format!("{number} is {name}"));
        note(&format!("the labels are numbers of the model's classes: {}", read.collect::<Vec<_>>().join(", ")));
    }
    let (mut unknown, mut numbers): (Vec<String>, usize) = (Vec::new(), 0);
    let mut of = |label: &pellucid_intake::rows::Label| match labels.named(&label.name, naming) {
        Some(class) => Gold::Class(class),
        None => {
            // Of the first rows of a file, none may have it.
            if label.count > 0 {
                let (name, count) = (rows.told_label(label), counted(label.count, "row"));
                unknown.push(format!("{name} ({count}, the first in line {})", rows.line(label.first)));
            }
            numbers += 1;
            Gold::Unknown(numbers - 1)
        }
    };
    let gold = rows.labels().iter().map(&mut of).collect();
    if !unknown.is_empty() {
        let known = first_of(labels.names().to_vec());
        let unknown = first_of(unknown);
        note(&format!(
            "labels that the model does not know, whose rows count as wrong: {unknown}; its classes are {known}; --label-map LABEL=CLASS,... names them anew"
        ));
    }
    gold
}

/// The first of these, and how many more there are.
fn first_of(mut all: Vec<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    if more > 0 {
        all.push(format!("{more} more"));
    }
    all.join(", ")
}

/// Copies a fine-tuned model folder with its weights as 16-bit floats.
///
/// # Errors
/// When `from` is not one or `to` cannot be written or replaced.
pub fn halve(from: &Path, to: &Path) -> Result<()> {
    place::check(to, from)?;
    let (model, labels, _) = load_classifier(from, TrainedOn::of(from)?.limit)?;
    let config = model.config().for_classifier(&labels);
    let said = Provenance::of(from)?.and_then(|said| said.checkpoint);
    let request = SaveRequest {
        params: model.params(),
        config: &config,
        tokenizer: &TokenizerFiles::read(from)?,
        storage: Storage::F16,
        checkpoint: said.as_ref(),
    };
    save(to, request)
}
