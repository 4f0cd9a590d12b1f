//! What it costs to open a long log: from the file to its last frame, by the road that `pellucid replay` takes.

use std::path::Path;
use std::time::Instant;

use color_eyre::eyre::WrapErr;
use pellucid_client::FromRun;
use pellucid_files::temporary::folder_beside;
use pellucid_protocol::{Event, Record};
use pellucid_record::RunDir;
use pellucid_record::log::writer::LogWriter;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::{SIZE, USUAL, draw, milliseconds, started_event, step, styles};
use crate::input::screen::Screen;
use crate::msg::Msg;
use crate::state::State;
use crate::terminal::backend::terminal_on;
use crate::update::update;

/// Writes a log of so many steps into the folder for temporary files, and opens it.
pub(super) fn open_log(steps: u64, tell: &mut dyn FnMut(Value) -> color_eyre::Result<()>) -> color_eyre::Result<()> {
    let place = std::env::temp_dir().join("bench");
    let folder = folder_beside(&place).wrap_err_with(|| format!("cannot make a folder beside {}", place.display()))?;
    let run = RunDir::new(&folder);
    let figures = write(&run.events(), steps).and_then(|()| Ok([read(&run)?, read(&textual(&run)?)?]));
    // Made for this alone.
    let _gone = std::fs::remove_dir_all(&folder);
    let opened = figures.wrap_err_with(|| folder.display().to_string())?;
    opened.iter().zip(["ui/open_log", "ui/open_log_text"]).try_for_each(|(opened, bench)| {
        tell(json!({
            "bench": bench, "steps": steps, "mib": opened.bytes as f64 / 1_048_576.0,
            "ms": opened.whole, "first_chunk_ms": opened.first, "processor_ms": opened.processor,
        }))
    })
}

/// A log as a worker leaves it.
fn write(path: &Path, steps: u64) -> color_eyre::Result<()> {
    let mut log = LogWriter::open(path)?;
    log.append(&Record { time: 0.0, event: Event::Started(Box::new(started_event(steps)?)) })?;
    for number in 1..=steps {
        log.append(&step(&USUAL, number))?;
    }
    Ok(())
}

/// The same run without the copy of its steps.
fn textual(run: &RunDir) -> color_eyre::Result<RunDir> {
    let text = RunDir::new(run.root().join("text"));
    std::fs::create_dir(text.root())?;
    std::fs::rename(run.events(), text.events())?;
    Ok(text)
}

/// How long it took.
struct Opened {
    bytes: u64,
    /// Milliseconds until there was something to see.
    first: f64,
    /// Milliseconds until all of it was.
    whole: f64,
    /// Milliseconds of processors, all threads together: what others do on the machine makes no difference to it.
    processor: f64,
}

fn read(run: &RunDir) -> color_eyre::Result<Opened> {
    let bytes = std::fs::metadata(run.events())?.len();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut state, styles) = (State::new(0.0, SIZE, Screen::Train), styles()?);
        let mut terminal = terminal_on(Vec::new(), SIZE)?;
        let (start, used) = (Instant::now(), processor());
        let (mut link, _task) = pellucid_client::replay(run.clone(), None);
        let mut first = None;
        while let Some(message) = link.incoming.recv().await {
            let over = matches!(message, FromRun::ViewOnly(_));
            update(&mut state, Msg::Run(message));
            if over || (first.is_none() && state.run.step > 0) {
                draw(&mut terminal, &state, &styles)?;
                first.get_or_insert(milliseconds(start));
            }
            if over {
                break;
            }
        }
        let (whole, processor) = (milliseconds(start), (processor() - used).round());
        Ok(Opened { bytes, first: first.unwrap_or(f64::NAN), whole, processor })
    })
}

/// Milliseconds that processors have spent on this process.
fn processor() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
