//! Frames cost few bytes and little time.

use std::time::Instant;

use pellucid_client::FromRun;
use ratatui::Terminal;

use super::{press, size, styles};
use crate::msg::Msg;
use crate::state::State;
use crate::terminal::backend::{DiffBackend, terminal_on};
use crate::theme::{Level, Styles};
use crate::update::update;
use crate::view::View;
use crate::{Screen, fixture};

type Memory = Terminal<DiffBackend<Vec<u8>>>;

fn sent(terminal: &mut Memory, state: &State, styles: &Styles) -> Vec<u8> {
    terminal.draw(|frame| frame.render_widget(View { state, styles }, frame.area())).unwrap();
    terminal.backend_mut().take_sent()
}

fn bytes(terminal: &mut Memory, state: &State, styles: &Styles) -> usize {
    sent(terminal, state, styles).len()
}

/// Bytes of the first frame, then of frames of ten steps each.
fn cost(screen: Screen, level: Level) -> (usize, Vec<usize>) {
    let styles = styles(level);
    let mut state = fixture::live(1210, size(200, 50), screen);
    let mut terminal = terminal_on(Vec::new(), state.size).unwrap();
    let first = bytes(&mut terminal, &state, &styles);
    let mut costs: Vec<usize> = (121..150)
        .map(|tens| {
            let records = (1..=10).map(|one| fixture::step(tens * 10 + one)).collect();
            let time = state.now + 2.5;
            update(&mut state, Msg::Tick(time));
            update(&mut state, Msg::Run(FromRun::Records(records)));
            bytes(&mut terminal, &state, &styles)
        })
        .collect();
    costs.sort_unstable();
    (first, costs)
}

#[test]
fn a_live_frame_is_small() {
    for screen in Screen::ALL {
        for level in [Level::Truecolor, Level::Ansi256] {
            let (first, costs) = cost(screen, level);
            let (median, worst) = (costs[costs.len() / 2], costs[costs.len() - 1]);
            println!("{screen:?} {level:?}: first {first}, median {median}, largest {worst} bytes");
            assert!(first <= 16 * 1024, "{screen:?} {level:?}: first frame {first} bytes");
            assert!(median <= 300, "{screen:?} {level:?}: median {median} bytes");
            assert!(worst <= 1024, "{screen:?} {level:?}: largest {worst} bytes");
        }
    }
}

#[test]
fn an_unchanged_frame_costs_nothing() {
    let styles = styles(Level::Truecolor);
    for screen in Screen::ALL {
        let state = fixture::live(1210, size(200, 50), screen);
        let mut terminal = terminal_on(Vec::new(), state.size).unwrap();
        assert!(bytes(&mut terminal, &state, &styles) > 0);
        assert_eq!(bytes(&mut terminal, &state, &styles), 0, "{screen:?}");
        assert_eq!(bytes(&mut terminal, &state, &styles), 0, "{screen:?}");
    }
}

#[test]
fn a_clear_is_never_inside_the_bracket() {
    let state = fixture::live(50, size(80, 24), Screen::Train);
    let mut terminal = terminal_on(Vec::new(), state.size).unwrap();
    let bytes = sent(&mut terminal, &state, &styles(Level::None));
    let text = String::from_utf8(bytes).unwrap();
    let (clear, open) = (text.find("\u{1b}[2J").unwrap(), text.find("\u{1b}[?2026h").unwrap());
    assert!(clear < open && text.ends_with("\u{1b}[?2026l"));
    assert_eq!(text.matches("\u{1b}[2J").count(), 1);
}

/// A generous gate: this is a build without optimisation on a machine that others use too.
#[test]
fn a_frame_of_a_long_run_is_quick() {
    let mut state = fixture::live(10, size(200, 50), Screen::Train);
    let records = (11..100_000).map(fixture::step).collect();
    update(&mut state, Msg::Run(FromRun::Records(records)));
    press(&mut state, "1");
    let styles = styles(Level::Truecolor);
    let mut terminal = terminal_on(Vec::new(), state.size).unwrap();
    bytes(&mut terminal, &state, &styles);
    let start = Instant::now();
    for _ in 0..10 {
        bytes(&mut terminal, &state, &styles);
    }
    let each = start.elapsed() / 10;
    println!("a terminal of 100k steps: {each:?}");
    assert!(each.as_millis() < 250, "{each:?}");
}
