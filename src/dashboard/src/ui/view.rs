//! One frame: what the state looks like.

mod chrome;
mod overlay;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::Screen;
use super::screens::layers;
use super::state::State;
use super::state::run::Stage;
use super::text;
use super::theme::Styles;
use super::widgets::paper::{Paper, below, row};

/// The smallest terminal that is drawn on.
pub const SMALLEST: Size = Size { width: 60, height: 16 };

/// Rows above the screens: name, progress, tabs.
const HEADER: u16 = 3;

/// ```text
///  pellucid  20260101-triage          ● training  learning: loss falls
///  step 1240 of 3000  ████████···········  41 %   3 m 10 s to go
///  1 Train  2 Explain  3 Samples  4 Layers  5 Log
/// ╭──────────────────────────────────────────────────────────────────╮
/// │ the screen                                                       │
/// ╰──────────────────────────────────────────────────────────────────╯
///  e explain  s sort  / filter  p pause  S stop           ? help  q quit
/// ```
pub fn view(state: &State, styles: &Styles, buffer: &mut Buffer) {
    let area = buffer.area;
    let mut paper = Paper { buffer, styles };
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        return too_small(&mut paper, area);
    }
    chrome::header(state, &mut paper, Rect { height: HEADER, ..area });
    screen(state, &mut paper, body_of(area));
    chrome::toast(state, &mut paper, row(area, area.height - 2));
    chrome::footer(state, &mut paper, row(area, area.height - 1));
    overlay::draw(state, &mut paper, area);
}

/// Where screens are drawn on a terminal of this size.
#[must_use]
pub fn body(size: Size) -> Rect {
    body_of(Rect::new(0, 0, size.width, size.height))
}

fn body_of(area: Rect) -> Rect {
    let body = below(area, HEADER);
    Rect { height: body.height.saturating_sub(1), ..body }
}

pub(super) fn screen(state: &State, paper: &mut Paper, area: Rect) {
    if let Stage::Launching(phase, since) = &state.run.stage {
        return starting(phase, state.now - since, paper, area);
    }
    match state.screen {
        Screen::Train => state.train.draw(&state.run, paper, area),
        Screen::Explain => state.explain.draw(&state.run, paper, area),
        Screen::Samples => state.samples.draw(&state.run, paper, area),
        Screen::Layers => layers::draw(&state.run, paper, area),
        Screen::Log => state.log.draw(paper, area),
    }
}

/// ```text
///              pellucid
///
///        reading data/triage/train.jsonl
///              for 12 s
/// ```
fn starting(phase: &str, seconds: f64, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let top = below(area, (area.height / 2).saturating_sub(3));
    paper.middle(Rect { height: 1, ..top }, "the worker is starting", styles.accent);
    paper.middle(Rect { height: 1, ..below(top, 2) }, phase, styles.text);
    paper.middle(Rect { height: 1, ..below(top, 3) }, &text::duration(seconds), styles.muted);
    paper.middle(Rect { height: 1, ..below(top, 5) }, "curves come with the first step", styles.muted);
}

fn too_small(paper: &mut Paper, area: Rect) {
    let words =
        format!("pellucid needs {} x {}; this is {} x {}", SMALLEST.width, SMALLEST.height, area.width, area.height);
    let style = paper.styles.text;
    paper.paragraph(area, &words, style);
}
