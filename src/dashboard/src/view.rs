//! One frame: what the state looks like.

mod footer;
mod header;
mod overlay;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Widget;

use self::footer::{Footer, ToastLine};
use self::header::Header;
use self::overlay::OverlayView;
use crate::geometry::{HEADER, SMALLEST};
use crate::input::screen::Screen;
use crate::run::{Stage, health};
use crate::screens::explain::TinyExplain;
use crate::screens::samples::TinySamples;
use crate::state::State;
use crate::text;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{below, row};

/// The whole frame.
///
/// ```text
///  pellucid  20260101-triage          ● training  learning: loss falls
///  step 1240 of 3000  ████████···········  41 %   3 m 10 s to go
///  1 Train  2 Explain  3 Samples  4 Layers  5 Log  6 Data
/// ╭──────────────────────────────────────────────────────────────────╮
/// │ the screen                                                       │
/// ╰──────────────────────────────────────────────────────────────────╯
///  e explain  s sort  / filter  p pause  S stop           ? help  q quit
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// What is shown.
    pub state: &'a State,
    /// The styles.
    pub styles: &'a Styles,
}

impl Widget for View<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Self { state, styles } = self;
        if area.width < SMALLEST.width || area.height < SMALLEST.height {
            return self.render_tiny(area, buf);
        }
        let parts = [Constraint::Length(HEADER), Constraint::Fill(1), Constraint::Length(1)];
        let [header, body, footer] = Layout::vertical(parts).areas(area);
        Header { state, styles }.render(header, buf);
        self.render_screen(body, buf);
        ToastLine { state, styles }.render(row(body, body.height - 1), buf);
        Footer { state, styles }.render(footer, buf);
        OverlayView { state, styles }.render(area, buf);
    }
}

impl View<'_> {
    /// The screen that is open, without what surrounds it.
    pub(crate) fn render_screen(self, area: Rect, buf: &mut Buffer) {
        let Self { state, styles } = self;
        if let Stage::Launching(phase, since) = &state.run.stage {
            return Starting { phase, seconds: state.now - since, styles }.render(area, buf);
        }
        match state.screen {
            Screen::Train => state.train.view(&state.run, styles).render(area, buf),
            Screen::Explain => state.explain.view(&state.run, styles).render(area, buf),
            Screen::Samples => state.samples.view(&state.run, styles).render(area, buf),
            Screen::Layers => state.layers.view(&state.run, styles).render(area, buf),
            Screen::Log => state.log.view(styles).render(area, buf),
            Screen::Data => state.data.view(&state.run, styles).render(area, buf),
        }
    }

    /// What matters most, on a terminal that is too small for a screen.
    fn render_tiny(self, area: Rect, buf: &mut Buffer) {
        let Self { state, styles } = self;
        let waits = matches!(state.run.stage, Stage::Launching(..) | Stage::Failed(_));
        match state.screen {
            _ if waits || state.overlay.is_some() => Summary { state, styles }.render(area, buf),
            Screen::Explain => TinyExplain(state.explain.view(&state.run, styles)).render(area, buf),
            Screen::Samples => TinySamples(state.samples.view(&state.run, styles)).render(area, buf),
            Screen::Train | Screen::Layers | Screen::Log | Screen::Data => Summary { state, styles }.render(area, buf),
        }
        if !waits {
            OverlayView { state, styles }.render(area, buf);
        }
    }
}

/// A run that is starting.
///
/// ```text
///              pellucid
///
///        reading data/triage/train.jsonl
///              for 12 s
/// ```
struct Starting<'a> {
    phase: &'a str,
    seconds: f64,
    styles: &'a Styles,
}

impl Widget for Starting<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let top = below(area, (area.height / 2).saturating_sub(3));
        let mut line = |index, words: &str, style| buf.put_centered(row(top, index), words, style);
        line(0, "the worker is starting", styles.accent);
        line(2, self.phase, styles.text);
        line(3, &text::duration(self.seconds), styles.muted);
        line(5, "curves come with the first step", styles.muted);
    }
}

/// A run in a few words, where there is no room for a screen.
///
/// ```text
/// ● training
/// learning: loss falls
/// 1240/3000  41 %
/// 7 m 20 s to go
/// loss 0.341
/// make it 60 x 16
/// ```
struct Summary<'a> {
    state: &'a State,
    styles: &'a Styles,
}

impl Widget for Summary<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (styles, run) = (self.styles, &self.state.run);
        let (stage, health) = (health::state(run), health::judge(run, self.state.now));
        let done = format!("{}/{}  {}", run.step, run.total(), text::percent(run.share()));
        let left = run.remaining().map(|seconds| format!("{} to go", text::remaining(seconds)));
        let loss = run.latest("loss/total").map(|loss| format!("loss {}", text::number(loss)));
        let lines = [
            Some((stage.1.to_owned(), styles.tone(stage.0))),
            Some((health.words, styles.tone(health.tone))),
            run.started.is_some().then_some((done, styles.text)),
            left.map(|left| (left, styles.text)),
            loss.map(|loss| (loss, styles.text)),
            Some((format!("make it {} x {}", SMALLEST.width, SMALLEST.height), styles.muted)),
        ];
        for (y, (words, style)) in (0..).zip(lines.into_iter().flatten()) {
            buf.put(row(area, y), &words, style);
        }
    }
}
