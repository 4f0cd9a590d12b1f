//! What surrounds every screen: who, how far, how well; and which keys.

use pellucid_client::{Motion, Playback};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::input::keymap::{Action, Binding, Place};
use crate::input::screen::Screen;
use crate::run::health;
use crate::run::{Access, Run, Stage};
use crate::state::State;
use crate::text;
use crate::widgets::bar::{self, Weight};
use crate::widgets::paper::{Paper, from, row, to};

/// ```text
///  pellucid  20260101-triage  bert, 4 layers, 3.20M  cpu       ● training  learning: loss falls
///  step 1240 of 3000  ████████████··········  41 %   3 m 10 s to go
///  1 Train  2 Explain  3 Samples  4 Layers  5 Log
/// ```
pub(crate) fn header(state: &State, paper: &mut Paper, area: Rect) {
    let used = health_line(state, paper, row(area, 0));
    who(&state.run, paper, to(from(row(area, 0), 1), area.width.saturating_sub(used + 4)));
    progress(&state.run, paper, inset(row(area, 1)));
    tabs(state, paper, inset(row(area, 2)));
}

fn inset(area: Rect) -> Rect {
    to(from(area, 1), area.width.saturating_sub(2))
}

/// The state with its sign, and how the run does; returns the columns used.
fn health_line(state: &State, paper: &mut Paper, area: Rect) -> u16 {
    let (what, how) = (health::state(&state.run), health::judge(&state.run, state.now));
    let styles = paper.styles;
    let tag = match &state.run.access {
        Access::Record => "  view only",
        Access::ViewOnly(_) if state.run.stage != Stage::Running => "  view only",
        Access::ReadOnly => "  read-only",
        _ => "",
    };
    let starting = matches!(state.run.stage, Stage::Launching(..));
    let words = if starting { String::new() } else { text::clip(&how.words, usize::from(area.width / 2)).into_owned() };
    let runs = [
        (what.1, styles.tone(what.0)),
        (tag, styles.muted),
        ("  ", styles.text),
        (words.as_str(), styles.tone(how.tone)),
    ];
    paper.right(inset(area), &runs)
}

/// The run, its model, its device; as much of it as there is room for, in this order.
fn who(run: &Run, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let mut x = paper.line(area, &[("pellucid", styles.accent.add_modifier(Modifier::BOLD)), ("  ", styles.text)]);
    x += paper.write(from(area, x), &run.name(), styles.strong);
    let Some(started) = &run.started else { return };
    let model = &started.model;
    let card = format!("{}, {} layers, {}", model.family, model.layers, text::number(model.parameters as f64));
    let teacher = started.teacher.as_ref().map(|teacher| {
        format!("teacher {}, {} layers, {}", teacher.family, teacher.layers, text::number(teacher.parameters as f64))
    });
    let device = format!("{} on {}", started.device, started.host);
    for part in [Some(card), Some(device), teacher].into_iter().flatten() {
        if x as usize + 3 + text::width(&part) > usize::from(area.width) {
            break;
        }
        x += paper.line(from(area, x), &[("   ", styles.text), (&part, styles.muted)]);
    }
}

fn progress(run: &Run, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    if run.started.is_none() {
        return;
    }
    let total = run.total();
    // As wide as the last step will be, so that the bar does not move.
    let step = format!("{:>width$}", run.step, width = total.to_string().len());
    let used = paper.line(
        area,
        &[("step ", styles.muted), (&step, styles.strong), (" of ", styles.muted), (&total.to_string(), styles.text)],
    );
    let epoch = format!("   epoch {:.2}", run.epoch);
    let used = used + if area.width >= 100 { paper.write(from(area, used), &epoch, styles.muted) } else { 0 };
    let time = time_left(run);
    let tail = format!("{:>5}   {time:<17}", text::percent(run.share()));
    let tail_width = text::width(&tail) as u16;
    let bar_area = to(from(area, used + 2), area.width.saturating_sub(used + tail_width + 3));
    bar::draw(paper, bar_area, run.share(), (Weight::Thin, styles.tone(health::state(run).0)));
    paper.right(area, &[(&tail, styles.text)]);
}

fn time_left(run: &Run) -> String {
    match (&run.stage, run.remaining()) {
        (Stage::Running, Some(seconds)) => format!("{} to go", text::remaining(seconds)),
        (Stage::Paused, Some(seconds)) => format!("{} of work left", text::remaining(seconds)),
        (Stage::Ended(..), _) => format!("took {}", text::duration(run.pace.worked())),
        _ => String::new(),
    }
}

/// How a record is played: at the end of the line of tabs.
fn playback(playback: Playback, paper: &mut Paper, area: Rect) {
    let sign = match playback.motion {
        Motion::Playing => "▶",
        Motion::Held => "Ⅱ",
        Motion::AtEnd => "■",
    };
    let (styles, speed) = (paper.styles, format!(" {}x", text::number(playback.speed)));
    paper.right(area, &[("record ", styles.muted), (sign, styles.accent), (&speed, styles.text)]);
}

fn tabs(state: &State, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    if let Some(played) = state.playback {
        playback(played, paper, area);
    }
    let mut x = 0;
    for (index, screen) in Screen::ALL.into_iter().enumerate() {
        let key = (index + 1).to_string();
        let (number, name) = if screen == state.screen {
            let open = styles.accent.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            (open, open)
        } else {
            (styles.accent, styles.muted)
        };
        let (left, right) = (format!(" {key} "), format!("{} ", screen.title()));
        x += paper.line(from(area, x), &[(&left, number), (&right, name), (" ", styles.text)]);
    }
}

/// A line that goes away by itself, on the lowest edge of the screen, where it covers nothing.
pub(crate) fn toast(state: &State, paper: &mut Paper, area: Rect) {
    let Some(toast) = &state.toast else { return };
    let area = to(from(area, 2), area.width.saturating_sub(4));
    let words = text::clip(&toast.text, usize::from(area.width.saturating_sub(2))).into_owned();
    paper.right(area, &[(&format!(" {words} "), paper.styles.tone(toast.tone))]);
}

/// The keys of the screen or the dialog that is open. Leaving and help are always seen.
pub(crate) fn footer(state: &State, paper: &mut Paper, area: Rect) {
    let area = inset(area);
    let starting = matches!(state.run.stage, Stage::Launching(..)) && state.overlay.is_none();
    let fits = |binding: &&Binding| state.has(binding.needs) && !(starting && binding.place != Place::Everywhere);
    let hints: Vec<_> = state.keys.hints(state.place()).filter(fits).collect();
    let (always, rest): (Vec<&Binding>, Vec<&Binding>) =
        hints.into_iter().partition(|binding| matches!(binding.action, Action::Help | Action::Quit));
    let end: u16 = always.iter().map(|binding| hint_width(state, binding)).sum();
    let mut x = 0;
    for binding in rest {
        // A longer one is left out for a shorter one after it.
        if x + hint_width(state, binding) + end > area.width {
            continue;
        }
        x += hint(state, binding, paper, from(area, x));
    }
    let mut x = area.width.saturating_sub(end.saturating_sub(2));
    for binding in always {
        x += hint(state, binding, paper, from(area, x));
    }
}

fn hint_width(state: &State, binding: &Binding) -> u16 {
    (text::width(&binding.key()) + text::width(state.hint(binding.action, binding.hint)) + 3) as u16
}

/// A key and its word; two blanks after it.
fn hint(state: &State, binding: &Binding, paper: &mut Paper, area: Rect) -> u16 {
    let styles = paper.styles;
    let word = format!(" {}", state.hint(binding.action, binding.hint));
    paper.line(area, &[(&binding.key(), styles.accent), (&word, styles.muted), ("  ", styles.text)])
}
