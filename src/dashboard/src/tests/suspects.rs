//! The words that may be shortcuts, from the record to the screen.

use insta::assert_snapshot;
use pellucid_client::FromRun;
use pellucid_protocol::{Change, Command, Event, Subject, Watched, WhatIfAnswer};
use ratatui::crossterm::event::KeyCode;

use super::{key, press, shown, size};
use crate::msg::{Effect, Msg, Pointer, PointerKind};
use crate::state::State;
use crate::update::update;
use crate::{Screen, fixture};

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

fn event(state: &mut State, event: Event) -> Vec<Effect> {
    update(state, Msg::Run(FromRun::Records(vec![fixture::record(1200, event)])))
}

fn asked_sample(effects: &[Effect]) -> Subject {
    let [Effect::Send(Command::Explain(request))] = effects else { panic!("{effects:?}") };
    request.subject.clone()
}

#[test]
fn an_example_is_explained_and_the_word_is_masked_as_soon_as_it_is_there() {
    let mut state = watched(120, 40);
    assert!(shown(&state).contains("e explain without"));
    assert_eq!(asked_sample(&press(&mut state, "e")), Subject::Sample(0));
    assert_eq!(state.screen, Screen::Explain);
    let other = fixture::explanation(fixture::TEXTS[1].0, Some(1), 1200, 1);
    assert_eq!(event(&mut state, Event::Explained(Box::new(other))), [], "that is another sample");
    let made = fixture::explanation(fixture::TEXTS[0].0, Some(0), 1200, 2);
    let effects = event(&mut state, Event::Explained(Box::new(made.clone())));
    let [Effect::Send(Command::WhatIf(question))] = effects.as_slice() else { panic!("{effects:?}") };
    let masked: Vec<String> = question.edits.iter().map(|edit| made.word(edit.word).to_lowercase()).collect();
    assert_eq!((&question.subject, masked), (&Subject::Sample(0), vec!["chest".to_owned()]));
    assert!(question.edits.iter().all(|edit| edit.change == Change::Mask));
    let answer = WhatIfAnswer {
        question: question.clone(),
        step: 1200,
        before: vec![0.931, 0.048, 0.021],
        after: vec![0.412, 0.501, 0.087],
        ms: 7.5,
    };
    assert!(!event(&mut state, Event::WhatIf(Box::new(answer))).is_empty(), "the map comes next");
    keep("suspects-explained", &state);
    assert!(shown(&state).contains("0.931 → 0.412"), "{}", shown(&state));
    assert_eq!(event(&mut state, Event::Explained(Box::new(made))), [], "once is enough");
}

#[test]
fn a_click_on_an_example_explains_that_one_and_nothing_is_asked_where_nobody_answers() {
    let mut state = watched(120, 40);
    let line = shown(&state).lines().position(|line| line.contains("   12  ")).unwrap() as u16;
    let click = |y| Msg::Pointer(Pointer { kind: PointerKind::Down, x: 30, y });
    assert_eq!(update(&mut state, click(line - 4)), [], "no example stands there");
    assert_eq!(asked_sample(&update(&mut state, click(line))), Subject::Sample(12));
    let mut alone = watched(120, 40);
    update(&mut alone, Msg::Run(FromRun::ViewOnly("a recorded run".to_owned())));
    assert_eq!(update(&mut alone, click(line)), []);
    assert!(shown(&alone).contains("view only: a recorded run") && alone.screen == Screen::Samples);
    press(&mut alone, "e");
    assert_eq!(alone.screen, Screen::Samples);
}
