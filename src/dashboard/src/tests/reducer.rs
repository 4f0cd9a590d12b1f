//! What messages do, without a terminal.

use pellucid_client::{FromRun, Motion, Play, Playback};
use pellucid_protocol::Method;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Command, Event, Subject};
use pellucid_record::RunDir;
use ratatui::crossterm::event::KeyCode;

use super::{ctrl, key, press, shown, size};
use crate::msg::Exit;
use crate::msg::{Effect, Msg};
use crate::run::{Access, Stage};
use crate::state::{Change, Overlay, State};
use crate::update::update;
use crate::{Screen, fixture};

fn live() -> State {
    fixture::live(1240, size(80, 24), Screen::Train)
}

fn from_run(state: &mut State, message: FromRun) -> Vec<Effect> {
    update(state, Msg::Run(message))
}

#[test]
fn leaving_a_live_run_is_asked_about() {
    let mut state = live();
    assert_eq!(press(&mut state, "q"), []);
    assert!(matches!(state.overlay, Some(Overlay::Leaving)));
    assert_eq!(press(&mut state, "d"), [Effect::Quit(Exit::Detached)]);
    let mut state = live();
    ctrl(&mut state, 'c');
    assert_eq!(ctrl(&mut state, 'c'), [Effect::Quit(Exit::Detached)]);
}

#[test]
fn stopping_to_leave_leaves_when_the_run_has_ended() {
    let mut state = live();
    press(&mut state, "q");
    assert_eq!(press(&mut state, "s"), [Effect::Send(Command::Stop)]);
    from_run(&mut state, FromRun::Answered(Command::Stop, None));
    assert!(shown(&state).contains("stopping"));
    let ended = fixture::ended(1250, Outcome::Stopped, None);
    let effects = from_run(&mut state, FromRun::Records(vec![ended]));
    assert_eq!(effects, [Effect::Send(Command::Release), Effect::Quit(Exit::Stopped)]);
}

#[test]
fn an_ended_run_is_left_without_a_question() {
    for (outcome, exit) in [
        (Outcome::Finished, Exit::Ended(Outcome::Finished)),
        (Outcome::Stopped, Exit::Ended(Outcome::Stopped)),
        (Outcome::Failed, Exit::Failed("out of memory".to_owned())),
    ] {
        let mut state = live();
        from_run(&mut state, FromRun::Records(vec![fixture::ended(1240, outcome, Some("out of memory"))]));
        assert_eq!(press(&mut state, "q"), [Effect::Send(Command::Release), Effect::Quit(exit)]);
    }
}

#[test]
fn a_run_that_cannot_start_ends_the_screen() {
    let mut state = State::new(0.0, size(80, 24), Screen::Train);
    from_run(&mut state, FromRun::Phase("loading the model".to_owned()));
    let failed = FromRun::Failed("no config.json in data/models/nothing".to_owned());
    let exit = Exit::Failed("no config.json in data/models/nothing".to_owned());
    assert_eq!(from_run(&mut state, failed), [Effect::Quit(exit)]);
    let mut state = State::new(0.0, size(80, 24), Screen::Train);
    assert!(matches!(update(&mut state, Msg::Closed).as_slice(), [Effect::Quit(Exit::Failed(_))]));
}

#[test]
fn pause_becomes_resume() {
    let mut state = live();
    assert_eq!(press(&mut state, "p"), [Effect::Send(Command::Pause)]);
    from_run(&mut state, FromRun::Records(vec![fixture::setting(1240, "paused")]));
    assert_eq!(state.run.stage, Stage::Paused);
    assert!(shown(&state).contains("p resume"));
    assert_eq!(press(&mut state, "p"), [Effect::Send(Command::Resume)]);
}

#[test]
fn stop_asks_and_stop_at_once_is_there() {
    let mut state = live();
    assert_eq!(press(&mut state, "S"), []);
    assert_eq!(key(&mut state, KeyCode::Esc), []);
    assert!(state.overlay.is_none());
    assert_eq!(press(&mut state, "Sy"), [Effect::Send(Command::Stop)]);
    assert_eq!(press(&mut state, "SK"), [Effect::Send(Command::StopNow)]);
}

#[test]
fn a_refusal_is_shown_with_its_reason_and_goes_away() {
    let mut state = live();
    from_run(&mut state, FromRun::Answered(Command::Checkpoint, Some("the disk is full".to_owned())));
    assert!(shown(&state).contains("checkpoint: the disk is full"));
    let later = state.now + 9.0;
    update(&mut state, Msg::Tick(later));
    assert!(!shown(&state).contains("the disk is full"));
}

#[test]
fn view_only_says_so() {
    let mut state = live();
    from_run(&mut state, FromRun::ViewOnly("a recorded run".to_owned()));
    assert_eq!(press(&mut state, "p"), []);
    assert!(shown(&state).contains("view only: a recorded run"));
    assert!(!shown(&state).contains("p pause"));
    assert_eq!(press(&mut state, "q"), [Effect::Quit(Exit::Detached)]);
}

#[test]
fn a_sample_is_explained_from_the_table() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Samples);
    press(&mut state, "jj");
    let effects = press(&mut state, "e");
    let [Effect::Send(Command::Explain(request))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(
        (&request.subject, request.methods.len(), request.target),
        (&Subject::Sample(2), Method::ALL.len(), None)
    );
    assert_eq!(state.screen, Screen::Explain);
}

#[test]
fn the_map_follows_the_evaluations_while_it_is_seen() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Samples);
    let asks = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Send(Command::Explain(_))));
    let came = |methods| {
        let explanation = fixture::explanation(&fixture::samples()[0].text, Some(0), 1240, methods);
        FromRun::Records(vec![fixture::record(1300, Event::Explained(Box::new(explanation)))])
    };
    press(&mut state, "e");
    let effects = from_run(&mut state, FromRun::Records(vec![fixture::step(1260), fixture::eval(1260)]));
    assert!(!asks(&effects), "one under way is let come: {effects:?}");
    from_run(&mut state, came(2));
    let effects = from_run(&mut state, FromRun::Records(vec![fixture::step(1280), fixture::eval(1280)]));
    assert!(!asks(&effects), "and come whole: {effects:?}");
    from_run(&mut state, came(Method::ALL.len()));
    let effects = from_run(&mut state, FromRun::Records(vec![fixture::step(1300), fixture::eval(1300)]));
    assert!(asks(&effects), "{effects:?}");
    from_run(&mut state, came(Method::ALL.len()));
    press(&mut state, "1");
    let effects = from_run(&mut state, FromRun::Records(vec![fixture::step(1400), fixture::eval(1400)]));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Send(_))), "{effects:?}");
    assert!(matches!(press(&mut state, "2").as_slice(), [Effect::Send(Command::Explain(_))]), "stale: asked again");
    assert_eq!(press(&mut state, "12"), [], "fresh: not asked again");
}

#[test]
fn a_recorded_explanation_is_found_without_a_worker() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Samples);
    from_run(&mut state, FromRun::ViewOnly("a recorded run".to_owned()));
    assert_eq!(press(&mut state, "e"), []);
    assert_eq!(state.screen, Screen::Samples);
    assert!(shown(&state).contains("not explained in this run"));
    (0..12).for_each(|_| drop(press(&mut state, "j")));
    press(&mut state, "e");
    assert_eq!(state.screen, Screen::Explain);
    assert!(shown(&state).contains("step 1200"));
    press(&mut state, "[");
    assert!(shown(&state).contains("step 800"));
}

#[test]
fn a_map_stays_until_the_new_one_has_its_method() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Explain);
    press(&mut state, "mmm");
    from_run(&mut state, FromRun::Records(vec![fixture::explained(1300, 1)]));
    assert!(shown(&state).contains("occlusion · step 1200"));
    from_run(&mut state, FromRun::Records(vec![fixture::explained(1300, 3)]));
    assert!(shown(&state).contains("occlusion · step 1300"));
    assert!(shown(&state).contains("under way"));
    from_run(&mut state, FromRun::Records(vec![fixture::explained(1300, Method::ALL.len())]));
    assert!(shown(&state).contains("4 of 4"), "parts of one answer are one");
}

#[test]
fn a_typed_text_is_explained() {
    let mut state = live();
    press(&mut state, "t");
    press(&mut state, "qp1?");
    let effects = press(&mut state, "\n");
    let [Effect::Send(Command::Explain(request))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(request.subject, Subject::Text("qp1?".to_owned()));
    assert_eq!(state.screen, Screen::Explain);
}

#[test]
fn the_table_is_sorted_and_filtered() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Samples);
    press(&mut state, "s");
    assert!(shown(&state).contains("highest loss first"));
    let worst = state.samples.selected().unwrap();
    let losses: Vec<f32> = fixture::predictions().iter().map(|answer| answer.loss).collect();
    assert!(losses.iter().all(|loss| *loss <= losses[worst]));
    press(&mut state, "/cough\n");
    assert!(shown(&state).contains("filter: cough") && !shown(&state).contains("chest pain"));
    press(&mut state, "/zzz\n");
    assert!(shown(&state).contains("press / to change the filter"));
}

#[test]
fn files_are_asked_for_once_for_a_long_log() {
    let mut state = State::new(0.0, size(80, 24), Screen::Train);
    let dir = RunDir::new("runs/x");
    let opened = [Effect::ReadViewSettings(dir.clone()), Effect::ReadSamples(dir.clone())];
    assert_eq!(from_run(&mut state, FromRun::Opened(dir.clone())), opened);
    let effects = from_run(&mut state, FromRun::Records(fixture::records(1000)));
    let predictions = Effect::ReadPredictions(dir.clone(), 1000, "predictions/step-001000.jsonl".to_owned());
    assert_eq!(effects, [Effect::ReadSamples(dir.clone()), predictions]);
    let log = [Effect::ReadLog(dir)];
    assert_eq!(press(&mut state, "5"), log);
    assert_eq!(update(&mut state, Msg::Tick(100.0)), log);
    assert_eq!(update(&mut state, Msg::Tick(100.1)), []);
}

#[test]
fn nothing_changes_by_time_alone_in_a_run_that_has_ended() {
    let mut state = live();
    from_run(&mut state, FromRun::Records(vec![fixture::ended(3000, Outcome::Finished, None)]));
    state.change = Change::Nothing;
    for second in 0..100 {
        let later = state.now + f64::from(second);
        update(&mut state, Msg::Tick(later));
    }
    assert_eq!(state.change, Change::Nothing);
    assert_eq!(press(&mut state, "Z"), []);
    assert_eq!(state.change, Change::Nothing, "a key that means nothing draws nothing");
}

#[test]
fn a_resumed_run_trains_its_last_steps_again() {
    let mut state = live();
    let again: Vec<_> = [fixture::started(3000)].into_iter().chain((1201..=1210).map(fixture::step)).collect();
    from_run(&mut state, FromRun::Records(again));
    assert_eq!((state.run.step, state.run.series["loss/task"].len()), (1210, 1210));
}

#[test]
fn a_question_that_is_answered_goes_away() {
    let ended = || FromRun::Records(vec![fixture::ended(3000, Outcome::Finished, None)]);
    let mut state = live();
    press(&mut state, "S");
    assert_eq!(from_run(&mut state, ended()), []);
    assert!(state.overlay.is_none());
    assert_eq!(press(&mut state, "q").last(), Some(&Effect::Quit(Exit::Ended(Outcome::Finished))));
    let mut state = live();
    press(&mut state, "q");
    let left = [Effect::Send(Command::Release), Effect::Quit(Exit::Ended(Outcome::Finished))];
    assert_eq!(from_run(&mut state, ended()), left, "the key was pressed while the run still went on");
}

#[test]
fn a_record_is_played_by_keys_and_what_was_seen_is_forgotten_when_it_goes_back() {
    let mut state = State::new(0.0, size(120, 40), Screen::Train);
    assert!(press(&mut state, "P").is_empty(), "a run that is no record is not played");
    from_run(&mut state, FromRun::ViewOnly("this is a record".to_owned()));
    from_run(&mut state, FromRun::Playback(Playback { speed: 10.0, motion: Motion::AtEnd }));
    from_run(&mut state, FromRun::Records(fixture::records(30)));
    assert_eq!((state.run.step, state.run.series["loss/total"].len()), (30, 30));
    let played =
        [("P", Play::Toggle), ("p", Play::Toggle), ("<", Play::Steps(-1)), (")", Play::Evals(1)), ("}", Play::Faster)];
    for (key, play) in played {
        assert_eq!(press(&mut state, key), [Effect::Play(play)], "{key}");
    }
    from_run(&mut state, FromRun::Rewound);
    assert_eq!((state.run.step, state.run.evals.len(), state.run.series.len()), (0, 0, 0));
    assert_eq!(state.run.access, Access::Record, "it is still the same record");
    from_run(&mut state, FromRun::Records(fixture::records(7)));
    assert_eq!((state.run.step, state.run.series["loss/total"].len()), (7, 7));
    // Held for long at a step, it is neither stalled nor unanswered.
    update(&mut state, Msg::Tick(1e5));
    let shown = shown(&state);
    assert!(
        shown.contains("training  view only") && !shown.contains("answer") && !shown.contains("stalled"),
        "{shown}"
    );
}
