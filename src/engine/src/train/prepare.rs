//! Reads and checks everything that a run needs, before anything is written.

mod data;
mod models;

use std::path::Path;

use pellucid_protocol::Settings;
use pellucid_protocol::settings::Reference;
use pellucid_record::RunDir;
use tch::Device;

pub use self::data::Data;
use super::loss::reasons::Reasons;
use crate::data::examples::Examples;
use crate::device::device;
use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::model::teacher::TeacherState;
use crate::task::Task;
use crate::task::classification::Classification;

/// Everything that a run needs, checked.
pub struct Prepared {
    /// The settings of the run.
    pub settings: Settings,
    /// The texts and their classes.
    pub data: Data,
    /// What the model is trained to do.
    pub task: Box<dyn Task>,
    /// The model, trainable.
    pub model: Classifier,
    /// The teacher and the texts that it reads, with distillation.
    pub teacher: Option<TeacherState>,
    /// The model before its first step, if explanations are to stay close to its own.
    pub start: Option<Classifier>,
    /// Where to compute.
    pub device: Device,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// What the steps of a preparation share.
struct Preparation<'a> {
    settings: Settings,
    /// The folder of the model: that of the settings, or a checkpoint.
    source: &'a Path,
    device: Device,
    phase: &'a mut dyn FnMut(String),
    notes: Vec<String>,
}

/// Reads data, tokenizers and weights for a new run; `phase` gets a line about each step. Writes nothing.
///
/// # Errors
/// The first thing that is wrong, by file, line or flag.
pub fn prepare(settings: Settings, phase: &mut dyn FnMut(String)) -> Result<Prepared> {
    check_run_dir(&settings.run_dir)?;
    let source = settings.model.clone();
    prepare_from(settings, &source, phase)
}

/// As [`prepare`], with the model in the folder `source`: for a run that is resumed, one of its checkpoints.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_from(settings: Settings, source: &Path, phase: &mut dyn FnMut(String)) -> Result<Prepared> {
    let device = device(settings.device)?;
    let mut preparation = Preparation { settings, source, device, phase, notes: Vec::new() };
    let (data, config) = preparation.data()?;
    let task = preparation.task(&data)?;
    let model = preparation.student(config, &data.labels)?;
    let teacher = preparation.teacher(&data)?;
    let start = preparation.start(&data.labels)?;
    preparation.check_reasons(&data.train)?;
    let Preparation { settings, notes, .. } = preparation;
    Ok(Prepared { settings, data, task, model, teacher, start, device, notes })
}

impl Preparation<'_> {
    /// The task, weighted as the settings say.
    fn task(&self, data: &Data) -> Result<Box<dyn Task>> {
        let mut counts = vec![0; data.labels.len()];
        (0..data.train.len()).for_each(|example| counts[data.train.class(example)] += 1);
        let weights = self.settings.class_weights.of(data.labels.names(), &counts);
        let weights = weights.map_err(|message| Error::Setting { key: "--class-weights", message })?;
        let smoothing = self.settings.label_smoothing;
        Ok(Box::new(Classification::new(data.labels.len(), weights, smoothing, self.device)))
    }

    /// Refuses terms of the loss that act on reasons if the run does not say which reasons.
    fn check_reasons(&mut self, train: &Examples) -> Result<()> {
        let settings = &self.settings;
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
            self.notes.push(format!("--avoid: in no training text: {}", missing.join(", ")));
        }
        Ok(())
    }
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
