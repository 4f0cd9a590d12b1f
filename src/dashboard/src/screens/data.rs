//! What the run is trained on: its files, classes and lengths, and what of them may mislead.

mod view;

use ratatui::layout::Size;

pub(crate) use self::view::DataView;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::theme::Styles;

/// Lines of the frame around the screen: a page is what is left.
const AROUND: u16 = 8;

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// The first line shown.
    top: usize,
}

impl Data {
    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, run: &Run, size: Size) {
        let last = view::height(run, size.width).saturating_sub(1);
        let page = usize::from(size.height.saturating_sub(AROUND)).max(1);
        self.top = match action {
            Action::Up => self.top.saturating_sub(1),
            Action::Down => self.top + 1,
            Action::PageUp => self.top.saturating_sub(page),
            Action::PageDown => self.top + page,
            Action::First => 0,
            Action::Last => last,
            _ => self.top,
        }
        .min(last.saturating_sub(page.saturating_sub(1)));
    }

    /// The lines, to be copied.
    #[must_use]
    pub fn copied(&self, run: &Run) -> Option<String> {
        Some(view::lines(run).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    /// The screen as a widget.
    #[must_use]
    pub(crate) fn view<'a>(&'a self, run: &'a Run, styles: &'a Styles) -> DataView<'a> {
        DataView { data: self, run, styles }
    }
}
