//! What a classifier begins with that is made from a folder of sentence-transformers.

use std::path::Path;

use pellucid_intake::model_folder::sentence::{SentenceModel, SentencePooling};

use super::architecture::Pooling;
use super::config::ModelConfig;
use super::weights::load;
use crate::error::Result;

/// The configuration of a classifier that is made from `folder`, whose own is `config`, and a note for people. A folder
/// of sentence-transformers without a classification head hands its pooling on to families that can be told it.
///
/// # Errors
/// When the files of sentence-transformers cannot be read.
pub fn starting(folder: &Path, config: ModelConfig) -> Result<(ModelConfig, Option<String>)> {
    let Some(model) = SentenceModel::of(folder)? else { return Ok((config, None)) };
    if load::out_layer(folder, &config.architecture).is_ok() {
        return Ok((config, None));
    }
    let Some(pooling) = &model.pooling else { return Ok((config, None)) };
    let told = pooled(pooling).and_then(|pooling| config.pooling(pooling));
    let config = told.unwrap_or(config);
    let classifier = config.architecture.names.classifier;
    let reads = match config.architecture.head.pooling {
        Pooling::First => "the first token",
        Pooling::Last => "the last token",
        Pooling::Mean => "the mean over the tokens",
        Pooling::Late => "all tokens",
    };
    let outcome = match pooled(pooling) == Some(config.architecture.head.pooling) {
        true => format!("{classifier} begins with that"),
        false => format!("{classifier} reads {reads} instead"),
    };
    let unused = match model.further.as_slice() {
        [] => String::new(),
        further => format!("; not used: {}", further.join(", ")),
    };
    let note = format!("sentence-transformers: {pooling} stands for a text in this folder; {outcome}{unused}");
    Ok((config, Some(note)))
}

/// The pooling of a classifier that is that of a folder.
fn pooled(pooling: &SentencePooling) -> Option<Pooling> {
    match pooling {
        SentencePooling::First => Some(Pooling::First),
        SentencePooling::Last => Some(Pooling::Last),
        SentencePooling::Mean => Some(Pooling::Mean),
        SentencePooling::Other(_) => None,
    }
}
