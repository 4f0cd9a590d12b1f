//! Reads and checks all that a run needs, before anything is written.

use std::path::Path;

use pellucid_intake::labels::Labels;
use pellucid_intake::rows::{LabelNeed, read_rows};
use pellucid_intake::samples::samples;
use pellucid_protocol::event::ModelCard;
use pellucid_protocol::settings::{Frozen, Precision, Reference};
use pellucid_protocol::{Sample, Settings};
use pellucid_record::RunDir;
use sha2::{Digest, Sha256};
use tch::{Device, Kind};

use super::reasons::Reasons;
use super::rules;
use super::teacher::{Teacher, TeacherDesk};
use super::teacher_cache::TeacherCache;
use crate::data::tokenise::{Encoded, TextEncoder};
use crate::error::{Error, Result};
use crate::explain::subject::Subject;
use crate::model::classifier::Classifier;
use crate::model::config::ModelConfig;
use crate::model::weights::spec::ParamSpec;
use crate::model::weights::{init, load};

/// Texts with their token ids and classes.
#[derive(Debug)]
pub struct Examples {
    /// The samples in the order of the file.
    pub samples: Vec<Sample>,
    /// Their token ids.
    pub encoded: Vec<Encoded>,
}

impl Examples {
    /// Samples with the token ids that `encoder` gives them.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encode(samples: Vec<Sample>, encoder: &TextEncoder) -> Result<Self> {
        let texts: Vec<_> = samples.iter().map(|sample| (sample.text.as_str(), sample.pair.as_deref())).collect();
        let encoded = encoder.encode(&texts)?;
        Ok(Self { samples, encoded })
    }

    /// Example `index` as words; `encoder` is that by which it was encoded.
    #[must_use]
    pub fn subject(&self, encoder: &TextEncoder, index: usize) -> Subject {
        let sample = &self.samples[index];
        Subject::of(encoder, (&sample.text, sample.pair.as_deref()), self.encoded[index].clone())
    }

    /// The same for the same token ids and classes in the same order, and for no others.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (sample, row) in self.samples.iter().zip(&self.encoded) {
            hash.update((sample.label as u64).to_le_bytes());
            hash.update((row.ids.len() as u64).to_le_bytes());
            row.ids.iter().chain(&row.types).for_each(|id| hash.update(id.to_le_bytes()));
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// All that a run needs, checked.
pub struct Prepared {
    /// What was asked for.
    pub settings: Settings,
    /// Class names.
    pub labels: Labels,
    /// Weights of the classes in the loss, if they differ.
    pub weights: Option<Vec<f64>>,
    /// Training examples.
    pub train: Examples,
    /// Validation examples.
    pub valid: Examples,
    /// Texts to be explained as training goes on, if they are not to be validation examples.
    pub probe: Option<Examples>,
    /// The model, trainable.
    pub model: Classifier,
    /// The model's tokenizer.
    pub encoder: TextEncoder,
    /// The teacher and what it reads, with distillation.
    pub teacher: Option<TeacherDesk>,
    /// The model before its first step, where explanations are drawn to its own.
    pub start: Option<Classifier>,
    /// Where to compute.
    pub device: Device,
    /// Things that a person should know.
    pub notes: Vec<String>,
}

/// Reads data, tokenizers and weights for a new run; `phase` is told what is being done. Writes nothing.
///
/// # Errors
/// The first thing that is wrong, by file, line or flag.
pub fn prepare(settings: Settings, phase: &mut dyn FnMut(String)) -> Result<Prepared> {
    check_run_dir(&settings.run_dir)?;
    let source = settings.model.clone();
    prepare_from(settings, &source, phase)
}

/// As [`prepare`], with the model in the folder `source`: for a run that is taken up again, one of its checkpoints.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_from(settings: Settings, source: &Path, phase: &mut dyn FnMut(String)) -> Result<Prepared> {
    let device = device(settings.device)?;
    phase(format!("reading {}", settings.train.display()));
    let train_rows = read_rows(&settings.train, LabelNeed::Required)?;
    let valid_rows = read_rows(&settings.valid, LabelNeed::Required)?;
    let config = ModelConfig::load(source)?;
    let mut notes = Vec::new();
    let written = || train_rows.iter().filter_map(|row| row.label.as_deref());
    let fitting = config.labels().filter(|labels| written().all(|label| labels.index(label).is_some()));
    let labels = match fitting {
        Some(labels) => labels,
        None => Labels::from_data(written())
            .map_err(|error| Error::Setting { key: "--train", message: error.to_string() })?,
    };
    let train = samples(&settings.train, train_rows, &labels)?;
    let valid = samples(&settings.valid, valid_rows, &labels)?;
    let limit = token_limit(&settings, &config, &mut notes);
    let encoder = TextEncoder::load(source, limit)?;
    check_vocabulary(source, &config, &encoder)?;
    phase(format!("tokenising {} texts", train.len() + valid.len()));
    let (train, valid) = (Examples::encode(train, &encoder)?, Examples::encode(valid, &encoder)?);
    let probe = settings.probe_data.as_deref().map(|path| {
        let rows = read_rows(path, LabelNeed::Required)?;
        Examples::encode(samples(path, rows, &labels)?, &encoder)
    });
    let probe = probe.transpose()?;
    let of_probe = probe.iter().map(|examples| &examples.encoded);
    check_ids(source, &config, [&train.encoded, &valid.encoded].into_iter().chain(of_probe))?;
    note_cuts("training", &train, limit, &mut notes);
    note_cuts("validation", &valid, limit, &mut notes);
    let weights = class_weights(&settings, &labels, &train)?;
    phase(format!("loading {}", source.display()));
    let model = load_student(&settings, (source, config), &labels, &mut notes)?;
    let model = trainable(model.to_device(device), &settings)?;
    let teacher = match &settings.teacher {
        Some(folder) => {
            phase(format!("loading {}", folder.display()));
            Some(prepare_teacher(folder, &settings, &labels, (&train, &valid), device)?)
        }
        None => None,
    };
    let start = load_start(&settings, &labels, device)?;
    check_reasons(&settings, &train, &mut notes)?;
    Ok(Prepared { settings, labels, weights, train, valid, probe, model, encoder, teacher, start, device, notes })
}

/// The model as the run began or begins with it, if that is what explanations are drawn to.
fn load_start(settings: &Settings, labels: &Labels, device: Device) -> Result<Option<Classifier>> {
    if settings.consistency_to != Reference::Start {
        return Ok(None);
    }
    let config = ModelConfig::load(&settings.model)?;
    // What is to be said of the model was said when it was loaded for training.
    let model = load_student(settings, (&settings.model, config), labels, &mut Vec::new())?;
    Ok(Some(model.to_device(device)))
}

/// Refuses terms of the loss on reasons for which the run has nothing to go by.
fn check_reasons(settings: &Settings, train: &Examples, notes: &mut Vec<String>) -> Result<()> {
    let reasons = Reasons::new(settings, train);
    if settings.rrr > 0.0 && !reasons.are_known() {
        let message = format!("{} has no rationales; name words with --avoid", settings.train.display());
        return Err(Error::Setting { key: "--rrr", message });
    }
    if settings.consistency > 0.0 && settings.consistency_to == Reference::Teacher && settings.teacher.is_none() {
        let message = "there is no --teacher to be consistent with; name one, or give --consistency-to start";
        return Err(Error::Setting { key: "--consistency", message: message.to_owned() });
    }
    let missing = reasons.missing(train);
    if !missing.is_empty() {
        notes.push(format!("--avoid: in no training text: {}", missing.join(", ")));
    }
    Ok(())
}

fn class_weights(settings: &Settings, labels: &Labels, train: &Examples) -> Result<Option<Vec<f64>>> {
    let mut counts = vec![0; labels.len()];
    train.samples.iter().for_each(|sample| counts[sample.label] += 1);
    let weights = settings.class_weights.of(labels.names(), &counts);
    weights.map_err(|message| Error::Setting { key: "--class-weights", message })
}

/// Makes what is not frozen trainable.
fn trainable(model: Classifier, settings: &Settings) -> Result<Classifier> {
    let architecture = model.config().architecture.clone();
    let beyond = settings.freeze.0.iter().find_map(|part| match part {
        Frozen::Layers(count) if *count > architecture.layers as u64 => Some(count),
        _ => None,
    });
    if let Some(count) = beyond {
        let message = format!("layers:{count} is more than the {} layers of the model", architecture.layers);
        return Err(Error::Setting { key: "--freeze", message });
    }
    let kind = if settings.precision == Precision::Bf16 { Kind::BFloat16 } else { Kind::Float };
    Ok(model.computing_in(kind).trainable(&|spec| rules::rule(settings, &architecture, spec).is_frozen()))
}

fn check_run_dir(folder: &Path) -> Result<()> {
    if RunDir::new(folder).events().exists() {
        return Err(Error::Setting {
            key: "--run-dir",
            message: format!("{} already holds a run; name another folder", folder.display()),
        });
    }
    if folder.exists() && !folder.is_dir() {
        return Err(Error::Setting { key: "--run-dir", message: format!("{} is not a folder", folder.display()) });
    }
    Ok(())
}

/// The device that is asked for.
///
/// # Errors
/// When libtorch does not see it.
pub fn device(wanted: pellucid_protocol::settings::Device) -> Result<Device> {
    use pellucid_protocol::settings::Device as Wanted;
    match wanted {
        Wanted::Auto => Ok(Device::cuda_if_available()),
        Wanted::Cpu => Ok(Device::Cpu),
        Wanted::Cuda(index) if (index as i64) < tch::Cuda::device_count() => Ok(Device::Cuda(index)),
        Wanted::Cuda(index) => Err(Error::Setting {
            key: "--device",
            message: format!(
                "cuda:{index} is not there; libtorch sees {} GPUs (`make libtorch CUDA=1` installs the CUDA build)",
                tch::Cuda::device_count()
            ),
        }),
    }
}

fn token_limit(settings: &Settings, config: &ModelConfig, notes: &mut Vec<String>) -> usize {
    let (asked, positions) = (settings.max_tokens, config.architecture.max_tokens() as u64);
    if asked > positions {
        notes
            .push(format!("--max-tokens {asked} is more than the model's {positions} positions; {positions} are used"));
    }
    asked.min(positions) as usize
}

/// Refuses a tokenizer that knows more tokens than the embeddings have rows.
///
/// # Errors
/// Naming the folder.
pub fn check_vocabulary(folder: &Path, config: &ModelConfig, encoder: &TextEncoder) -> Result<()> {
    let (known, rows) = (encoder.vocabulary() as i64, config.architecture.vocabulary);
    if known > rows {
        let message = format!("tokenizer.json knows {known} tokens, but config.json has vocab_size {rows}");
        return Err(Error::file(folder, message));
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
pub fn check_ids<'a>(
    folder: &Path,
    config: &ModelConfig,
    sets: impl IntoIterator<Item = &'a Vec<Encoded>>,
) -> Result<()> {
    let (vocabulary, kinds) = (config.architecture.vocabulary, config.architecture.token_types);
    for row in sets.into_iter().flatten() {
        if let Some(id) = row.ids.iter().find(|&&id| id >= vocabulary) {
            let message = format!("tokenizer.json gives token {id}, but config.json has vocab_size {vocabulary}");
            return Err(Error::file(folder, message));
        }
        if kinds > 0 && row.types.iter().any(|&kind| kind >= kinds) {
            let message = format!("has type_vocab_size {kinds} and cannot read pairs of texts");
            return Err(Error::file(folder, message));
        }
    }
    Ok(())
}

fn note_cuts(which: &str, examples: &Examples, limit: usize, notes: &mut Vec<String>) {
    let cut = examples.encoded.iter().filter(|row| row.cut).count();
    if cut > 0 {
        let all = examples.encoded.len();
        notes.push(format!("{cut} of {all} {which} texts are longer than {limit} tokens and were cut"));
    }
}

fn load_student(
    settings: &Settings,
    (source, config): (&Path, ModelConfig),
    labels: &Labels,
    notes: &mut Vec<String>,
) -> Result<Classifier> {
    let (classes, architecture) = (labels.len() as i64, &config.architecture);
    let same_labels = config.labels().as_ref() == Some(labels);
    let specs = Classifier::specs(architecture, classes);
    let is_head = |spec: &ParamSpec| architecture.head.owns(&spec.name);
    let loaded = load::load(source, &architecture.names, specs.clone(), &is_head, settings.seed)?;
    let (mut params, mut fresh) = (loaded.params, loaded.fresh);
    if !same_labels && config.labels().is_some() {
        // A head for other classes is of no use, whatever its shape.
        let made = init::initialise(specs.clone(), settings.seed);
        let out = format!("{}.", architecture.head.out);
        for spec in specs.iter().filter(|spec| spec.name.starts_with(&out)) {
            params.set(&spec.name, &made.view(&spec.name));
            fresh.push(spec.name.clone());
        }
    }
    if !fresh.is_empty() {
        fresh.sort();
        fresh.dedup();
        notes.push(format!("a fresh classification head was made for {classes} classes: {}", fresh.join(", ")));
    }
    Ok(Classifier::new(config.for_classifier(labels), classes, params))
}

fn prepare_teacher(
    folder: &Path,
    settings: &Settings,
    labels: &Labels,
    (train, valid): (&Examples, &Examples),
    device: Device,
) -> Result<TeacherDesk> {
    let (model, theirs, encoder) = load_classifier(folder, settings.max_tokens as usize)?;
    let Some(classes) = labels.permutation(&theirs) else {
        let (ours, theirs) = (labels.names().join("`, `"), theirs.names().join("`, `"));
        let message =
            format!("the teacher's classes are `{theirs}`, those of the data `{ours}`; they must be the same");
        return Err(Error::file(folder, message));
    };
    let encode = |examples: &Examples| {
        let samples = examples.samples.iter().map(|sample| (sample.text.as_str(), sample.pair.as_deref()));
        encoder.encode(&samples.collect::<Vec<_>>())
    };
    let (train, valid) = (encode(train)?, encode(valid)?);
    check_ids(folder, model.config(), [&train, &valid])?;
    let card = card(folder, &model);
    let teacher = Teacher::new(model.to_device(device), &classes);
    let Settings { seed, batch_size, grouping, .. } = settings;
    let how = format!("{classes:?} {seed} {batch_size} {grouping:?} {device:?} {}", tch::get_num_threads());
    let cache = TeacherCache::folder().and_then(|place| TeacherCache::new(&place, folder, &train, &how));
    let (mut train, valid) = (teacher.answers(train), teacher.answers(valid));
    if let Some(cache) = &cache {
        cache.fill(&mut train);
    }
    Ok(TeacherDesk { teacher, encoder, card, train, valid, cache })
}

/// Loads a fine-tuned classifier with its labels and tokenizer.
///
/// # Errors
/// When the folder is not one, or has no classification head.
pub fn load_classifier(folder: &Path, max_tokens: usize) -> Result<(Classifier, Labels, TextEncoder)> {
    let config = ModelConfig::load(folder)?;
    let limit = max_tokens.min(config.architecture.max_tokens() as usize);
    let encoder = TextEncoder::load(folder, limit)?;
    check_vocabulary(folder, &config, &encoder)?;
    let labels = config.labels().map_or_else(|| placeholder_labels(folder, &config), Ok)?;
    let classes = labels.len() as i64;
    let architecture = &config.architecture;
    let specs = Classifier::specs(architecture, classes);
    let head = |spec: &ParamSpec| architecture.head.owns(&spec.name);
    let loaded = load::load(folder, &architecture.names, specs, &head, 0)?;
    if !loaded.fresh.is_empty() {
        return Err(Error::file(folder, load::HEADLESS));
    }
    Ok((Classifier::new(config, classes, loaded.params), labels, encoder))
}

/// `LABEL_0`, `LABEL_1`, ... for a folder that does not name its classes; their number from the head.
fn placeholder_labels(folder: &Path, config: &ModelConfig) -> Result<Labels> {
    let count = load::classes(folder, &config.architecture)?;
    Ok(Labels::new((0..count).map(|index| format!("LABEL_{index}")).collect()))
}

/// A model in a few numbers.
#[must_use]
pub fn card(folder: &Path, model: &Classifier) -> ModelCard {
    let config = model.config();
    ModelCard {
        path: folder.display().to_string(),
        family: config.family().to_owned(),
        layers: config.architecture.layers,
        hidden: config.architecture.hidden as usize,
        parameters: model.params().len() as u64,
    }
}
