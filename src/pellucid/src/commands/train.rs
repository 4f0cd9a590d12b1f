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
        return print_settings(raw, &global.runs);
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
fn print_settings(raw: RawSettings, runs: &Path) -> Result<Ending, Failure> {
    settings_lines(raw, runs)?.iter().try_for_each(|line| stdout::line(line))?;
    Ok(Ending::Done)
}

/// The settings as lines of a settings file. What is needed and not given yet is a comment.
fn settings_lines(mut raw: RawSettings, runs: &Path) -> Result<Vec<String>, Failure> {
    let mut needed = Vec::new();
    let has_folds = raw.folds.is_some() || raw.fold.is_some();
    if raw.model.is_none() {
        // A path: what could be a name would be looked for.
        raw.model = Some("./model".into());
        needed.push("model");
    }
    if raw.train.is_none() {
        raw.train = Some("train".into());
        needed.push("train");
    }
    if raw.valid.is_none() && !has_folds {
        raw.valid = Some("valid".into());
        needed.push("valid");
    }
    if needed.contains(&"train") && raw.run_dir.is_none() {
        needed.push("run_dir");
    }
    let settings = checked(raw, runs)?;
    let text = toml::to_string(&settings).map_err(|error| Failure::Failed(error.to_string()))?;
    let line =
        |line: &str| match needed.iter().find(|key| line.strip_prefix(*key).is_some_and(|l| l.starts_with(" = "))) {
            Some(&"run_dir") => "# run_dir = \"runs/TIME-DATA\"".to_owned(),
            Some(key) => format!("# {key} = \"...\" is needed"),
            None => line.to_owned(),
        };
    Ok(text.lines().map(line).collect())
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
    fn what_is_not_given_yet_is_a_comment_beside_the_defaults() {
        let lines = settings_lines(RawSettings::default(), Path::new("runs")).unwrap();
        for wanted in ["# model = \"...\" is needed", "# train = \"...\" is needed", "# valid = \"...\" is needed"] {
            assert!(lines.iter().any(|line| line == wanted), "{lines:?}");
        }
        assert!(
            lines.contains(&"batch_size = 32".to_owned())
                && lines.contains(&"# run_dir = \"runs/TIME-DATA\"".to_owned())
        );
        toml::from_str::<RawSettings>(&lines.join("\n")).unwrap();
        let given = settings_lines(complete(), Path::new("runs")).unwrap();
        assert!(!given.iter().any(|line| line.starts_with('#')), "{given:?}");
        let wrong = RawSettings { lr: Some(-1.0), ..RawSettings::default() };
        assert!(settings_lines(wrong, Path::new("runs")).is_err());
    }

    #[test]
    fn a_wrong_flag_is_wrong_usage() {
        let wrong = RawSettings { l1: Some(-1.0), ..complete() };
        assert_eq!(checked(wrong, Path::new("runs")), Err(Failure::Usage("--l1: must be 0 or more, not -1".into())));
    }
}
