//! Above every screen: which run, how far, how well; and the tabs.

use pellucid_client::{Motion, Playback};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Tabs, Widget};

use crate::input::screen::Screen;
use crate::run::{Access, Run, Stage, health};
use crate::state::State;
use crate::text;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::bar::{Bar, Weight};

/// The lines above the screens.
///
/// ```text
///  pellucid  20260101-triage  bert, 4 layers, 3.20M  cpu       ● training  learning: loss falls
///  step 1240 of 3000  ████████████··········  41 %   3 m 10 s to go
///  1 Train  2 Explain  3 Samples  4 Layers  5 Log  6 Data
/// ```
pub(super) struct Header<'a> {
    pub(super) state: &'a State,
    pub(super) styles: &'a Styles,
}

impl Widget for Header<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let used = self.render_health(inset(row(area, 0)), buf);
        self.render_names(to(from(row(area, 0), 1), area.width.saturating_sub(used + 4)), buf);
        self.render_progress(inset(row(area, 1)), buf);
        self.render_tabs(inset(row(area, 2)), buf);
    }
}

impl Header<'_> {
    /// The stage of the run with its sign, and how well it does; returns the columns used.
    fn render_health(&self, area: Rect, buf: &mut Buffer) -> u16 {
        let (run, styles) = (&self.state.run, self.styles);
        let (stage, health) = (health::state(run), health::judge(run, self.state.now));
        let tag = match &run.access {
            Access::Record => "  view only",
            Access::ViewOnly(_) if run.stage != Stage::Running => "  view only",
            Access::ReadOnly => "  read-only",
            _ => "",
        };
        let starting = matches!(run.stage, Stage::Launching(..));
        let room = usize::from((area.width + 2) / 2);
        let words = if starting { String::new() } else { text::clip(&health.words, room).into_owned() };
        let spans = [
            Span::styled(stage.1, styles.tone(stage.0)),
            Span::styled(tag, styles.muted),
            Span::styled("  ", styles.text),
            Span::styled(words, styles.tone(health.tone)),
        ];
        buf.put_spans_right(area, &spans)
    }

    /// The run, its model, its device: as many of them as there is room for, in this order.
    fn render_names(&self, area: Rect, buf: &mut Buffer) {
        let (run, styles) = (&self.state.run, self.styles);
        let name = Span::styled("pellucid", styles.accent.add_modifier(Modifier::BOLD));
        let mut x = buf.put_spans(area, &[name, Span::styled("  ", styles.text)]);
        x += buf.put(from(area, x), &run.name(), styles.strong);
        for part in cards(run) {
            if usize::from(x) + 3 + text::width(&part) > usize::from(area.width) {
                break;
            }
            let spans = [Span::styled("   ", styles.text), Span::styled(part, styles.muted)];
            x += buf.put_spans(from(area, x), &spans);
        }
    }

    fn render_progress(&self, area: Rect, buf: &mut Buffer) {
        let (run, styles) = (&self.state.run, self.styles);
        if run.started.is_none() {
            return;
        }
        let total = run.total().to_string();
        // As wide as the last step will be, so that the bar does not move.
        let step = format!("{:>width$}", run.step, width = total.len());
        let spans = [
            Span::styled("step ", styles.muted),
            Span::styled(step, styles.strong),
            Span::styled(" of ", styles.muted),
            Span::styled(total, styles.text),
        ];
        let mut used = buf.put_spans(area, &spans);
        if area.width >= 100 {
            used += buf.put(from(area, used), &format!("   epoch {:.2}", run.epoch), styles.muted);
        }
        let tail = format!("{:>5}   {:<17}", text::percent(run.share()), time_left(run));
        let width = area.width.saturating_sub(used + text::width(&tail) as u16 + 3);
        let style = styles.tone(health::state(run).0);
        Bar { share: run.share(), weight: Weight::Thin, style, styles }.render(to(from(area, used + 2), width), buf);
        buf.put_spans_right(area, &[Span::styled(tail, styles.text)]);
    }

    /// The tabs; at the end of their line, how a record is played.
    fn render_tabs(&self, area: Rect, buf: &mut Buffer) {
        let (state, styles) = (self.state, self.styles);
        if let Some(playback) = state.playback {
            buf.put_spans_right(area, &playback_spans(playback, styles));
        }
        let tab = |(index, screen): (usize, Screen)| {
            let (key, name) = (format!(" {} ", index + 1), format!("{} ", screen.title()));
            if screen == state.screen {
                Line::from(format!("{key}{name}"))
            } else {
                Line::from(vec![Span::styled(key, styles.accent), Span::styled(name, styles.muted)])
            }
        };
        Tabs::new(Screen::ALL.into_iter().enumerate().map(tab))
            .select(Screen::ALL.iter().position(|screen| *screen == state.screen))
            .highlight_style(styles.accent.add_modifier(Modifier::BOLD | Modifier::REVERSED))
            .padding("", "")
            .divider(" ")
            .render(area, buf);
    }
}

/// Model, device and teacher, each in a few words.
fn cards(run: &Run) -> impl Iterator<Item = String> {
    let cards = run.started.as_ref().map(|started| {
        let card = |model: &pellucid_protocol::event::ModelCard| {
            format!("{}, {} layers, {}", model.family, model.layers, text::number(model.parameters as f64))
        };
        let teacher = started.teacher.as_ref().map(|teacher| format!("teacher {}", card(teacher)));
        [Some(card(&started.model)), Some(format!("{} on {}", started.device, started.host)), teacher]
    });
    cards.into_iter().flatten().flatten()
}

fn time_left(run: &Run) -> String {
    match (&run.stage, run.remaining()) {
        (Stage::Running, Some(_)) if run.step >= run.total() => "last evaluation".to_owned(),
        (Stage::Running, Some(seconds)) => format!("{} to go", text::remaining(seconds)),
        (Stage::Paused, Some(seconds)) => format!("{} of work left", text::remaining(seconds)),
        (Stage::Ended(..), _) => format!("took {}", text::duration(run.throughput.worked())),
        _ => String::new(),
    }
}

fn playback_spans(playback: Playback, styles: &Styles) -> [Span<'static>; 3] {
    let sign = match playback.motion {
        Motion::Playing => "▶",
        Motion::Held => "Ⅱ",
        Motion::AtEnd => "■",
    };
    let speed = format!(" {}x", text::number(playback.speed));
    [Span::styled("record ", styles.muted), Span::styled(sign, styles.accent), Span::styled(speed, styles.text)]
}
