//! What happened in the run, and what its worker printed.

use std::collections::VecDeque;

use pellucid_protocol::event::{CheckpointKind, Level, Outcome};
use pellucid_protocol::explanation::Asker;
use pellucid_protocol::{Event, Metrics, Record, SurveyState};
use ratatui::layout::{Rect, Size};

use crate::ui::clock;
use crate::ui::health::Tone;
use crate::ui::keymap::Action;
use crate::ui::text;
use crate::ui::view;
use crate::ui::widgets::paper::{Paper, below, from, row, to};

/// Lines that are kept.
const KEPT: usize = 10_000;

/// Lines that are copied at most.
const COPIED: usize = 200;

/// Seconds between two looks at the worker's output.
const PERIOD: f64 = 1.0;

/// One line of the upper list.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    time: f64,
    step: u64,
    tone: Tone,
    sign: &'static str,
    words: String,
}

/// Which list the cursor keys move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Events,
    Worker,
}

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    tail: Vec<String>,
    pane: Pane,
    /// Lines between the end of each list and the end of what is shown; 0 follows.
    back: [usize; 2],
    looked: f64,
    /// The step of the last record.
    step: u64,
}

impl Log {
    /// Forgets the records.
    pub fn rewind(&mut self) {
        self.entries.clear();
        self.step = 0;
    }

    /// Takes a record in, if it is worth a line.
    pub fn take(&mut self, record: &Record) {
        if let Event::Step(step) = &record.event {
            self.step = step.step;
        }
        let Some((tone, sign, words)) = entry(&record.event) else { return };
        let step = step(&record.event).unwrap_or(self.step);
        self.entries.push_back(Entry { time: record.time, step, tone, sign, words });
        if self.entries.len() > KEPT {
            self.entries.pop_front();
        }
        if self.back[0] > 0 {
            self.back[0] += 1;
        }
    }

    /// The worker's output was read; whether it has changed.
    pub fn set_tail(&mut self, lines: Vec<String>) -> bool {
        let changed = self.tail != lines;
        self.tail = lines;
        changed
    }

    /// Whether it is time for another look at the worker's output.
    pub fn is_due(&mut self, now: f64) -> bool {
        let due = now >= self.looked + PERIOD;
        if due {
            self.looked = now;
        }
        due
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, size: Size) {
        let page = usize::from(view::body(size).height / 2).saturating_sub(2).max(1);
        let (index, length) = match self.pane {
            Pane::Events => (0, self.entries.len()),
            Pane::Worker => (1, self.tail.len()),
        };
        let back = &mut self.back[index];
        match action {
            Action::OtherPane => self.pane = if self.pane == Pane::Events { Pane::Worker } else { Pane::Events },
            Action::Up => *back += 1,
            Action::Down => *back = back.saturating_sub(1),
            Action::PageUp => *back += page,
            Action::PageDown => *back = back.saturating_sub(page),
            Action::First => *back = length,
            Action::Last => *back = 0,
            _ => {}
        }
        self.back[index] = self.back[index].min(length.saturating_sub(1));
    }

    /// The lines of the list that the cursor keys move, as far as they come before what is shown last.
    #[must_use]
    pub fn copied(&self) -> Option<String> {
        let lines: Vec<String> = match self.pane {
            Pane::Events => {
                let words =
                    |entry: &Entry| format!("{}\t{}\t{}", clock::show(entry.time, "%H:%M:%S"), entry.step, entry.words);
                self.entries.iter().map(words).collect()
            }
            Pane::Worker => self.tail.clone(),
        };
        let end = lines.len().saturating_sub(self.back[usize::from(self.pane == Pane::Worker)]);
        Some(lines[end.saturating_sub(COPIED)..end].join("\n"))
    }

    /// ```text
    /// ╭ events ──────────────────────────────────╮
    /// │ 14:03:12    400  ✔ evaluated: accuracy …  │
    /// ╰──────────────────────────────────────────╯
    /// ╭ worker output ───────────────────────────╮
    /// │ [W] a warning of libtorch                │
    /// ╰──────────────────────────────────────────╯
    /// ```
    pub fn draw(&self, paper: &mut Paper, area: Rect) {
        let upper = if area.height < 12 { area.height } else { area.height - area.height / 3 };
        let (events, worker) = (Rect { height: upper, ..area }, below(area, upper));
        if area.height < 12 && self.pane == Pane::Worker {
            return self.draw_worker(paper, area);
        }
        self.draw_events(paper, events);
        self.draw_worker(paper, worker);
    }

    fn draw_events(&self, paper: &mut Paper, area: Rect) {
        let inside = self.list(paper, area, Pane::Events);
        let (start, end) = window(self.entries.len(), inside.height, self.back[0]);
        for (index, entry) in self.entries.range(start..end).enumerate() {
            draw_entry(entry, paper, row(inside, index as u16));
        }
    }

    fn draw_worker(&self, paper: &mut Paper, area: Rect) {
        let inside = self.list(paper, area, Pane::Worker);
        let (start, end) = window(self.tail.len(), inside.height, self.back[1]);
        let muted = paper.styles.muted;
        for (index, line) in self.tail[start..end].iter().enumerate() {
            paper.write(row(inside, index as u16), line, muted);
        }
    }

    /// The box of a list; the one that the keys move has a sign.
    fn list(&self, paper: &mut Paper, area: Rect, pane: Pane) -> Rect {
        let (index, name) = if pane == Pane::Events { (0, "events") } else { (1, "worker output") };
        let title = if self.pane == pane { format!("▸ {name}") } else { name.to_owned() };
        let inside = paper.boxed(area, &title);
        let words = if self.back[index] == 0 { "follows".to_owned() } else { format!("{} below", self.back[index]) };
        paper.corner(area, &words, paper.styles.muted);
        to(from(inside, 1), inside.width.saturating_sub(2))
    }
}

/// The lines of a list of `length` that are shown.
fn window(length: usize, height: u16, back: usize) -> (usize, usize) {
    let end = length.saturating_sub(back).max(usize::from(height).min(length));
    (end.saturating_sub(usize::from(height)), end)
}

fn draw_entry(entry: &Entry, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let style = match entry.tone {
        Tone::Good => styles.good,
        Tone::Plain => styles.text,
        Tone::Warn => styles.warn,
        Tone::Bad => styles.bad,
    };
    let plain = if entry.tone == Tone::Bad { styles.bad } else { styles.text };
    let step = format!("{:>7} ", entry.step);
    let sign = format!(" {} ", entry.sign);
    paper.line(
        area,
        &[
            (&clock::show(entry.time, "%H:%M:%S"), styles.muted),
            (&step, styles.muted),
            (&sign, style),
            (&entry.words, plain),
        ],
    );
}

fn step(event: &Event) -> Option<u64> {
    match event {
        Event::Started(_) => Some(0),
        Event::Step(step) => Some(step.step),
        Event::Eval(eval) => Some(eval.step),
        Event::Checkpoint(checkpoint) => Some(checkpoint.step),
        Event::Setting(setting) => Some(setting.step),
        Event::Alert(alert) => Some(alert.step),
        Event::Explained(explanation) => Some(explanation.step),
        Event::WhatIf(answer) => Some(answer.step),
        Event::Survey(survey) => Some(survey.step),
        Event::Ended(ended) => Some(ended.step),
        Event::Unknown => None,
    }
}

fn entry(event: &Event) -> Option<(Tone, &'static str, String)> {
    Some(match event {
        Event::Started(started) => (
            Tone::Plain,
            "▸",
            format!("started: {} training and {} validation examples", started.train_examples, started.valid_examples),
        ),
        Event::Eval(eval) => (
            if eval.best { Tone::Good } else { Tone::Plain },
            if eval.best { "★" } else { "·" },
            format!("evaluated: {}{}", measures(&eval.metrics), if eval.best { ", the best so far" } else { "" }),
        ),
        Event::Checkpoint(checkpoint) => {
            let kind = match checkpoint.kind {
                CheckpointKind::Best => "best checkpoint",
                CheckpointKind::Last => "last checkpoint",
                CheckpointKind::Requested => "checkpoint as asked",
            };
            (Tone::Good, "✔", format!("{kind}: {}", checkpoint.path))
        }
        Event::Setting(setting) => {
            (Tone::Plain, "▸", format!("{} is now {}", setting.key, plain_value(&setting.value)))
        }
        Event::Alert(alert) => (
            match alert.level {
                Level::Info => Tone::Plain,
                Level::Warning => Tone::Warn,
                Level::Error => Tone::Bad,
            },
            match alert.level {
                Level::Info => "·",
                Level::Warning => "⚠",
                Level::Error => "✖",
            },
            alert.message.clone(),
        ),
        Event::Survey(survey) if survey.state != SurveyState::Going => {
            let tone = if survey.state == SurveyState::Done { Tone::Good } else { Tone::Warn };
            (tone, "·", format!("explained {} of {} samples", survey.done, survey.total))
        }
        // Those of a survey are told of at its end.
        Event::Explained(explanation) if !explanation.partial && explanation.asker == Asker::Person => {
            let subject = explanation.sample.map_or_else(|| "a text".to_owned(), |index| format!("sample {index}"));
            (Tone::Plain, "·", format!("explained {subject}"))
        }
        Event::Ended(ended) => match ended.outcome {
            Outcome::Finished => (Tone::Good, "✔", "finished".to_owned()),
            Outcome::Stopped => {
                let more = ended.message.as_deref().map_or_else(String::new, |message| format!(": {message}"));
                (Tone::Warn, "■", format!("stopped{more}"))
            }
            Outcome::Failed | Outcome::Died => {
                let word = if ended.outcome == Outcome::Died { "died" } else { "failed" };
                (Tone::Bad, "✖", format!("{word}: {}", ended.message.as_deref().unwrap_or("no reason given")))
            }
        },
        Event::Step(_) | Event::Explained(_) | Event::WhatIf(_) | Event::Survey(_) | Event::Unknown => return None,
    })
}

fn measures(metrics: &Metrics) -> String {
    let named = [("valid/accuracy", "accuracy"), ("valid/loss", "loss"), ("valid/f1", "F1")];
    let shown =
        named.iter().filter_map(|(metric, name)| Some(format!("{name} {}", text::number(metrics.get(metric)?))));
    shown.collect::<Vec<_>>().join(", ")
}

fn plain_value(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
