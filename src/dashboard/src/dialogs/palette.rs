//! All that can be done, found by its name.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use pellucid_protocol::LiveSetting;

use crate::input::keymap::{Action, Needs, Place};
use crate::run::live;
use crate::state::{Palette, State};

/// What is done when a line is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemAction {
    /// As if its key were pressed.
    Act(Action),
    /// Change this value.
    Value(LiveSetting),
    /// Show this chart alone.
    Chart(String),
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it does, for people.
    pub words: String,
    /// Its keys.
    pub keys: String,
    /// What it does.
    pub action: ItemAction,
}

/// The lines that fit what was typed, the best first.
#[must_use]
pub(crate) fn lines(palette: &Palette, state: &State) -> Vec<Line> {
    rank(palette.input.value(), all(state))
}

/// All that makes sense now.
fn all(state: &State) -> Vec<Line> {
    let here = [state.ground(), Place::Everywhere];
    let mut lines: Vec<Line> = Vec::new();
    for binding in state.keys.bindings().iter().filter(|binding| here.contains(&binding.place)) {
        let known = lines.iter().any(|line| line.action == ItemAction::Act(binding.action));
        if !known && binding.action != Action::Palette && state.has(binding.needs) {
            let words = sentence(state.hint(binding.action, binding.hint), binding.help);
            lines.push(Line { words, keys: binding.all_keys(), action: ItemAction::Act(binding.action) });
        }
    }
    if state.has(Needs::Training) {
        lines.extend(live::offered(&state.run).into_iter().map(|key| Line {
            words: format!("set {key}: {}", key.title()),
            keys: String::new(),
            action: ItemAction::Value(key),
        }));
    }
    let charts = state.train.choice(&state.run).into_iter();
    lines.extend(charts.map(|(title, _)| Line {
        words: format!("chart: {title}"),
        keys: String::new(),
        action: ItemAction::Chart(title),
    }));
    lines
}

fn sentence(hint: &str, help: &str) -> String {
    if hint.is_empty() { help.to_owned() } else { format!("{hint}: {help}") }
}

/// The lines that have the letters of `typed` in their order, the closest first.
fn rank(typed: &str, lines: Vec<Line>) -> Vec<Line> {
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut letters = Vec::new();
    let mut scored: Vec<_> = lines
        .into_iter()
        .filter_map(|line| Some((pattern.score(Utf32Str::new(&line.words, &mut letters), &mut matcher)?, line)))
        .collect();
    // Stable: of equals the first in the table comes first.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;
    use tui_input::Input;

    use super::*;
    use crate::{Screen, fixture};

    fn found(typed: &str, screen: Screen) -> Vec<Line> {
        let state = fixture::live(300, Size { width: 80, height: 24 }, screen);
        lines(&Palette { input: Input::new(typed.to_owned()), cursor: 0 }, &state)
    }

    #[test]
    fn a_few_letters_find_it() {
        for (typed, action) in [
            ("ckpt", ItemAction::Act(Action::Checkpoint)),
            ("pause", ItemAction::Act(Action::Pause)),
            ("log sc", ItemAction::Act(Action::Scale)),
            ("set lr", ItemAction::Value(LiveSetting::Lr)),
            ("temperature", ItemAction::Value(LiveSetting::KdTemperature)),
            ("chart loss", ItemAction::Chart("loss".to_owned())),
        ] {
            assert_eq!(found(typed, Screen::Train).first().map(|line| line.action.clone()), Some(action), "{typed}");
        }
        assert!(found("zzzz", Screen::Train).is_empty());
    }

    #[test]
    fn only_what_makes_sense_is_there() {
        let sorts = |line: &Line| line.action == ItemAction::Act(Action::Sort);
        assert!(found("", Screen::Samples).iter().any(sorts));
        assert!(!found("", Screen::Train).iter().any(sorts));
        assert!(
            !found("", Screen::Train).iter().any(|line| line.action == ItemAction::Act(Action::OneStep)),
            "it is not held"
        );
    }
}
