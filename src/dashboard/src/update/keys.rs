//! What keys do: those for everywhere here, the rest by the screen or the dialog that is open.

mod lists;

use pellucid_client::Play;
use pellucid_protocol::Command;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use crate::dialogs::measures;
use crate::geometry;
use crate::input::keymap::{Action, Needs, Place};
use crate::input::screen::Screen;
use crate::msg::Exit;
use crate::msg::{Effect, Pointer, PointerKind};
use crate::run::Stage;
use crate::run::live::Values;
use crate::screens::samples::Masking;
use crate::state::{AtEnd, Change, Overlay, Palette, Rights, State};
use crate::text;
use crate::theme::Tone;

/// Longest text that can be typed or pasted, in characters.
const LONGEST: usize = 20_000;

/// What numbers are written with.
const NUMERIC: &str = "0123456789.eE+-";

/// Longest name or number that can be typed, in bytes.
const SHORT: usize = 64;

/// A key was pressed.
pub(super) fn press(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    match state.keys.action(state.place(), key).map(|binding| (binding.needs, binding.action)) {
        // The key that pauses a training pauses a record too.
        Some((_, Action::Pause)) if state.playback.is_some() => vec![Effect::Play(Play::Toggle)],
        Some((needs, _)) if !state.has(needs) => {
            let why = if needs == Needs::Record { "only in `pellucid replay`".to_owned() } else { state.why_not() };
            state.say(Tone::Warn, why);
            state.touch(Change::Input);
            Vec::new()
        }
        Some((_, action)) => {
            state.touch(Change::Input);
            act(state, action)
        }
        None => {
            if type_key(state, key) {
                state.touch(Change::Input);
            }
            Vec::new()
        }
    }
}

/// The mouse was used: on the tabs, or on the charts.
pub(super) fn point(state: &mut State, pointer: Pointer) -> Vec<Effect> {
    if state.overlay.is_some() {
        return Vec::new();
    }
    state.touch(Change::Input);
    match (pointer.kind, geometry::tab_at(pointer.x)) {
        (PointerKind::Down, Some(screen)) if pointer.y + 1 == geometry::HEADER => return go(state, screen),
        (PointerKind::Down, _) if state.place() == Place::Suspects => {
            let clicked = state.samples.click(pointer.y, &state.run, state.size);
            return clicked.map(|masking| explain_without(state, masking)).unwrap_or_default();
        }
        _ if state.screen == Screen::Train => state.train.point(pointer, &state.run, state.size),
        (PointerKind::WheelUp, _) => return on_screen(state, Action::Up),
        (PointerKind::WheelDown, _) => return on_screen(state, Action::Down),
        _ => {}
    }
    Vec::new()
}

/// Text was pasted: it goes where one types, line breaks as blanks.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some(Overlay::Text(input) | Overlay::Filter(input) | Overlay::Search(input) | Overlay::Retype(input)) =
        &mut state.overlay
    {
        let room = LONGEST.saturating_sub(input.value().chars().count());
        for c in text.chars().take(room) {
            input.handle(InputRequest::InsertChar(if c.is_control() { ' ' } else { c }));
        }
        state.touch(Change::Input);
    }
    Vec::new()
}

fn type_key(state: &mut State, key: &KeyEvent) -> bool {
    let Some(request) = request(key) else { return false };
    let adds = matches!(request, InputRequest::InsertChar(_));
    match &mut state.overlay {
        Some(Overlay::Text(input) | Overlay::Filter(input) | Overlay::Search(input) | Overlay::Retype(input)) => {
            let full = input.value().chars().count() >= LONGEST;
            !(full && adds) && input.handle(request).is_some()
        }
        Some(Overlay::Palette(palette)) => {
            palette.cursor = 0;
            !(palette.input.value().len() >= SHORT && adds) && palette.input.handle(request).is_some()
        }
        Some(Overlay::Values(_)) if matches!(request, InputRequest::InsertChar(c) if !NUMERIC.contains(c)) => false,
        Some(Overlay::Values(values)) => !(values.draft.value().len() >= SHORT && adds) && values.edit(request),
        _ => false,
    }
}

/// Keys of a line of text, as shells have them.
fn request(key: &KeyEvent) -> Option<InputRequest> {
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    Some(match (key.code, ctrl || alt) {
        (KeyCode::Char(c), false) if !c.is_control() => InputRequest::InsertChar(c),
        (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => InputRequest::DeletePrevChar,
        (KeyCode::Backspace, true) | (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
        (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
        (KeyCode::Left, false) => InputRequest::GoToPrevChar,
        (KeyCode::Right, false) => InputRequest::GoToNextChar,
        (KeyCode::Left, true) | (KeyCode::Char('b'), true) => InputRequest::GoToPrevWord,
        (KeyCode::Right, true) | (KeyCode::Char('f'), true) => InputRequest::GoToNextWord,
        (KeyCode::Home, _) | (KeyCode::Char('a'), true) => InputRequest::GoToStart,
        (KeyCode::End, _) | (KeyCode::Char('e'), true) => InputRequest::GoToEnd,
        (KeyCode::Char('u'), true) => InputRequest::DeleteLine,
        (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}

/// The command to the player of a record, if the action is one.
fn play(action: Action) -> Option<Play> {
    Some(match action {
        Action::Play => Play::Toggle,
        Action::StepBack => Play::Steps(-1),
        Action::StepOn => Play::Steps(1),
        Action::EvaluationBack => Play::Evals(-1),
        Action::EvaluationOn => Play::Evals(1),
        Action::Slower => Play::Slower,
        Action::Faster => Play::Faster,
        Action::RecordStart => Play::First,
        Action::RecordEnd => Play::Last,
        _ => return None,
    })
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(play) = play(action) {
        return vec![Effect::Play(play)];
    }
    match action {
        Action::Go(screen) => go(state, screen),
        Action::NextScreen => go(state, neighbour(state.screen, 1)),
        Action::PreviousScreen => go(state, neighbour(state.screen, Screen::ALL.len() - 1)),
        Action::Redraw => vec![Effect::Redraw],
        Action::Suspend => vec![Effect::Suspend],
        Action::Quit => quit(state),
        Action::Suspects => {
            state.samples.show_suspects();
            go(state, Screen::Samples)
        }
        Action::Frontier => to_frontier(state),
        Action::Pause => pause(state),
        Action::Checkpoint => send(Command::Checkpoint),
        Action::OneStep => send(Command::Step),
        Action::Copy | Action::CopyData => copy(state, action),
        Action::Palette => open(state, Overlay::Palette(Palette::default())),
        Action::Values => open(state, Overlay::Values(Values::default())),
        Action::Charts => open(state, Overlay::Charts(0)),
        Action::Measures => open(state, Overlay::Measures(0)),
        Action::Help => open(state, Overlay::Help(0)),
        Action::Stop => open(state, Overlay::Stopping),
        Action::Type => open(state, Overlay::Text(Input::new(state.explain.typed().to_owned()))),
        Action::Search => open(state, Overlay::Search(Input::new(state.log.query().to_owned()))),
        Action::Filter => open(state, Overlay::Filter(Input::new(state.samples.filter().to_owned()))),
        _ if state.overlay.is_some() => in_dialog(state, action),
        _ => on_screen(state, action),
    }
}

fn send(command: Command) -> Vec<Effect> {
    vec![Effect::Send(command)]
}

fn open(state: &mut State, overlay: Overlay) -> Vec<Effect> {
    state.overlay = Some(overlay);
    Vec::new()
}

fn neighbour(screen: Screen, by: usize) -> Screen {
    let at = Screen::ALL.iter().position(|&known| known == screen).unwrap_or(0);
    Screen::ALL[(at + by) % Screen::ALL.len()]
}

fn go(state: &mut State, screen: Screen) -> Vec<Effect> {
    state.screen = screen;
    match screen {
        Screen::Explain => super::refresh_explanation(state).into_iter().collect(),
        Screen::Log => state.run.dir.clone().map(Effect::ReadLog).into_iter().collect(),
        Screen::Train | Screen::Samples | Screen::Layers | Screen::Data => Vec::new(),
    }
}

fn quit(state: &mut State) -> Vec<Effect> {
    if state.run.is_going() && state.run.answers() { open(state, Overlay::Leaving) } else { state.farewell() }
}

/// Leaves for the frontier of all runs; a run that is going on goes on.
fn to_frontier(state: &mut State) -> Vec<Effect> {
    if matches!(state.run.stage, Stage::Launching(..)) {
        let why = state.why_not();
        state.say(Tone::Warn, why);
        return Vec::new();
    }
    let instead = |effect| if matches!(effect, Effect::Quit(_)) { Effect::Quit(Exit::Frontier) } else { effect };
    state.farewell().into_iter().map(instead).collect()
}

fn pause(state: &State) -> Vec<Effect> {
    send(if state.run.stage == Stage::Paused { Command::Resume } else { Command::Pause })
}

fn copy(state: &mut State, action: Action) -> Vec<Effect> {
    let copied = match state.screen {
        Screen::Train => state.train.copied(&state.run),
        Screen::Samples => state.samples.copied(),
        Screen::Log => state.log.copied(),
        Screen::Explain if action == Action::CopyData => state.explain.copied_data(),
        Screen::Explain => state.explain.copied(&state.run),
        Screen::Layers => None,
        Screen::Data => state.data.copied(&state.run),
    };
    let Some(text) = copied.filter(|text| !text.is_empty()) else {
        state.say(Tone::Plain, "nothing to copy here");
        return Vec::new();
    };
    state.say(Tone::Plain, format!("copied {}", text::plural(text.lines().count(), "line")));
    vec![Effect::Copy(text)]
}

fn in_dialog(state: &mut State, action: Action) -> Vec<Effect> {
    match (state.overlay.take(), action) {
        (Some(Overlay::Charts(cursor)), action) => lists::charts(state, cursor, action),
        (Some(Overlay::Palette(palette)), action) => lists::commands(state, palette, action),
        (Some(Overlay::Values(values)), action) => lists::values(state, values, action),
        (Some(Overlay::Measures(top)), Action::Down) => open(state, Overlay::Measures(measures::lower(state, top))),
        (Some(Overlay::Measures(top)), Action::Up) => open(state, Overlay::Measures(top.saturating_sub(1))),
        (Some(Overlay::Help(top)), Action::Down) => open(state, Overlay::Help(top + 1)),
        (Some(Overlay::Help(top)), Action::Up) => open(state, Overlay::Help(top.saturating_sub(1))),
        (_, Action::Detach) => state.farewell(),
        (_, Action::StopAndLeave) => {
            state.at_end = AtEnd::Leave;
            send(Command::Stop)
        }
        (_, Action::ConfirmStop) => send(Command::Stop),
        (_, Action::StopNow) => send(Command::StopNow),
        (Some(Overlay::Search(input)), Action::Accept) => {
            state.log.search(input.value(), state.size);
            Vec::new()
        }
        (Some(Overlay::Filter(input)), Action::Accept) => {
            state.samples.set_filter(input.value());
            Vec::new()
        }
        (Some(Overlay::Text(input)), Action::Accept) => explain_text(state, input.value()),
        (Some(Overlay::Retype(input)), Action::Accept) => {
            state.explain.retype(input.value()).map(Effect::Send).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn explain_text(state: &mut State, text: &str) -> Vec<Effect> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let request = state.explain.want_text(text);
    state.screen = Screen::Explain;
    send(Command::Explain(request))
}

fn on_screen(state: &mut State, action: Action) -> Vec<Effect> {
    match state.screen {
        Screen::Train => return look(state, |state| state.train.act(action, &mut state.run, state.size)),
        Screen::Explain => return explain(state, action),
        Screen::Samples if action == Action::Explain && state.samples.shows_suspects() => {
            let example = state.samples.masking();
            return example.map(|masking| explain_without(state, masking)).unwrap_or_default();
        }
        Screen::Samples if action == Action::Explain => return explain_sample(state),
        Screen::Samples if action == Action::Survey => {
            return state.samples.survey().map(Effect::Send).into_iter().collect();
        }
        Screen::Samples => state.samples.act(action, state.size),
        Screen::Layers => state.layers.act(action, &state.run),
        Screen::Log => state.log.act(action, state.size),
        Screen::Data => state.data.act(action, &state.run, state.size),
    }
    Vec::new()
}

/// Applies a change to the charts, and saves the view settings if they differ then.
fn look(state: &mut State, change: impl FnOnce(&mut State)) -> Vec<Effect> {
    let before = state.train.view_settings().clone();
    change(state);
    let after = state.train.view_settings();
    let kept = (before != *after && state.rights == Rights::Steer).then(|| state.run.dir.clone());
    kept.flatten().map(|dir| Effect::WriteViewSettings(dir, after.text())).into_iter().collect()
}

fn explain(state: &mut State, action: Action) -> Vec<Effect> {
    let command = match action {
        Action::Explain => state.explain.again().map(Command::Explain),
        Action::NextClass => state.explain.next_class().map(Command::Explain),
        Action::Figures => state.explain.with_figures().map(Command::Explain),
        Action::OtherWeights => state.explain.with_other_weights().map(Command::Explain),
        Action::Mask | Action::Delete | Action::Restore | Action::Undo => state.explain.change(action),
        Action::Close => state.explain.close().filter(|_| state.run.answers()),
        Action::Retype => {
            if let Some(word) = state.explain.retyped() {
                return open(state, Overlay::Retype(Input::new(word)));
            }
            None
        }
        other => {
            state.explain.act(other);
            None
        }
    };
    command.map(Effect::Send).into_iter().collect()
}

/// Asks for an explanation; without a worker, shows the latest one in the record. If there is none, a worker that only
/// has left is asked all the same.
fn explain_sample(state: &mut State) -> Vec<Effect> {
    let Some(index) = state.samples.selected() else { return Vec::new() };
    let recorded = !state.run.answers()
        && (state.explain.show_sample(index)
            || state.samples.explanation(index).is_some_and(|known| state.explain.put(known)));
    if recorded {
        state.screen = Screen::Explain;
    } else if state.run.explains() {
        let request = state.explain.want_sample(index);
        state.screen = Screen::Explain;
        return send(Command::Explain(request));
    } else {
        let why = state.why_not();
        state.say(Tone::Warn, format!("not explained in this run; {why}"));
    }
    Vec::new()
}

/// Asks for an explanation of a sample; once it has come, what the model says without a word of it is asked too.
fn explain_without(state: &mut State, masking: Masking) -> Vec<Effect> {
    if !state.has(Needs::Worker) {
        let why = state.why_not();
        state.say(Tone::Warn, why);
        return Vec::new();
    }
    let request = state.explain.want_without(masking);
    state.screen = Screen::Explain;
    send(Command::Explain(request))
}
