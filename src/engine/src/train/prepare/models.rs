//! The models of a run: the one that is trained, its teacher, and itself before the first step.

use std::path::Path;
use std::sync::Arc;

use pellucid_protocol::Settings;
use pellucid_protocol::settings::{Frozen, Precision, Reference};
use tch::Kind;

use super::{Data, Preparation};
use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::model::config::ModelConfig;
use crate::model::pretrained::{card, check_ids, load_classifier};
use crate::model::sentence::starting;
use crate::model::teacher::cache::TeacherCache;
use crate::model::teacher::{Teacher, TeacherState};
use crate::model::weights::spec::ParamSpec;
use crate::model::weights::{init, load};
use crate::train::optimiser::rules;
use pellucid_intake::labels::Labels;

/// A model with the names of the parameters that were not in its folder and had to be made.
struct Loaded {
    model: Classifier,
    fresh: Vec<String>,
}

impl Preparation<'_> {
    /// The model to be trained.
    pub(super) fn student(&mut self, config: ModelConfig, labels: &Labels) -> Result<Classifier> {
        (self.phase)(format!("loading {}", self.source.display()));
        let Loaded { model, fresh } = load_model(self.source, config, labels, self.settings.seed)?;
        if !fresh.is_empty() {
            let (classes, names) = (labels.len(), fresh.join(", "));
            self.notes.push(format!("a fresh classification head was made for {classes} classes: {names}"));
        }
        trainable(model.to_device(self.device), &self.settings)
    }

    /// The model before the first step of the run, if explanations are to stay close to its own.
    pub(super) fn start(&self, labels: &Labels) -> Result<Option<Classifier>> {
        if self.settings.consistency_to != Reference::Start {
            return Ok(None);
        }
        let (config, _) = starting(&self.settings.model, ModelConfig::load(&self.settings.model)?)?;
        let loaded = load_model(&self.settings.model, config, labels, self.settings.seed)?;
        Ok(Some(loaded.model.to_device(self.device)))
    }

    /// The teacher, with what earlier runs have kept of its answers.
    pub(super) fn teacher(&mut self, data: &Data) -> Result<Option<TeacherState>> {
        let Some(folder) = &self.settings.teacher else { return Ok(None) };
        (self.phase)(format!("loading {}", folder.display()));
        let (model, theirs, encoder) = load_classifier(folder, data.encoder.limit())?;
        let classes = same_classes(folder, &data.labels, &theirs)?;
        let (train, valid) = (data.train.encoded(&encoder)?, data.valid.encoded(&encoder)?);
        check_ids(folder, model.config(), [&train, &valid])?;
        let card = card(folder, &model);
        let teacher = Teacher::new(model.to_device(self.device).fixed(), &classes);
        let cache = self.teacher_cache_key(&classes);
        let cache = TeacherCache::folder().and_then(|place| TeacherCache::new(&place, folder, &train, &cache));
        let (mut train, valid) = (teacher.answers(Arc::new(train)), teacher.answers(Arc::new(valid)));
        if let Some(cache) = &cache {
            cache.fill(&mut train);
        }
        Ok(Some(TeacherState { teacher, encoder, card, train, valid, cache }))
    }

    /// Everything beside model and texts that the last bit of the teacher's logits depends on.
    fn teacher_cache_key(&self, classes: &[usize]) -> String {
        let Settings { seed, batch_size, grouping, .. } = &self.settings;
        format!("{classes:?} {seed} {batch_size} {grouping:?} {:?} {}", self.device, tch::get_num_threads())
    }
}

/// For each of our classes, the teacher's class of the same name.
fn same_classes(folder: &Path, ours: &Labels, theirs: &Labels) -> Result<Vec<usize>> {
    ours.permutation(theirs).ok_or_else(|| {
        let (ours, theirs) = (ours.names().join("`, `"), theirs.names().join("`, `"));
        let message =
            format!("the teacher's classes are `{theirs}`, those of the data `{ours}`; they must be the same: --label-map LABEL=CLASS,... names those of the data anew");
        Error::file(folder, message)
    })
}

/// Loads the model of `source` for the classes `labels`; a head for other classes is made afresh from `seed`.
fn load_model(source: &Path, config: ModelConfig, labels: &Labels, seed: u64) -> Result<Loaded> {
    let (classes, architecture) = (labels.len() as i64, &config.architecture);
    let same_labels = config.labels().as_ref() == Some(labels);
    let specs = Classifier::specs(architecture, classes);
    let is_head = |spec: &ParamSpec| architecture.head.owns(&spec.name);
    let loaded = load::load(source, &architecture.names, specs.clone(), &is_head, seed)?;
    let (mut params, mut fresh) = (loaded.params, loaded.fresh);
    if !same_labels && config.labels().is_some() {
        // Its shape may fit, but its rows stand for other classes.
        let made = init::initialise(specs.clone(), seed);
        let out = format!("{}.", architecture.head.out);
        for spec in specs.iter().filter(|spec| spec.name.starts_with(&out)) {
            params.set(&spec.name, &made.view(&spec.name));
            fresh.push(spec.name.clone());
        }
    }
    fresh.sort();
    fresh.dedup();
    Ok(Loaded { model: Classifier::new(config.for_classifier(labels), classes, params), fresh })
}

/// Makes every parameter that is not frozen trainable.
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
