//! The words that may be shortcuts, from the record to the screen.

use insta::assert_snapshot;
use pellucid_protocol::{Event, Watched};
use ratatui::crossterm::event::KeyCode;

use super::{key, press, shown, size};
use crate::link::FromRun;
use crate::ui::msg::{Msg, Pointer, PointerKind};
use crate::ui::state::State;
use crate::ui::update::update;
use crate::ui::{Screen, fixture};

fn keep(name: &str, state: &State) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        assert_snapshot!(name, shown(state));
    });
}

fn watched(width: u16, height: u16) -> State {
    let mut state = fixture::live(1200, size(width, height), Screen::Train);
    let records = (0..=12).map(|eval| fixture::watched(eval * 100)).collect();
    update(&mut state, Msg::Run(FromRun::Records(records)));
    assert_eq!(press(&mut state, "!"), []);
    state
}

#[test]
fn they_are_listed_with_their_share_of_importance_over_time() {
    for (width, height) in [(80, 24), (120, 40)] {
        keep(&format!("suspects-{width}x{height}"), &watched(width, height));
    }
    for (width, height) in [(0, 0), (20, 6), (60, 16), (300, 80)] {
        shown(&watched(width, height));
    }
    let mut none = fixture::live(300, size(80, 24), Screen::Train);
    press(&mut none, "!");
    assert!(shown(&none).contains("no word goes with a class in training more often"));
}

#[test]
fn a_click_or_a_key_masks_a_word_and_tells_the_accuracy_without_it() {
    let mut state = watched(120, 40);
    assert!(shown(&state).contains("named by the alarm at step 400"));
    press(&mut state, " ");
    keep("suspects-masked", &state);
    let text = shown(&state);
    assert!(text.contains("accuracy on the validation set 0.880 → 0.910 (+3.0 points)") && text.contains("[chest]"));
    press(&mut state, " ");
    assert!(!shown(&state).contains("masked everywhere"));
    let line = text.lines().position(|line| line.contains("arm  ")).unwrap() as u16;
    let click = Msg::Pointer(Pointer { kind: PointerKind::Down, x: 9, y: line });
    update(&mut state, click.clone());
    assert!(shown(&state).contains("what if `arm` were masked everywhere"));
    update(&mut state, click);
    assert!(!shown(&state).contains("masked everywhere"), "once more puts it back");
    key(&mut state, KeyCode::Up);
    assert!(shown(&state).contains("▸ chest"));
}

#[test]
fn its_examples_are_samples_and_the_way_leads_back() {
    let mut state = watched(120, 40);
    press(&mut state, "\n");
    let text = shown(&state);
    assert!(text.contains("with `chest`") && text.contains("4 samples") || text.contains("1 of 4"), "{text}");
    press(&mut state, "!");
    press(&mut state, "w");
    assert!(shown(&state).contains("samples") && !state.samples.shows_suspects());
}

#[test]
fn a_record_that_is_played_back_is_taken_anew() {
    let mut state = watched(120, 40);
    let again = Event::Watched(Watched { step: 100, accuracy: 0.5, words: vec![fixture::watched_word("ward", 100)] });
    update(&mut state, Msg::Run(FromRun::Records(vec![fixture::record(100, again)])));
    let text = shown(&state);
    assert!(text.contains("ward") && text.contains("chest") && text.contains("since 0"), "{text}");
    press(&mut state, " ");
    assert!(shown(&state).contains("0.500 → 0.910"));
}
