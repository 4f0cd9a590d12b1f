//! `pellucid data`: what data files hold, before anything is trained on them.

use std::path::PathBuf;

use pellucid_client::failure::{Ending, Failure};
use pellucid_client::worker;
use pellucid_files::output::{Inputs, OutputFile};
use pellucid_intake::rows::{LabelNeed, Rows, Skipped, read_rows};
use pellucid_intake::survey::survey_files;
use pellucid_protocol::data_report::{DataReport, words};
use pellucid_protocol::work::{DataWork, Output, Work};

use super::texts::absolute;
use super::written::cannot_write;
use crate::cli::data::DataArgs;
use crate::job_lines::JobLines;
use crate::runtime::block_on;
use crate::{models, stdout};

/// `pellucid data`. Only a model's tokens need the worker.
pub(super) fn data(args: &DataArgs) -> Result<Ending, Failure> {
    let report = match &args.model {
        None => without_model(args)?,
        Some(model) => {
            let files = args.files.iter().map(|file| absolute(file)).collect();
            let skipped = args.skipped.as_deref().map(absolute);
            let reading = Box::new(args.reading.reading());
            let work = DataWork { files, model: models::folder(model)?, reading, skipped };
            let line = block_on(worker::output(&Work::Data(work), JobLines::on_stderr()))?;
            let unread = |error| Failure::Failed(format!("the answer of the worker cannot be read: {error}"));
            serde_json::from_slice(&line).map_err(unread)?
        }
    };
    match args.json.output() {
        Output::Json => stdout::json(&report)?,
        Output::Plain => words::lines(&report).iter().try_for_each(|line| stdout::line(&line.to_string()))?,
    }
    Ok(Ending::Done)
}

fn without_model(args: &DataArgs) -> Result<DataReport, Failure> {
    let reading = args.reading.reading();
    let inputs = Inputs::of(&args.files);
    let output = |path: &PathBuf| OutputFile::new(path, &inputs).map_err(|error| cannot_write(path, &error));
    let output = args.skipped.as_ref().map(output).transpose()?;
    let read =
        |file| read_rows(file, &reading, LabelNeed::Optional).map_err(|error| Failure::Failed(error.to_string()));
    let rows: Vec<Rows> = args.files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    if let Some(output) = output {
        let mut skipped = Skipped::default();
        rows.iter().for_each(|rows| skipped.extend(rows.skipped()));
        output.write(skipped.lines().as_bytes()).map_err(|error| cannot_write(output.path(), &error))?;
    }
    Ok(survey_files(&rows.iter().collect::<Vec<_>>()))
}
