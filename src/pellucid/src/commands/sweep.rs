//! `pellucid sweep`: trains a grid of settings as ordinary runs, several at a time, and tabulates their results.
//!
//! Each run is trained by `pellucid train --headless`, or by `pellucid resume` if its folder holds the beginning of a run.
//! So a sweep that was interrupted goes on where it was when the same command is given again.

mod grid;
mod table;

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_files::output::{Inputs, OutputFile};
use pellucid_protocol::{RawSettings, Settings};
use pellucid_record::RunDir;
use pellucid_record::settings_file;

use super::written;
use crate::cli::sweep::SweepArgs;
use crate::{models, stdout};

use grid::Point;
use table::Row;

/// A run of the sweep whose settings have been checked.
#[derive(Debug, Clone)]
struct Planned {
    number: usize,
    point: Point,
    run: RunDir,
    /// The file with its settings.
    settings: PathBuf,
}

/// What a sweep does and writes.
#[derive(Debug)]
struct Plan {
    runs: Vec<Planned>,
    /// `sweep.csv` and `sweep.json`.
    tables: Vec<OutputFile>,
}

/// The tables of a sweep.
const TABLES: [&str; 2] = ["sweep.csv", "sweep.json"];

/// Whether the file `name`, which begins with `head`, is a table of a sweep.
pub(super) fn is_table(name: &str, head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    match name {
        "sweep.csv" => head.starts_with("run,") && head.lines().next().unwrap_or_default().contains(",outcome,step"),
        "sweep.json" => head.starts_with("{\n  \"runs\": [") && head.contains("\"grid\": {"),
        _ => false,
    }
}

/// `pellucid sweep`.
pub(super) fn sweep(args: SweepArgs) -> Result<Ending, Failure> {
    let file = args.config.as_deref().map(settings_file::read).transpose()?.unwrap_or_default();
    let Plan { runs: planned, tables } = plan(&args, &args.settings.clone().raw().or(file))?;
    let (total, queue) = (planned.len(), Mutex::new(VecDeque::from(planned.clone())));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                while let Some(planned) = next() {
                    console::note(&format!("{}/{total} {}", planned.number, train(&planned)));
                }
            });
        }
    });
    let rows: Vec<Row> = planned.into_iter().map(|planned| Row::of(&planned.run, planned.point)).collect();
    for (output, text) in tables.iter().zip([table::csv(&rows)?, table::json(&rows)?]) {
        write(output, &text)?;
    }
    table::shown(&rows).iter().try_for_each(|line| stdout::line(line))?;
    console::note(&format!("written: sweep.csv and sweep.json in {}", args.out.display()));
    Ok(if rows.iter().all(Row::is_finished) { Ending::Done } else { Ending::Failed })
}

/// Checks the settings of every run, and what is to be written, before the first one begins, and writes the settings
/// beside the runs.
fn plan(args: &SweepArgs, under: &RawSettings) -> Result<Plan, Failure> {
    if under.run_dir.is_some() {
        return Err(Failure::Usage("--run-dir: a sweep has many runs; --out names the folder of all".to_owned()));
    }
    let out = std::path::absolute(&args.out).map_err(|error| Failure::Usage(format!("--out: {error}")))?;
    let mut inputs: BTreeSet<PathBuf> = args.config.iter().cloned().collect();
    let mut checked = |(index, point): (usize, Point)| {
        let name = grid::name(&point);
        let run = out.join(&name);
        let raw = RawSettings { run_dir: Some(run.clone()), ..grid::settings(&point, under)? };
        let settings = settings_file::checked(models::in_settings(raw)?)?;
        refuse_other_settings(&RunDir::new(&run), &settings)?;
        let text = toml::to_string(&settings).map_err(|error| Failure::Failed(error.to_string()))?;
        inputs.extend(settings.inputs().into_iter().map(Path::to_owned));
        let settings = out.join(SETTINGS).join(format!("{name}.toml"));
        Ok((Planned { number: index + 1, point, run: RunDir::new(run), settings }, text))
    };
    let points = grid::points(&args.grid).into_iter().enumerate();
    let all: Vec<(Planned, String)> = points.map(&mut checked).collect::<Result<_, Failure>>()?;
    all_differ(&all)?;
    let inputs = Inputs::of(&inputs);
    let files: Vec<PathBuf> = all.iter().map(|(planned, _)| planned.settings.clone()).collect();
    let settings_files = settings_files(&out.join(SETTINGS), &files, &inputs)?;
    let tables = written::outputs(&TABLES.map(|name| out.join(name)), &inputs, is_table)?;
    for (output, (_, text)) in settings_files.iter().zip(&all) {
        write(output, text)?;
    }
    Ok(Plan { runs: all.into_iter().map(|(planned, _)| planned).collect(), tables })
}

/// Refuses a run that is there already and was begun with other settings than the sweep asks for.
fn refuse_other_settings(run: &RunDir, wanted: &Settings) -> Result<(), Failure> {
    if !run.events().exists() {
        return Ok(());
    }
    let failed = |why: String| Failure::Failed(format!("{}: {why}", run.root().display()));
    let begun: Settings = settings_file::read(&run.settings())?.check().map_err(|error| failed(error.to_string()))?;
    let table = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
    let (begun, wanted) = (table(&begun), table(wanted));
    // Its own place, and the limit of tokens that was found.
    let is_free = |key: &str| key == "run_dir" || (key == "max_tokens" && wanted[key] == "auto");
    let keys = wanted.as_object().into_iter().chain(begun.as_object()).flat_map(|settings| settings.keys());
    let Some(key) = keys.into_iter().find(|key| !is_free(key) && begun[key.as_str()] != wanted[key.as_str()]) else {
        return Ok(());
    };
    let (had, asked) = (&begun[key.as_str()], &wanted[key.as_str()]);
    Err(failed(format!("was begun with {key} {had}, and the sweep asks for {asked}; name another folder with --out")))
}

/// The folder beside the runs with the settings of each.
const SETTINGS: &str = "settings";

/// Two runs in one folder would be one.
fn all_differ(planned: &[(Planned, String)]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match planned.iter().find(|(planned, _)| !seen.insert(planned.run.name())) {
        None => Ok(()),
        Some((planned, _)) => {
            let name = planned.run.name();
            Err(Failure::Usage(format!("--grid: two combinations would have the run {name}; leave one of them out")))
        }
    }
}

/// Makes the folder of the settings; gives the files in it, which may replace settings of the same run alone.
fn settings_files(folder: &Path, files: &[PathBuf], inputs: &Inputs) -> Result<Vec<OutputFile>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", folder.display()));
    if folder.is_symlink() {
        return Err(failed(&"is a link, which is not followed; remove it, or name another folder with --out"));
    }
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    written::outputs(files, inputs, is_settings)
}

/// Whether the file `name`, which begins with `head`, has the settings of the run that is called so.
fn is_settings(name: &str, head: &[u8]) -> bool {
    let settings = std::str::from_utf8(head).ok().and_then(|text| toml::from_str::<RawSettings>(text).ok());
    let run = settings.and_then(|settings| settings.run_dir);
    run.and_then(|run| Some(run.file_name()?.to_str()? == name.strip_suffix(".toml")?)).unwrap_or(false)
}

/// Trains a run to its end, resumes it, or leaves it alone if it has finished. Returns how that went, in words.
fn train(planned: &Planned) -> String {
    let name = planned.run.name();
    let before = Row::of(&planned.run, planned.point.clone());
    if before.is_finished() {
        return format!("{name}: {} before", before.told());
    }
    let begun = planned.run.events().exists();
    let trained = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        match begun {
            true => command.arg("resume").arg(planned.run.root()),
            false => command.arg("train").arg("--config").arg(&planned.settings),
        };
        command.arg("--headless").stdin(Stdio::null()).stdout(Stdio::null()).output()
    });
    match trained {
        Ok(output) if output.status.success() => {
            format!("{name}: {}", Row::of(&planned.run, planned.point.clone()).told())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("{name}: {}", said.lines().last().unwrap_or("it ended without a message"))
        }
        Err(error) => format!("{name}: cannot start: {error}"),
    }
}

fn write(output: &OutputFile, text: &str) -> Result<(), Failure> {
    output.write(text.as_bytes()).map_err(|error| written::cannot_write(output.path(), &error))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Action, Cli};

    fn args(out: &Path, grid: &[&str]) -> SweepArgs {
        let axes = grid.iter().flat_map(|axis| ["--grid", axis]);
        let args = ["pellucid", "sweep", "--out", out.to_str().unwrap()].into_iter().chain(axes);
        match Cli::parse_from(args).action {
            Some(Action::Sweep(args)) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn under() -> RawSettings {
        let path = Some("x".into());
        RawSettings { model: Some("src".into()), train: path, valid: Some("x".into()), ..RawSettings::default() }
    }

    #[test]
    fn nothing_is_written_when_one_of_the_runs_makes_no_sense() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("sweep");
        let message = |grid: &[&str]| plan(&args(&out, grid), &under()).unwrap_err().to_string();
        assert_eq!(message(&["l1=0,-1"]), "--l1: must be 0 or more, not -1");
        assert!(message(&["l1=0,1,0"]).contains("two combinations would have the run l1-0"));
        assert!(!out.exists());
        let args = args(&out, &["l1=0,1", "seed=1,2"]);
        for _again in 0..2 {
            let planned = plan(&args, &under()).unwrap().runs;
            assert_eq!(planned.len(), 4);
            let read = settings_file::read(&planned[3].settings).unwrap();
            let run = Some(planned[3].run.root());
            assert_eq!((read.l1, read.seed, read.run_dir.as_deref()), (Some(1.0), Some(2), run));
        }
    }

    #[test]
    fn what_a_sweep_has_not_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("settings")).unwrap();
        let args = args(folder.path(), &["l1=0,1"]);
        for name in ["sweep.csv", "sweep.json", "settings/l1-1.toml"] {
            for content in ["precious", "l1 = 1.0\nrun_dir = \"elsewhere\"\n"] {
                fs::write(at(name), content).unwrap();
                let message = plan(&args, &under()).unwrap_err().to_string();
                assert!(message.contains(name) && message.contains("pellucid has not written"), "{message}");
                assert_eq!(fs::read_to_string(at(name)).unwrap(), content);
            }
            assert!(!at("settings/l1-0.toml").exists(), "nothing is written before all is checked");
            fs::remove_file(at(name)).unwrap();
        }
        fs::remove_dir(at("settings")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at("settings")).unwrap();
        assert!(plan(&args, &under()).unwrap_err().to_string().contains("is a link"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_input_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("sweep.csv");
        fs::write(&data, "run,label,outcome,step\n").unwrap();
        let under = RawSettings { train: Some(data), ..under() };
        let message = plan(&args(folder.path(), &["l1=0"]), &under).unwrap_err().to_string();
        assert!(message.contains("sweep.csv: is read and written by this command"), "{message}");
    }
}
