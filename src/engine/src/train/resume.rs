//! Resumes a run from its last whole checkpoint. From there on it does exactly what it would have done.

use std::path::Path;

use pellucid_files::bounded;
use pellucid_protocol::settings::LiveSetting;
use pellucid_protocol::{Event, Settings};
use pellucid_record::log::reader::{LogReader, Piece};
use pellucid_record::log::version;
use pellucid_record::log::writer::whole_length;
use pellucid_record::{RunDir, RunSummary};

use super::checkpoints::Checkpoints;
use super::prepare::prepare_from;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::model::weights::provenance::Provenance;

/// The settings that the run in `run` began with, and the folder where it is now.
///
/// # Errors
/// When there is no run, a later version has written to its log, or its settings cannot be read.
pub fn settings(run: &RunDir) -> Result<Settings> {
    let path = run.settings();
    if let Some(link) = run.escaping_link().map_err(|error| Error::file(run.root(), error))? {
        return Err(Error::file(
            &link,
            "leads out of the run folder, which must hold all that it writes; put it there",
        ));
    }
    let events = run.events();
    if let Some(later) = version::later(&events).map_err(|error| Error::file(&events, error))? {
        return Err(Error::file(&events, later));
    }
    let text =
        bounded::read_text_in(run.root(), "run.toml", bounded::SETTINGS).map_err(|error| Error::file(&path, error))?;
    let settings: Settings = toml::from_str(&text).map_err(|error| Error::file(&path, error.message()))?;
    Ok(Settings { run_dir: run.root().to_owned(), ..settings })
}

/// The run of `settings` at its newest checkpoint that is whole and not beyond the end of the event log. Newer ones are
/// skipped, with a note. Without any checkpoint the run starts over.
///
/// # Errors
/// When model or data are not what they should be, or what the file system says.
pub fn trainer(settings: Settings, run: &RunDir, phase: &mut dyn FnMut(String)) -> Result<Trainer> {
    let (kept, mut notes) = (Checkpoints::of(run), Vec::new());
    let mut skipped = Vec::new();
    let mut trainer = match newest(&settings, run, phase, &mut skipped)? {
        Some(trainer) => trainer,
        None => {
            let source = settings.model.clone();
            let mut trainer = prepared(settings, &source, phase)?;
            trainer.start_over();
            trainer
        }
    };
    let from = trainer.step_count();
    notes.extend(skipped.into_iter().map(|(_, why)| why));
    // Training writes them again when it comes to their steps.
    kept.set_aside_beyond(from)?;
    if let Some(best) = trainer.best_step().filter(|step| !kept.has(*step)) {
        notes
            .push(format!("the weights of the best evaluation, of step {best}, are gone; a better one is saved again"));
    }
    // A full disk may have kept the names from being written.
    kept.name_again("last", from)?;
    trainer.best_step().map_or(Ok(()), |step| kept.name_again("best", step))?;
    trainer.expect_changes(changes(run, from, &mut notes));
    notes.into_iter().for_each(|message| trainer.add_note(message));
    Ok(trainer)
}

/// The ended run of `settings`, with the weights of its newest whole checkpoint; it is not trained any more.
///
/// # Errors
/// As for [`trainer`], and when there is no whole checkpoint.
pub fn at_its_end(settings: Settings, run: &RunDir, phase: &mut dyn FnMut(String)) -> Result<Trainer> {
    // The teacher is not needed any more; it may be large, or gone.
    let settings = Settings { teacher: None, consistency: 0.0, ..settings };
    let mut skipped = Vec::new();
    let found = newest(&settings, run, phase, &mut skipped)?;
    let why = || skipped.first().map_or("there is no whole checkpoint", |(_, why)| why);
    found.ok_or_else(|| Error::file(run.root(), why()))
}

/// The run at its newest checkpoint that is whole and not beyond the end of the event log; adds the others to `skipped`, each
/// with the reason. If the log reaches none of them, the newest whole one: a gap in the log is better than lost training.
fn newest(
    settings: &Settings,
    run: &RunDir,
    phase: &mut dyn FnMut(String),
    skipped: &mut Vec<(u64, String)>,
) -> Result<Option<Trainer>> {
    let record = run.events();
    let length = whole_length(&record).map_err(|error| Error::file(&record, error))?;
    let mut beyond = None;
    for (step, folder) in Checkpoints::of(run).resumable() {
        phase(format!("taking the run up again at step {step}"));
        match from_checkpoint(settings.clone(), &folder, phase) {
            Ok(trainer) if trainer.log_length_needed() <= length => return Ok(Some(trainer)),
            Ok(_) => {
                skipped.push((step, format!("passed over the checkpoint of step {step}: the record ends before it")));
                beyond.get_or_insert(folder);
            }
            Err(error) if is_about(&error, &folder) => {
                skipped.push((step, format!("passed over {error}")));
            }
            Err(error) => return Err(error),
        }
    }
    let Some(folder) = beyond else { return Ok(None) };
    from_checkpoint(settings.clone(), &folder, phase).map(Some)
}

fn from_checkpoint(settings: Settings, folder: &Path, phase: &mut dyn FnMut(String)) -> Result<Trainer> {
    let said = Provenance::of(folder)?;
    if let Some(changed) = said.as_ref().and_then(|said| said.changed_files(folder).first().copied()) {
        return Err(Error::file(&folder.join(changed), "is not the file that was saved with the checkpoint"));
    }
    let mut trainer = prepared(settings, folder, phase)?;
    trainer.resume(folder)?;
    Ok(trainer)
}

/// The run with the weights in `source`, before its first step, with the id that it began with.
fn prepared(settings: Settings, source: &Path, phase: &mut dyn FnMut(String)) -> Result<Trainer> {
    let run = RunDir::new(&settings.run_dir);
    let summary = RunSummary::read(&run).map_err(|error| Error::file(&run.events(), error))?;
    let mut trainer = Trainer::new(prepare_from(settings, source, phase)?);
    trainer.set_id(summary.started.map(|(_, started)| started.id).unwrap_or_default());
    Ok(trainer)
}

fn is_about(error: &Error, folder: &Path) -> bool {
    error.path().is_some_and(|path| path.starts_with(folder))
}

/// The changes of settings at step `from` or later, each with the step before which it was made. If the event log cannot be
/// read whole, `notes` says so.
fn changes(run: &RunDir, from: u64, notes: &mut Vec<String>) -> Vec<(u64, LiveSetting, f64)> {
    let path = run.events();
    let mut log = LogReader::new(&path);
    let mut changes: Vec<(u64, LiveSetting, f64)> = Vec::new();
    let mut take = |piece| {
        let Piece::Record(record) = piece else { return };
        match record.event {
            // The steps from here on were done again, with their changes.
            Event::Started(started) => changes.retain(|(step, ..)| *step < started.resumed.unwrap_or(0)),
            Event::Setting(setting) if setting.step >= from => {
                let key = LiveSetting::ALL.iter().copied().find(|live| live.key() == setting.key);
                changes.extend(key.zip(setting.value.as_f64()).map(|(key, value)| (setting.step, key, value)));
            }
            _ => {}
        }
    };
    if let Err(error) = log.read_in_chunks(&mut take) {
        notes.push(format!("{}: {error}; settings changed before are not changed again", path.display()));
        changes.clear();
    }
    notes.extend(log.damage().message(&path));
    changes
}
