//! The event loop of the dashboard: waits, handles all messages that have come, draws one frame.

pub mod allocator;
mod fault;
mod files;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use color_eyre::eyre::{WrapErr, eyre};
use pellucid_files::bounded;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

pub(crate) use self::files::answer;
use pellucid_client::{FromRun, Link};

use crate::config;
use crate::input::keymap::Keymap;
use crate::input::reader::{self, Input};
use crate::input::screen::Screen;
use crate::msg::{Background, Effect, Exit, Msg};
use crate::state::{Alerts, Change, Rights, State};
use crate::terminal::{Mouse, Tui};
use crate::theme::{ColorChoice, Glyphs, Level, Styles, Theme};
use crate::update::update;
use crate::view::View;
use crate::widgets::ascii;

/// How the dashboard looks and behaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A shipped theme's name, a name in `~/.config/pellucid/themes`, or the path of a theme file; by
    /// default dark or light, as the terminal is.
    pub theme: Option<String>,
    /// How many colours; by default what the environment says.
    pub color: Option<ColorChoice>,
    /// What dots are drawn with; by default what the environment says.
    pub glyphs: Option<Glyphs>,
    /// The first screen; by default the training.
    pub screen: Option<Screen>,
    /// Frames a second for what comes from the run; by default 5, and 4 over SSH.
    pub fps: Option<u8>,
    /// How the user is notified.
    pub alerts: Alerts,
    /// Whether the mouse is used.
    pub mouse: Mouse,
    /// What the user may do.
    pub rights: Rights,
}

/// Shortest times between two frames.
#[derive(Debug, Clone, Copy)]
struct Rates {
    input: Duration,
    data: Duration,
}

impl Rates {
    /// Over SSH every frame goes over the network.
    fn choose(fps: Option<u8>) -> Self {
        let remote = std::env::var_os("SSH_CONNECTION").is_some();
        let fps = f64::from(fps.unwrap_or(if remote { 4 } else { 5 }).clamp(1, 60));
        let data = Duration::from_secs_f64(1.0 / fps);
        // With more frames a second, keys are answered as fast.
        Self { input: Duration::from_millis(33).min(data), data }
    }
}

/// The user's own keys, where there are any.
///
/// # Errors
/// When they make no sense.
pub fn keymap() -> color_eyre::Result<Keymap> {
    let Some(path) = config::path("keys.toml").filter(|path| path.is_file()) else { return Ok(Keymap::default()) };
    let shown = path.display().to_string();
    let text = bounded::read_text(&path, bounded::SETTINGS).wrap_err_with(|| shown.clone())?;
    Keymap::read(&text, &shown).map_err(|why| eyre!(why))
}

/// How long the first frame waits for the terminal to say whether it is light or dark.
const BACKGROUND_TIMEOUT: Duration = Duration::from_millis(40);

/// Shows a run until the user leaves it.
///
/// # Errors
/// When the theme is not known, the user's keys make no sense, or there is no terminal.
pub async fn run(link: Link, options: Options) -> color_eyre::Result<Exit> {
    let theme = Theme::find(options.theme.as_deref()).map_err(|why| eyre!(why))?;
    let keys = keymap()?;
    let variable = |name: &str| std::env::var(name).ok();
    let level = Level::choose(options.color.unwrap_or_default(), variable);
    let glyphs = options.glyphs.unwrap_or_else(|| Glyphs::detect(variable));
    let styles = Styles::new(&theme, level).with(glyphs);
    let terminal = Tui::take(options.mouse).wrap_err("the dashboard needs a terminal")?;
    let mut state = State::new(clock(), Tui::size()?, options.screen.unwrap_or_default());
    (state.keys, state.rights, state.alerts) = (keys, options.rights, options.alerts);
    let mut screen = Loop::new(link, state, styles, terminal)?;
    screen.rates = Rates::choose(options.fps);
    if options.theme.is_none() && level != Level::None {
        screen.ask_background()?;
    }
    let close_reason = screen.link.close_reason.clone();
    let exit = screen.run().await;
    if matches!(exit, Ok(Exit::HungUp)) {
        close_reason.hang_up();
    }
    exit
}

/// Seconds since 1970.
fn clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Everything that the loop waits for and writes to.
struct Loop {
    link: Link,
    /// Whether anything can still come from the run.
    link_state: LinkState,
    state: State,
    styles: Styles,
    terminal: Tui,
    rates: Rates,
    /// No frame is drawn before this time: the terminal has been asked for its background.
    held: Option<Instant>,
    keys: mpsc::UnboundedReceiver<Input>,
    files: mpsc::UnboundedReceiver<Msg>,
    answers: mpsc::UnboundedSender<Msg>,
    signals: Signals,
    tick: Interval,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
    /// When the last frame was drawn that a key or the mouse had asked for.
    answered: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Open,
    Closed,
}

/// Signals that end or change the screen.
struct Signals {
    hang_up: Signal,
    terminate: Signal,
    resize: Signal,
    back: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            resize: signal(SignalKind::window_change())?,
            back: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }
}

/// What one turn of the loop woke up for.
enum Wakeup {
    Message(Msg),
    Draw,
    Resized,
    CalledBack,
    Leave(Exit),
}

impl Loop {
    fn new(link: Link, state: State, styles: Styles, terminal: Tui) -> color_eyre::Result<Self> {
        let mut tick = interval(Duration::from_millis(500));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (answers, files) = mpsc::unbounded_channel();
        Ok(Self {
            link,
            link_state: LinkState::Open,
            state,
            styles,
            terminal,
            rates: Rates::choose(None),
            held: None,
            keys: reader::listen()?,
            files,
            answers,
            signals: Signals::new()?,
            tick,
            drawn: None,
            answered: None,
        })
    }

    /// Asks whether the terminal is light or dark. The first frame waits for the answer, but not for long.
    fn ask_background(&mut self) -> std::io::Result<()> {
        self.terminal.ask_background()?;
        self.held = Some(Instant::now() + BACKGROUND_TIMEOUT);
        Ok(())
    }

    /// Changes to the light theme on a light background; the dark theme is the default.
    fn suit(&mut self, background: Background) {
        self.held = None;
        if let (Background::Light, Ok(theme)) = (background, Theme::find(Some("light"))) {
            self.styles = Styles::new(&theme, self.styles.level).with(self.styles.glyphs);
            self.state.touch(Change::Input);
        }
    }

    async fn run(mut self) -> color_eyre::Result<Exit> {
        loop {
            let wakeup = self.wait().await;
            match self.handle(wakeup) {
                Ok(None) => {}
                Ok(Some(exit)) => return Ok(exit),
                // A failed write to a terminal that is gone is no error to report.
                Err(_) if reader::is_gone() => return Ok(Exit::HungUp),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the next thing to do. Keys come first, so that a flood of records cannot delay them; drawing comes
    /// before more data, so that records cannot delay a frame.
    async fn wait(&mut self) -> Wakeup {
        let due = self.due();
        tokio::select! {
            biased;
            input = self.keys.recv() => match input {
                Some(Input::Message(message)) => Wakeup::Message(message),
                Some(Input::Gone) | None => Wakeup::Leave(Exit::HungUp),
            },
            _ = self.signals.hang_up.recv() => Wakeup::Leave(Exit::HungUp),
            _ = self.signals.terminate.recv() => Wakeup::Leave(Exit::Detached),
            _ = self.signals.resize.recv() => Wakeup::Resized,
            _ = self.signals.back.recv() => Wakeup::CalledBack,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Wakeup::Draw,
            Some(answer) = self.files.recv() => Wakeup::Message(answer),
            message = self.link.incoming.recv(), if self.link_state == LinkState::Open => self.received(message),
            _ = self.tick.tick() => Wakeup::Message(Msg::Tick(clock())),
        }
    }

    fn received(&mut self, message: Option<FromRun>) -> Wakeup {
        if message.is_none() {
            self.link_state = LinkState::Closed;
        }
        Wakeup::Message(message.map_or(Msg::Closed, Msg::Run))
    }

    /// When the next frame may be drawn; `None` when there is nothing to draw.
    fn due(&self) -> Option<Instant> {
        let (last, pause) = match self.state.change {
            Change::Nothing => return None,
            Change::Data => (self.drawn, self.rates.data),
            // A key does not wait because data was drawn just before it.
            Change::Input => (self.answered, self.rates.input),
        };
        let due = last.map_or_else(Instant::now, |last| last + pause);
        Some(self.held.map_or(due, |held| held.max(due)))
    }

    fn handle(&mut self, wakeup: Wakeup) -> std::io::Result<Option<Exit>> {
        match wakeup {
            Wakeup::Leave(exit) => return Ok(Some(exit)),
            Wakeup::Draw => self.draw()?,
            Wakeup::Resized => {
                // The terminal has rearranged what it showed, even when it is back at the size before.
                self.terminal.forget()?;
                self.state.touch(Change::Input);
                return self.take(Msg::Resize(Tui::size()?));
            }
            Wakeup::CalledBack => {
                self.terminal.retake()?;
                self.state.touch(Change::Input);
            }
            // In case the reader of keys has missed it.
            Wakeup::Message(Msg::Tick(_)) if reader::is_gone() => return Ok(Some(Exit::HungUp)),
            Wakeup::Message(Msg::Background(background)) => self.suit(background),
            Wakeup::Message(message) => return self.drain(message),
        }
        Ok(None)
    }

    /// Handles a message and those that have come from the run meanwhile, up to a limit that lets keys through.
    fn drain(&mut self, first: Msg) -> std::io::Result<Option<Exit>> {
        self.state.now = clock();
        let mut exit = self.take(first)?;
        for _ in 0..64 {
            let Ok(message) = self.link.incoming.try_recv() else { break };
            exit = exit.or(self.take(Msg::Run(message))?);
        }
        Ok(exit)
    }

    fn take(&mut self, message: Msg) -> std::io::Result<Option<Exit>> {
        let all_read = matches!(message, Msg::Run(FromRun::Connected | FromRun::ViewOnly(_)));
        let mut exit = None;
        for effect in update(&mut self.state, message) {
            exit = exit.or(self.perform(effect)?);
        }
        if all_read {
            allocator::give_back();
        }
        Ok(exit)
    }

    fn perform(&mut self, effect: Effect) -> std::io::Result<Option<Exit>> {
        match effect {
            Effect::Quit(exit) => return Ok(Some(exit)),
            // A run that is opened read-only gets no commands.
            Effect::Send(_) if self.state.rights == Rights::Look => {}
            Effect::Send(command) => {
                if self.link.commands.send(command).is_err() {
                    return self.take(Msg::Closed);
                }
            }
            Effect::Play(play) => {
                if let Some(player) = &self.link.play {
                    // A player that is gone has nothing more to show.
                    let _ = player.send(play);
                }
            }
            Effect::Copy(text) => self.terminal.copy(&text)?,
            Effect::Notify(words) => self.terminal.notify(self.state.alerts, &words)?,
            Effect::Redraw => {
                fault::on_redraw();
                self.terminal.forget()?;
            }
            Effect::Suspend => {
                self.terminal.suspend()?;
                self.state.touch(Change::Input);
            }
            reading => files::read(reading, self.answers.clone()),
        }
        Ok(None)
    }

    fn draw(&mut self) -> std::io::Result<()> {
        let (state, styles) = (&self.state, &self.styles);
        self.terminal.draw(state.size, |frame| {
            frame.render_widget(View { state, styles }, frame.area());
            if styles.glyphs == Glyphs::Ascii {
                ascii::fold(frame.buffer_mut());
            }
        })?;
        self.drawn = Some(Instant::now());
        if std::mem::replace(&mut self.state.change, Change::Nothing) == Change::Input {
            self.answered = self.drawn;
        }
        self.held = None;
        Ok(())
    }
}
