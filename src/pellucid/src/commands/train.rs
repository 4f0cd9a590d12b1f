//! `pellucid train` and `pellucid demo`: checked settings, then a worker, on the screen or headless.

use std::io::IsTerminal;
use std::path::Path;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_client::worker;
use pellucid_protocol::work::Output;
use pellucid_protocol::{RawSettings, Settings};
use pellucid_record::RunDir;
use pellucid_record::settings_file;

use super::open;
use crate::cli::Global;
use crate::cli::train::{DemoArgs, TrainArgs, WatchFlags};
use crate::new_folder::NewFolder;
use crate::runtime::block_on;
use crate::{demo, headless, models, stdout};

/// `pellucid train`.
pub(super) fn train(train: TrainArgs, global: &Global) -> Result<Ending, Failure> {
    let file = train.config.as_deref().map(settings_file::read).transpose()?.unwrap_or_default();
    let raw = train.settings.raw().or(file);
    if train.print_settings {
        return print_settings(&checked(raw, &global.runs)?);
    }
    start(raw, train.watch, global)
}

/// `pellucid demo`.
pub(super) fn demo(demo: DemoArgs, global: &Global) -> Result<Ending, Failure> {
    let under = demo::settings(demo.set, &demo::data_folder()?);
    start(demo.settings.raw().or(under), demo.watch, global)
}

fn start(raw: RawSettings, watch: WatchFlags, global: &Global) -> Result<Ending, Failure> {
    let named = raw.run_dir.is_some();
    let mut settings = checked(raw, &global.runs)?;
    let worker = worker::find()?;
    let folder = if named { None } else { Some(new_folder(&settings.run_dir)?) };
    if let Some(folder) = &folder {
        settings.run_dir = folder.path().to_owned();
    }
    match display(watch) {
        Display::Dashboard => block_on(open::launch(worker, settings, global)),
        Display::Lines(output) => block_on(headless::train(worker, settings, output)),
    }
}

fn new_folder(wanted: &Path) -> Result<NewFolder, Failure> {
    NewFolder::make(wanted).map_err(|error| Failure::Failed(format!("cannot make {}: {error}", wanted.display())))
}

/// `pellucid resume`.
pub(super) fn resume(run: RunDir, watch: WatchFlags, global: &Global) -> Result<Ending, Failure> {
    let worker = worker::find()?;
    match display(watch) {
        Display::Dashboard => block_on(open::resume(worker, run, global)),
        Display::Lines(output) => block_on(headless::resume(worker, &run, output)),
    }
}

/// What shows a run.
enum Display {
    Dashboard,
    Lines(Output),
}

fn display(watch: WatchFlags) -> Display {
    if !watch.headless && std::io::stdout().is_terminal() {
        return Display::Dashboard;
    }
    if !watch.headless {
        console::note("stdout is no terminal: no dashboard, as with --headless");
    }
    Display::Lines(watch.output())
}

/// Prints the settings as a settings file, defaults filled in.
fn print_settings(settings: &Settings) -> Result<Ending, Failure> {
    let text = toml::to_string(settings).map_err(|error| Failure::Failed(error.to_string()))?;
    text.lines().try_for_each(stdout::line)?;
    Ok(Ending::Done)
}

/// Checks the settings. A run folder that they do not name is put into `runs`.
fn checked(raw: RawSettings, runs: &Path) -> Result<Settings, Failure> {
    let named = raw.run_dir.is_some();
    let mut settings = settings_file::checked(models::in_settings(raw)?)?;
    if !named && let Some(name) = settings.run_dir.file_name() {
        let place = std::path::absolute(runs.join(name));
        settings.run_dir = place.map_err(|error| Failure::Usage(format!("--runs: {}: {error}", runs.display())))?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> RawSettings {
        RawSettings {
            model: Some("src".into()),
            train: Some("t".into()),
            valid: Some("v".into()),
            ..RawSettings::default()
        }
    }

    #[test]
    fn a_run_goes_where_runs_are_unless_it_has_a_place() {
        let placed = checked(complete(), Path::new("/tmp/elsewhere")).unwrap();
        assert_eq!(placed.run_dir.parent(), Some(Path::new("/tmp/elsewhere")));
        let named = RawSettings { run_dir: Some("/tmp/mine".into()), ..complete() };
        assert_eq!(checked(named, Path::new("/tmp/elsewhere")).unwrap().run_dir, Path::new("/tmp/mine"));
    }

    #[test]
    fn a_wrong_flag_is_wrong_usage() {
        let wrong = RawSettings { l1: Some(-1.0), ..complete() };
        assert_eq!(checked(wrong, Path::new("runs")), Err(Failure::Usage("--l1: must be 0 or more, not -1".into())));
    }
}
