//! The texts of a run: read, split, given their classes, encoded.

use std::collections::HashSet;

use pellucid_intake::labels::{Labels, Naming, NoClasses, look_alikes, refuse_too_many};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_intake::rows::{LabelNeed, Rows, Skipped, read_alike, read_rows};
use pellucid_intake::split::{Folds, Shares, Split, SplitRecord, Unsplit, folds, split};
use pellucid_intake::survey::{Part, shared, survey};
use pellucid_protocol::Settings;
use pellucid_protocol::data_report::{DataReport, Lengths, TokenLengths};
use pellucid_protocol::settings::reading::Reading;
use pellucid_protocol::settings::{DataPart, MaxTokens, Switch};

use super::Preparation;
use crate::data::examples::Examples;
use crate::data::tokenise::TextEncoder;
use crate::data::windows::{MOST, TextLimit};
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;
use crate::model::pretrained::{check_ids, check_vocabulary};
use crate::model::sentence::starting;

/// Labels that are named at most.
const TOLD: usize = 10;
/// Sets of groups that look alike that are named at most.
const GROUPS_NAMED: usize = 3;

/// The texts of a run.
pub struct Data {
    /// Class names.
    pub labels: Labels,
    /// Training examples.
    pub train: Examples,
    /// Validation examples.
    pub valid: Examples,
    /// Examples that are left for a test.
    pub test: Option<Examples>,
    /// Texts to explain while training goes on, if they are not to be validation examples.
    pub probe: Option<Examples>,
    /// The model's tokenizer.
    pub encoder: TextEncoder,
    /// The files of that tokenizer, for the checkpoints.
    pub tokenizer: TokenizerFiles,
    /// How the training file was read.
    pub reading: Reading,
    /// What all of that holds.
    pub report: Box<DataReport>,
    /// How the training file was split, if it was.
    pub split: Option<SplitRecord>,
    /// The rows of all files that were left out.
    pub skipped: Skipped,
}

/// The rows of each part.
struct Parts {
    train: Rows,
    valid: Rows,
    test: Option<Rows>,
    reading: Reading,
    split: Option<SplitRecord>,
    skipped: Skipped,
}

impl Preparation<'_> {
    /// The texts of the run, and the configuration of the model whose tokenizer has encoded them.
    pub(super) fn data(&mut self) -> Result<(Data, ModelConfig)> {
        let Parts { train, valid, test, reading, split, skipped } = self.parts()?;
        let mut report = self.survey(&train, &valid, test.as_ref());
        let (config, said) = starting(self.source, ModelConfig::load(self.source)?)?;
        self.notes.extend(said);
        let (labels, naming) = self.classes(&config, &train)?;
        self.note_absent(&labels, naming, [Some(&train), Some(&valid), test.as_ref()]);
        let (mut train, mut valid) = (Examples::of(train, &labels, naming)?, Examples::of(valid, &labels, naming)?);
        let mut test = test.map(|test| Examples::of(test, &labels, naming)).transpose()?;
        if let Some(test) = &test {
            let count = test.len();
            self.notes
                .push(format!("{count} test rows are kept apart: the best weights are measured on them at the end"));
        }
        let mut probe = self.probe(&reading, &labels, naming)?;
        let limit = TextLimit { max_tokens: self.token_limit(&config), windows: self.settings.windows() };
        let mut encoder = TextEncoder::load(self.source, limit)?;
        let tokenizer = TokenizerFiles::read(self.source)?;
        check_vocabulary(self.source, &config, &encoder)?;
        encoder.check_room()?;
        (self.phase)(format!("tokenising {} texts", train.len() + valid.len()));
        match self.settings.max_tokens {
            MaxTokens::Auto => train.encode_most(&mut encoder)?,
            MaxTokens::At(_) => train.encode(&encoder)?,
        }
        self.settings.max_tokens = MaxTokens::At(encoder.max_tokens() as u64);
        encoder.check_windows()?;
        valid.encode(&encoder)?;
        test.iter_mut().chain(&mut probe).try_for_each(|examples| examples.encode(&encoder))?;
        let sets = [Some(&train), Some(&valid), test.as_ref(), probe.as_ref()].into_iter().flatten();
        check_ids(self.source, &config, sets.map(|examples| &*examples.tokens))?;
        let tests = test.iter().map(|test| ("test", test, 2));
        let most = config.architecture.max_tokens() as usize;
        for (which, examples, part) in [("training", &train, 0), ("validation", &valid, 1)].into_iter().chain(tests) {
            self.note_cuts(which, examples, encoder.limit());
            report.parts[part].tokens = Some(token_lengths(examples, &encoder, most));
        }
        let report = Box::new(report);
        Ok((Data { labels, train, valid, test, probe, encoder, tokenizer, reading, report, split, skipped }, config))
    }

    /// The rows of each part of the data.
    fn parts(&mut self) -> Result<Parts> {
        (self.phase)(format!("reading {}", self.settings.train.display()));
        let asked = self.settings.reading();
        let rows = read_rows(&self.settings.train, &asked, LabelNeed::Required)?;
        let reading = rows.reading(&asked);
        self.notes.extend(rows.notes().iter().cloned());
        let mut skipped = Skipped::default();
        self.note_skipped(&rows, &mut skipped);
        let too_many = |why: NoClasses| Error::Setting { key: "--train", message: why.to_string() };
        if !self.settings.yes_many_classes.is_on() {
            refuse_too_many(&rows).map_err(too_many)?;
        }
        self.note_groups(&rows);
        let (split, folds) = self.split(&rows)?;
        let mut split_record =
            (split.train.len() < rows.len()).then(|| SplitRecord::of(&rows, &split, &folds, self.settings.seed));
        let part = |wanted: Option<&DataPart>, own: &[usize]| match wanted {
            None => Ok(None),
            Some(DataPart::Share(_)) => Ok(Some(rows.subset(own))),
            Some(DataPart::File(path)) => read_alike(path, &rows, &asked, LabelNeed::Required).map(Some),
        };
        let valid = match &self.settings.valid {
            None => rows.subset(&split.valid),
            valid => part(valid.as_ref(), &split.valid)?.unwrap_or_default(),
        };
        let test = part(self.settings.test.as_ref(), &split.test)?;
        for part in [Some(&valid), test.as_ref()].into_iter().flatten() {
            self.notes.extend(part.notes().iter().cloned());
            self.note_skipped(part, &mut skipped);
        }
        let train = if split.train.len() == rows.len() { rows } else { rows.into_subset(&split.train) };
        let rows = train.len();
        let train = self.without_leaks(train, &valid, test.as_ref(), split_record.as_mut());
        if train.is_empty() {
            let why = if rows > 0 {
                "no row is left to train on: all texts are in the validation or test data as well"
            } else {
                "no row is left to train on; --valid and --test leave too few"
            };
            return Err(Error::file(&self.settings.train, why));
        }
        Ok(Parts { train, valid, test, reading, split: split_record, skipped })
    }

    /// Names groups that look alike: one patient may be written in two ways.
    fn note_groups(&mut self, rows: &Rows) {
        for alike in look_alikes(&rows.groups()).iter().take(GROUPS_NAMED) {
            let names = alike.iter().map(|group| match rows.private() {
                Switch::On => format!("that of line {}", rows.line(group.first)),
                Switch::Off => format!("`{}`", group.name),
            });
            let names = names.collect::<Vec<_>>().join(" and ");
            self.notes.push(format!("groups that look alike are different ones: {names}"));
        }
    }

    /// The training rows without those whose texts are in another part as well, if the user wants that.
    fn without_leaks(
        &mut self,
        train: Rows,
        valid: &Rows,
        test: Option<&Rows>,
        record: Option<&mut SplitRecord>,
    ) -> Rows {
        if !self.settings.drop_leaks.is_on() {
            return train;
        }
        let others: Vec<&Rows> = [Some(valid), test].into_iter().flatten().collect();
        let leaked: HashSet<usize> = shared(&train, &others).into_iter().collect();
        if leaked.is_empty() {
            return train;
        }
        self.notes.push(format!(
            "{} training texts that are in the validation or test data as well were left out",
            leaked.len()
        ));
        let (out, kept): (Vec<usize>, Vec<usize>) = (0..train.len()).partition(|row| leaked.contains(row));
        if let Some(record) = record {
            record.leave_out(&train, out.into_iter());
        }
        train.subset(&kept)
    }

    /// What the parts hold; what may mislead is told.
    fn survey(&mut self, train: &Rows, valid: &Rows, test: Option<&Rows>) -> DataReport {
        (self.phase)(format!("looking through {} texts", train.len() + valid.len()));
        let named = [("training", Some(train)), ("validation", Some(valid)), ("test", test)];
        let parts: Vec<Part<'_>> =
            named.into_iter().filter_map(|(name, rows)| Some((name.to_owned(), rows?))).collect();
        let report = survey(&parts);
        self.notes.extend(report.findings());
        report
    }

    /// How the training file is split; by default all of it is trained on. With cross-validation also its folds.
    fn split(&mut self, rows: &Rows) -> Result<(Split, Folds)> {
        let share = |part: Option<&DataPart>| match part {
            Some(DataPart::Share(share)) => *share,
            _ => 0.0,
        };
        let Settings { valid, test, folds, fold, seed, .. } = &self.settings;
        let shares = Shares { valid: share(valid.as_ref()), test: share(test.as_ref()) };
        let refused = |why: Unsplit| Error::file(&self.settings.train, why);
        let whole = || Split { train: (0..rows.len()).collect(), ..Split::default() };
        let parts = if shares == Shares::default() { Ok(whole()) } else { split(rows, shares, *seed) };
        let mut parts = parts.map_err(refused)?;
        let Some((count, fold)) = folds.zip(*fold) else {
            if shares != Shares::default() {
                self.note_split(rows, &parts, "by label");
            }
            return Ok((parts, Folds::new()));
        };
        let folds = self::folds(rows, &parts.train, count as usize, *seed).map_err(refused)?;
        parts.valid = folds.get(fold as usize - 1).cloned().unwrap_or_default();
        parts.train.retain(|row| parts.valid.binary_search(row).is_err());
        self.note_split(rows, &parts, &format!("into {count} folds by label, of which {fold} is validated on"));
        self.note_rare(rows, &folds);
        Ok((parts, folds))
    }

    fn note_split(&mut self, rows: &Rows, split: &Split, how: &str) {
        let Split { train, valid, test } = split;
        let (all, train, valid, test) = (rows.len(), train.len(), valid.len(), test.len());
        let groups = if rows.group(0).is_some() { ", no group on two sides" } else { "" };
        let seed = self.settings.seed;
        self.notes.push(format!(
            "{all} rows were split {how}{groups}, seed {seed}: {train} for training, {valid} for validation, {test} for a \
             test"
        ));
    }

    /// Of a class that is rarer than there are folds, some of these have none.
    fn note_rare(&mut self, rows: &Rows, folds: &Folds) {
        let has = |fold: &Vec<usize>, label| fold.iter().any(|row| rows.label(*row) == Some(label));
        for (number, label) in rows.labels().iter().enumerate() {
            let without = folds.iter().filter(|fold| !has(fold, number)).count();
            if without > 0 {
                let (name, count, all) = (rows.told_label(label), label.count, folds.len());
                self.notes.push(format!("{without} of the {all} folds have no row of the class {name} ({count} rows)"));
            }
        }
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
        let labels = Labels::of_rows(train).map_err(no_classes)?;
        if let Some(theirs) = of_model {
            let (theirs, ours) = (theirs.names().join(", "), told_labels(train));
            self.notes.push(format!(
                "the labels of the data ({ours}) are not the classes of the model ({theirs}): it gets a fresh head for \
                 those of the data; --label-map LABEL=CLASS,... would keep the model's"
            ));
        }
        Ok((labels, Naming::Names))
    }

    /// The samples of `--probe-data`.
    fn probe(&self, trained: &Reading, labels: &Labels, naming: Naming) -> Result<Option<Examples>> {
        let Some(path) = &self.settings.probe_data else { return Ok(None) };
        let rows = read_rows(path, &self.settings.reading(), LabelNeed::Required)?;
        let what = match (rows.columns().pair.is_some(), trained.columns.pair.is_some()) {
            (true, false) => "has pairs of texts, and the training file has single ones",
            (false, true) => "has single texts, and the training file has pairs",
            _ => return Examples::of(rows, labels, naming).map(Some),
        };
        Err(Error::file(path, format!("{what}; --text-column and --pair-column name those to read")))
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

    fn note_cuts(&mut self, which: &str, examples: &Examples, limit: TextLimit) {
        let (cut, words) = (examples.tokens.cut(), examples.tokens.cut_words());
        if let (windowed @ 1.., Some(windows)) = (examples.tokens.windowed(), limit.windows) {
            let are = if windowed == 1 { "is" } else { "are" };
            self.notes.push(format!("{windowed} of {} {which} texts {are} {}", examples.len(), limit.told(windows)));
        }
        if cut > 0 {
            let all = examples.len();
            let limit = match limit.windows {
                None => format!("{} tokens", limit.max_tokens),
                Some(_) => format!("{MOST} windows, or have a second text that is longer than half of one,"),
            };
            let (are, were) = if cut == 1 { ("is", "was") } else { ("are", "were") };
            self.notes.push(format!(
                "{cut} of {all} {which} texts {are} longer than {limit} and {were} cut: {words} words are not read"
            ));
        }
    }

    fn note_skipped(&mut self, rows: &Rows, all: &mut Skipped) {
        let skipped = rows.skipped();
        all.extend(skipped);
        if let Some(first) = skipped.first() {
            let path = rows.path().display();
            let count = skipped.len();
            self.notes.push(format!(
                "{path}: {count} bad rows were left out, the first: {first}; skipped.jsonl in the run folder lists them"
            ));
        }
    }

    /// Of a class of the model that no data have, nothing is learnt or measured. Classes that a part alone lacks are among
    /// the findings.
    fn note_absent(&mut self, labels: &Labels, naming: Naming, parts: [Option<&Rows>; 3]) {
        let rows = parts.into_iter().flatten();
        let named = rows.flat_map(Rows::labels).filter_map(|label| labels.named(&label.name, naming));
        let present: HashSet<usize> = named.collect();
        let absent = labels.names().iter().enumerate().filter(|(class, _)| !present.contains(class));
        let absent: Vec<&str> = absent.map(|(_, name)| name.as_str()).collect();
        if !absent.is_empty() {
            let absent = absent.join(", ");
            self.notes.push(format!("no text is of the model's class {absent}: nothing is learnt or measured for it"));
        }
    }
}

/// The first labels of `rows`.
fn told_labels(rows: &Rows) -> String {
    let mut told: Vec<String> = rows.labels().iter().take(TOLD).map(|label| rows.told_label(label)).collect();
    told.sort_unstable();
    if rows.labels().len() > TOLD {
        told.push(format!("{} more", rows.labels().len() - TOLD));
    }
    told.join(", ")
}

/// How long the texts are for the model.
fn token_lengths(examples: &Examples, encoder: &TextEncoder, most: usize) -> TokenLengths {
    let tokens = &examples.tokens;
    let lengths = tokens.whole_lengths().map(|length| length as u32).collect();
    TokenLengths {
        lengths: Lengths::of(lengths),
        limit: encoder.max_tokens(),
        cut: tokens.cut(),
        cut_words: tokens.cut_words(),
        most,
        windows: encoder.limit().windows.map_or(0, |_| MOST),
    }
}
