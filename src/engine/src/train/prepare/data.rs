//! The texts of a run: read, split, given their classes, encoded.

use pellucid_intake::labels::{Labels, Naming, NoClasses, look_alikes, refuse_too_many};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_intake::rows::{LabelNeed, Rows, read_rows};
use pellucid_intake::split::{Shares, Split, split};
use pellucid_protocol::settings::reading::Reading;
use pellucid_protocol::settings::{DataPart, MaxTokens};

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
    /// Rows that are left for a test.
    pub test: Option<Rows>,
    /// Texts to explain while training goes on, if they are not to be validation examples.
    pub probe: Option<Examples>,
    /// The model's tokenizer.
    pub encoder: TextEncoder,
    /// The files of that tokenizer, for the checkpoints.
    pub tokenizer: TokenizerFiles,
    /// How the training file was read.
    pub reading: Reading,
}

/// The rows of each part.
struct Parts {
    train: Rows,
    valid: Rows,
    test: Option<Rows>,
    reading: Reading,
}

impl Preparation<'_> {
    /// The texts of the run, and the configuration of the model whose tokenizer has encoded them.
    pub(super) fn data(&mut self) -> Result<(Data, ModelConfig)> {
        let Parts { train, valid, test, reading } = self.parts()?;
        let config = ModelConfig::load(self.source)?;
        let (labels, naming) = self.classes(&config, &train)?;
        let (mut train, mut valid) = (Examples::of(train, &labels, naming)?, Examples::of(valid, &labels, naming)?);
        self.note_absent(&labels, &valid);
        let mut probe = self.probe(&labels, naming)?;
        let mut encoder = TextEncoder::load(self.source, self.token_limit(&config))?;
        let tokenizer = TokenizerFiles::read(self.source)?;
        check_vocabulary(self.source, &config, &encoder)?;
        (self.phase)(format!("tokenising {} texts", train.len() + valid.len()));
        match self.settings.max_tokens {
            MaxTokens::Auto => train.encode_most(&mut encoder)?,
            MaxTokens::At(_) => train.encode(&encoder)?,
        }
        self.settings.max_tokens = MaxTokens::At(encoder.max_tokens() as u64);
        valid.encode(&encoder)?;
        probe.iter_mut().try_for_each(|probe| probe.encode(&encoder))?;
        let sets = [Some(&train), Some(&valid), probe.as_ref()].into_iter().flatten();
        check_ids(self.source, &config, sets.map(|examples| &*examples.tokens))?;
        self.note_cuts("training", &train);
        self.note_cuts("validation", &valid);
        Ok((Data { labels, train, valid, test, probe, encoder, tokenizer, reading }, config))
    }

    /// The rows of each part of the data.
    fn parts(&mut self) -> Result<Parts> {
        (self.phase)(format!("reading {}", self.settings.train.display()));
        let asked = self.settings.reading();
        let rows = read_rows(&self.settings.train, &asked, LabelNeed::Required)?;
        let reading = rows.reading(&asked);
        self.notes.extend(rows.notes().iter().cloned());
        self.note_skipped(&rows);
        let alike = look_alikes(rows.labels());
        self.notes.extend(alike.iter().map(|labels| format!("labels that look alike are different classes: {labels}")));
        let too_many = |why: NoClasses| Error::Setting { key: "--train", message: why.to_string() };
        if !self.settings.yes_many_classes.is_on() {
            refuse_too_many(&rows).map_err(too_many)?;
        }
        let split = self.split(&rows)?;
        let part = |wanted: Option<&DataPart>, own: &[usize]| match wanted {
            None => Ok(None),
            Some(DataPart::Share(_)) => Ok(Some(rows.subset(own))),
            Some(DataPart::File(path)) => read_rows(path, &reading, LabelNeed::Required).map(Some),
        };
        let valid = part(Some(&self.settings.valid), &split.valid)?.unwrap_or_default();
        let test = part(self.settings.test.as_ref(), &split.test)?;
        [Some(&valid), test.as_ref()].into_iter().flatten().for_each(|part| self.note_skipped(part));
        let train = if split.train.len() == rows.len() { rows } else { rows.subset(&split.train) };
        Ok(Parts { train, valid, test, reading })
    }

    /// How the training file is split; by default all of it is trained on.
    fn split(&mut self, rows: &Rows) -> Result<Split> {
        let share = |part: Option<&DataPart>| match part {
            Some(DataPart::Share(share)) => *share,
            _ => 0.0,
        };
        let shares = Shares { valid: share(Some(&self.settings.valid)), test: share(self.settings.test.as_ref()) };
        if shares == Shares::default() {
            return Ok(Split { train: (0..rows.len()).collect(), ..Split::default() });
        }
        let refused = |why: pellucid_intake::split::Unsplit| Error::file(&self.settings.train, why);
        let split = split(rows, shares, self.settings.seed).map_err(refused)?;
        let Split { train, valid, test } = &split;
        let (all, train, valid, test) = (rows.len(), train.len(), valid.len(), test.len());
        let how = if rows.group(0).is_some() { "by label, no group on two sides" } else { "by label" };
        let seed = self.settings.seed;
        self.notes.push(format!(
            "{all} rows were split {how}, seed {seed}: {train} for training, {valid} for validation, {test} for a test"
        ));
        Ok(split)
    }

    /// The classes of the model if the labels of the training data name them, else those of the data.
    fn classes(&mut self, config: &ModelConfig, train: &Rows) -> Result<(Labels, Naming)> {
        let of_model = config.labels();
        if let Some((labels, naming)) =
            of_model.as_ref().and_then(|labels| Some((labels, labels.naming(train.labels())?)))
        {
            if naming == Naming::Numbers {
                let read = labels.names().iter().enumerate().map(|(number, name)| format!("{number} is {name}"));
                let read = read.collect::<Vec<_>>().join(", ");
                self.notes.push(format!("the labels are numbers of the model's classes: {read}"));
            }
            return Ok((labels.clone(), naming));
        }
        let no_classes = |why: NoClasses| Error::Setting { key: "--train", message: why.to_string() };
        let labels = Labels::from_data(train.labels()).map_err(no_classes)?;
        if let Some(theirs) = of_model {
            let (theirs, ours) = (theirs.names().join(", "), labels.names().join(", "));
            self.notes.push(format!(
                "the labels of the data ({ours}) are not the classes of the model ({theirs}): it gets a fresh head for \
                 those of the data; --label-map LABEL=CLASS,... would keep the model's"
            ));
        }
        Ok((labels, Naming::Names))
    }

    /// The samples of `--probe-data`.
    fn probe(&self, labels: &Labels, naming: Naming) -> Result<Option<Examples>> {
        let Some(path) = &self.settings.probe_data else { return Ok(None) };
        let rows = read_rows(path, &self.settings.reading(), LabelNeed::Required)?;
        Examples::of(rows, labels, naming).map(Some)
    }

    /// The most tokens of a text that are read: as asked, at most what the model can read.
    fn token_limit(&mut self, config: &ModelConfig) -> usize {
        let positions = config.architecture.max_tokens() as u64;
        match self.settings.max_tokens {
            MaxTokens::Auto => positions as usize,
            MaxTokens::At(asked) => {
                if asked > positions {
                    self.notes.push(format!(
                        "--max-tokens {asked} is more than the model's {positions} positions; {positions} are used"
                    ));
                }
                asked.min(positions) as usize
            }
        }
    }

    fn note_cuts(&mut self, which: &str, examples: &Examples) {
        let (cut, words) = (examples.tokens.cut(), examples.tokens.cut_words());
        if cut > 0 {
            let (all, limit) = (examples.len(), self.settings.max_tokens);
            self.notes.push(format!(
                "{cut} of {all} {which} texts are longer than {limit} tokens and were cut: {words} words are not read"
            ));
        }
    }

    fn note_skipped(&mut self, rows: &Rows) {
        let skipped = rows.skipped();
        if let Some(first) = skipped.first() {
            let path = rows.path().display();
            self.notes.push(format!("{path}: {} bad rows were left out, the first: {first}", skipped.len()));
        }
    }

    /// Of a class without validation examples nothing is measured.
    fn note_absent(&mut self, labels: &Labels, valid: &Examples) {
        let mut counts = vec![0; labels.len()];
        (0..valid.len()).for_each(|example| counts[valid.class(example)] += 1);
        let absent = labels.names().iter().zip(&counts).filter(|(_, count)| **count == 0);
        let absent: Vec<&str> = absent.map(|(name, _)| name.as_str()).collect();
        if !absent.is_empty() {
            let absent = absent.join(", ");
            self.notes.push(format!("no validation text is of the class {absent}: nothing is measured for it"));
        }
    }
}
