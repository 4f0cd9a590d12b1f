//! What keys do in lists: charts to choose, commands to find, values to change.

use pellucid_protocol::{Command, SetRequest};

use super::{act, look, open, send};
use crate::dialogs::palette::{self, ItemAction};
use crate::input::keymap::Action;
use crate::input::screen::Screen;
use crate::msg::Effect;
use crate::run::live::{Direction, Values};
use crate::state::{Overlay, Palette, State};

/// In the choice of charts, which stays open until it is closed.
pub(super) fn charts(state: &mut State, cursor: usize, action: Action) -> Vec<Effect> {
    let choice = state.train.choice(&state.run);
    let count = choice.len().max(1);
    let cursor = match action {
        Action::Close => return Vec::new(),
        Action::Up => (cursor + count - 1) % count,
        Action::Down => (cursor + 1) % count,
        _ => cursor,
    };
    open(state, Overlay::Charts(cursor));
    look(state, |state| match (action, choice.get(cursor)) {
        (Action::Turn, Some((title, _))) => state.train.turn_chart(title, &state.run),
        (Action::Usual, _) => state.train.usual_charts(),
        _ => {}
    })
}

/// In the list of commands.
pub(super) fn commands(state: &mut State, typed: Palette, action: Action) -> Vec<Effect> {
    let lines = palette::lines(&typed, state);
    let count = lines.len().max(1);
    let cursor = typed.cursor.min(count - 1);
    match action {
        Action::Up => open(state, Overlay::Palette(Palette { cursor: (cursor + count - 1) % count, ..typed })),
        Action::Down => open(state, Overlay::Palette(Palette { cursor: (cursor + 1) % count, ..typed })),
        Action::Accept => match lines.into_iter().nth(cursor) {
            Some(line) => perform(state, line.action),
            // What is not known is no reason to lose what was typed.
            None => open(state, Overlay::Palette(typed)),
        },
        _ => Vec::new(),
    }
}

fn perform(state: &mut State, action: ItemAction) -> Vec<Effect> {
    match action {
        ItemAction::Act(action) => act(state, action),
        ItemAction::Value(key) => {
            let values = Values::at(key, &state.run);
            open(state, Overlay::Values(values))
        }
        ItemAction::Chart(title) => {
            state.screen = Screen::Train;
            look(state, |state| state.train.show_alone(&title, &state.run))
        }
    }
}

/// In the values that can be changed. It stays open: a value is often changed twice.
pub(super) fn values(state: &mut State, mut values: Values, action: Action) -> Vec<Effect> {
    let mut effects = Vec::new();
    match action {
        Action::Close => return effects,
        Action::Up => values.go(&state.run, -1),
        Action::Down => values.go(&state.run, 1),
        Action::Less => values.nudge(&state.run, Direction::Down),
        Action::More => values.nudge(&state.run, Direction::Up),
        Action::Accept => match values.wanted(&state.run) {
            Ok((key, value)) => {
                effects = send(Command::Set(SetRequest { key, value }));
                values.draft.reset();
            }
            Err(why) => values.trouble = Some(why),
        },
        _ => {}
    }
    open(state, Overlay::Values(values));
    effects
}
