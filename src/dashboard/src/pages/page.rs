//! A screen of its own, without a run that goes on, and the loop that shows it.

use color_eyre::eyre::{WrapErr, eyre};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};
use ratatui::text::Span;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::Options;
use crate::input::reader::{Input, listen};
use crate::msg::{Background, Msg, Pointer};
use crate::terminal::Tui;
use crate::theme::{Glyphs, Level, Styles, Theme};
use crate::widgets::{PutText, ascii};

/// A screen that draws itself and takes keys until it has an answer.
pub trait Page {
    /// What comes of it.
    type Answer;

    /// Draws all of it.
    fn render(&self, styles: &Styles, area: Rect, buf: &mut Buffer);

    /// A key was pressed; an answer closes the screen.
    fn press(&mut self, key: &KeyEvent, size: Size) -> Option<Self::Answer>;

    /// The mouse was used; an answer closes the screen.
    fn point(&mut self, _: Pointer, _: Size) -> Option<Self::Answer> {
        None
    }
}

/// The styles that options and environment ask for.
///
/// # Errors
/// When the theme is not known.
pub fn styles(options: &Options) -> color_eyre::Result<Styles> {
    let theme = Theme::find(options.theme.as_deref()).map_err(|why| eyre!(why))?;
    let variable = |name: &str| std::env::var(name).ok();
    let level = Level::choose(options.color.unwrap_or_default(), variable);
    Ok(Styles::new(&theme, level).with(options.glyphs.unwrap_or_else(|| Glyphs::detect(variable))))
}

/// Shows a page until it has an answer; `None` when the terminal is gone.
///
/// # Errors
/// When the theme is not known, or there is no terminal.
pub async fn show<P: Page>(page: &mut P, options: &Options) -> color_eyre::Result<Option<P::Answer>> {
    let mut styles = styles(options)?;
    let mut terminal = Tui::take(options.mouse).wrap_err("this needs a terminal")?;
    let mut keys = listen()?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    let mut back = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    if options.theme.is_none() && styles.level != Level::None {
        terminal.ask_background()?;
    }
    loop {
        let size = Tui::size()?;
        draw(page, &styles, &mut terminal, size)?;
        tokio::select! {
            input = keys.recv() => match input {
                Some(Input::Message(Msg::Key(key))) if suspends(&key) => terminal.suspend()?,
                Some(Input::Message(Msg::Key(key))) => {
                    if let Some(answer) = page.press(&key, size) {
                        return Ok(Some(answer));
                    }
                }
                Some(Input::Message(Msg::Pointer(pointer))) => {
                    if let Some(answer) = page.point(pointer, size) {
                        return Ok(Some(answer));
                    }
                }
                Some(Input::Message(Msg::Background(Background::Light))) => {
                    let options = Options { theme: Some("light".to_owned()), ..options.clone() };
                    styles = self::styles(&options)?;
                }
                Some(Input::Message(_)) => {}
                Some(Input::Gone) | None => return Ok(None),
            },
            _ = hung_up.recv() => return Ok(None),
            _ = resized.recv() => terminal.forget()?,
            _ = back.recv() => terminal.retake()?,
        }
    }
}

fn suspends(key: &KeyEvent) -> bool {
    key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL)
}

fn draw<P: Page>(page: &P, styles: &Styles, terminal: &mut Tui, size: Size) -> std::io::Result<()> {
    terminal.draw(size, |frame| {
        page.render(styles, frame.area(), frame.buffer_mut());
        if styles.glyphs == Glyphs::Ascii {
            ascii::fold(frame.buffer_mut());
        }
    })
}

/// The first line of a page: the program, and what it shows.
pub(super) fn render_title(words: &str, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let program = Span::styled("pellucid", styles.accent);
    buf.put_spans(area, &[program, Span::styled("   ", styles.text), Span::styled(words, styles.text)]);
}
