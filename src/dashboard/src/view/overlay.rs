//! What lies over a screen: help, questions, lists, a line to type on.

mod help;
mod lists;
mod measures;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect, Size};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::{Clear, Widget};
use tui_input::Input;

use self::help::Help;
use self::lists::{ChartsList, CommandsList, ValuesList};
use self::measures::Measures;
use crate::run::Stage;
use crate::state::{Overlay, State};
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// What is open over the screen.
pub(super) struct OverlayView<'a> {
    pub(super) state: &'a State,
    pub(super) styles: &'a Styles,
}

impl Widget for OverlayView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Self { state, styles } = self;
        match &state.overlay {
            None => {}
            Some(Overlay::Help(top)) => Help { state, top: *top, styles }.render(area, buf),
            Some(Overlay::Leaving) => self.render_question("leave", leaving_fact(state), area, buf),
            Some(Overlay::Stopping) => {
                self.render_question("stop the training", "This cannot be undone.", area, buf);
            }
            Some(Overlay::Text(input)) => {
                let width = area.width * 4 / 5;
                TypingDialog { title: "explain this text", input, width, styles }.render(area, buf);
            }
            Some(Overlay::Retype(input)) => TypingDialog::short("replace the word by", input, styles).render(area, buf),
            Some(Overlay::Search(input)) => TypingDialog::short("search the log", input, styles).render(area, buf),
            Some(Overlay::Filter(input)) => TypingDialog::short("only samples with", input, styles).render(area, buf),
            Some(Overlay::Charts(cursor)) => ChartsList { state, cursor: *cursor, styles }.render(area, buf),
            Some(Overlay::Measures(top)) => Measures { state, top: *top, styles }.render(area, buf),
            Some(Overlay::Palette(open)) => CommandsList { state, open, styles }.render(area, buf),
            Some(Overlay::Values(open)) => ValuesList { state, open, styles }.render(area, buf),
        }
    }
}

fn leaving_fact(state: &State) -> &'static str {
    if state.run.stage == Stage::Paused { "The run is paused and stays paused." } else { "The run goes on." }
}

impl OverlayView<'_> {
    /// ```text
    /// ╭─ leave ─────────────────────────────────────╮
    /// │ The run goes on.                            │
    /// │                                             │
    /// │ d    leave; the training goes on            │
    /// │ s    end the training, then leave           │
    /// │ Esc  stay here                              │
    /// ╰─────────────────────────────────────────────╯
    /// ```
    fn render_question(&self, title: &str, fact: &str, area: Rect, buf: &mut Buffer) {
        let Self { state, styles } = self;
        let choices = state.keys.bindings().iter();
        let choices: Vec<_> =
            choices.filter(|binding| binding.place == state.place() && state.has(binding.needs)).collect();
        let size = Size { width: 76, height: choices.len() as u16 + 4 };
        let inside = Dialog { title, size, styles }.draw(area, buf);
        buf.put(row(inside, 0), fact, styles.text);
        for (index, binding) in choices.iter().enumerate() {
            let line = row(inside, index as u16 + 2);
            buf.put(to(line, 4), &binding.key(), styles.accent);
            buf.put(from(line, 5), binding.help, styles.text);
        }
    }
}

/// A line to type on.
///
/// ```text
/// ╭─ explain this text ─────────────────────────╮
/// │ the pain is sudd_                           │
/// ╰─────────────────────────────────────────────╯
/// ```
struct TypingDialog<'a> {
    title: &'a str,
    input: &'a Input,
    width: u16,
    styles: &'a Styles,
}

impl<'a> TypingDialog<'a> {
    /// For a word or two.
    fn short(title: &'a str, input: &'a Input, styles: &'a Styles) -> Self {
        Self { title, input, width: 60, styles }
    }
}

impl Widget for TypingDialog<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let size = Size { width: self.width, height: 3 };
        let inside = Dialog { title: self.title, size, styles: self.styles }.draw(area, buf);
        InputLine { input: self.input, styles: self.styles }.render(inside, buf);
    }
}

/// A blank box in the middle of a frame.
struct Dialog<'a> {
    title: &'a str,
    /// Its size, where the frame is large enough for it.
    size: Size,
    styles: &'a Styles,
}

impl Dialog<'_> {
    /// Draws the box; returns its inside, without a margin at both sides.
    fn draw(self, area: Rect, buf: &mut Buffer) -> Rect {
        let place = area.centered(Constraint::Length(self.size.width), Constraint::Length(self.size.height));
        // A column of air at both sides sets it apart from what is below.
        let air = Rect { x: place.x.saturating_sub(1), width: place.width + 2, ..place };
        Clear.render(air.intersection(area), buf);
        inset(Panel::new(self.title, self.styles).draw(place, buf))
    }
}

/// A line that is typed on, with its cursor.
struct InputLine<'a> {
    input: &'a Input,
    styles: &'a Styles,
}

impl Widget for InputLine<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (input, styles) = (self.input, self.styles);
        let room = usize::from(area.width.saturating_sub(1).max(1));
        let before: String = input.value().chars().take(input.cursor()).collect();
        let mut after = input.value().chars().skip(input.cursor());
        let under = after.next().unwrap_or(' ').to_string();
        let rest: String = after.collect();
        let cursor = Style::new().add_modifier(Modifier::REVERSED);
        let spans = [
            Span::styled(end_of(&before, room), styles.text),
            Span::styled(under, cursor),
            Span::styled(rest, styles.text),
        ];
        buf.put_spans(area, &spans);
    }
}

/// The end of `content` that fits.
fn end_of(content: &str, room: usize) -> String {
    let mut kept: Vec<char> = Vec::new();
    let mut used = 0;
    for c in content.chars().rev() {
        used += text::width(&c.to_string()).max(1);
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.into_iter().rev().collect()
}

/// The first line of a list that is shown, so that the marked one is.
fn first_shown(cursor: usize, height: u16) -> usize {
    (cursor + 1).saturating_sub(usize::from(height))
}
