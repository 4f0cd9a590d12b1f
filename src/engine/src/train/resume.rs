//! Takes a run up again from its last whole checkpoint; what it does from there on is what it would have done.

use std::path::Path;

use pellucid_protocol::log_reader::LogReader;
use pellucid_protocol::settings::LiveSetting;
use pellucid_protocol::{Event, RunDir, Settings, intake};

use super::checkpoints::Checkpoints;
use super::prepare::prepare_from;
use super::trainer::Trainer;
use crate::error::{Error, Result};

/// The settings that the run in `run` began with, its folder being where it is now.
///
/// # Errors
/// When there is no run, or its settings cannot be read.
pub fn settings(run: &RunDir) -> Result<Settings> {
    let path = run.settings();
    if let Some(link) = run.way_out().map_err(|error| Error::file(run.root(), error))? {
        return Err(Error::file(
            &link,
            "leads out of the run folder, which must hold all that it writes; put it there",
        ));
    }
    let text = intake::read_text(&path, intake::SETTINGS).map_err(|error| Error::file(&path, error))?;
    let settings: Settings = toml::from_str(&text).map_err(|error| Error::file(&path, error.message()))?;
    Ok(Settings { run_dir: run.root().to_owned(), ..settings })
}

/// The run of `settings` as its newest checkpoint has it that is whole; one that is damaged is passed over for the one
/// before, and that is noted. Without any the run begins anew.
///
/// # Errors
/// When model, data or all checkpoints are not what they should be.
pub fn trainer(settings: Settings, run: &RunDir, phase: &mut dyn FnMut(String)) -> Result<Trainer> {
    let (mut damaged, mut notes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (step, folder) in Checkpoints::of(run).resumable() {
        phase(format!("taking the run up again at step {step}"));
        match from_checkpoint(settings.clone(), &folder, phase) {
            Ok(mut trainer) => {
                damaged.into_iter().for_each(|message| trainer.note(message));
                trainer.expect(changes(run, step, &mut notes));
                notes.into_iter().for_each(|message| trainer.note(message));
                return Ok(trainer);
            }
            Err(error @ Error::File { .. }) if is_about(&error, &folder) => {
                damaged.push(format!("passed over {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    let source = settings.model.clone();
    let mut trainer = Trainer::new(prepare_from(settings, &source, phase)?);
    damaged.into_iter().for_each(|message| trainer.note(message));
    trainer.begin_again();
    trainer.expect(changes(run, 0, &mut notes));
    notes.into_iter().for_each(|message| trainer.note(message));
    Ok(trainer)
}

fn from_checkpoint(settings: Settings, folder: &Path, phase: &mut dyn FnMut(String)) -> Result<Trainer> {
    let mut trainer = Trainer::new(prepare_from(settings, folder, phase)?);
    trainer.resume(folder)?;
    Ok(trainer)
}

fn is_about(error: &Error, folder: &Path) -> bool {
    matches!(error, Error::File { path, .. } if Path::new(path).starts_with(folder))
}

/// Settings that were changed at step `from` or later, by the step before which they were; what cannot be read of the
/// record is added to `notes`.
fn changes(run: &RunDir, from: u64, notes: &mut Vec<String>) -> Vec<(u64, LiveSetting, f64)> {
    let path = run.events();
    let mut log = LogReader::new(&path);
    let records = log.read_new().unwrap_or_else(|error| {
        notes.push(format!("{}: {error}; settings changed before are not changed again", path.display()));
        Vec::new()
    });
    notes.extend(log.damage().told(&path));
    let mut changes: Vec<(u64, LiveSetting, f64)> = Vec::new();
    for record in records {
        match record.event {
            // Steps from here on were done again, and with them the changes.
            Event::Started(started) => changes.retain(|(step, ..)| *step < started.resumed.unwrap_or(0)),
            Event::Setting(setting) if setting.step >= from => {
                let key = LiveSetting::ALL.into_iter().find(|live| live.key() == setting.key);
                changes.extend(key.zip(setting.value.as_f64()).map(|(key, value)| (setting.step, key, value)));
            }
            _ => {}
        }
    }
    changes
}
