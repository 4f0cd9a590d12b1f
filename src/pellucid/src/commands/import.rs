//! `pellucid import`: a model folder of one in an old layout. A process of its own reads the files.

use std::path::Path;
use std::process::Command;

use pellucid_client::failure::{Ending, Failure};
use pellucid_import::convert;
use pellucid_import::folder::{self, Request};
use pellucid_import::job::{Report, SourceFile};
use pellucid_protocol::readable::grouped;
use pellucid_protocol::work::Output;

use crate::cli::import::ImportArgs;
use crate::stdout;

/// The hidden command that reads, as the process of its own.
pub(super) const READER: &str = "convert";

/// `pellucid import`.
pub(super) fn import(args: &ImportArgs) -> Result<Ending, Failure> {
    let request = Request { source: args.source.clone(), target: args.target.clone(), casing: args.casing() };
    let report = imported(&request)?;
    match args.json.output() {
        Output::Json => stdout::json(&report)?,
        Output::Plain => lines(&report, &args.target).iter().try_for_each(|line| stdout::line(line))?,
    }
    Ok(Ending::Done)
}

/// Imports a folder, by this program as the process that reads.
pub(super) fn imported(request: &Request) -> Result<Report, Failure> {
    let program =
        std::env::current_exe().map_err(|error| Failure::Failed(format!("cannot find this program: {error}")))?;
    let mut reader = Command::new(program);
    reader.arg(READER);
    folder::import(request, reader).map_err(|error| Failure::Failed(error.to_string()))
}

/// `pellucid convert`, which reads its job from stdin.
pub(super) fn convert() -> Result<Ending, Failure> {
    let done = convert::serve(std::io::stdin().lock(), std::io::stdout().lock());
    done.map(|()| Ending::Done).map_err(|error| Failure::Failed(format!("has no job: {error}")))
}

/// What the folder `target` was made of.
pub(super) fn lines(report: &Report, target: &Path) -> Vec<String> {
    let size = |file: &SourceFile| {
        let length = grouped(usize::try_from(file.bytes).unwrap_or(usize::MAX));
        format!("read {}: {length} bytes, SHA-256 {}", file.name, file.sha256)
    };
    let mut lines: Vec<String> = report.files.iter().map(size).collect();
    if !report.globals.is_empty() {
        let globals: Vec<&str> = report.globals.iter().map(String::as_str).collect();
        lines.push(format!("the pickle asks for {}; none of it was run", globals.join(", ")));
    }
    lines.extend(report.notes.iter().cloned());
    lines.push(format!("{}: {}, {} tensors", target.display(), report.model_type, report.tensors));
    lines
}
