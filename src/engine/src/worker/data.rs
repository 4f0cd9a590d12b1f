//! What data files hold for a model: their lengths in tokens, beside all else.

use std::sync::Arc;

use pellucid_files::output::{Inputs, OutputFile};
use pellucid_intake::rows::{LabelNeed, Rows, Skipped, read_rows};
use pellucid_intake::survey::survey_files;
use pellucid_protocol::data_report::{Lengths, TokenLengths};
use pellucid_protocol::scrub::escape_json;
use pellucid_protocol::work::DataWork;

use super::writer::write_skipped;
use crate::data::examples::Texts;
use crate::data::tokenise::TextEncoder;
use crate::data::tokens::Tokens;
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;
use crate::model::pretrained::check_vocabulary;

/// Prints the report on the files as one JSON line.
///
/// # Errors
/// When a file or the model cannot be read.
pub fn data(work: &DataWork) -> Result<()> {
    let skipped_file = work.skipped.as_deref().map(|path| {
        let inputs = Inputs::of(work.files.iter().chain([&work.model]));
        OutputFile::new(path, &inputs).map_err(|error| Error::file(path, error))
    });
    let skipped_file = skipped_file.transpose()?;
    let read = |file| Ok(read_rows(file, &work.reading, LabelNeed::Optional)?);
    let rows: Vec<Arc<Rows>> = work.files.iter().map(|file| read(file).map(Arc::new)).collect::<Result<_>>()?;
    let mut skipped = Skipped::default();
    rows.iter().for_each(|rows| skipped.extend(rows.skipped()));
    write_skipped(skipped_file.as_ref(), &skipped)?;
    let mut report = survey_files(&rows.iter().map(|rows| &**rows).collect::<Vec<_>>());
    let config = ModelConfig::load(&work.model)?;
    let mut encoder = TextEncoder::load(&work.model, config.architecture.max_tokens() as usize)?;
    check_vocabulary(&work.model, &config, &encoder)?;
    let most = encoder.max_tokens();
    for (number, (rows, part)) in rows.iter().zip(&mut report.parts).enumerate() {
        let texts = Texts(rows);
        let all = texts.encoded(&encoder)?;
        let lengths = lengths(&all);
        let read = if number == 0 { texts.cut_most(all, &mut encoder)? } else { all };
        let limit = encoder.max_tokens();
        let (cut, cut_words) = (read.cut(), read.cut_words());
        part.tokens = Some(TokenLengths { lengths, limit, cut, cut_words, most, windows: 0 });
    }
    let line = serde_json::to_string(&report).map_err(|error| Error::Refused(error.to_string()))?;
    println!("{}", escape_json(&line));
    Ok(())
}

fn lengths(tokens: &Tokens) -> Lengths {
    Lengths::of(tokens.whole_lengths().map(|length| length as u32).collect())
}
