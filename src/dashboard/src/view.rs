//! One frame: what the state looks like.

pub(crate) mod chrome;
mod overlay;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::geometry::{HEADER, SMALLEST, body_of};
use crate::input::screen::Screen;
use crate::run::Stage;
use crate::run::health;
use crate::state::State;
use crate::text;
use crate::theme::Styles;
use crate::widgets::paper::{Paper, below, row};

/// ```text
///  pellucid  20260101-triage          ● training  learning: loss falls
///  step 1240 of 3000  ████████···········  41 %   3 m 10 s to go
///  1 Train  2 Explain  3 Samples  4 Layers  5 Log
/// ╭──────────────────────────────────────────────────────────────────╮
/// │ the screen                                                       │
/// ╰──────────────────────────────────────────────────────────────────╯
///  e explain  s sort  / filter  p pause  S stop           ? help  q quit
/// ```
pub(crate) fn view(state: &State, styles: &Styles, buffer: &mut Buffer) {
    let area = buffer.area;
    let mut paper = Paper { buffer, styles };
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        match (state.screen, &state.run.stage, &state.overlay) {
            (_, Stage::Launching(..) | Stage::Failed(_), _) => tiny(state, &mut paper, area),
            (_, _, Some(_)) => {
                tiny(state, &mut paper, area);
                overlay::draw(state, &mut paper, area);
            }
            (Screen::Explain, ..) => state.explain.draw_tiny(&state.run, &mut paper, area),
            (Screen::Samples, ..) => state.samples.draw_tiny(&state.run, &mut paper, area),
            _ => tiny(state, &mut paper, area),
        }
        return;
    }
    chrome::header(state, &mut paper, Rect { height: HEADER, ..area });
    screen(state, &mut paper, body_of(area));
    chrome::toast(state, &mut paper, row(area, area.height - 2));
    chrome::footer(state, &mut paper, row(area, area.height - 1));
    overlay::draw(state, &mut paper, area);
}

pub(super) fn screen(state: &State, paper: &mut Paper, area: Rect) {
    if let Stage::Launching(phase, since) = &state.run.stage {
        return starting(phase, state.now - since, paper, area);
    }
    match state.screen {
        Screen::Train => state.train.draw(&state.run, paper, area),
        Screen::Explain => state.explain.draw(&state.run, paper, area),
        Screen::Samples => state.samples.draw(&state.run, paper, area),
        Screen::Layers => state.layers.draw(&state.run, paper, area),
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

/// What matters most, where there is no room for a screen.
///
/// ```text
/// ● training
/// learning: loss falls
/// 1240/3000  41 %
/// 7 m 20 s to go
/// loss 0.341
/// make it 60 x 16
/// ```
fn tiny(state: &State, paper: &mut Paper, area: Rect) {
    let (styles, run) = (paper.styles, &state.run);
    let (what, how) = (health::state(run), health::judge(run, state.now));
    let done = format!("{}/{}  {}", run.step, run.total(), text::percent(run.share()));
    let left = run.remaining().map(|seconds| format!("{} to go", text::remaining(seconds)));
    let loss = run.latest("loss/total").map(|loss| format!("loss {}", text::number(loss)));
    let lines = [
        Some((what.1.to_owned(), styles.tone(what.0))),
        Some((how.words, styles.tone(how.tone))),
        run.started.is_some().then_some((done, styles.text)),
        left.map(|left| (left, styles.text)),
        loss.map(|loss| (loss, styles.text)),
        Some((format!("make it {} x {}", SMALLEST.width, SMALLEST.height), styles.muted)),
    ];
    for (y, (words, style)) in (0..).zip(lines.into_iter().flatten()) {
        paper.write(row(area, y), &words, style);
    }
}
