//! What-if, the views of an explanation, all samples in the background, and their words.

use insta::assert_snapshot;
use pellucid_client::FromRun;
use pellucid_protocol::edit::edit;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::explanation::Asker;
use pellucid_protocol::{
    Cancel, Change as Edit, Command, Event, Explanation, Method, Subject, SurveyProgress, SurveyState, WhatIf,
    WhatIfAnswer, WordEdit,
};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Modifier;

use super::{key, press, shown, size, styles, text};
use crate::msg::{Effect, Msg};
use crate::picture::frame;
use crate::state::{Change, Overlay, State};
use crate::theme::Level;
use crate::update::update;
use crate::{Rights, Screen, fixture};

fn keep(name: &str, state: &State) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        assert_snapshot!(name, shown(state));
    });
}

fn event(state: &mut State, event: Event) -> Vec<Effect> {
    update(state, Msg::Run(FromRun::Records(vec![fixture::record(1240, event)])))
}

fn question(effects: &[Effect]) -> WhatIf {
    let [Effect::Send(Command::WhatIf(question))] = effects else { panic!("{effects:?}") };
    question.clone()
}

fn answer(question: &WhatIf) -> Event {
    Event::WhatIf(Box::new(WhatIfAnswer {
        question: question.clone(),
        step: 1240,
        before: vec![0.931, 0.048, 0.021],
        after: vec![0.412, 0.501, 0.087],
        ms: 7.5,
    }))
}

/// The explanation of the changed text of the fixture.
fn map(edits: &[WordEdit], methods: usize) -> Explanation {
    let before = fixture::explanation(fixture::TEXTS[0].0, Some(12), 1240, methods);
    let after = edit(&before.text, &before.words, edits).text;
    Explanation { edits: edits.to_vec(), ..fixture::explanation(&after, Some(12), 1240, methods) }
}

fn explaining(width: u16, height: u16) -> State {
    fixture::live(1240, size(width, height), Screen::Explain)
}

/// The same, with a method that is chosen by hand; `steps` behind the most trusted one.
fn explaining_by(steps: usize, width: u16, height: u16) -> State {
    let mut state = explaining(width, height);
    (0..steps).for_each(|_| drop(press(&mut state, "m")));
    state
}

#[test]
fn a_masked_word_is_asked_about_and_the_map_follows() {
    let mut state = explaining_by(7, 80, 24);
    assert_eq!(press(&mut state, " "), [], "the first key marks a word");
    assert!(shown(&state).contains("word "));
    let asked = question(&press(&mut state, " "));
    assert_eq!((&asked.subject, asked.edits.len()), (&Subject::Sample(12), 1));
    assert_eq!(asked.edits[0].change, Edit::Mask);
    assert!(shown(&state).contains("what if: asking"));
    state.change = Change::Nothing;
    let effects = event(&mut state, answer(&asked));
    assert_eq!(state.change, Change::Input, "a person waits for it");
    let [Effect::Send(Command::Explain(request))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((&request.edits, request.target), (&asked.edits, Some(0)));
    let painted = shown(&state);
    assert!(painted.contains("what if: urgent 0.931 → 0.412 (-52 points); the answer is routine then"), "{painted}");
    assert!(painted.contains("changed: wrong"), "{painted}");
    assert!(painted.contains("· as it was"));
    event(&mut state, Event::Explained(Box::new(map(&asked.edits, 1))));
    assert!(shown(&state).contains("· 1 changed") && shown(&state).contains("mask"));
    assert!(shown(&state).contains("under way"), "four methods are still to come");
    event(&mut state, Event::Explained(Box::new(map(&asked.edits, Method::ALL.len()))));
    assert!(shown(&state).contains("▸ chest  masked  word 2"), "a word that is gone has no score:\n{}", shown(&state));
    keep("what-if-80x24", &state);
    assert_eq!(press(&mut state, "u"), []);
    let painted = shown(&state);
    assert!(!painted.contains("what if") && !painted.contains("changed") && painted.contains("3 of 3"));
}

#[test]
fn the_map_to_trust_most_is_shown_until_one_is_chosen_by_hand() {
    let mut state = explaining(200, 50);
    let text = "a text that was not explained before";
    let come = |state: &mut State, methods| {
        event(state, Event::Explained(Box::new(fixture::explanation(text, None, 1240, methods))));
        shown(state)
    };
    assert!(come(&mut state, 1).contains("gradient x input, best checked"));
    assert!(come(&mut state, 3).contains("occlusion, best checked"));
    assert!(come(&mut state, 4).contains("LIME, best checked"));
    press(&mut state, "m");
    let all = come(&mut state, Method::ALL.len());
    assert!(all.contains("your text · occlusion · step") && all.contains("4 of 11"), "{all}");
}

#[test]
fn a_trusted_map_without_a_direction_shows_none() {
    let mut state = explaining(120, 40);
    let mut made = fixture::explanation(fixture::TEXTS[1].0, None, 1240, Method::ALL.len());
    let norm = made.attributions.iter_mut().find(|made| made.method == Method::Gradient).unwrap();
    let grade = pellucid_protocol::check::Grade::Strong;
    norm.checks = vec![pellucid_protocol::Check::Chance { grade, correlation: 0.99, p: 0.001, rows: 64 }];
    event(&mut state, Event::Explained(Box::new(made)));
    assert!(shown(&state).contains("Shapley values, best checked"), "one with a direction comes first");
    press(&mut state, "M");
    let painted = frame(&state, &styles(Level::Truecolor), state.size);
    let words = text(&painted);
    assert!(words.contains("▸ gradient norm         ●●●") && words.contains("no direction, no unit"), "{words}");
    let rows = 4..7_u16;
    let signs = words.lines().skip(4).step_by(2).take(2).map(|line| line.chars().take(72).collect::<String>());
    assert!(signs.into_iter().all(|line| !line.contains('+')), "{words}");
    let sides = [1.0, 0.6, 0.3, 0.1].map(|strength| styles(Level::Truecolor).side(strength).fg);
    let is_side = |x, y| sides.contains(&Some(painted[(x, y)].fg)) || sides.contains(&Some(painted[(x, y)].bg));
    assert!(rows.clone().all(|y| (0..72).all(|x| !is_side(x, y))));
    assert!(
        rows.into_iter().any(|y| (0..72).any(|x| painted[(x, y)].bg != ratatui::style::Color::Reset)),
        "it is painted"
    );
}

#[test]
fn an_answer_to_another_question_is_not_shown() {
    let mut state = explaining(80, 24);
    press(&mut state, " ");
    let first = question(&press(&mut state, " "));
    key(&mut state, KeyCode::Right);
    let second = question(&press(&mut state, "d"));
    assert_eq!(second.edits.len(), 2);
    assert_eq!(event(&mut state, answer(&first)), []);
    assert!(shown(&state).contains("what if: asking"));
    assert!(!event(&mut state, answer(&second)).is_empty());
    event(&mut state, Event::Explained(Box::new(map(&first.edits, 3))));
    assert!(shown(&state).contains("· as it was"), "a map of other changes");
    let other = Explanation { sample: Some(3), ..map(&second.edits, 3) };
    event(&mut state, Event::Explained(Box::new(other)));
    assert!(shown(&state).contains("· as it was"), "a map of another sample");
}

#[test]
fn the_same_key_and_the_old_word_put_it_back() {
    let mut state = explaining(80, 24);
    key(&mut state, KeyCode::Right);
    for keys in [" ", "d"] {
        question(&press(&mut state, keys));
        assert_eq!(press(&mut state, keys), [], "{keys}");
        assert!(!shown(&state).contains("what if"));
    }
    question(&press(&mut state, " "));
    assert_eq!(key(&mut state, KeyCode::Backspace), []);
    press(&mut state, "r");
    let Some(Overlay::Retype(input)) = &state.overlay else { panic!("{:?}", state.overlay) };
    let word = input.value().to_owned();
    press(&mut state, "ish");
    let asked = question(&press(&mut state, "\n"));
    assert_eq!(asked.edits[0].change, Edit::Retype(format!("{word}ish")));
    assert!(shown(&state).contains(&format!("{word}ish")));
    press(&mut state, "r");
    (0..3).for_each(|_| drop(key(&mut state, KeyCode::Backspace)));
    assert_eq!(press(&mut state, "\n"), [], "the word itself");
}

#[test]
fn changes_are_of_one_text() {
    let mut state = explaining(80, 24);
    press(&mut state, " ");
    question(&press(&mut state, " "));
    event(&mut state, Event::Explained(Box::new(fixture::explanation("another text", None, 1241, 11))));
    assert!(!shown(&state).contains("what if"), "the screen follows to another text");
    assert_eq!(press(&mut state, "u"), []);
}

#[test]
fn while_words_are_changed_an_evaluation_asks_about_them_again() {
    let mut state = explaining(80, 24);
    press(&mut state, " ");
    let asked = question(&press(&mut state, " "));
    let evaluated = |state: &mut State, step| {
        let records = vec![fixture::step(step), fixture::eval(step)];
        let effects = update(state, Msg::Run(FromRun::Records(records)));
        effects.into_iter().filter(|effect| matches!(effect, Effect::Send(_))).collect::<Vec<_>>()
    };
    assert_eq!(evaluated(&mut state, 1260), [], "one is under way");
    event(&mut state, answer(&asked));
    assert_eq!(evaluated(&mut state, 1280), [], "its map too");
    event(&mut state, Event::Explained(Box::new(map(&asked.edits, Method::ALL.len()))));
    assert_eq!(question(&evaluated(&mut state, 1300)), asked);
}

#[test]
fn what_gave_way_to_a_change_is_asked_for_again() {
    let mut state = explaining(80, 24);
    press(&mut state, "e");
    event(&mut state, Event::Explained(Box::new(fixture::explanation(fixture::TEXTS[0].0, Some(12), 1240, 3))));
    press(&mut state, " ");
    let asked = question(&press(&mut state, " "));
    assert!(!event(&mut state, answer(&asked)).is_empty());
    let effects = press(&mut state, "u");
    let [Effect::Send(Command::Explain(request))] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(request.edits.is_empty() && request.methods.len() == Method::ALL.len());
}

#[test]
fn escape_gives_up_what_is_under_way() {
    let mut state = explaining(80, 24);
    press(&mut state, "e");
    event(&mut state, Event::Explained(Box::new(fixture::explanation(fixture::TEXTS[0].0, Some(12), 1240, 3))));
    assert_eq!(key(&mut state, KeyCode::Esc), [Effect::Send(Command::Cancel(Cancel::Explaining))]);
    assert!(!shown(&state).contains("under way") && shown(&state).contains("not done"));
    assert_eq!(key(&mut state, KeyCode::Esc), []);
}

#[test]
fn without_a_worker_nothing_is_changed() {
    let mut state = explaining(80, 24);
    update(&mut state, Msg::Run(FromRun::ViewOnly("a recorded run".to_owned())));
    key(&mut state, KeyCode::Right);
    for keys in [" ", "d", "r"] {
        assert_eq!(press(&mut state, keys), []);
        assert!(state.overlay.is_none() && !shown(&state).contains("what if"));
    }
}

#[test]
fn of_an_ended_run_what_was_begun_is_not_under_way_and_a_question_can_still_be_asked() {
    let mut state = explaining(80, 24);
    event(&mut state, Event::Explained(Box::new(fixture::explanation(fixture::TEXTS[0].0, Some(12), 1240, 3))));
    event(&mut state, fixture::ended(1240, Outcome::Finished, None).event);
    assert!(shown(&state).contains("under way"));
    update(&mut state, Msg::Run(FromRun::Asleep));
    assert!(!shown(&state).contains("under way") && shown(&state).contains("not done"));
    key(&mut state, KeyCode::Right);
    question(&press(&mut state, " "));
    update(&mut state, Msg::Run(FromRun::Phase("reading the data".to_owned())));
    assert!(shown(&state).contains("starting the worker again"));
    state.rights = Rights::Look;
    update(&mut state, Msg::Run(FromRun::Asleep));
    assert_eq!(press(&mut state, " "), []);
}

#[test]
fn changed_words_are_seen_without_colour() {
    let mut state = explaining(120, 40);
    press(&mut state, " ");
    press(&mut state, " ");
    key(&mut state, KeyCode::Right);
    let asked = question(&press(&mut state, "d"));
    let painted = frame(&state, &styles(Level::None), state.size);
    let words = text(&painted);
    assert!(words.contains("mask") && words.contains("del"));
    let has = |modifier: Modifier| painted.content.iter().any(|cell| cell.modifier.contains(modifier));
    assert!(has(Modifier::CROSSED_OUT) && has(Modifier::REVERSED));
    event(&mut state, answer(&asked));
    event(&mut state, Event::Explained(Box::new(map(&asked.edits, Method::ALL.len()))));
    keep("what-if-120x40", &state);
}

#[test]
fn each_view_looks_as_kept() {
    for (width, height) in [(60, 16), (80, 24), (120, 40)] {
        let mut state = explaining(width, height);
        press(&mut state, "mm");
        key(&mut state, KeyCode::Right);
        for view in ["table", "waterfall", "agreement"] {
            press(&mut state, "w");
            keep(&format!("explain-{view}-{width}x{height}"), &state);
        }
        press(&mut state, "wm");
    }
    let mut state = explaining(80, 24);
    press(&mut state, "mmmww");
    assert!(shown(&state).contains("do not add up to the answer"), "occlusion");
    press(&mut state, "M");
    assert!(shown(&state).contains("base"), "LIME");
}

#[test]
fn in_every_view_the_marked_word_is_the_one_that_is_marked() {
    let mut state = explaining(80, 24);
    press(&mut state, "m");
    key(&mut state, KeyCode::Right);
    let first = question(&press(&mut state, "d"));
    let gone = first.edits[0].word;
    key(&mut state, KeyCode::Right);
    let asked = question(&press(&mut state, " "));
    event(&mut state, answer(&asked));
    event(&mut state, Event::Explained(Box::new(map(&asked.edits, Method::ALL.len()))));
    let before = fixture::explanation(fixture::TEXTS[0].0, Some(12), 1240, 1);
    for _ in ["table", "waterfall"] {
        press(&mut state, "w");
        let painted = shown(&state);
        let marked = painted.lines().find_map(|line| line.split("▸ ").nth(1)).unwrap();
        assert_eq!(marked.split_whitespace().next(), Some(before.word(gone + 1).as_str()));
        assert!(painted.contains("· 2 changed"));
    }
}

#[test]
fn a_tiny_terminal_is_enough() {
    let mut state = explaining(20, 6);
    keep("explain-20x6", &state);
    key(&mut state, KeyCode::Right);
    let asked = question(&press(&mut state, " "));
    event(&mut state, answer(&asked));
    keep("what-if-20x6", &state);
    press(&mut state, "3");
    keep("samples-20x6", &state);
    press(&mut state, "w");
    assert!(shown(&state).contains("for urgent"));
    press(&mut state, "r1");
    assert!(shown(&state).contains("60 x 16"), "screens that need room say so");
}

#[test]
fn an_explanation_is_copied_for_people_and_for_programs() {
    let mut state = explaining(80, 24);
    let effects = press(&mut state, "y");
    let [Effect::Copy(copy)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(copy.starts_with(fixture::TEXTS[0].0) && copy.contains("word\tgxi\tig"));
    assert!(copy.contains("grad (no direction): ○○○ not to be trusted: its scores follow 3.2 % of how much"), "{copy}");
    let effects = press(&mut state, "Y");
    let [Effect::Copy(copy)] = effects.as_slice() else { panic!("{effects:?}") };
    let read: Explanation = serde_json::from_str(copy).unwrap();
    assert_eq!((read.sample, read.attributions.len()), (Some(12), Method::ALL.len()));
}

fn surveyed(sample: usize) -> Event {
    let (words, _, _) = fixture::TEXTS[sample % fixture::TEXTS.len()];
    let mut made = fixture::explanation(words, Some(sample), 1200, Method::USUAL.len());
    (made.partial, made.asker) = (false, Asker::Survey);
    Event::Explained(Box::new(made))
}

fn going(done: usize, total: usize, state: SurveyState) -> Event {
    Event::Survey(SurveyProgress { step: 1200, done, total, state })
}

#[test]
fn all_samples_that_are_shown_are_explained_or_not() {
    let mut state = fixture::live(1240, size(120, 40), Screen::Samples);
    press(&mut state, "/cough\n");
    let effects = press(&mut state, "a");
    let [Effect::Send(Command::Survey(request))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(request.samples.len(), 10);
    assert!(request.samples.iter().all(|sample| sample % 6 == 4) && request.methods == Method::USUAL);
    event(&mut state, going(0, 10, SurveyState::Going));
    assert!(shown(&state).contains("explaining 0 of 10") && shown(&state).contains("a give up"));
    let explained = shown(&state).matches("0.86").count();
    event(&mut state, surveyed(4));
    event(&mut state, going(1, 10, SurveyState::Going));
    assert!(shown(&state).contains("explaining 1 of 10"));
    assert!(shown(&state).matches("0.86").count() > explained, "its trust is in the table");
    assert_eq!(press(&mut state, "a"), [Effect::Send(Command::Cancel(Cancel::Survey))]);
    event(&mut state, going(1, 10, SurveyState::Cancelled));
    assert!(!shown(&state).contains("explaining"));
    press(&mut state, "2");
    assert!(shown(&state).contains("sample 12"), "a survey does not change what is looked at");
}

#[test]
fn samples_are_sorted_by_what_explanations_say() {
    let mut state = fixture::live(1240, size(120, 40), Screen::Samples);
    let mut poor = fixture::explanation(fixture::TEXTS[5].0, Some(17), 1200, Method::USUAL.len());
    poor.partial = false;
    let flipped: Vec<f64> = poor.attributions[0].scores.iter().map(|score| -score).collect();
    let occlusion = poor.attributions.iter_mut().find(|made| made.method == Method::Occlusion).unwrap();
    occlusion.scores = flipped;
    let grade = pellucid_protocol::check::Grade::None;
    occlusion.checks = vec![pellucid_protocol::Check::Chance { grade, correlation: 0.12, p: 0.3, rows: 64 }];
    event(&mut state, surveyed(3));
    event(&mut state, Event::Explained(Box::new(poor)));
    press(&mut state, "ssss");
    assert!(shown(&state).contains("least trusted first: occlusion"));
    assert_eq!(state.samples.selected(), Some(17));
    press(&mut state, "ss");
    assert!(shown(&state).contains("methods apart first"));
    assert_eq!(state.samples.selected(), Some(17));
    keep("samples-explained-120x40", &state);
    press(&mut state, "s");
    assert!(shown(&state).contains("as read"));
}

#[test]
fn words_of_all_samples_lead_to_their_examples() {
    let mut state = fixture::live(1240, size(120, 40), Screen::Samples);
    (0..30).for_each(|sample| drop(event(&mut state, surveyed(sample))));
    press(&mut state, "w");
    keep("words-120x40", &state);
    state.size = size(80, 24);
    keep("words-80x24", &state);
    assert!(shown(&state).contains("for urgent") && shown(&state).contains("in 3 samples or more"));
    press(&mut state, "+++");
    assert!(shown(&state).contains("no word of this class") || shown(&state).contains("in 6 samples or more"));
    press(&mut state, "---f");
    assert!(shown(&state).contains("case kept"));
    press(&mut state, "fssj");
    let marked = shown(&state);
    let word = marked.lines().find_map(|line| line.split("▸ ").nth(1)).unwrap().split_whitespace().next().unwrap();
    press(&mut state, "\n");
    assert!(shown(&state).contains(&format!("with `{word}`")), "{}", shown(&state));
    let selected = state.samples.selected().unwrap();
    assert!(fixture::samples()[selected].text.to_lowercase().contains(word));
    key(&mut state, KeyCode::Esc);
    assert!(!shown(&state).contains("with `") && shown(&state).contains("of 60"));
}

#[test]
fn what_a_survey_has_found_is_seen_without_a_worker() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Samples);
    event(&mut state, surveyed(1));
    update(&mut state, Msg::Run(FromRun::ViewOnly("a recorded run".to_owned())));
    press(&mut state, "je");
    assert_eq!(state.screen, Screen::Explain);
    assert!(shown(&state).contains("sample 1 ·"), "{}", shown(&state));
}
