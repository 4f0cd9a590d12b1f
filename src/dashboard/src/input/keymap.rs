//! The keymap: what keys do, and where. Hints, help and documentation come from it.

mod bindings;
mod file;
mod key;

use std::borrow::Cow;

use ratatui::crossterm::event::KeyEvent;

use self::bindings::BINDINGS;
pub use self::key::Key;
use crate::input::screen::Screen;

/// Something a key can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Go to a screen.
    Go(Screen),
    /// Go to the next screen.
    NextScreen,
    /// Go to the screen before.
    PreviousScreen,
    /// Show all keys.
    Help,
    /// Leave, after asking.
    Quit,
    /// Pause or resume the training.
    Pause,
    /// End the training, after asking.
    Stop,
    /// Write a checkpoint.
    Checkpoint,
    /// Draw everything again.
    Redraw,
    /// Go to the background.
    Suspend,
    /// Explain the sample under the cursor, or again.
    Explain,
    /// Explain a text that is typed.
    Type,
    /// The next method.
    NextMethod,
    /// The method before.
    PreviousMethod,
    /// Explain the next class.
    NextClass,
    /// Ask for all figures of the checks.
    Figures,
    /// Explain by the best weights, or by the last ones.
    OtherWeights,
    /// The explanation before.
    Older,
    /// The next explanation.
    Newer,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the start.
    First,
    /// To the end.
    Last,
    /// Change the order.
    Sort,
    /// Filter by text.
    Filter,
    /// Search for a text.
    Search,
    /// The next line with what is searched for.
    NextMatch,
    /// The line with it before.
    PreviousMatch,
    /// Only what is worse.
    Level,
    /// Long lines on several rows, or cut.
    Wrap,
    /// Logarithmic or linear.
    Scale,
    /// A shorter range of steps.
    ZoomIn,
    /// A longer range of steps.
    ZoomOut,
    /// Read the curves one column to the left.
    CursorLeft,
    /// Read the curves one column to the right.
    CursorRight,
    /// The cursor to the other list.
    OtherPane,
    /// Close what is open.
    Close,
    /// Leave, the run goes on.
    Detach,
    /// Stop the run and leave when it has ended.
    StopAndLeave,
    /// End the run at once.
    StopNow,
    /// Yes, stop.
    ConfirmStop,
    /// Take the typed text, or do what is marked.
    Accept,
    /// Earlier steps.
    PanLeft,
    /// Later steps.
    PanRight,
    /// The whole run.
    Whole,
    /// The latest steps.
    Follow,
    /// Read the point before.
    PointBefore,
    /// Read the point after.
    PointAfter,
    /// One chart alone, or all.
    Full,
    /// Another horizontal axis.
    Axis,
    /// More smoothing.
    Smooth,
    /// Show or hide the points behind smoothed lines.
    Points,
    /// Choose the charts.
    Charts,
    /// What the marked chart measures.
    Measures,
    /// Show or hide the marked chart.
    Turn,
    /// The usual charts.
    Usual,
    /// One step of a paused training.
    OneStep,
    /// Change what can be changed in a run.
    Values,
    /// A smaller value.
    Less,
    /// A larger value.
    More,
    /// Find a command by its name.
    Palette,
    /// Play or pause a record.
    Play,
    /// One step back in a record.
    StepBack,
    /// One step on in a record.
    StepOn,
    /// To the evaluation before.
    EvaluationBack,
    /// To the next evaluation.
    EvaluationOn,
    /// Half as fast.
    Slower,
    /// Twice as fast.
    Faster,
    /// To the start of a record.
    RecordStart,
    /// To the end of a record.
    RecordEnd,
    /// Copy to the clipboard.
    Copy,
    /// Copy to the clipboard, for programs.
    CopyData,
    /// Mask the marked word, or put it back.
    Mask,
    /// Leave the marked word out, or put it back.
    Delete,
    /// Replace the marked word.
    Retype,
    /// The marked word as it was.
    Restore,
    /// All words as they were.
    Undo,
    /// Look at the same in another way.
    View,
    /// Explain all samples that are shown, or cancel that.
    Survey,
    /// Count words that differ only in case as one word, or as two.
    Case,
    /// Words that may be shortcuts.
    Suspects,
    /// All runs beside this one, as points of one picture.
    Frontier,
    /// The next configuration.
    NextGroup,
    /// The configuration before.
    PreviousGroup,
    /// Read the runs again.
    Reread,
}

/// Where a key is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On every screen.
    Everywhere,
    /// On one screen.
    On(Screen),
    /// In the help.
    Help,
    /// In the question before leaving a run that goes on.
    Leaving,
    /// In the question before a stop.
    Stopping,
    /// While typing.
    Typing,
    /// In the choice of charts.
    Charts,
    /// In what a chart measures.
    Measures,
    /// In the list of commands.
    Palette,
    /// In the values that can be changed.
    Values,
    /// On the words of the explained samples.
    Words,
    /// On the words that may be shortcuts.
    Suspects,
    /// On the picture of all runs.
    Frontier,
}

impl Place {
    /// All places in the order of the help.
    pub const ALL: [Place; 18] = [
        Place::Everywhere,
        Place::On(Screen::Train),
        Place::On(Screen::Explain),
        Place::On(Screen::Samples),
        Place::Words,
        Place::Suspects,
        Place::On(Screen::Layers),
        Place::On(Screen::Log),
        Place::On(Screen::Data),
        Place::Frontier,
        Place::Leaving,
        Place::Stopping,
        Place::Typing,
        Place::Charts,
        Place::Measures,
        Place::Palette,
        Place::Values,
        Place::Help,
    ];

    /// Whether the keys for everywhere are valid in it too.
    #[must_use]
    pub fn is_screen(self) -> bool {
        matches!(self, Place::On(_) | Place::Words | Place::Suspects)
    }

    /// The heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Place::Everywhere => "Everywhere",
            Place::On(screen) => screen.title(),
            Place::Help => "This help",
            Place::Leaving => "Leaving",
            Place::Stopping => "Stopping",
            Place::Typing => "Typing",
            Place::Charts => "Choosing charts",
            Place::Measures => "What a chart measures",
            Place::Palette => "Commands",
            Place::Values => "Values",
            Place::Words => "Words of the samples",
            Place::Suspects => "Words that may be shortcuts",
            Place::Frontier => "Frontier of all runs",
        }
    }
}

/// What an action needs in order to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A record that is played.
    Record,
    /// A run that goes on and answers.
    Training,
    /// A paused run that answers.
    Paused,
    /// A worker that answers.
    Worker,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The keys; the first one is shown on screen.
    pub keys: Cow<'static, [Key]>,
    /// What they do.
    pub action: Action,
    /// Where.
    pub place: Place,
    /// What they need.
    pub needs: Needs,
    /// One or two words at the foot of the screen; empty: only in the help.
    pub hint: &'static str,
    /// One line in the help.
    pub help: &'static str,
}

/// The keys as they are used: the table, with the changes of the user.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: BINDINGS.to_vec() }
    }
}

impl Keymap {
    /// All lines.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// What `event` means in `place`; keys for everywhere do not reach into dialogs.
    #[must_use]
    pub fn action(&self, place: Place, event: &KeyEvent) -> Option<&Binding> {
        let key = Key::of(event);
        let found =
            |wanted: Place| self.bindings.iter().find(|binding| binding.place == wanted && binding.keys.contains(&key));
        found(place).or_else(|| found(Place::Everywhere).filter(|_| place.is_screen()))
    }

    /// The bindings that are shown at the foot of the screen in `place`, what belongs to the place first.
    pub fn hints(&self, place: Place) -> impl Iterator<Item = &Binding> {
        let shared = place.is_screen().then_some(Place::Everywhere);
        let (own, late) = (self.in_place(Some(place)), self.in_place(Some(place)));
        let own = own.filter(|binding| !binding.action.is_late()).chain(self.in_place(shared));
        own.chain(late.filter(|binding| binding.action.is_late())).filter(|binding| !binding.hint.is_empty())
    }

    fn in_place(&self, place: Option<Place>) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| Some(binding.place) == place && !binding.keys.is_empty())
    }
}

impl Action {
    /// Whether its hint gives way to those for every screen where there is not room for all.
    fn is_late(self) -> bool {
        matches!(
            self,
            Action::Full
                | Action::Measures
                | Action::Axis
                | Action::Charts
                | Action::Smooth
                | Action::Older
                | Action::Newer
        )
    }

    /// Its name in a file: `zoom-in`, `go-train`.
    #[must_use]
    pub fn name(self) -> String {
        kebab(&format!("{self:?}"))
    }
}

/// `ZoomIn` and `Go(Train)` as `zoom-in` and `go-train`.
fn kebab(name: &str) -> String {
    let mut written = String::new();
    for c in name.chars().filter(|&c| c != ')') {
        if (c.is_uppercase() || c == '(') && !written.is_empty() && !written.ends_with('-') {
            written.push('-');
        }
        written.extend(c.to_lowercase().filter(|&c| c != '('));
    }
    written
}

impl Binding {
    /// The first key as shown on screen.
    #[must_use]
    pub fn key(&self) -> String {
        self.keys.first().map(Key::name).unwrap_or_default()
    }

    /// All keys as shown in the help.
    #[must_use]
    pub fn all_keys(&self) -> String {
        self.keys.iter().map(Key::name).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    const EXPLAIN: Place = Place::On(Screen::Explain);
    const LOG: Place = Place::On(Screen::Log);

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (index, one) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[index + 1..] {
                let clash = one.place == other.place && one.keys.iter().any(|key| other.keys.contains(key));
                assert!(!clash, "{:?} and {:?}", one.action, other.action);
            }
        }
    }

    #[test]
    fn every_place_can_be_left_and_every_line_is_explained() {
        for place in Place::ALL {
            let leaves = |binding: &&Binding| {
                matches!(binding.action, Action::Close | Action::Quit)
                    && [place, Place::Everywhere].contains(&binding.place)
            };
            assert!(BINDINGS.iter().any(|binding| leaves(&binding)), "{place:?}");
        }
        assert!(BINDINGS.iter().all(|binding| !binding.keys.is_empty() && (1..=52).contains(&binding.help.len())));
    }

    #[test]
    fn a_screen_comes_before_everywhere() {
        let event = KeyEvent::new(KeyCode::Char('t'), KeyModifiers::NONE);
        assert_eq!(Keymap::default().action(EXPLAIN, &event).map(|binding| binding.hint), Some("type a text"));
        assert_eq!(Keymap::default().action(LOG, &event).map(|binding| binding.action), Some(Action::Type));
        assert!(Keymap::default().action(Place::Stopping, &event).is_none());
        let shifted = KeyEvent::new(KeyCode::Char('S'), KeyModifiers::SHIFT);
        assert_eq!(Keymap::default().action(LOG, &shifted).map(|binding| binding.action), Some(Action::Stop));
    }
}
