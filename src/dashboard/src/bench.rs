//! What the dashboard costs: time, bytes and memory, each measured on made-up runs of a known size.

mod open_log;

use std::time::Instant;

use color_eyre::eyre::eyre;
use pellucid_client::FromRun;
use pellucid_protocol::event::{ModelCard, Started, Step};
use pellucid_protocol::{Event, Metrics, RawSettings, Record, Task};
use ratatui::Terminal;
use ratatui::layout::Size;
use serde_json::{Value, json};

use crate::input::screen::Screen;
use crate::msg::Msg;
use crate::screens::train::ViewSettings;
use crate::state::State;
use crate::terminal::backend::{DiffBackend, terminal_on};
use crate::theme::{Level, Styles, Theme};
use crate::update::update;
use crate::view::View;

/// The terminal that is drawn on.
const SIZE: Size = Size { width: 200, height: 50 };

/// Frames of a measurement.
const FRAMES: u64 = 200;

/// Metrics of a step of a usual run.
const USUAL: [&str; 11] = [
    "loss/total",
    "loss/task",
    "loss/kd",
    "loss/l1",
    "train/accuracy",
    "optim/lr",
    "optim/grad_norm",
    "speed/step_ms",
    "speed/examples_per_s",
    "speed/tokens_per_s",
    "loss/l2",
];

/// Measures everything; `tell` gets one JSON object for each figure.
///
/// # Errors
/// When a log cannot be written and read in the folder for temporary files.
pub fn bench(log_steps: u64, tell: &mut dyn FnMut(Value) -> color_eyre::Result<()>) -> color_eyre::Result<()> {
    let before = resident();
    let mut twenty = Scene::new(20, 100_000)?;
    let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    let after = resident();
    tell(json!({
        "bench": "ui/memory", "series": 20, "points": 100_000, "resident_mib": after.map(mebibytes),
        "mib": after.zip(before).map(|(after, before)| mebibytes(after.saturating_sub(before))),
    }))?;
    twenty.first(tell)?;
    drop(twenty);
    for (charts, points) in [(4, 100_000), (20, 50_000)] {
        Scene::new(charts, points)?.frames(tell)?;
    }
    live(tell)?;
    open_log::open_log(log_steps, tell)
}

/// A run with this many charts, drawn again and again.
struct Scene {
    state: State,
    styles: Styles,
    terminal: Terminal<DiffBackend<Vec<u8>>>,
    charts: usize,
    points: u64,
}

impl Scene {
    fn new(charts: usize, points: u64) -> color_eyre::Result<Self> {
        let titles: Vec<_> = (0..charts).map(|chart| format!("chart{chart:02}")).collect();
        let metrics: Vec<_> = titles.iter().map(|title| format!("{title}/value")).collect();
        let mut state = started(points)?;
        let names: Vec<_> = metrics.iter().map(String::as_str).collect();
        feed(&mut state, &names, 1..=points);
        let view_settings = ViewSettings { charts: Some(titles), ..ViewSettings::default() };
        state.train.set_view_settings(view_settings, &mut state.run);
        Ok(Self { state, styles: styles()?, terminal: terminal_on(Vec::new(), SIZE)?, charts, points })
    }

    fn draw(&mut self) -> std::io::Result<usize> {
        draw(&mut self.terminal, &self.state, &self.styles)
    }

    /// The first frame, and one in which nothing has changed.
    fn first(&mut self, tell: &mut dyn FnMut(Value) -> color_eyre::Result<()>) -> color_eyre::Result<()> {
        let start = Instant::now();
        let bytes = self.draw()?;
        let took = milliseconds(start);
        let idle = self.draw()?;
        tell(json!({"bench": "ui/first_frame", "charts": self.charts, "ms": took, "bytes": bytes, "idle_bytes": idle}))
    }

    /// Frames between which one more step has come.
    fn frames(&mut self, tell: &mut dyn FnMut(Value) -> color_eyre::Result<()>) -> color_eyre::Result<()> {
        let names: Vec<_> = self.state.run.series.keys().cloned().collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (mut times, mut bytes) = (Vec::new(), Vec::new());
        for step in (self.points + 1..).take(FRAMES as usize) {
            feed(&mut self.state, &names, step..=step);
            let start = Instant::now();
            bytes.push(self.draw()? as f64);
            times.push(milliseconds(start));
        }
        let (charts, points) = (self.charts, self.points);
        tell(json!({
            "bench": "ui/frame", "charts": charts, "points": points, "columns": SIZE.width, "rows": SIZE.height,
            "p50_ms": quantile(&mut times, 0.5), "p99_ms": quantile(&mut times, 0.99),
            "p50_bytes": quantile(&mut bytes, 0.5), "p95_bytes": quantile(&mut bytes, 0.95),
        }))
    }
}

/// Bytes of a usual run that is watched: ten steps a frame.
fn live(tell: &mut dyn FnMut(Value) -> color_eyre::Result<()>) -> color_eyre::Result<()> {
    let mut state = started(10_000)?;
    let styles = styles()?;
    let mut terminal = terminal_on(Vec::new(), SIZE)?;
    feed(&mut state, &USUAL, 1..=2000);
    let first = draw(&mut terminal, &state, &styles)?;
    let mut bytes = Vec::new();
    for turn in 0..FRAMES {
        let step = 2001 + turn * 10;
        feed(&mut state, &USUAL, step..=step + 9);
        bytes.push(draw(&mut terminal, &state, &styles)? as f64);
    }
    tell(json!({
        "bench": "ui/live", "first_bytes": first,
        "p50_bytes": quantile(&mut bytes, 0.5), "p95_bytes": quantile(&mut bytes, 0.95),
    }))
}

/// Draws a frame; returns the bytes that it takes.
fn draw(terminal: &mut Terminal<DiffBackend<Vec<u8>>>, state: &State, styles: &Styles) -> std::io::Result<usize> {
    terminal.draw(|frame| frame.render_widget(View { state, styles }, frame.area()))?;
    Ok(terminal.backend_mut().take_sent().len())
}

fn styles() -> color_eyre::Result<Styles> {
    Ok(Styles::new(&Theme::find(None).map_err(|why| eyre!(why))?, Level::Ansi256))
}

/// A run that has begun.
fn started(total_steps: u64) -> color_eyre::Result<State> {
    let mut state = State::new(0.0, SIZE, Screen::Train);
    let record = Record { time: 0.0, event: Event::Started(Box::new(started_event(total_steps)?)) };
    update(&mut state, Msg::Run(FromRun::Records(vec![record])));
    Ok(state)
}

fn started_event(total_steps: u64) -> color_eyre::Result<Started> {
    let raw = RawSettings {
        model: Some("model".into()),
        train: Some("train.jsonl".into()),
        valid: Some("valid.jsonl".into()),
        ..RawSettings::default()
    };
    let model =
        ModelCard { path: "model".into(), family: "bert".into(), layers: 2, hidden: 128, parameters: 4_000_000 };
    Ok(Started {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        log: pellucid_record::log::line::FORMAT,
        run: "bench".to_owned(),
        id: String::new(),
        pid: std::process::id(),
        host: "here".to_owned(),
        device: "none".to_owned(),
        task: Task::default(),
        primary_metric: Task::default().primary_metric().to_owned(),
        model,
        teacher: None,
        labels: vec!["a".to_owned(), "b".to_owned()],
        data: None,
        train_examples: 1000,
        valid_examples: 100,
        steps_per_epoch: 100,
        total_steps,
        resumed: None,
        settings: raw.check()?,
    })
}

fn feed(state: &mut State, names: &[&str], steps: std::ops::RangeInclusive<u64>) {
    for number in steps {
        update(state, Msg::Run(FromRun::Records(vec![step(names, number)])));
    }
}

/// A step whose values fall, with noise.
fn step(names: &[&str], number: u64) -> Record {
    let mut metrics = Metrics::default();
    for (index, name) in names.iter().enumerate() {
        let noise = (number.wrapping_mul(2_654_435_761).wrapping_add(index as u64 * 97) >> 7) % 1000;
        let falling = 1.0 / (1.0 + number as f64 / 5000.0);
        metrics.set(*name, falling + noise as f64 / 4000.0);
    }
    Record {
        time: number as f64 * 0.1,
        event: Event::Step(Step { step: number, epoch: number as f64 / 100.0, metrics }),
    }
}

fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// The value that `share` of the values do not exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let index = (values.len() as f64 * share).ceil() as usize;
    values.get(index.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Bytes of memory in use, where the system tells.
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_counts_and_ratios_are_kept_times_are_told() {
        let mut told = Vec::new();
        bench(2000, &mut |line| {
            told.push(line);
            Ok(())
        })
        .unwrap();
        let of = |bench: &str| told.iter().filter(|line| line["bench"] == bench).collect::<Vec<_>>();
        let number = |line: &Value, name: &str| line[name].as_f64().unwrap_or_else(|| panic!("{name} in {line}"));
        told.iter().for_each(|line| println!("{line}"));
        let first = of("ui/first_frame")[0];
        // Twenty charts full of noise are the worst there is.
        assert!(number(first, "bytes") <= 16_384.0 && number(first, "idle_bytes") == 0.0, "{first}");
        let live = of("ui/live")[0];
        assert!(number(live, "first_bytes") <= 16_384.0, "{live}");
        assert!(number(live, "p50_bytes") <= 300.0 && number(live, "p95_bytes") <= 2048.0, "{live}");
        assert_eq!(of("ui/frame").len(), 2);
        assert_eq!(number(of("ui/open_log")[0], "steps"), 2000.0);
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&mut [3.0, 1.0, 2.0], share)), [1.0, 2.0, 3.0, 3.0]);
        assert!(quantile(&mut [], 0.5).is_nan());
    }
}
