//! Nothing makes the screen fall over.

use pellucid_client::FromRun;
use pellucid_protocol::event::Outcome;
use pellucid_record::Piece;
use pellucid_record::log::reader::LogReader;
use pellucid_record::log::writer::LogWriter;
use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::{press, size, styles};
use crate::geometry::SMALLEST;
use crate::msg::{Msg, Pointer};
use crate::picture::frame;
use crate::state::State;
use crate::theme::{Glyphs, Level};
use crate::update::update;
use crate::view::View;
use crate::widgets::ascii;
use crate::{Screen, fixture};

#[test]
fn every_size_has_a_frame() {
    let styles = styles(Level::Ansi256);
    for screen in Screen::ALL {
        let mut state = fixture::live(450, size(80, 24), screen);
        for width in [0, 1, 2, 3, 30, 59, 60, 61, 79, 99, 109, 111, 500] {
            for height in [0, 1, 2, 15, 16, 17, 23, 40] {
                state.size = size(width, height);
                assert_eq!(frame(&state, &styles, state.size).area, Rect::new(0, 0, width, height));
            }
        }
    }
}

/// What a level of colours allows.
fn allows(level: Level, color: Color) -> bool {
    match (level, color) {
        (_, Color::Reset) | (Level::Truecolor, _) => true,
        (Level::None, _) | (Level::Ansi16 | Level::Ansi256, Color::Rgb(..)) => false,
        // Black and white ink on a painted word are of the cube.
        (Level::Ansi16, Color::Indexed(index)) => index < 16 || matches!(index, 16 | 231),
        _ => true,
    }
}

#[test]
fn every_screen_keeps_to_the_colours_and_letters_there_are() {
    let all = [Level::None, Level::Ansi16, Level::Ansi256, Level::Truecolor];
    for (width, height) in [(20, 6), (80, 24), (120, 40), (200, 50), (300, 80)] {
        for screen in Screen::ALL {
            let state = fixture::live(450, size(width, height), screen);
            for (level, glyphs) in all.into_iter().flat_map(|level| [(level, Glyphs::Ascii), (level, Glyphs::Octant)]) {
                let mut painted = frame(&state, &styles(level).with(glyphs), state.size);
                assert!(
                    painted.content.iter().all(|cell| allows(level, cell.fg) && allows(level, cell.bg)),
                    "{level:?}"
                );
                let braille = |cell: &Cell| cell.symbol().chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
                assert!(!painted.content.iter().any(braille), "{screen:?} {glyphs:?}");
                if glyphs == Glyphs::Ascii {
                    ascii::fold(&mut painted);
                    assert!(painted.content.iter().all(|cell| cell.symbol().is_ascii()));
                }
            }
        }
    }
}

#[test]
fn a_run_replayed_in_any_pieces_ends_in_the_same_screens() {
    let records = fixture::records(700);
    let replay = |messages: Vec<FromRun>| {
        let mut state = State::new(fixture::START, size(120, 40), Screen::Train);
        messages.into_iter().for_each(|message| drop(update(&mut state, Msg::Run(message))));
        update(&mut state, Msg::Run(FromRun::ViewOnly("a recorded run".to_owned())));
        Screen::ALL.map(|screen| {
            state.screen = screen;
            super::shown(&state)
        })
    };
    let pieces = |size| replay(records.chunks(size).map(|part| FromRun::Records(part.to_vec())).collect());
    let whole = pieces(records.len());
    assert!([1, 7, 300].into_iter().all(|size| pieces(size) == whole));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut log = LogWriter::open(&path).unwrap();
    for record in &records {
        log.append(record).unwrap();
    }
    for step in [3000, 40_000, u64::MAX] {
        let mut reader = LogReader::new(&path);
        let ends = (1..).map(|count: u64| count.saturating_mul(step).min(log.length()));
        let ends = ends.take_while(|&end| end < log.length()).chain([log.length()]);
        let blocks = ends.map(|end| FromRun::Logged(reader.read_pieces(end).unwrap())).collect::<Vec<_>>();
        let rows = |block: &FromRun| match block {
            FromRun::Logged(pieces) => pieces.iter().map(Piece::len).max(),
            _ => None,
        };
        assert!(blocks.iter().filter_map(rows).max() > Some(2), "no block has steps in it");
        assert_eq!(replay(blocks), whole, "in pieces of {step} bytes");
    }
}

/// Screens are not asked to draw themselves this small; they could.
#[test]
fn every_screen_fits_in_one_cell_and_in_none() {
    let styles = styles(Level::Truecolor);
    for screen in Screen::ALL {
        let state = fixture::live(450, size(80, 24), screen);
        for (width, height) in [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (7, 5), (12, 9), (150, 3), (3, 60)] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            let area = buffer.area;
            View { state: &state, styles: &styles }.render_screen(area, &mut buffer);
        }
    }
}

#[test]
fn overlays_fit_the_smallest_terminal() {
    for keys in ["q", "S", "t", "?", "3/", "g", ":", "v"] {
        let mut state = fixture::live(450, SMALLEST, Screen::Train);
        press(&mut state, keys);
        let painted = super::text(&frame(&state, &styles(Level::None), state.size));
        assert!(painted.contains("Esc"), "{keys}: how to close is not shown\n{painted}");
    }
}

fn keys() -> impl Strategy<Value = KeyCode> {
    let named = [
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
    ];
    prop_oneof![
        3 => prop::sample::select(named.to_vec()),
        5 => prop::char::range('!', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
    ]
}

fn messages() -> impl Strategy<Value = Msg> {
    let modifiers =
        prop_oneof![8 => Just(KeyModifiers::NONE), 1 => Just(KeyModifiers::CONTROL), 1 => Just(KeyModifiers::ALT)];
    prop_oneof![
        12 => (keys(), modifiers).prop_map(|(code, modifiers)| Msg::Key(KeyEvent::new(code, modifiers))),
        2 => (0u16..220, 0u16..70).prop_map(|(width, height)| Msg::Resize(size(width, height))),
        1 => any::<String>().prop_map(Msg::Paste),
        1 => any::<String>().prop_map(Msg::ViewSettings),
        3 => (0usize..5, 0u16..230, 0u16..80).prop_map(|(kind, x, y)| {
            use crate::msg::PointerKind::{Down, Drag, Up, WheelDown, WheelUp};
            Msg::Pointer(Pointer { kind: [Down, Drag, Up, WheelUp, WheelDown][kind], x, y })
        }),
        1 => (1u64..2000, 0usize..6).prop_map(|(step, methods)| {
            let records = vec![fixture::step(step), fixture::eval(step), fixture::explained(step, methods)];
            Msg::Run(FromRun::Records(records))
        }),
        1 => prop::collection::vec(any::<String>(), 0..5).prop_map(Msg::LogTail),
        1 => Just(Msg::Run(FromRun::Records(vec![fixture::ended(9, Outcome::Stopped, None)]))),
        1 => Just(Msg::Run(FromRun::Records(vec![fixture::started(0)]))),
        1 => (0.0f64..1e10).prop_map(Msg::Tick),
        1 => Just(Msg::Run(FromRun::Connected)),
        1 => Just(Msg::Samples(Ok(Vec::new()))),
        1 => Just(Msg::Predictions(99_999, Ok(Vec::new()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_storm_of_keys_and_events_does_no_harm(storm in prop::collection::vec(messages(), 1..60), seen in 0u64..150) {
        let mut state = fixture::live(seen, size(80, 24), Screen::Train);
        let styles = styles(Level::Ansi16);
        for message in storm {
            update(&mut state, message);
            let painted = frame(&state, &styles, state.size);
            prop_assert!(!painted.content.iter().any(|cell| cell.symbol().chars().any(char::is_control)));
        }
    }
}
