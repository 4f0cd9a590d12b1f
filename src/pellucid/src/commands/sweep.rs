//! `pellucid sweep`: trains a grid of settings as ordinary runs, several at a time, and tabulates their results.
//!
//! Each run is trained by `pellucid train --headless`, or by `pellucid resume` if its folder holds the beginning of a run.
//! So a sweep that was interrupted goes on where it was when the same command is given again.

mod grid;
mod table;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_protocol::RawSettings;
use pellucid_record::RunDir;
use pellucid_record::settings_file;

use crate::cli::axis::Axis;
use crate::cli::sweep::SweepArgs;
use crate::stdout;

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

/// `pellucid sweep`.
pub(super) fn sweep(args: SweepArgs) -> Result<Ending, Failure> {
    let file = args.config.as_deref().map(settings_file::read).transpose()?.unwrap_or_default();
    let planned = plan(&args.grid, &args.settings.raw().or(file), &args.out)?;
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
    write(&args.out.join("sweep.csv"), &table::csv(&rows)?)?;
    write(&args.out.join("sweep.json"), &table::json(&rows)?)?;
    table::shown(&rows).iter().try_for_each(|line| stdout::line(line))?;
    console::note(&format!("written: sweep.csv and sweep.json in {}", args.out.display()));
    Ok(if rows.iter().all(Row::is_finished) { Ending::Done } else { Ending::Failed })
}

/// Checks the settings of every run before the first one begins, and writes them beside the runs.
fn plan(axes: &[Axis], under: &RawSettings, out: &Path) -> Result<Vec<Planned>, Failure> {
    if under.run_dir.is_some() {
        return Err(Failure::Usage("--run-dir: a sweep has many runs; --out names the folder of all".to_owned()));
    }
    let out = std::path::absolute(out).map_err(|error| Failure::Usage(format!("--out: {error}")))?;
    let checked = |(index, point): (usize, Point)| {
        let name = grid::name(&point);
        let run = out.join(&name);
        let raw = RawSettings { run_dir: Some(run.clone()), ..grid::settings(&point, under)? };
        let text = toml::to_string(&raw.check()?).map_err(|error| Failure::Failed(error.to_string()))?;
        let settings = out.join("settings").join(format!("{name}.toml"));
        Ok((Planned { number: index + 1, point, run: RunDir::new(run), settings }, text))
    };
    let all: Vec<(Planned, String)> =
        grid::points(axes).into_iter().enumerate().map(checked).collect::<Result<_, Failure>>()?;
    let folder = out.join("settings");
    fs::create_dir_all(&folder).map_err(|error| Failure::Failed(format!("{}: {error}", folder.display())))?;
    for (planned, text) in &all {
        write(&planned.settings, text)?;
    }
    Ok(all.into_iter().map(|(planned, _)| planned).collect())
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

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_when_one_of_the_runs_makes_no_sense() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("sweep");
        let path = Some("x".into());
        let under = RawSettings { model: path.clone(), train: path.clone(), valid: path, ..RawSettings::default() };
        let axes = ["l1=0,-1".parse::<Axis>().unwrap()];
        let message = plan(&axes, &under, &out).unwrap_err().to_string();
        assert_eq!(message, "--l1: must be 0 or more, not -1");
        assert!(!out.exists());
        let axes = ["l1=0,1".parse::<Axis>().unwrap(), "seed=1,2".parse().unwrap()];
        let planned = plan(&axes, &under, &out).unwrap();
        assert_eq!(planned.len(), 4);
        let again = settings_file::read(&planned[3].settings).unwrap();
        assert_eq!((again.l1, again.seed, again.run_dir.as_deref()), (Some(1.0), Some(2), Some(planned[3].run.root())));
    }
}
