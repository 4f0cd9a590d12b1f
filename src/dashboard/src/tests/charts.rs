//! What keys and the mouse do to the charts, and what is kept of it.

use pellucid_client::FromRun;
use pellucid_protocol::{Command, LiveSetting, SetRequest};
use pellucid_record::RunDir;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::Size;

use super::{key, press, shown, size};
use crate::msg::{Effect, Msg, Pointer, PointerKind};
use crate::state::{Alerts, Overlay, Rights, State};
use crate::update::update;
use crate::{Screen, fixture};

fn live(size: Size) -> State {
    let mut state = fixture::live(1240, size, Screen::Train);
    state.run.dir = Some(RunDir::new("runs/x"));
    state
}

fn small() -> State {
    live(size(80, 24))
}

fn kept(effects: &[Effect]) -> Option<&str> {
    effects
        .iter()
        .find_map(|effect| if let Effect::WriteViewSettings(_, text) = effect { Some(text.as_str()) } else { None })
}

#[test]
fn the_axis_goes_from_steps_over_epochs_and_durations_to_the_time_of_day() {
    let mut state = small();
    assert!(shown(&state).contains("0                1000"));
    for (label, words) in [("0.0", "by epoch"), ("5m", "by time since the start"), ("12:05", "by time of day")] {
        let effects = press(&mut state, "x");
        assert!(kept(&effects).is_some_and(|text| text.contains("axis")));
        state.size = size(120, 40);
        assert!(shown(&state).contains(label) && shown(&state).contains(words), "{}", shown(&state));
    }
    press(&mut state, "x");
    assert!(shown(&state).contains("1000"));
}

#[test]
fn what_was_chosen_is_there_the_next_time() {
    let mut state = small();
    press(&mut state, "l");
    press(&mut state, "ss");
    let effects = press(&mut state, "x");
    let text = kept(&effects).unwrap().to_owned();
    let mut again = small();
    update(&mut again, Msg::ViewSettings(text));
    assert_eq!(again.train.view_settings(), state.train.view_settings());
    assert_eq!(shown(&again), shown(&state));
    let mut looking = small();
    looking.rights = Rights::Look;
    assert_eq!(press(&mut looking, "xls"), [], "nothing is written where nothing may be changed");
}

#[test]
fn a_chart_is_alone_with_its_numbers_and_the_grid_comes_back() {
    let mut state = live(size(120, 40));
    key(&mut state, KeyCode::Enter);
    let full = shown(&state);
    assert!(full.contains("▸ loss") && !full.contains("accuracy ─"), "{full}");
    assert!(full.contains("smallest") && full.contains("! alert"), "{full}");
    key(&mut state, KeyCode::Down);
    assert!(shown(&state).contains("▸ accuracy"));
    key(&mut state, KeyCode::Esc);
    assert!(shown(&state).contains("─ loss ─") && shown(&state).contains("▸ accuracy"));
}

#[test]
fn down_reaches_every_chart_and_turns_the_page() {
    let mut state = small();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let screen = shown(&state);
        let title = screen.split("▸ ").nth(1).and_then(|rest| rest.split(" ─").next()).unwrap();
        seen.insert(title.to_owned());
        key(&mut state, KeyCode::Down);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
}

#[test]
fn the_cursor_is_read_in_all_charts_at_once_with_what_happened_there() {
    let mut state = live(size(120, 40));
    (0..15).for_each(|_| drop(key(&mut state, KeyCode::Left)));
    let screen = shown(&state);
    assert!(screen.contains("read") && screen.contains("step 760") && screen.contains("epoch 1.01"), "{screen}");
    assert!(screen.contains("! 777: loss/task is 1.35"), "{screen}");
    assert!(screen.matches('┊').count() > 30);
    press(&mut state, ".");
    assert!(shown(&state).contains("step 761"));
    press(&mut state, ",,");
    assert!(shown(&state).contains("step 759"));
    press(&mut state, "f");
    assert!(shown(&state).contains("now "));
}

#[test]
fn zoom_and_pan_by_key_follow_the_run_until_they_are_told_not_to() {
    let mut state = small();
    press(&mut state, "++");
    assert!(shown(&state).contains("1000") && !shown(&state).contains("│     0 "));
    press(&mut state, "[[");
    let still = shown(&state);
    update(&mut state, Msg::Run(FromRun::Records((1241..1400).map(fixture::step).collect())));
    let labels = |text: &str| text.lines().filter(|line| line.contains("00   ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(labels(&shown(&state)), labels(&still), "a stretch of the past stays");
    press(&mut state, "f");
    assert!(shown(&state).contains("1400"), "{}", shown(&state));
    press(&mut state, "0");
    assert!(shown(&state).contains("│     0 "));
}

fn pointer(state: &mut State, kind: PointerKind, x: u16, y: u16) -> Vec<Effect> {
    update(state, Msg::Pointer(Pointer { kind, x, y }))
}

#[test]
fn the_wheel_zooms_about_the_pointer_a_drag_moves_and_a_click_reads() {
    let mut state = small();
    let whole = shown(&state);
    (0..4).for_each(|_| drop(pointer(&mut state, PointerKind::WheelUp, 15, 11)));
    let zoomed = shown(&state);
    assert!(zoomed != whole && zoomed.contains("500"), "{zoomed}");
    pointer(&mut state, PointerKind::Down, 50, 11);
    pointer(&mut state, PointerKind::Drag, 60, 11);
    pointer(&mut state, PointerKind::Up, 60, 11);
    assert!(shown(&state) != zoomed && shown(&state).contains("▸ accuracy") && !shown(&state).contains("read  step"));
    (0..40).for_each(|_| drop(pointer(&mut state, PointerKind::WheelDown, 15, 11)));
    pointer(&mut state, PointerKind::Down, 20, 11);
    pointer(&mut state, PointerKind::Up, 20, 11);
    assert!(shown(&state).contains("▸ loss") && shown(&state).contains("read  step 7"), "{}", shown(&state));
    pointer(&mut state, PointerKind::Down, 20, 2);
    assert_eq!(state.screen, Screen::Explain, "a tab");
    pointer(&mut state, PointerKind::Down, 400, 400);
}

#[test]
fn charts_are_chosen_and_one_stays() {
    let mut state = small();
    press(&mut state, "g");
    assert!(shown(&state).contains("▸ [x] loss") && shown(&state).contains("[ ] tokens a second"));
    let effects = press(&mut state, "j jj ");
    assert!(kept(&effects).is_some_and(|text| text.contains("charts = [\"loss\"")));
    key(&mut state, KeyCode::Esc);
    assert!(!shown(&state).contains("accuracy ─") && shown(&state).contains("sparsity ─"));
    press(&mut state, "gr");
    key(&mut state, KeyCode::Esc);
    assert!(shown(&state).contains("accuracy ─"));
}

#[test]
fn a_value_is_nudged_or_typed_sent_and_marked() {
    let mut state = live(size(120, 40));
    press(&mut state, "v");
    assert!(shown(&state).contains("highest learning rate") && shown(&state).contains("kd_temperature"));
    key(&mut state, KeyCode::Right);
    let set = |key, value| Effect::Send(Command::Set(SetRequest { key, value }));
    assert_eq!(key(&mut state, KeyCode::Enter), [set(LiveSetting::Lr, 7.9e-5)]);
    key(&mut state, KeyCode::Down);
    press(&mut state, "oops1e-e");
    assert_eq!(key(&mut state, KeyCode::Enter), []);
    assert!(shown(&state).contains("`1e-e` is no number"));
    (0..5).for_each(|_| drop(key(&mut state, KeyCode::Backspace)));
    press(&mut state, "2e-6");
    assert_eq!(key(&mut state, KeyCode::Enter), [set(LiveSetting::L1, 2e-6)]);
    let request = SetRequest { key: LiveSetting::L1, value: 2e-6 };
    update(&mut state, Msg::Run(FromRun::Answered(Command::Set(request), None)));
    assert!(shown(&state).contains("l1 is 0.000002 from the next step on"), "{}", shown(&state));
    let mut event = fixture::setting(1240, "");
    if let pellucid_protocol::Event::Setting(setting) = &mut event.event {
        (setting.key, setting.value) = ("l1".to_owned(), 2e-6.into());
    }
    update(&mut state, Msg::Run(FromRun::Records(vec![event])));
    assert_eq!(state.run.setting(LiveSetting::L1), Some(2e-6));
    key(&mut state, KeyCode::Esc);
    assert!(shown(&state).lines().any(|line| line.starts_with('╰') && line.contains('s')), "a mark below the charts");
}

#[test]
fn a_worker_that_refuses_a_value_says_why() {
    let mut state = small();
    let request = SetRequest { key: LiveSetting::Lr, value: 1.0 };
    update(&mut state, Msg::Run(FromRun::Answered(Command::Set(request), Some("not known".to_owned()))));
    assert!(shown(&state).contains("lr: not known"));
}

#[test]
fn a_command_is_found_by_a_few_letters_and_done() {
    let mut state = small();
    press(&mut state, ":");
    press(&mut state, "ckpt");
    assert!(shown(&state).contains("▸ checkpoint: write a checkpoint now"), "{}", shown(&state));
    assert_eq!(key(&mut state, KeyCode::Enter), [Effect::Send(Command::Checkpoint)]);
    assert!(state.overlay.is_none());
    press(&mut state, ":zzzz");
    assert!(shown(&state).contains("no command has this name"));
    assert_eq!(key(&mut state, KeyCode::Enter), []);
    assert!(matches!(state.overlay, Some(Overlay::Palette(_))));
    key(&mut state, KeyCode::Esc);
    press(&mut state, ":chart speed\n");
    assert!(shown(&state).contains("▸ speed") && !shown(&state).contains("loss ─"));
    key(&mut state, KeyCode::Esc);
    press(&mut state, ":set alpha\n");
    assert!(shown(&state).contains("▸ kd_alpha"));
}

#[test]
fn one_step_is_for_a_run_that_is_paused() {
    let mut state = small();
    assert_eq!(press(&mut state, "n"), []);
    assert!(shown(&state).contains("only while the training is paused"));
    update(&mut state, Msg::Run(FromRun::Records(vec![fixture::setting(1240, "paused")])));
    assert_eq!(press(&mut state, "n"), [Effect::Send(Command::Step)]);
    update(&mut state, Msg::Run(FromRun::Records(vec![fixture::step(1241)])));
    assert_eq!(press(&mut state, "np"), [Effect::Send(Command::Step), Effect::Send(Command::Resume)]);
}

#[test]
fn read_only_looks_and_sends_nothing() {
    let mut state = State::new(fixture::START, size(80, 24), Screen::Train);
    state.rights = Rights::Look;
    update(&mut state, Msg::Run(FromRun::Records(fixture::records(300))));
    update(&mut state, Msg::Run(FromRun::Connected));
    assert!(shown(&state).contains("read-only") && !shown(&state).contains("p pause"));
    assert_eq!(press(&mut state, "pcSvt"), []);
    assert!(shown(&state).contains("opened read-only"));
    assert!(shown(&state).contains("learning: loss falls"), "it is no stranger to the run: {}", shown(&state));
    let quit = press(&mut state, "q");
    assert_eq!(quit, [Effect::Quit(crate::Exit::Detached)]);
}

#[test]
fn the_user_is_called_when_a_watched_run_turns_bad_and_not_for_the_past() {
    let calls = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Notify(_))).count();
    let mut broken = fixture::step(1241);
    if let pellucid_protocol::Event::Step(step) = &mut broken.event {
        step.metrics.set("loss/l1", f64::NAN);
    }
    for (alerts, expected) in [(Alerts::Off, 0), (Alerts::Notify, 1)] {
        let mut state = small();
        state.alerts = alerts;
        let effects = update(&mut state, Msg::Run(FromRun::Records(vec![broken.clone()])));
        assert_eq!(calls(&effects), expected, "{alerts:?}");
        let effects = update(&mut state, Msg::Run(FromRun::Records(vec![broken.clone()])));
        assert_eq!(calls(&effects), 0, "once is enough");
    }
    let mut state = State::new(fixture::START, size(80, 24), Screen::Train);
    state.alerts = Alerts::Bell;
    let past: Vec<_> = fixture::records(300).into_iter().chain([broken, fixture::step(1242)]).collect();
    let effects = update(&mut state, Msg::Run(FromRun::Records(past)));
    assert_eq!(calls(&effects), 0);
}

#[test]
fn what_is_read_is_copied() {
    let mut state = small();
    let effects = press(&mut state, "y");
    let [Effect::Copy(text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(text.starts_with("loss total\t1240\t") && text.lines().count() == 5, "{text}");
    press(&mut state, "3");
    assert!(matches!(press(&mut state, "y").as_slice(), [Effect::Copy(text)] if text.contains("Crushing")));
    press(&mut state, "4");
    assert_eq!(press(&mut state, "y"), []);
}

#[test]
fn what_a_chart_measures_is_one_key_away_with_its_range_and_its_source() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut state = live(size(width, height));
        while !shown(&state).contains("▸ explanations") {
            key(&mut state, KeyCode::Down);
        }
        press(&mut state, "d");
        insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(format!("measures-{width}x{height}"), shown(&state));
        });
        key(&mut state, KeyCode::Esc);
        assert!(!shown(&state).contains("what is measured") && shown(&state).contains("▸ explanations"));
    }
}

#[test]
fn what_a_chart_measures_is_read_to_its_end_and_no_further() {
    let mut state = small();
    press(&mut state, "d");
    assert!(shown(&state).contains("what is measured: loss"), "{}", shown(&state));
    assert!(shown(&state).contains("less is better; in nats") && shown(&state).contains("↓ more"));
    press(&mut state, &"j".repeat(200));
    let end = shown(&state);
    assert!(end.contains("valid/loss") && end.contains("Esc closes") && !end.contains("loss/total"), "{end}");
    press(&mut state, "k");
    assert_ne!(shown(&state), end, "back at once");
    assert_eq!(press(&mut state, "q"), [], "it closes this alone");
    assert!(!shown(&state).contains("what is measured"));
}
