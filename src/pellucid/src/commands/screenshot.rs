//! `pellucid screenshot`: a frame of recorded runs as an SVG file.

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::picture::{self, Pose};
use pellucid_record::RunDir;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::{compare, frontier, listed, look_up, options, picker};
use crate::cli::{Global, RunArg, ScreenshotArgs};

/// `pellucid screenshot`.
pub(super) fn screenshot(shot: &ScreenshotArgs, global: &Global) -> Result<Ending, Failure> {
    let options = options(global);
    let size = Size { width: shot.size.0, height: shot.size.1 };
    let frame = frame(shot, Pose { size, keys: &shot.keys, options: &options }, global)?;
    let drawing = picture::svg(&frame, &options)?;
    pellucid_files::whole::write_whole(&shot.out, drawing.as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", shot.out.display())))?;
    console::note(&format!("wrote {}", shot.out.display()));
    Ok(Ending::Done)
}

fn frame(shot: &ScreenshotArgs, pose: Pose, global: &Global) -> Result<Buffer, Failure> {
    if shot.list {
        return Ok(picture::page(&mut picker::list(&listed(&global.runs)?), pose)?);
    }
    let run = look_up(&shot.run, global)?;
    if shot.frontier {
        return Ok(picture::page(&mut frontier::read(&run)?, pose)?);
    }
    if shot.beside.is_empty() {
        return Ok(picture::snapshot(&run, shot.screen, pose)?);
    }
    let others = shot.beside.iter().map(|name| look_up(&RunArg { run: name.clone() }, global));
    let runs: Vec<RunDir> = std::iter::once(Ok(run)).chain(others).collect::<Result<_, Failure>>()?;
    Ok(picture::page(&mut compare::read(&runs)?, pose)?)
}
