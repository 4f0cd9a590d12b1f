//! Files that screens show, read beside the loop.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use pellucid_files::bounded;
use pellucid_files::regular::{self, Access};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_blocking;

use crate::msg::{Effect, Msg};

/// Bytes at the end of the worker's output that are shown.
const TAIL: u64 = 256 * 1024;

/// Reads the file that an effect asks for, and sends it to `answers`.
pub(super) fn read(effect: Effect, answers: UnboundedSender<Msg>) {
    spawn_blocking(move || {
        if let Some(answer) = answer(effect) {
            // The screen may have been left meanwhile.
            let _unheard = answers.send(answer);
        }
    });
}

/// The file as a message.
#[must_use]
pub(crate) fn answer(effect: Effect) -> Option<Msg> {
    match effect {
        Effect::ReadSamples(dir) => match dir.read_samples() {
            // They are written soon after the folder: the first evaluation asks again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            samples => Some(Msg::Samples(samples.map_err(|error| error.to_string()))),
        },
        Effect::ReadPredictions(dir, step, name) => {
            let answers = dir.read_predictions(&name).map_err(|error| format!("{name}: {error}"));
            Some(Msg::Predictions(step, answers))
        }
        Effect::ReadViewSettings(dir) => {
            bounded::read_text_in(dir.root(), "view.toml", bounded::SETTINGS).ok().map(Msg::ViewSettings)
        }
        Effect::WriteViewSettings(dir, text) => {
            // A failure is ignored: view settings are not important enough to report it.
            let _not_kept = pellucid_files::whole::write_whole(&dir.view(), text.as_bytes());
            None
        }
        Effect::ReadLog(dir) => Some(Msg::LogTail(tail(&dir.log()).unwrap_or_default())),
        Effect::Send(_)
        | Effect::Play(_)
        | Effect::Copy(_)
        | Effect::Notify(_)
        | Effect::Redraw
        | Effect::Suspend
        | Effect::Quit(_) => None,
    }
}

/// The last whole lines of a file.
fn tail(path: &Path) -> io::Result<Vec<String>> {
    let mut file = regular::open(path, Access::Read)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().skip(usize::from(start > 0));
    // A progress line overwrites itself: only the text after its last carriage return was visible.
    Ok(lines.map(|line| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned()).collect())
}
