//! All that the screen knows.

use pellucid_client::{Motion, Playback};
use pellucid_protocol::Command;
use pellucid_protocol::event::Outcome;
use ratatui::layout::Size;
use tui_input::Input;

use crate::input::keymap::{Action, Keymap, Needs, Place};
use crate::input::screen::Screen;
use crate::msg::{Effect, Exit};
use crate::run::health::{self, Health};
use crate::run::live::Values;
use crate::run::{Access, Run, Stage};
use crate::screens::data::Data;
use crate::screens::explain::Explain;
use crate::screens::layers::Layers;
use crate::screens::log::Log;
use crate::screens::samples::Samples;
use crate::screens::train::Train;
use crate::theme::Tone;

/// What lies over a screen.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    /// All keys, from this line on.
    Help(usize),
    /// Detach or stop?
    Leaving,
    /// Stop?
    Stopping,
    /// A text to be explained.
    Text(Input),
    /// The filter of the samples.
    Filter(Input),
    /// What is searched for in the log.
    Search(Input),
    /// A replacement for the marked word.
    Retype(Input),
    /// The choice of charts; the marked one.
    Charts(usize),
    /// What the marked chart measures, from this line on.
    Measures(usize),
    /// The list of commands.
    Palette(Palette),
    /// The settings that can be changed.
    Values(Values),
}

/// The list of commands: what was typed, and the marked line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Palette {
    /// What was typed.
    pub input: Input,
    /// The marked line.
    pub cursor: usize,
}

/// What the user may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rights {
    /// Look at a run and steer it.
    #[default]
    Steer,
    /// Look at it; nothing is sent to it and nothing is written.
    Look,
}

/// How the user is notified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Alerts {
    /// Not at all.
    #[default]
    Off,
    /// By the bell of the terminal.
    Bell,
    /// By a notification of the terminal (OSC 9).
    Notify,
}

/// A line that goes away by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Toast {
    /// What it says.
    pub text: String,
    /// Whether it is good or bad news.
    pub tone: Tone,
    /// When it goes.
    pub until: f64,
}

/// What has happened since the last frame; the greater one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Nothing that can be seen.
    Nothing,
    /// Something came from the run: soon is early enough.
    Data,
    /// The user waits for it.
    Input,
}

/// What happens when the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// The screen stays.
    Stay,
    /// The screen goes too: the user has stopped the run to leave.
    Leave,
}

/// All that the screen knows.
#[derive(Debug)]
pub(crate) struct State {
    /// Seconds since 1970, as of the last tick.
    pub now: f64,
    /// Size of the terminal.
    pub size: Size,
    /// The screen that is open.
    pub screen: Screen,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// The line that goes away by itself.
    pub toast: Option<Toast>,
    /// What has happened since the last frame.
    pub change: Change,
    /// What happens when the run ends.
    pub at_end: AtEnd,
    /// How the record is played, if it is one.
    pub playback: Option<Playback>,
    /// The keys.
    pub keys: Keymap,
    /// What the user may do.
    pub rights: Rights,
    /// How the user is notified.
    pub alerts: Alerts,
    /// The run.
    pub run: Run,
    /// The screen of that name.
    pub train: Train,
    /// The screen of that name.
    pub explain: Explain,
    /// The screen of that name.
    pub samples: Samples,
    /// The screen of that name.
    pub layers: Layers,
    /// The screen of that name.
    pub log: Log,
    /// The screen of that name.
    pub data: Data,
}

impl State {
    /// Nothing is known yet.
    #[must_use]
    pub(crate) fn new(now: f64, size: Size, screen: Screen) -> Self {
        Self {
            now,
            size,
            screen,
            overlay: None,
            toast: None,
            change: Change::Input,
            at_end: AtEnd::Stay,
            playback: None,
            keys: Keymap::default(),
            rights: Rights::Steer,
            alerts: Alerts::Off,
            run: Run::new(now),
            train: Train::default(),
            explain: Explain::default(),
            samples: Samples::default(),
            layers: Layers::default(),
            log: Log::default(),
            data: Data::default(),
        }
    }

    /// Notes that something has changed.
    pub(crate) fn touch(&mut self, change: Change) {
        self.change = self.change.max(change);
    }

    /// Where keys go.
    #[must_use]
    pub(crate) fn place(&self) -> Place {
        match &self.overlay {
            None => self.ground(),
            Some(Overlay::Help(_)) => Place::Help,
            Some(Overlay::Leaving) => Place::Leaving,
            Some(Overlay::Stopping) => Place::Stopping,
            Some(Overlay::Text(_) | Overlay::Filter(_) | Overlay::Search(_) | Overlay::Retype(_)) => Place::Typing,
            Some(Overlay::Charts(_)) => Place::Charts,
            Some(Overlay::Measures(_)) => Place::Measures,
            Some(Overlay::Palette(_)) => Place::Palette,
            Some(Overlay::Values(_)) => Place::Values,
        }
    }

    /// Where keys go when nothing lies over the screen.
    #[must_use]
    pub(crate) fn ground(&self) -> Place {
        match self.screen {
            Screen::Samples if self.samples.shows_words() => Place::Words,
            Screen::Samples if self.samples.shows_suspects() => Place::Suspects,
            screen => Place::On(screen),
        }
    }

    /// Whether what an action needs is there.
    #[must_use]
    pub(crate) fn has(&self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::Record => self.playback.is_some(),
            Needs::Training => self.run.answers() && self.run.is_going(),
            Needs::Paused => self.run.answers() && self.run.stage == Stage::Paused,
            Needs::Worker => self.run.explains(),
        }
    }

    /// Why an action that needs something is not possible.
    #[must_use]
    pub(crate) fn why_not(&self) -> String {
        match (&self.run.access, &self.run.stage) {
            (Access::Record, _) => "this is a record; `pellucid attach` connects to a run that is going on".to_owned(),
            (Access::ViewOnly(why), _) => format!("view only: {why}"),
            (Access::ReadOnly, _) => "opened read-only: nothing is sent to the training".to_owned(),
            (_, Stage::Launching(..)) | (Access::Waiting, _) => "the worker is still starting".to_owned(),
            (_, Stage::Running) => "only while the training is paused; p pauses it".to_owned(),
            _ => "the run has ended".to_owned(),
        }
    }

    /// The word for an action at the foot of the screen, where it depends on the state.
    #[must_use]
    pub(crate) fn hint<'a>(&self, action: Action, otherwise: &'a str) -> &'a str {
        match action {
            Action::Pause if self.run.stage == Stage::Paused => "resume",
            Action::Play if self.playback.is_some_and(|playback| playback.motion == Motion::Playing) => "pause",
            Action::Survey if self.samples.is_surveyed() => "give up",
            _ => otherwise,
        }
    }

    /// Forgets what came from the run: it comes again.
    pub(crate) fn rewind(&mut self) {
        self.run = self.run.rewound(self.now);
        self.log.rewind();
        self.explain = Explain::default();
        self.samples.rewind();
        self.touch(Change::Data);
    }

    /// Shows a line for a while.
    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let seconds = if tone == Tone::Good || tone == Tone::Plain { 4.0 } else { 8.0 };
        self.toast = Some(Toast { text: text.into(), tone, until: self.now + seconds });
        self.touch(Change::Data);
    }

    /// What changes with time alone.
    #[must_use]
    pub(crate) fn timely(&self) -> (Health, bool) {
        (health::judge(&self.run, self.now), self.toast.is_some())
    }

    /// The effects of leaving the dashboard in this state.
    #[must_use]
    pub(crate) fn farewell(&self) -> Vec<Effect> {
        let exit = match &self.run.stage {
            Stage::Failed(why) => Exit::Failed(why.clone()),
            Stage::Ended(Outcome::Failed | Outcome::Died, why) => {
                Exit::Failed(why.clone().unwrap_or_else(|| "no reason given".into()))
            }
            Stage::Ended(Outcome::Stopped, _) if self.at_end == AtEnd::Leave => Exit::Stopped,
            Stage::Ended(outcome, _) => Exit::Ended(*outcome),
            Stage::Launching(..) | Stage::Running | Stage::Paused => Exit::Detached,
        };
        let over = matches!(self.run.stage, Stage::Ended(..)) && self.run.answers();
        let release = over.then_some(Effect::Send(Command::Release));
        release.into_iter().chain([Effect::Quit(exit)]).collect()
    }
}
