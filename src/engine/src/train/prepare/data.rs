//! The texts of a run: read, given their classes, encoded.

use pellucid_intake::labels::{Labels, TooFewLabels};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_intake::rows::{LabelNeed, Row, read_rows};
use pellucid_intake::samples::samples;
use pellucid_protocol::Sample;

use super::Preparation;
use crate::data::examples::Examples;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;
use crate::model::pretrained::{check_ids, check_vocabulary};

/// The texts of a run.
pub struct Data {
    /// Class names.
    pub labels: Labels,
    /// Training examples.
    pub train: Examples,
    /// Validation examples.
    pub valid: Examples,
    /// Texts to explain while training goes on, if they are not to be validation examples.
    pub probe: Option<Examples>,
    /// The model's tokenizer.
    pub encoder: TextEncoder,
    /// The files of that tokenizer, for the checkpoints.
    pub tokenizer: TokenizerFiles,
}

impl Preparation<'_> {
    /// The texts of the run, and the configuration of the model whose tokenizer has encoded them.
    pub(super) fn data(&mut self) -> Result<(Data, ModelConfig)> {
        (self.phase)(format!("reading {}", self.settings.train.display()));
        let train = read_rows(&self.settings.train, LabelNeed::Required)?;
        let valid = read_rows(&self.settings.valid, LabelNeed::Required)?;
        let config = ModelConfig::load(self.source)?;
        let labels = class_names(&config, &train)?;
        let train = samples(&self.settings.train, train, &labels)?;
        let valid = samples(&self.settings.valid, valid, &labels)?;
        let limit = self.token_limit(&config);
        let encoder = TextEncoder::load(self.source, limit)?;
        let tokenizer = TokenizerFiles::read(self.source)?;
        check_vocabulary(self.source, &config, &encoder)?;
        (self.phase)(format!("tokenising {} texts", train.len() + valid.len()));
        let (train, valid) = (Examples::encode(train, &encoder)?, Examples::encode(valid, &encoder)?);
        let probe = self.probe(&labels)?.map(|samples| Examples::encode(samples, &encoder)).transpose()?;
        let sets = [Some(&train), Some(&valid), probe.as_ref()].into_iter().flatten();
        check_ids(self.source, &config, sets.map(|examples| &examples.encoded))?;
        self.note_cuts("training", &train, limit);
        self.note_cuts("validation", &valid, limit);
        Ok((Data { labels, train, valid, probe, encoder, tokenizer }, config))
    }

    /// The samples of `--probe-data`.
    fn probe(&self, labels: &Labels) -> Result<Option<Vec<Sample>>> {
        let Some(path) = &self.settings.probe_data else { return Ok(None) };
        Ok(Some(samples(path, read_rows(path, LabelNeed::Required)?, labels)?))
    }

    /// The most tokens of a text that the model reads.
    fn token_limit(&mut self, config: &ModelConfig) -> usize {
        let (asked, positions) = (self.settings.max_tokens, config.architecture.max_tokens() as u64);
        if asked > positions {
            let note =
                format!("--max-tokens {asked} is more than the model's {positions} positions; {positions} are used");
            self.notes.push(note);
        }
        asked.min(positions) as usize
    }

    fn note_cuts(&mut self, which: &str, examples: &Examples, limit: usize) {
        let cut = examples.encoded.iter().filter(|row| row.cut).count();
        if cut > 0 {
            let all = examples.encoded.len();
            self.notes.push(format!("{cut} of {all} {which} texts are longer than {limit} tokens and were cut"));
        }
    }
}

/// The classes of the model if the labels of the training data are among them, else those of the data.
fn class_names(config: &ModelConfig, train: &[Row]) -> Result<Labels> {
    let written = || train.iter().filter_map(|row| row.label.as_deref());
    let fitting = config.labels().filter(|labels| written().all(|label| labels.index(label).is_some()));
    let too_few = |error: TooFewLabels| Error::Setting { key: "--train", message: error.to_string() };
    fitting.map_or_else(|| Labels::from_data(written()).map_err(too_few), Ok)
}
