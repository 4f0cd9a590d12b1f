//! Nothing foreign reaches the terminal: the corpus of hostile texts in every place of every screen.

use pellucid_client::FromRun;
use pellucid_protocol::Method;
use pellucid_protocol::event::{Alert, Checkpoint, CheckpointKind, Eval, Outcome, Setting, Step};
use pellucid_protocol::explanation::Span;
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::{Event, Metrics, Record, Sample};
use pellucid_record::Piece;
use ratatui::buffer::Buffer;

use super::{press, size, styles};
use crate::msg::Msg;
use crate::pages::compare::Compare;
use crate::pages::page::Page;
use crate::pages::picker::{Entry, Picker};
use crate::picture::{frame, svg};
use crate::state::State;
use crate::theme::Level;
use crate::update::update;
use crate::{Options, Screen, Tone, fixture};

/// Bytes of a cell at most: a character and the marks that may be on it.
const LARGEST_CELL: usize = 64;

/// Names and texts.
fn corpus() -> Vec<(String, String)> {
    let file = include_str!("../../../../tests/hostile/texts.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    serde_json::from_value(file["texts"].clone()).unwrap()
}

/// Records with `text` wherever a record has text.
fn records(text: &str) -> Vec<Record> {
    let mut started = fixture::started(3000);
    if let Event::Started(started) = &mut started.event {
        for place in [&mut started.run, &mut started.device, &mut started.host, &mut started.version] {
            text.clone_into(place);
        }
        started.labels = vec![text.to_owned(); 3];
        text.clone_into(&mut started.model.family);
        text.clone_into(&mut started.model.path);
        started.teacher = Some(started.model.clone());
        started.settings.model = text.into();
        started.settings.train = text.into();
    }
    let mut metrics = Metrics::default();
    metrics.set("loss/total", 0.5);
    metrics.set(text, 0.5);
    let events = [
        Event::Step(Step { step: 451, epoch: 0.5, metrics: metrics.clone() }),
        Event::Eval(Eval { step: 451, epoch: 0.5, metrics, best: true, predictions: Some(text.to_owned()) }),
        Event::Checkpoint(Checkpoint { step: 451, kind: CheckpointKind::Requested, path: text.to_owned() }),
        Event::Setting(Setting { step: 451, key: text.to_owned(), value: text.into() }),
        Event::Setting(Setting { step: 451, key: "lr".to_owned(), value: text.into() }),
        Event::Alert(Alert::error(451, text)),
        Event::Explained(Box::new(fixture::explanation(text, None, 451, Method::ALL.len()))),
    ];
    let events = events.map(|event| Record { time: fixture::START + 120.0, event });
    let failed = fixture::ended(451, Outcome::Failed, Some(text));
    [started].into_iter().chain(events).chain([failed]).collect()
}

fn state(screen: Screen, text: &str) -> State {
    let mut state = fixture::live(450, size(120, 40), screen);
    update(&mut state, Msg::Run(FromRun::Records(records(text))));
    let rationale = vec![Span { start: 2, end: 999 }];
    let sample = Sample { text: text.to_owned(), pair: Some(text.to_owned()), label: 9, rationale };
    update(&mut state, Msg::Samples(Ok(vec![sample; 9])));
    update(&mut state, Msg::Predictions(451, Err(text.to_owned())));
    update(&mut state, Msg::LogTail(vec![text.to_owned(); 9]));
    update(&mut state, Msg::Paste(text.to_owned()));
    update(&mut state, Msg::Run(FromRun::ViewOnly(text.to_owned())));
    state
}

fn check(painted: &Buffer, what: &str) {
    for cell in &painted.content {
        let symbol = cell.symbol();
        assert!(scrub(symbol) == symbol && !symbol.contains(char::is_control), "{what}: {symbol:?}");
        assert!(symbol.len() <= LARGEST_CELL, "{what}: a cell of {} bytes", symbol.len());
    }
}

#[test]
fn no_screen_passes_on_what_steers_a_terminal() {
    let styles = styles(Level::Truecolor);
    for (name, text) in corpus() {
        for screen in Screen::ALL {
            let mut state = state(screen, &text);
            check(&frame(&state, &styles, state.size), &name);
            for keys in ["p", "q", "\u{1b}g", "\u{1b}:", "\u{1b}v", "\u{1b}3j\n", "\u{1b}/a"] {
                press(&mut state, keys);
                check(&frame(&state, &styles, state.size), &name);
            }
        }
        let mut waiting = State::new(0.0, size(80, 24), Screen::Train);
        update(&mut waiting, Msg::Run(FromRun::Phase(text.clone())));
        check(&frame(&waiting, &styles, waiting.size), &name);
        update(&mut waiting, Msg::Run(FromRun::Failed(text)));
        check(&frame(&waiting, &styles, waiting.size), &name);
    }
}

#[test]
fn no_list_of_runs_passes_on_what_steers_a_terminal() {
    let styles = styles(Level::Truecolor);
    for (name, text) in corpus() {
        let entry = Entry {
            name: text.clone(),
            state: (Tone::Good, "finished"),
            curve: vec![1.0, 0.5],
            best: Some(0.9),
            steps: (1, Some(2)),
            started: text.clone(),
        };
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 100, 30));
        let area = buffer.area;
        Picker::new(vec![entry]).render(&styles, area, &mut buffer);
        check(&buffer, &name);
        let pieces = |records: Vec<Record>| records.into_iter().map(Piece::Record).collect();
        let runs = vec![(text.clone(), pieces(records(&text))), ("b".to_owned(), pieces(fixture::records(300)))];
        let compare = Compare::new(runs);
        compare.render(&styles, area, &mut buffer);
        check(&buffer, &name);
    }
}

#[test]
fn what_is_hidden_is_seen() {
    let mut state = fixture::live(450, size(120, 40), Screen::Log);
    let lines = ["a\u{1b}[2Jb", "c\u{202e}d", "e\u{200b}f", "g\u{e0041}h", "i\u{9b}1mj"].map(str::to_owned);
    update(&mut state, Msg::LogTail(lines.to_vec()));
    press(&mut state, "\t");
    let shown = super::shown(&state);
    for seen in ["a␛[2Jb", "c\u{fffd}d", "e\u{fffd}f", "g\u{fffd}h", "i\u{fffd}1mj"] {
        assert!(shown.contains(seen), "no {seen} in\n{shown}");
    }
}

#[test]
fn a_picture_has_no_markup_but_its_own() {
    for (name, text) in corpus() {
        let state = state(Screen::Log, &text);
        let picture = svg(&frame(&state, &styles(Level::Truecolor), state.size), &Options::default()).unwrap();
        assert!(!picture.contains(|c: char| c.is_control() && c != '\n'), "{name}");
        for tag in picture.split('<').skip(1).filter_map(|rest| rest.split([' ', '>', '/']).find(|tag| !tag.is_empty()))
        {
            assert!(["svg", "rect", "g", "path", "text", "tspan"].contains(&tag), "{name}: <{tag}>");
        }
    }
}
