//! `pellucid frontier`: all runs of a folder, or of a sweep, as points of one picture, on the screen or as a table.

use std::io::{IsTerminal, Write};
use std::path::Path;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::compare::written;
use pellucid_dashboard::frontier::{Choice, Entry, Field, Frontier, HEIGHT};
use pellucid_dashboard::{Tone, keymap, page};
use pellucid_protocol::event::Outcome;
use pellucid_protocol::scrub::scrub;
use pellucid_record::owner::Whereabouts;
use pellucid_record::settings_file;
use pellucid_record::{RunDir, run_dir};

use super::{look_up, open, options, wait};
use crate::cli::{FrontierArgs, Global, RunArg};
use crate::result::RunResult;

/// Where runs are: each a folder of runs, or a run.
#[derive(Debug, Clone)]
enum Source {
    Folder(std::path::PathBuf),
    Run(RunDir),
}

/// `pellucid frontier`.
pub(super) fn frontier(args: &FrontierArgs, global: &Global) -> Result<Ending, Failure> {
    let source = |named: &String| {
        let path = Path::new(named);
        if path.is_dir() && !RunDir::new(path).events().is_file() {
            return Ok(Source::Folder(path.to_owned()));
        }
        look_up(&RunArg { run: named.clone() }, global).map(Source::Run)
    };
    let mut sources: Vec<Source> = args.shown.iter().map(source).collect::<Result<_, _>>()?;
    if sources.is_empty() {
        sources.push(Source::Folder(global.runs.clone()));
    }
    if !std::io::stdout().is_terminal() {
        return table(&Field::new(entries(&sources)?.into_iter().map(|(_, entry)| entry).collect()));
    }
    wait(show(sources, None, global))
}

/// These runs as one picture.
pub(super) fn among(runs: Vec<RunDir>, global: &Global) -> Result<Ending, Failure> {
    wait(show(runs.into_iter().map(Source::Run).collect(), None, global))
}

/// A run, marked, among those beside it.
pub(super) async fn beside(run: &RunDir, global: &Global) -> Result<Ending, Failure> {
    // It opens runs, from which the way leads here again.
    Box::pin(show(vec![neighbours(run)], Some(run.name()), global)).await
}

/// The same as it is now, to be drawn once.
pub(super) fn read(run: &RunDir) -> Result<Frontier, Failure> {
    let known = entries(&[neighbours(run)])?;
    let mut frontier = Frontier::new(known.into_iter().map(|(_, entry)| entry).collect(), keymap()?);
    frontier.mark(&run.name());
    Ok(frontier)
}

/// The folder that a run lies in.
fn neighbours(run: &RunDir) -> Source {
    let folder = std::path::absolute(run.root()).ok().and_then(|root| root.parent().map(Path::to_owned));
    folder.map_or_else(|| Source::Run(run.clone()), Source::Folder)
}

/// Shows the picture and the runs that are opened from it, until the user leaves the picture.
async fn show(sources: Vec<Source>, marked: Option<String>, global: &Global) -> Result<Ending, Failure> {
    let options = options(global);
    let mut known = entries(&sources)?;
    let all = |known: &[(RunDir, Entry)]| known.iter().map(|(_, entry)| entry.clone()).collect::<Vec<_>>();
    let mut frontier = Frontier::new(all(&known), keymap()?);
    marked.into_iter().for_each(|name| frontier.mark(&name));
    loop {
        match page::show(&mut frontier, &options).await? {
            Some(Choice::Open(name)) => {
                if let Some((run, _)) = known.iter().find(|(_, entry)| entry.name == name)
                    && let Err(why) = open::visit(run.clone(), global).await
                {
                    console::note(&why.to_string());
                }
            }
            Some(Choice::Reread) => {}
            Some(Choice::Leave) | None => return Ok(Ending::Done),
        }
        known = entries(&sources)?;
        frontier.retake(all(&known));
    }
}

/// The runs as they are now. Those of a sweep that have not begun are there too, so that all its configurations are known
/// from the start.
fn entries(sources: &[Source]) -> Result<Vec<(RunDir, Entry)>, Failure> {
    let mut known = Vec::new();
    for source in sources {
        match source {
            Source::Run(run) => known.push(entry(run)),
            Source::Folder(folder) => {
                let cannot = |error| Failure::Failed(format!("cannot read {}: {error}", folder.display()));
                let runs = run_dir::list(folder).map_err(cannot)?;
                known.extend(runs.iter().map(entry));
                known.extend(planned(folder, &runs));
            }
        }
    }
    if known.is_empty() {
        let places: Vec<String> = sources
            .iter()
            .map(|source| match source {
                Source::Folder(folder) => folder.display().to_string(),
                Source::Run(run) => run.name(),
            })
            .collect();
        return Err(Failure::Failed(format!("no runs in {}; `pellucid sweep` makes some", places.join(", "))));
    }
    Ok(known)
}

fn entry(run: &RunDir) -> (RunDir, Entry) {
    let result = RunResult::of(run).unwrap_or_default();
    let settings = result.started.as_ref().map(|started| written(&started.settings)).unwrap_or_default();
    let goes_on = run.worker_info().map(|info| info.owner.whereabouts());
    let (state, counts) = match (result.outcome, goes_on) {
        (Some(Outcome::Finished), _) => ((Tone::Good, "✔ finished"), true),
        (Some(Outcome::Stopped), _) => ((Tone::Warn, "■ stopped"), true),
        (Some(Outcome::Failed), _) => ((Tone::Bad, "✖ failed"), false),
        (None, Some(Whereabouts::Here | Whereabouts::Elsewhere)) => ((Tone::Good, "● running"), false),
        (Some(Outcome::Died) | None, _) => ((Tone::Bad, "✖ died"), false),
    };
    (run.clone(), Entry { name: run.name(), state, counts, settings, metrics: result.metrics })
}

/// The runs of the sweep in `folder`, if there is one, that have not begun.
fn planned(folder: &Path, begun: &[RunDir]) -> Vec<(RunDir, Entry)> {
    let files = std::fs::read_dir(folder.join("settings")).into_iter().flatten().flatten().map(|file| file.path());
    let entry = |path: std::path::PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let is_new = path.extension().is_some_and(|end| end == "toml") && begun.iter().all(|run| run.name() != name);
        let settings = is_new.then(|| settings_file::read(&path).ok()?.check().ok())??;
        let state = (Tone::Plain, "… to come");
        let settings = written(&settings);
        Some((
            RunDir::new(folder.join(&name)),
            Entry { name, state, counts: false, settings, metrics: pellucid_protocol::Metrics::default() },
        ))
    };
    files.filter_map(entry).collect()
}

/// Without a terminal: columns between tabs, a line a configuration; the last one names the measures in which it is on the front.
fn table(field: &Field) -> Result<Ending, Failure> {
    let measures: Vec<&str> = [HEIGHT].into_iter().chain(field.across()).collect();
    let heads = measures.iter().flat_map(|name| [(*name).to_owned(), "least".to_owned(), "most".to_owned()]);
    put(["configuration".to_owned(), "runs".to_owned()].into_iter().chain(heads).chain(["front".to_owned()]))?;
    for (index, known) in field.configurations().iter().enumerate() {
        let figures = measures.iter().flat_map(|name| match field.spread(index, name) {
            Some(spread) => [spread.mean, spread.least, spread.most].map(|value| value.to_string()),
            None => [const { String::new() }; 3],
        });
        let on = field.across().into_iter().filter(|across| field.front(across).contains(&index));
        let on = on.collect::<Vec<_>>().join(" ");
        put([known.title.clone(), known.runs.len().to_string()].into_iter().chain(figures).chain([on]))?;
    }
    Ok(Ending::Done)
}

fn put(cells: impl Iterator<Item = String>) -> Result<(), Failure> {
    // What could steer a terminal is taken out of each value: tabs between them stay.
    let line = cells.map(|value| scrub(&value).into_owned()).collect::<Vec<_>>().join("\t");
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

#[cfg(test)]
mod tests {
    use pellucid_dashboard::Options;
    use pellucid_dashboard::picture::{self, Pose};
    use pellucid_fixture as fixture;
    use pellucid_protocol::Record;
    use pellucid_record::log_writer::LogWriter;

    use super::*;

    fn recorded(root: &Path, records: Vec<Record>) {
        std::fs::create_dir_all(root).unwrap();
        let mut log = LogWriter::open(&RunDir::new(root).events()).unwrap();
        for record in &records {
            log.append(record).unwrap();
        }
    }

    #[test]
    fn runs_that_have_begun_and_those_to_come_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = fixture::records(200);
        records.push(fixture::ended(200, Outcome::Finished, None));
        recorded(&folder.path().join("l1-0"), records);
        recorded(&folder.path().join("l1-1"), fixture::records(100));
        std::fs::create_dir(folder.path().join("settings")).unwrap();
        for name in ["l1-0", "l1-2"] {
            let file = folder.path().join(format!("settings/{name}.toml"));
            std::fs::write(file, "model = \"m\"\ntrain = \"t\"\nvalid = \"v\"\nl1 = 2.0\n").unwrap();
        }
        std::fs::write(folder.path().join("settings/bad.toml"), "nothing = 1").unwrap();
        let found = entries(&[Source::Folder(folder.path().to_owned())]).unwrap();
        let told: Vec<_> = found.iter().map(|(_, entry)| (entry.name.as_str(), entry.state.1, entry.counts)).collect();
        assert_eq!(told, [("l1-0", "✔ finished", true), ("l1-1", "✖ died", false), ("l1-2", "… to come", false)]);
        assert!(found[0].1.value(HEIGHT).is_some() && found[2].1.value(HEIGHT).is_none());
        assert_eq!(found[2].1.settings["l1"], "2.0");
    }

    #[test]
    fn a_run_is_marked_among_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["l1-0", "l1-1"] {
            recorded(&folder.path().join(name), fixture::records(200));
        }
        let mut frontier = read(&RunDir::new(folder.path().join("l1-1"))).unwrap();
        let size = ratatui::layout::Size { width: 120, height: 40 };
        let pose = Pose { size, keys: &[], options: &Options::default() };
        let frame = picture::page(&mut frontier, pose).unwrap();
        let shown: String = frame.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(shown.contains("2 runs of 1 configuration") && shown.contains("│ ● l1-1"), "{shown}");
    }

    #[test]
    fn a_folder_without_runs_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let why = entries(&[Source::Folder(folder.path().to_owned())]).unwrap_err().to_string();
        assert!(why.starts_with("no runs in ") && why.contains("pellucid sweep"), "{why}");
    }
}
