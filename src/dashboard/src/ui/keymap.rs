//! The one table of keys: what they do, where, and how that is called. Hints, help and docs come from it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Screen;

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
    /// Hold the training, or go on.
    Pause,
    /// End the training, after asking.
    Stop,
    /// Write a checkpoint.
    Checkpoint,
    /// Draw everything anew.
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
    /// Take the typed text.
    Accept,
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
}

impl Place {
    /// All places in the order of the help.
    pub const ALL: [Place; 10] = [
        Place::Everywhere,
        Place::On(Screen::Train),
        Place::On(Screen::Explain),
        Place::On(Screen::Samples),
        Place::On(Screen::Layers),
        Place::On(Screen::Log),
        Place::Leaving,
        Place::Stopping,
        Place::Typing,
        Place::Help,
    ];

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
        }
    }
}

/// What must be so for an action to make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A run that goes on and answers.
    Training,
    /// A worker that answers.
    Worker,
}

/// A key as pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The keys; the first one is shown on screen.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// Where.
    pub place: Place,
    /// What must be so.
    pub needs: Needs,
    /// One or two words at the foot of the screen; empty: only in the help.
    pub hint: &'static str,
    /// One line in the help.
    pub help: &'static str,
}

const fn ch(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: false }
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}

const fn on(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

const fn bind(
    keys: &'static [Key],
    action: Action,
    place: Place,
    (needs, hint, help): (Needs, &'static str, &'static str),
) -> Binding {
    Binding { keys, action, place, needs, hint, help }
}

const ANY: Place = Place::Everywhere;
const TRAIN: Place = Place::On(Screen::Train);
const EXPLAIN: Place = Place::On(Screen::Explain);
const SAMPLES: Place = Place::On(Screen::Samples);
const LOG: Place = Place::On(Screen::Log);

const FREE: Needs = Needs::Nothing;

/// The table.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    bind(&[ch('?'), on(KeyCode::F(1))], Action::Help, ANY, (FREE, "help", "show all keys")),
    bind(&[ch('q'), ctrl('c')], Action::Quit, ANY, (FREE, "quit", "leave; a run that goes on can be left running")),
    bind(&[ch('p')], Action::Pause, ANY, (Needs::Training, "pause", "hold the training, or go on with it")),
    bind(&[ch('c')], Action::Checkpoint, ANY, (Needs::Training, "checkpoint", "write a checkpoint now")),
    bind(&[ch('S')], Action::Stop, ANY, (Needs::Training, "stop", "end the training, after asking")),
    bind(&[ch('1')], Action::Go(Screen::Train), ANY, (FREE, "", "curves, progress and health")),
    bind(&[ch('2')], Action::Go(Screen::Explain), ANY, (FREE, "", "what one answer is based on")),
    bind(&[ch('3')], Action::Go(Screen::Samples), ANY, (FREE, "", "the validation samples and the answers to them")),
    bind(&[ch('4')], Action::Go(Screen::Layers), ANY, (FREE, "", "sparsity of each encoder layer")),
    bind(&[ch('5')], Action::Go(Screen::Log), ANY, (FREE, "", "what happened, and what the worker printed")),
    bind(&[on(KeyCode::Tab)], Action::NextScreen, ANY, (FREE, "", "the next screen")),
    bind(&[on(KeyCode::BackTab)], Action::PreviousScreen, ANY, (FREE, "", "the screen before")),
    bind(&[ch('t')], Action::Type, ANY, (Needs::Worker, "", "explain a text that you type")),
    bind(&[ctrl('l')], Action::Redraw, ANY, (FREE, "", "draw everything anew")),
    bind(&[ctrl('z')], Action::Suspend, ANY, (FREE, "", "go to the background; fg comes back")),

    bind(&[on(KeyCode::Left), ch('h')], Action::CursorLeft, TRAIN, (FREE, "read", "read the curves at an earlier step")),
    bind(&[on(KeyCode::Right)], Action::CursorRight, TRAIN, (FREE, "", "read the curves at a later step")),
    bind(&[on(KeyCode::Esc), on(KeyCode::End)], Action::Close, TRAIN, (FREE, "", "back to the latest values")),
    bind(&[ch('+'), ch('=')], Action::ZoomIn, TRAIN, (FREE, "zoom", "show a shorter range of the latest steps")),
    bind(&[ch('-')], Action::ZoomOut, TRAIN, (FREE, "", "show a longer range of steps")),
    bind(&[ch('l')], Action::Scale, TRAIN, (FREE, "log scale", "losses on a logarithmic or a linear scale")),

    bind(&[ch('m'), ch('j'), on(KeyCode::Down)], Action::NextMethod, EXPLAIN, (FREE, "method", "the next method")),
    bind(&[ch('M'), ch('k'), on(KeyCode::Up)], Action::PreviousMethod, EXPLAIN, (FREE, "", "the method before")),
    bind(&[on(KeyCode::Left), ch('[')], Action::Older, EXPLAIN, (FREE, "older", "the explanation before")),
    bind(&[on(KeyCode::Right), ch(']')], Action::Newer, EXPLAIN, (FREE, "newer", "the next explanation; the last one follows the run")),
    bind(&[ch('x')], Action::NextClass, EXPLAIN, (Needs::Worker, "class", "explain the next class")),
    bind(&[ch('t')], Action::Type, EXPLAIN, (Needs::Worker, "type a text", "explain a text that you type")),
    bind(&[ch('e'), on(KeyCode::Enter)], Action::Explain, EXPLAIN, (Needs::Worker, "again", "explain the same text again, by the weights of now")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, EXPLAIN, (FREE, "", "up in a long text")),
    bind(&[on(KeyCode::PageDown)], Action::PageDown, EXPLAIN, (FREE, "", "down in a long text")),

    bind(&[ch('e'), on(KeyCode::Enter)], Action::Explain, SAMPLES, (FREE, "explain", "see what the answer to this sample is based on")),
    bind(&[ch('s')], Action::Sort, SAMPLES, (FREE, "sort", "order: as read, loss, errors, unlike the teacher")),
    bind(&[ch('/')], Action::Filter, SAMPLES, (FREE, "filter", "only samples with a text in them; empty: all")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, SAMPLES, (FREE, "", "one sample up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, SAMPLES, (FREE, "", "one sample down")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, SAMPLES, (FREE, "", "one page up")),
    bind(&[on(KeyCode::PageDown), ch(' ')], Action::PageDown, SAMPLES, (FREE, "", "one page down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, SAMPLES, (FREE, "", "to the first sample")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, SAMPLES, (FREE, "", "to the last sample")),

    bind(&[ch('w')], Action::OtherPane, LOG, (FREE, "other list", "scroll the other list: events or worker output")),
    bind(&[on(KeyCode::Up), ch('k')], Action::Up, LOG, (FREE, "scroll", "one line up")),
    bind(&[on(KeyCode::Down), ch('j')], Action::Down, LOG, (FREE, "", "one line down")),
    bind(&[on(KeyCode::PageUp)], Action::PageUp, LOG, (FREE, "", "one page up")),
    bind(&[on(KeyCode::PageDown), ch(' ')], Action::PageDown, LOG, (FREE, "", "one page down")),
    bind(&[on(KeyCode::Home), ch('g')], Action::First, LOG, (FREE, "", "to the start")),
    bind(&[on(KeyCode::End), ch('G')], Action::Last, LOG, (FREE, "follow", "to the end, and stay there")),

    bind(&[ch('d'), on(KeyCode::Enter), ctrl('c')], Action::Detach, Place::Leaving, (FREE, "detach", "leave; the training goes on")),
    bind(&[ch('s')], Action::StopAndLeave, Place::Leaving, (Needs::Training, "stop", "evaluate, write a checkpoint, end, and leave")),
    bind(&[on(KeyCode::Esc), ch('q'), ch('n')], Action::Close, Place::Leaving, (FREE, "stay", "stay here")),

    bind(&[ch('y'), on(KeyCode::Enter)], Action::ConfirmStop, Place::Stopping, (FREE, "stop", "evaluate, write a checkpoint, end the training")),
    bind(&[ch('K')], Action::StopNow, Place::Stopping, (FREE, "stop at once", "end at once: no evaluation, no checkpoint")),
    bind(&[on(KeyCode::Esc), ch('q'), ch('n'), ctrl('c')], Action::Close, Place::Stopping, (FREE, "train on", "let it train on")),

    bind(&[on(KeyCode::Enter)], Action::Accept, Place::Typing, (FREE, "done", "take the text")),
    bind(&[on(KeyCode::Esc), ctrl('c')], Action::Close, Place::Typing, (FREE, "cancel", "leave it as it was")),

    bind(&[on(KeyCode::Esc), ch('?'), ch('q'), ctrl('c')], Action::Close, Place::Help, (FREE, "close", "close the help")),
    bind(&[on(KeyCode::Down), ch('j'), on(KeyCode::PageDown)], Action::Down, Place::Help, (FREE, "more", "further down")),
    bind(&[on(KeyCode::Up), ch('k'), on(KeyCode::PageUp)], Action::Up, Place::Help, (FREE, "", "back up")),
];

/// What `event` means in `place`; keys for everywhere do not reach into dialogs.
#[must_use]
pub fn action(place: Place, event: &KeyEvent) -> Option<&'static Binding> {
    let key = Key { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) };
    let found = |wanted: Place| BINDINGS.iter().find(|binding| binding.place == wanted && binding.keys.contains(&key));
    match place {
        Place::On(_) => found(place).or_else(|| found(Place::Everywhere)),
        _ => found(place),
    }
}

/// The bindings that are shown at the foot of the screen in `place`, what belongs to the place first.
pub fn hints(place: Place) -> impl Iterator<Item = &'static Binding> {
    let own = BINDINGS.iter().filter(move |binding| binding.place == place);
    let shared =
        BINDINGS.iter().filter(move |binding| matches!(place, Place::On(_)) && binding.place == Place::Everywhere);
    own.chain(shared).filter(|binding| !binding.hint.is_empty())
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

impl Key {
    fn name(&self) -> String {
        match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.ctrl => format!("Ctrl-{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(action(EXPLAIN, &event).map(|binding| binding.hint), Some("type a text"));
        assert_eq!(action(LOG, &event).map(|binding| binding.action), Some(Action::Type));
        assert!(action(Place::Stopping, &event).is_none());
        let shifted = KeyEvent::new(KeyCode::Char('S'), KeyModifiers::SHIFT);
        assert_eq!(action(LOG, &shifted).map(|binding| binding.action), Some(Action::Stop));
    }
}
