//! `pellucid screenshot`: draws a screen of recorded runs into an SVG file.

use std::path::PathBuf;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::picture::{self, PictureOptions};
use pellucid_files::output::{Inputs, OutputFile};
use pellucid_record::RunDir;
use ratatui::buffer::Buffer;

use super::options::options;
use super::{compare, frontier, lookup, picker, written};
use crate::cli::Global;
use crate::cli::screenshot::ScreenshotArgs;

/// `pellucid screenshot`.
pub(super) fn screenshot(shot: &ScreenshotArgs, global: &Global) -> Result<Ending, Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot write {}: {error}", shot.out.display()));
    let output = OutputFile::new(&shot.out, &inputs(shot, global)).map_err(failed)?;
    let options = options(global);
    let frame = frame(shot, PictureOptions { size: shot.size, keys: &shot.keys, options: &options }, global)?;
    let drawing = picture::svg(&frame, &options)?;
    output.write(drawing.as_bytes()).map_err(failed)?;
    console::note(&format!("wrote {}", shot.out.display()));
    Ok(Ending::Done)
}

/// What is drawn, and how, with the data and the models that the runs name. Of a run that is not found there is nothing to write over.
fn inputs(shot: &ScreenshotArgs, global: &Global) -> Inputs {
    let named = shot.beside.iter().filter_map(|name| lookup::one(name, global).ok());
    let runs = lookup::one_or_newest(shot.run.run.as_deref(), global).into_iter().chain(named);
    let theme = global.theme.iter().map(PathBuf::from);
    let read = |run: RunDir| written::data_of(&run).into_iter().chain(written::files_of(&run));
    Inputs::of(runs.flat_map(read).chain(theme))
}

fn frame(shot: &ScreenshotArgs, capture: PictureOptions, global: &Global) -> Result<Buffer, Failure> {
    if shot.list {
        return Ok(picture::page(&mut picker::list(&lookup::all(&global.runs)?), capture)?);
    }
    let run = lookup::one_or_newest(shot.run.run.as_deref(), global)?;
    if shot.frontier {
        return Ok(picture::page(&mut frontier::read(&run)?, capture)?);
    }
    if shot.beside.is_empty() {
        return Ok(picture::snapshot(&run, shot.screen, capture)?);
    }
    let runs: Vec<RunDir> = [run].into_iter().chain(lookup::each(&shot.beside, global)?).collect();
    Ok(picture::page(&mut compare::read(&runs)?, capture)?)
}
