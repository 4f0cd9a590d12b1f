//! `pellucid screenshot`: a frame of a recorded run as an SVG file.

use pellucid_protocol::RunDir;
use ratatui::layout::Size;

use super::options;
use crate::cli::{Global, ScreenshotArgs};
use crate::console;
use crate::failure::{Ending, Failure};
use crate::ui::picture;

/// `pellucid screenshot`.
pub(super) fn screenshot(shot: &ScreenshotArgs, run: &RunDir, global: &Global) -> Result<Ending, Failure> {
    let options = options(global);
    let size = Size { width: shot.size.0, height: shot.size.1 };
    let frame = picture::snapshot(run, shot.screen, size, &options)?;
    let drawing = picture::svg(&frame, &options)?;
    pellucid_protocol::run_dir::write_whole(&shot.out, drawing.as_bytes())
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", shot.out.display())))?;
    console::note(&format!("wrote {}", shot.out.display()));
    Ok(Ending::Done)
}
