//! A fine-tuned classifier from its folder, with its labels and tokenizer; and whether a tokenizer fits a model.

use std::path::Path;

use pellucid_intake::labels::Labels;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::provenance::Provenance;
use pellucid_protocol::event::ModelCard;
use pellucid_protocol::settings::reading::ColumnNames;
use pellucid_protocol::work::LongRead;

use super::classifier::Classifier;
use super::config::ModelConfig;
use super::weights::load::{self, OutLayer};
use crate::data::tokenise::{self, Encoded, TextEncoder, Types};
use crate::data::tokens::Tokens;
use crate::data::windows::TextLimit;
use crate::error::{Error, Result};

/// Loads a fine-tuned classifier with its labels and tokenizer, which reads texts as `limit` says, at most as much at once
/// as the model can.
///
/// # Errors
/// When the folder is not one, or has no classification head.
pub fn load_classifier(folder: &Path, limit: impl Into<TextLimit>) -> Result<(Classifier, Labels, TextEncoder)> {
    let limit = limit.into();
    let config = ModelConfig::load(folder)?;
    let max_tokens = limit.max_tokens.min(config.architecture.max_tokens() as usize);
    let encoder = TextEncoder::load(folder, TextLimit { max_tokens, ..limit })?;
    encoder.check_windows()?;
    check_vocabulary(folder, &config, &encoder)?;
    let labels = labels(folder, &config)?;
    let classes = labels.len() as i64;
    let architecture = &config.architecture;
    let specs = Classifier::specs(architecture, classes);
    let loaded = load::load(folder, &architecture.names, specs, &|_| false, 0)?;
    Ok((Classifier::new(config, classes, loaded.params), labels, encoder))
}

/// How the model in a folder was trained, as far as the folder says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainedOn {
    /// How much of a text was read; as much as the tokenizer says, or the model can, where the folder does not say it.
    pub limit: TextLimit,
    /// Which columns of the data were for what.
    pub columns: ColumnNames,
    /// Files beside the weights that are not as pellucid has saved them.
    pub changed: Vec<String>,
}

impl TrainedOn {
    /// That of the model in `folder`.
    ///
    /// # Errors
    /// When what the folder says of itself cannot be read.
    pub fn of(folder: &Path) -> Result<Self> {
        let said = Provenance::of(folder)?;
        let changed = said.as_ref().map_or_else(Vec::new, |said| said.changed_files(folder));
        let changed = changed.into_iter().map(str::to_owned).collect();
        let said = said.and_then(|said| said.checkpoint).unwrap_or_default();
        let said_most = said.max_tokens.and_then(|most| usize::try_from(most).ok());
        let most = said_most.map_or_else(|| tokenise::max_length(folder), |most| Ok(Some(most)))?;
        let max_tokens = most.unwrap_or(usize::MAX);
        Ok(Self { limit: TextLimit { max_tokens, windows: said.windows }, columns: said.columns, changed })
    }

    /// How much of a text is read if `asked` says how long texts are.
    #[must_use]
    pub fn limit(&self, asked: Option<LongRead>) -> TextLimit {
        let windows = match asked {
            None => self.limit.windows,
            Some(LongRead::Truncate) => None,
            Some(LongRead::Windows(windows)) => Some(windows),
        };
        TextLimit { windows, ..self.limit }
    }
}

/// The classes of a fine-tuned folder, one for each output of its head; `LABEL_0`, `LABEL_1`, ... if it does not name them.
fn labels(folder: &Path, config: &ModelConfig) -> Result<Labels> {
    config.check_single_label().map_err(|message| Error::file(&ConfigFile::path(folder), message))?;
    let OutLayer { name, shape } = load::out_layer(folder, &config.architecture)?;
    let outputs = shape[0];
    if outputs == 1 {
        let message = format!("{name} has shape {shape:?}: one output is a score, not classes, and is not supported");
        return Err(Error::file(folder, message));
    }
    if let Some(named) = config.classes().filter(|&named| named as i64 != outputs) {
        let message = format!("{name} has shape {shape:?}, but id2label of config.json has {named} classes");
        return Err(Error::file(folder, message));
    }
    let placeholders = || Labels::new((0..outputs).map(|index| format!("LABEL_{index}")).collect());
    Ok(config.labels().unwrap_or_else(placeholders))
}

/// A model in a few numbers.
#[must_use]
pub fn card(folder: &Path, model: &Classifier) -> ModelCard {
    let config = model.config();
    ModelCard {
        path: folder.display().to_string(),
        family: config.family().to_owned(),
        layers: config.architecture.passes.len(),
        hidden: config.architecture.hidden as usize,
        parameters: model.params().len() as u64,
    }
}

/// Refuses a tokenizer that knows more tokens than the embeddings have rows, or gives types that the model takes for words.
///
/// # Errors
/// Naming the folder.
pub fn check_vocabulary(folder: &Path, config: &ModelConfig, encoder: &TextEncoder) -> Result<()> {
    let (known, rows) = (encoder.vocabulary() as i64, config.architecture.vocabulary);
    if known > rows {
        let message = format!("tokenizer.json knows {known} tokens, but config.json has vocab_size {rows}");
        return Err(Error::file(folder, message));
    }
    if config.reads_types_as_words() && encoder.types() == Types::Given {
        let message = format!(
            "model_input_names has token_type_ids, which {} takes for words; write [\"input_ids\", \"attention_mask\"]",
            config.family()
        );
        return Err(Error::file(&folder.join("tokenizer_config.json"), message));
    }
    let largest = encoder.largest_id();
    if largest >= rows {
        let message = format!("tokenizer.json has a token of id {largest}, but config.json has vocab_size {rows}");
        return Err(Error::file(folder, message));
    }
    Ok(())
}

/// Refuses a tokenizer that gives ids which the embeddings do not have.
///
/// # Errors
/// Naming the folder.
pub fn check_ids<'a>(folder: &Path, config: &ModelConfig, sets: impl IntoIterator<Item = &'a Tokens>) -> Result<()> {
    sets.into_iter().try_for_each(|tokens| check_largest(folder, config, tokens.largest()))
}

/// As [`check_ids`], of texts that are encoded one by one.
///
/// # Errors
/// As [`check_ids`].
pub fn check_encoded(folder: &Path, config: &ModelConfig, texts: &[Encoded]) -> Result<()> {
    let largest = |values: fn(&Encoded) -> &Vec<i64>| texts.iter().flat_map(values).copied().max().unwrap_or(0);
    check_largest(folder, config, (largest(|text| &text.ids), largest(|text| &text.types)))
}

fn check_largest(folder: &Path, config: &ModelConfig, (id, kind): (i64, i64)) -> Result<()> {
    let (vocabulary, kinds) = (config.architecture.vocabulary, config.architecture.token_types);
    if id >= vocabulary {
        let message = format!("tokenizer.json gives token {id}, but config.json has vocab_size {vocabulary}");
        return Err(Error::file(folder, message));
    }
    if kinds > 0 && kind >= kinds {
        let message = format!("has type_vocab_size {kinds} and cannot read pairs of texts");
        return Err(Error::file(folder, message));
    }
    Ok(())
}
