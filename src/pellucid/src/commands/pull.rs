//! `pellucid pull`: fetches a model into the Hugging Face cache and, where it is in an old layout, imports it beside its
//! files. The only command that opens a connection.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_hub::{Hub, Progress, Pulled, pull as fetch};
use pellucid_import::folder::Request;
use pellucid_import::job::Report;
use pellucid_intake::hub_cache::needs_import;
use pellucid_intake::model_folder::provenance;
use pellucid_protocol::readable::grouped;
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::settings::HubName;
use pellucid_protocol::work::Output;
use serde::Serialize;

use super::import;
use crate::cli::pull::PullArgs;
use crate::stdout;

/// What a pull came to, for other programs.
#[derive(Serialize)]
struct Summary<'a> {
    model: &'a str,
    revision: &'a str,
    commit: &'a str,
    /// The folder that the name stands for.
    folder: &'a Path,
    files: Vec<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<&'a Report>,
}

#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    bytes: u64,
    hash: &'a str,
    fetched: bool,
}

/// `pellucid pull`.
pub(super) fn pull(args: &PullArgs) -> Result<Ending, Failure> {
    let name = args.model().map_err(|why| Failure::Usage(format!("--revision: {why}")))?;
    let hub = Hub::of_user().map_err(failed)?;
    let mut shown = Shown::on_stderr();
    let pulled = fetch(&hub, &name, &mut shown);
    shown.end();
    let pulled = pulled.map_err(failed)?;
    let (folder, report) = made_readable(args, &pulled)?;
    match args.json.output() {
        Output::Json => stdout::json(&summary(&name, &pulled, &folder, report.as_ref()))?,
        Output::Plain => {
            let lines = lines(&name, &pulled, &folder, report.as_ref());
            lines.iter().try_for_each(|line| stdout::line(line))?;
        }
    }
    Ok(Ending::Done)
}

fn failed(error: impl ToString) -> Failure {
    Failure::Failed(error.to_string())
}

/// The folder to read, and what it was made of if it has just been imported.
fn made_readable(args: &PullArgs, pulled: &Pulled) -> Result<(PathBuf, Option<Report>), Failure> {
    let (source, target) = (pulled.snapshot(), pulled.model.imported(&pulled.commit));
    if !needs_import(&source) {
        return Ok((source, None));
    }
    // What it was made of has the hash of a commit, so it is as it would be made again.
    if args.casing().is_none() && provenance::checked(&target).is_ok_and(|said| said.is_some_and(|said| said.is_own()))
    {
        return Ok((target, None));
    }
    let report = import::imported(&Request { source, target: target.clone(), casing: args.casing() })?;
    Ok((target, Some(report)))
}

fn summary<'a>(name: &'a HubName, pulled: &'a Pulled, folder: &'a Path, import: Option<&'a Report>) -> Summary<'a> {
    let file = |file: &'a pellucid_hub::PulledFile| File {
        name: &file.name,
        bytes: file.bytes,
        hash: &file.hash,
        fetched: !file.was_there,
    };
    Summary {
        model: name.repository(),
        revision: name.revision(),
        commit: &pulled.commit,
        folder,
        files: pulled.files.iter().map(file).collect(),
        import,
    }
}

fn lines(name: &HubName, pulled: &Pulled, folder: &Path, report: Option<&Report>) -> Vec<String> {
    let file = |file: &pellucid_hub::PulledFile| {
        let size = grouped(usize::try_from(file.bytes).unwrap_or(usize::MAX));
        let came = if file.was_there { "was there" } else { "fetched" };
        format!("{came} {}: {size} bytes, {}", file.name, file.hash)
    };
    let mut lines: Vec<String> = pulled.files.iter().map(file).collect();
    lines.extend(report.map(|report| import::lines(report, folder)).unwrap_or_default());
    lines.push(format!("{name} is at {}: --model {name}, or {}", pulled.commit, folder.display()));
    lines
}

/// Progress as one line on stderr if that is a terminal; what is to be said is said in any case.
struct Shown(Option<ProgressBar>);

impl Shown {
    fn on_stderr() -> Self {
        Self(std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  ETA {eta}  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        }))
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn expect(&mut self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc_length(bytes);
        }
    }

    fn file(&mut self, name: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(scrub(name).into_owned());
        }
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }

    fn note(&mut self, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| console::note(line)),
            None => console::note(line),
        }
    }
}
