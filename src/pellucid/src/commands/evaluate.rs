//! `pellucid evaluate`: what answers are worth, with an interval for each figure.

mod answers;
mod told;

use std::path::Path;

use pellucid_client::failure::{Ending, Failure};
use pellucid_client::worker;
use pellucid_evaluate::bootstrap::Draws;
use pellucid_evaluate::evaluation::Evaluation;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_protocol::settings::Switch;
use pellucid_protocol::work::{Output, PredictFormat, PredictWork, Texts, Work};
use serde_json::json;

use self::answers::Answers;
use super::lookup;
use super::texts::absolute;
use crate::cli::Global;
use crate::cli::evaluate::EvaluateArgs;
use crate::job_lines::JobLines;
use crate::runtime::block_on;
use crate::{models, stdout};

/// `pellucid evaluate`.
pub(super) fn evaluate(args: &EvaluateArgs, global: &Global) -> Result<Ending, Failure> {
    let source = &args.source;
    let answers = match (&source.data, &source.predictions, &source.run) {
        (Some(data), ..) => of_model(args, data)?,
        (None, Some(file), _) => Answers::of_file(file)?,
        (None, None, Some(run)) => Answers::of_run(&lookup::one(run, global)?)?,
        (None, None, None) => return Err(Failure::Usage("give --data, --predictions or --run".to_owned())),
    };
    let found = Evaluation::new(&answers.given, Draws { count: args.draws, seed: args.seed });
    match args.json.output() {
        Output::Json => stdout::json(&json!({
            "of": answers.of, "classes": answers.classes, "without_label": answers.without_label,
            "chose_the_model": answers.chose_the_model, "evaluation": found,
        }))?,
        Output::Plain => told::lines(&found, &answers).iter().try_for_each(|line| stdout::line(line))?,
    }
    Ok(Ending::Done)
}

/// The answers of a model to the labelled rows of a data file.
fn of_model(args: &EvaluateArgs, data: &Path) -> Result<Answers, Failure> {
    let named = args.model.as_deref().ok_or_else(|| Failure::Usage("--data needs --model".to_owned()))?;
    let model = models::folder(named)?;
    let labels = ConfigFile::load(&model).ok().and_then(|config| config.labels());
    let path = absolute(data);
    let texts = Texts::File { path, limit: None, reading: Box::new(args.reading.reading()), skipped: None };
    let (format, long) = (PredictFormat::Jsonl, args.long.asked());
    let work = PredictWork { model, texts, long, private: Switch::Off, device: args.device, format, out: None };
    let lines = block_on(worker::output(&Work::Predict(work), JobLines::on_stderr()))?;
    let order = labels.map(|labels| labels.names().to_vec());
    Answers::of_lines(&lines, order.as_deref(), &format!("{} by {}", data.display(), named.display()))
}
