//! What a message does to the state. Only routes: each arm is one call.

mod keys;

use pellucid_client::FromRun;
use pellucid_protocol::event::{Alert, Eval};
use pellucid_protocol::{Command, Event, Explanation, Record};
use pellucid_record::Piece;
use ratatui::crossterm::event::KeyEventKind;

use crate::input::screen::Screen;
use crate::msg::{Effect, Msg};
use crate::run::health::{self, Verdict};
use crate::run::{Access, Stage};
use crate::screens::train::ViewSettings;
use crate::state::{Alerts, AtEnd, Change, Overlay, Rights, State};
use crate::theme::Tone;

/// Applies a message; returns the effects to perform.
pub(crate) fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let before = is_watched(state).then(|| health::judge(&state.run, state.now).verdict);
    let mut effects = route(state, msg);
    effects.extend(before.and_then(|before| notice(state, before)));
    effects
}

/// Whether the user is to be notified of events.
fn is_watched(state: &State) -> bool {
    state.alerts != Alerts::Off && matches!(state.run.access, Access::Live | Access::ReadOnly)
}

/// Notifies the user when a watched run takes a turn that needs attention.
fn notice(state: &State, before: Verdict) -> Option<Effect> {
    let now = health::judge(&state.run, state.now);
    let turned = now.verdict != before && now.verdict.is_worth_a_notice() && before != Verdict::Starting;
    (is_watched(state) && turned).then(|| Effect::Notify(format!("{}: {}", state.run.name(), now.words)))
}

fn route(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Tick(now) => tick(state, now),
        Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(key) => keys::press(state, &key),
        // The event loop handles it: it changes styles, not state.
        Msg::Background(_) => Vec::new(),
        Msg::Pointer(pointer) => keys::point(state, pointer),
        Msg::Paste(text) => keys::paste(state, &text),
        Msg::ViewSettings(text) => {
            state.train.set_view_settings(ViewSettings::parse(&text), &mut state.run);
            state.touch(Change::Data);
            Vec::new()
        }
        Msg::Resize(size) => {
            state.size = size;
            state.touch(Change::Input);
            Vec::new()
        }
        Msg::Run(message) => from_run(state, message),
        Msg::Closed => closed(state),
        Msg::Samples(samples) => loaded(state, samples, |state, samples| state.samples.set_samples(samples)),
        Msg::Predictions(step, answers) => {
            loaded(state, answers, |state, answers| state.samples.set_predictions(step, answers))
        }
        Msg::LogTail(lines) => {
            if state.log.set_tail(lines) && state.screen == Screen::Log {
                state.touch(Change::Data);
            }
            Vec::new()
        }
    }
}

fn tick(state: &mut State, now: f64) -> Vec<Effect> {
    let before = state.timely();
    state.now = now;
    state.toast.take_if(|toast| now >= toast.until);
    if state.timely() != before {
        state.touch(Change::Data);
    }
    let due = state.screen == Screen::Log && state.log.is_due(now);
    state.run.dir.clone().filter(|_| due).map(Effect::ReadLog).into_iter().collect()
}

fn loaded<T>(state: &mut State, value: Result<T, String>, set: impl FnOnce(&mut State, T)) -> Vec<Effect> {
    match value {
        Ok(value) => set(state, value),
        Err(why) => state.samples.set_trouble(why),
    }
    state.touch(Change::Data);
    Vec::new()
}

fn from_run(state: &mut State, message: FromRun) -> Vec<Effect> {
    state.run.last_message = state.now;
    state.touch(Change::Data);
    match message {
        FromRun::Phase(phase) => launching(state, phase),
        FromRun::Failed(why) => {
            state.run.stage = Stage::Failed(why);
            return state.farewell();
        }
        FromRun::Opened(dir) => {
            state.run.dir = Some(dir.clone());
            return vec![Effect::ReadViewSettings(dir.clone()), Effect::ReadSamples(dir)];
        }
        FromRun::Records(records) => return take_all(state, records.into_iter().map(Piece::Record)),
        FromRun::Logged(pieces) => return take_all(state, pieces),
        FromRun::Rewound => state.rewind(),
        FromRun::Playback(playback) => {
            state.playback = Some(playback);
            state.run.access = Access::Record;
        }
        FromRun::Damaged(told) => damaged(state, told),
        FromRun::Connected => {
            state.run.access = if state.rights == Rights::Look { Access::ReadOnly } else { Access::Live };
        }
        FromRun::Answered(command, refusal) => answered(state, &command, refusal),
        FromRun::Asleep if state.rights == Rights::Look => {
            alone(state, Access::ViewOnly("the run has ended and its worker has left".to_owned()));
        }
        FromRun::Asleep => alone(state, Access::Asleep),
        FromRun::ViewOnly(why) => alone(state, Access::ViewOnly(why)),
    }
    Vec::new()
}

/// There is no worker to speak to.
fn alone(state: &mut State, access: Access) {
    state.run.access = access;
    if !state.run.is_going() {
        state.explain.abandon();
    }
}

/// Part of the record cannot be read: shows that in the log and for a while on the screen.
fn damaged(state: &mut State, message: String) {
    state.say(Tone::Warn, message.clone());
    let alert = Alert::warning(state.run.step, message);
    state.log.take(&Record { time: state.now, event: Event::Alert(alert) });
}

fn launching(state: &mut State, phase: String) {
    if let Stage::Launching(known, _) = &mut state.run.stage {
        *known = phase;
    } else {
        state.say(Tone::Plain, format!("starting the worker again, to answer: {phase}"));
    }
}

fn closed(state: &mut State) -> Vec<Effect> {
    if matches!(state.run.access, Access::Live | Access::ReadOnly) {
        state.run.access = Access::ViewOnly("the connection to the worker is closed".to_owned());
        state.touch(Change::Data);
    }
    if let Stage::Launching(phase, _) = &state.run.stage {
        state.run.stage = Stage::Failed(format!("the worker went away while {phase}"));
        return state.farewell();
    }
    Vec::new()
}

/// Applies records. Files are read for the last evaluation only, not for each one of a long log.
fn take_all(state: &mut State, pieces: impl IntoIterator<Item = Piece>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut last = None;
    for piece in pieces {
        match piece {
            Piece::Steps(block) => {
                state.run.take_steps(&block);
                state.log.reach(state.run.step);
            }
            Piece::Record(record) => {
                effects.extend(take(state, &record));
                if let Event::Eval(eval) = record.event {
                    last = Some(eval);
                }
            }
        }
    }
    effects.extend(last.map(|eval| evaluated(state, &eval)).unwrap_or_default());
    effects
}

fn take(state: &mut State, record: &Record) -> Vec<Effect> {
    state.run.take(record);
    state.log.take(record);
    match &record.event {
        Event::Explained(explanation) => explained(state, explanation),
        Event::WhatIf(answer) => {
            // The user waits for it, as for the echo of a key.
            state.touch(Change::Input);
            ask(state.explain.take_answer(answer))
        }
        Event::Watched(watched) => {
            state.samples.take_watched(watched);
            Vec::new()
        }
        Event::Survey(progress) => {
            state.samples.set_survey(progress);
            Vec::new()
        }
        Event::Ended(_) => {
            // The end answers the questions of open dialogs. A user who was asked how to leave wants to leave.
            let asked = state
                .overlay
                .take_if(|overlay| matches!(overlay, Overlay::Leaving | Overlay::Stopping | Overlay::Values(_)));
            let leaves = state.at_end == AtEnd::Leave || matches!(asked, Some(Overlay::Leaving));
            if leaves { state.farewell() } else { Vec::new() }
        }
        Event::Checkpoint(checkpoint) if checkpoint.kind == pellucid_protocol::event::CheckpointKind::Requested => {
            let said = format!("checkpoint written: {}", checkpoint.path);
            // A record read back from the file is no news.
            if state.run.answers() {
                state.say(Tone::Good, said);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn explained(state: &mut State, explanation: &Explanation) -> Vec<Effect> {
    state.samples.take(explanation);
    state.explain.take(explanation);
    if !state.run.answers() {
        return Vec::new();
    }
    let masking = state.explain.due_masking();
    ask(masking.or_else(|| state.explain.due_map()))
}

fn ask(command: Option<Command>) -> Vec<Effect> {
    command.map(Effect::Send).into_iter().collect()
}

fn evaluated(state: &mut State, eval: &Eval) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(dir) = state.run.dir.clone() {
        if state.samples.is_empty() {
            effects.push(Effect::ReadSamples(dir.clone()));
        }
        effects.extend(eval.predictions.clone().map(|name| Effect::ReadPredictions(dir, eval.step, name)));
    }
    state.explain.is_stale = true;
    effects.extend(refresh_explanation(state));
    effects
}

/// Asks again for the explanation on the screen when the weights have changed. An explanation under way is finished
/// first: a new request would restart it, and on a busy machine it would never be done.
fn refresh_explanation(state: &mut State) -> Option<Effect> {
    let wanted =
        state.screen == Screen::Explain && state.run.is_going() && state.run.answers() && !state.explain.is_busy();
    (wanted && state.explain.is_stale).then(|| state.explain.follow())?.map(Effect::Send)
}

fn answered(state: &mut State, command: &Command, refusal: Option<String>) {
    if let Command::Explain(request) = command {
        state.explain.answered(request, refusal.as_deref());
    }
    match (command, refusal) {
        // It was done before it could be cancelled.
        (Command::Cancel(_), Some(_)) => {}
        (_, Some(why)) => state.say(Tone::Bad, format!("{}: {why}", name(command))),
        (Command::Stop, None) => state.say(Tone::Warn, "stopping: a last evaluation and checkpoint, then the end"),
        (Command::StopNow, None) => state.say(Tone::Warn, "stopping at once"),
        (Command::Checkpoint, None) => state.say(Tone::Plain, "a checkpoint is being written"),
        (Command::Survey(survey), None) => {
            let count = crate::text::plural(survey.samples.len(), "sample");
            state.say(Tone::Plain, format!("explaining {count} in the background; a cancels it"));
        }
        (Command::Set(set), None) => {
            state.say(Tone::Good, format!("{} is {} from the next step on", set.key.key(), set.value));
        }
        (_, None) => {}
    }
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Pause => "pause",
        Command::Resume => "resume",
        Command::Step => "one step",
        Command::Set(set) => set.key.key(),
        Command::Stop | Command::StopNow | Command::Leave => "stop",
        Command::Checkpoint => "checkpoint",
        Command::Explain(_) => "explain",
        Command::WhatIf(_) => "what if",
        Command::Survey(_) => "explain all",
        Command::Cancel(_) => "give up",
        Command::Release => "release",
    }
}
