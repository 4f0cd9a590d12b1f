//! `pellucid frontier`: the runs of a folder, such as that of a sweep, as points of one plot, on the screen or as a table.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::compare::written;
use pellucid_dashboard::frontier::{Choice, Entry, Field, Frontier, HEIGHT};
use pellucid_dashboard::{Tone, keymap, outcome_state, page};
use pellucid_protocol::event::Outcome;
use pellucid_record::owner::ProcessState;
use pellucid_record::settings_file;
use pellucid_record::{RunDir, runs};

use super::lookup;
use super::options::options;
use super::watch::watch;
use crate::cli::Global;
use crate::cli::run::FrontierArgs;
use crate::result::RunResult;
use crate::runtime::block_on;
use crate::stdout;

/// Where to take runs from.
#[derive(Debug, Clone)]
enum Source {
    /// All runs in a folder.
    Folder(PathBuf),
    /// One run.
    Run(RunDir),
}

/// `pellucid frontier`.
pub(super) fn frontier(args: &FrontierArgs, global: &Global) -> Result<Ending, Failure> {
    let source = |named: &String| {
        let path = Path::new(named);
        if path.is_dir() && !RunDir::new(path).events().is_file() {
            return Ok(Source::Folder(path.to_owned()));
        }
        lookup::one(named, global).map(Source::Run)
    };
    let mut sources: Vec<Source> = args.shown.iter().map(source).collect::<Result<_, _>>()?;
    if sources.is_empty() {
        sources.push(Source::Folder(global.runs.clone()));
    }
    if !std::io::stdout().is_terminal() {
        return table(&Field::new(entries(&sources)?.into_iter().map(|(_, entry)| entry).collect()));
    }
    block_on(show(sources, None, global))
}

/// Shows these runs as points of one plot.
pub(super) fn among(runs: Vec<RunDir>, global: &Global) -> Result<Ending, Failure> {
    block_on(show(runs.into_iter().map(Source::Run).collect(), None, global))
}

/// Shows the runs in the folder of `run` as points of one plot, with this run marked.
pub(super) async fn beside(run: &RunDir, global: &Global) -> Result<Ending, Failure> {
    show(vec![folder_of(run)], Some(run.name()), global).await
}

/// The plot that [`beside`] shows, to be drawn once.
pub(super) fn read(run: &RunDir) -> Result<Frontier, Failure> {
    let known = entries(&[folder_of(run)])?;
    let mut frontier = Frontier::new(known.into_iter().map(|(_, entry)| entry).collect(), keymap()?);
    frontier.mark(&run.name());
    Ok(frontier)
}

/// The folder in which a run lies.
fn folder_of(run: &RunDir) -> Source {
    let folder = std::path::absolute(run.root()).ok().and_then(|root| root.parent().map(Path::to_owned));
    folder.map_or_else(|| Source::Run(run.clone()), Source::Folder)
}

/// Shows the plot, and the runs that the user opens from it, until the user leaves the plot.
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
                    && let Err(why) = watch(pellucid_client::attach(run.clone()), options.clone()).await
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

/// The runs as they are now. Runs of a sweep that have not begun are among them, so that all configurations of the sweep
/// are there from its start.
fn entries(sources: &[Source]) -> Result<Vec<(RunDir, Entry)>, Failure> {
    let mut known = Vec::new();
    for source in sources {
        match source {
            Source::Run(run) => known.push(entry(run)),
            Source::Folder(folder) => {
                let cannot = |error| Failure::Failed(format!("cannot read {}: {error}", folder.display()));
                let runs = runs::list(folder).map_err(cannot)?;
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
    let settings = result.summary.started.as_ref().map(|(_, started)| written(&started.settings)).unwrap_or_default();
    let outcome = result.summary.outcome();
    let state = match (outcome, run.worker_info().map(|info| info.state(run))) {
        (Some(outcome), _) => outcome_state(outcome),
        (None, Some(ProcessState::Running | ProcessState::Remote)) => (Tone::Good, "● running"),
        (None, _) => outcome_state(Outcome::Died),
    };
    let counts = matches!(outcome, Some(Outcome::Finished | Outcome::Stopped));
    (run.clone(), Entry { name: run.name(), state, counts, settings, metrics: result.metrics })
}

/// The runs of the sweep in `folder`, if there is one, that have not begun.
fn planned(folder: &Path, begun: &[RunDir]) -> Vec<(RunDir, Entry)> {
    let files = std::fs::read_dir(folder.join("settings")).into_iter().flatten().flatten().map(|file| file.path());
    let entry = |path: std::path::PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let is_new = path.extension().is_some_and(|end| end == "toml") && begun.iter().all(|run| run.name() != name);
        let settings = is_new.then(|| settings_file::checked(settings_file::read(&path).ok()?).ok())??;
        let state = (Tone::Plain, "… to come");
        let settings = written(&settings);
        Some((
            RunDir::new(folder.join(&name)),
            Entry { name, state, counts: false, settings, metrics: pellucid_protocol::Metrics::default() },
        ))
    };
    files.filter_map(entry).collect()
}

/// Prints a line a configuration, with tabs between its columns. The last column names the metrics for which the
/// configuration is on the Pareto front.
fn table(field: &Field) -> Result<Ending, Failure> {
    let measures: Vec<&str> = [HEIGHT].into_iter().chain(field.across()).collect();
    let heads = measures.iter().flat_map(|name| [(*name).to_owned(), "least".to_owned(), "most".to_owned()]);
    stdout::columns(
        ["configuration".to_owned(), "runs".to_owned()].into_iter().chain(heads).chain(["front".to_owned()]),
    )?;
    for (index, known) in field.configurations().iter().enumerate() {
        let figures = measures.iter().flat_map(|name| match field.spread(index, name) {
            Some(spread) => [spread.mean, spread.least, spread.most].map(|value| value.to_string()),
            None => [const { String::new() }; 3],
        });
        let on = field.across().into_iter().filter(|across| field.front(across).contains(&index));
        let on = on.collect::<Vec<_>>().join(" ");
        stdout::columns([known.title.clone(), known.runs.len().to_string()].into_iter().chain(figures).chain([on]))?;
    }
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests {
    use pellucid_dashboard::Options;
    use pellucid_dashboard::picture::{self, PictureOptions};
    use pellucid_fixture as fixture;
    use pellucid_protocol::Record;
    use pellucid_record::log::writer::LogWriter;

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
        let capture = PictureOptions { size, keys: &[], options: &Options::default() };
        let frame = picture::page(&mut frontier, capture).unwrap();
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
