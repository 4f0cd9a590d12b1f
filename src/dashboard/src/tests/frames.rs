//! What frames look like.

use insta::assert_snapshot;
use pellucid_client::FromRun;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Check, Event, Method};
use ratatui::buffer::{Buffer, Cell};
use ratatui::crossterm::event::KeyCode;
use ratatui::style::{Color, Modifier};

use super::{key, press, shown, size, styles, text};
use crate::input::keymap::Key;
use crate::msg::Msg;
use crate::picture::{PictureOptions, frame, snapshot, svg};
use crate::state::State;
use crate::theme::{Glyphs, Level, SHIPPED, Styles, Theme};
use crate::update::update;
use crate::widgets::ascii;
use crate::{Options, Screen, fixture};

/// Snapshots are kept beside the sources of the screens, by name and size.
fn keep(name: &str, state: &State) {
    keep_text(name, &shown(state));
}

fn keep_text(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        assert_snapshot!(name, text);
    });
}

#[test]
fn screens_look_as_kept() {
    for (width, height) in [(20, 6), (60, 16), (80, 24), (120, 40), (200, 50), (300, 80)] {
        for screen in Screen::ALL {
            let state = fixture::live(1240, size(width, height), screen);
            keep(&format!("{}-{width}x{height}", screen.title().to_lowercase()), &state);
        }
    }
}

/// Screens whose colours and letters are kept whole; the others differ in words alone.
const DRESSED: [Screen; 3] = [Screen::Train, Screen::Layers, Screen::Log];

#[test]
fn colours_look_as_kept() {
    for screen in DRESSED {
        let state = fixture::live(1240, size(80, 24), screen);
        for level in [Level::None, Level::Ansi16, Level::Ansi256, Level::Truecolor] {
            let name = format!("{}-{level:?}", screen.title()).to_lowercase();
            keep_text(&name, &dress(&frame(&state, &styles(level), state.size)));
        }
    }
}

#[test]
fn letters_look_as_kept() {
    for (width, height) in [(20, 6), (80, 24), (120, 40), (200, 50), (300, 80)] {
        for screen in DRESSED {
            let state = fixture::live(1240, size(width, height), screen);
            let styles = styles(Level::None).with(Glyphs::Ascii);
            let mut painted = frame(&state, &styles, state.size);
            ascii::fold(&mut painted);
            keep_text(&format!("{}-{width}x{height}-ascii", screen.title().to_lowercase()), &text(&painted));
        }
    }
}

/// The styles of a frame, line by line: how many cells, ink, background, and what else.
fn dress(frame: &Buffer) -> String {
    let look = |cell: &Cell| (cell.fg, cell.bg, cell.modifier);
    let run = |cells: &[Cell]| {
        let (ink, ground, rest) = look(&cells[0]);
        let ground = if ground == Color::Reset { String::new() } else { format!(" on {ground}") };
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest:?}").to_lowercase() };
        format!("{} {ink}{ground}{rest}", cells.len()).replace(" Reset", "")
    };
    let line = |cells: &[Cell]| cells.chunk_by(|a, b| look(a) == look(b)).map(run).collect::<Vec<_>>().join(", ");
    frame.content.chunks(usize::from(frame.area.width)).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn states_look_as_kept() {
    let small = size(80, 24);
    let mut state = State::new(100.0, small, Screen::Train);
    update(&mut state, Msg::Run(FromRun::Phase("reading data/triage/train.jsonl".to_owned())));
    update(&mut state, Msg::Tick(112.0));
    keep("starting", &state);

    let mut state = fixture::live(1240, small, Screen::Train);
    press(&mut state, "q");
    keep("leaving", &state);
    press(&mut state, "n");
    press(&mut state, "S");
    keep("stopping", &state);
    key(&mut state, KeyCode::Esc);
    press(&mut state, "t");
    update(&mut state, Msg::Paste("sudden pain 漢字".to_owned()));
    keep("typing", &state);
    key(&mut state, KeyCode::Esc);
    press(&mut state, "?");
    keep("help", &state);
    press(&mut state, "?");
    update(&mut state, Msg::Run(FromRun::Records(vec![fixture::setting(1240, "paused")])));
    keep("paused", &state);
    let why = "loss/task is NaN at step 1240; the last checkpoint is checkpoints/best";
    update(&mut state, Msg::Run(FromRun::Records(vec![fixture::ended(1240, Outcome::Failed, Some(why))])));
    keep("failed", &state);

    keep("tiny", &fixture::live(1240, size(20, 6), Screen::Train));
    keep("early", &fixture::live(3, small, Screen::Train));
    keep("unexplained", &fixture::live(30, small, Screen::Explain));
}

#[test]
fn the_log_is_searched_filtered_and_wrapped() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Log);
    let long = "a line that libtorch printed and that is far longer than any terminal of eighty columns, to its end";
    let printed = ["[W] Warning: slow path", long, "RuntimeError: out of memory"].map(str::to_owned).to_vec();
    update(&mut state, Msg::LogTail(printed));
    press(&mut state, "/best\n");
    keep("log-search", &state);
    let painted = frame(&state, &styles(Level::None), state.size);
    // Below the tabs, of which the open one is marked alike.
    let marked = painted.content[240..].iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED));
    let marked: String = marked.map(Cell::symbol).collect();
    assert!(marked.starts_with("best") && marked.replace("best", "").is_empty(), "{marked}");
    let hits = |state: &State| shown(state).lines().find_map(|line| Some(line.split_once("/best ")?.1.to_owned()));
    let at_last = hits(&state).unwrap();
    press(&mut state, "N");
    assert_ne!(hits(&state).unwrap(), at_last);
    press(&mut state, "n");
    assert_eq!(hits(&state).unwrap(), at_last);
    key(&mut state, KeyCode::Esc);
    press(&mut state, "W");
    assert!(shown(&state).contains("to its end"));
    press(&mut state, "Wl");
    assert!(shown(&state).contains("slow path") && !shown(&state).contains("libtorch printed"));
    press(&mut state, "l");
    assert!(shown(&state).contains("─ errors ─") && !shown(&state).contains("slow path"));
    assert!(shown(&state).contains("out of memory"));
    press(&mut state, "l/OUT of\n");
    assert!(shown(&state).contains("/OUT of 0"), "capitals count:\n{}", shown(&state));
    press(&mut state, "/");
    (0..6).for_each(|_| drop(key(&mut state, KeyCode::Backspace)));
    press(&mut state, "out of\n");
    assert!(shown(&state).contains("1 of 1"), "the other list has it:\n{}", shown(&state));
}

#[test]
fn a_method_that_failed_its_check_is_grey_and_says_why() {
    let mut state = fixture::live(1240, size(120, 40), Screen::Explain);
    press(&mut state, "MM");
    keep("failed-method", &state);
    let painted = frame(&state, &styles(Level::Truecolor), state.size);
    let y = text(&painted).lines().position(|line| line.contains("Crushing")).unwrap() as u16;
    assert!((0..70).all(|x| painted[(x, y)].bg == Color::Reset));
    assert!(text(&painted).contains("○○○ not to be trusted: its scores follow 3.2 % of how much hiding"));
}

#[test]
fn the_chosen_method_brings_its_findings() {
    let mut state = fixture::live(1240, size(120, 40), Screen::Explain);
    press(&mut state, "mmmmmm");
    keep("explain-tree", &state);
    press(&mut state, "MMMMMM");
    assert!(shown(&state).contains("words by Shapley values, points"));
    let short = fixture::explanation("not a good film", None, 1300, Method::ALL.len());
    let record = fixture::record(1300, Event::Explained(Box::new(short)));
    update(&mut state, Msg::Run(FromRun::Records(vec![record])));
    keep("explain-shapley", &state);
}

#[test]
fn scores_that_are_still_refined_are_neither_good_nor_bad() {
    let mut state = fixture::live(1240, size(120, 40), Screen::Explain);
    let mut partial = fixture::explanation("not explained before", None, 1300, 4);
    let lime = partial.attributions.last_mut().unwrap();
    lime.checks = vec![Check::Sampling { rows: 128, planned: 1024, error: 0.021 }];
    let record = fixture::record(1300, Event::Explained(Box::new(partial)));
    update(&mut state, Msg::Run(FromRun::Records(vec![record])));
    (0..3).for_each(|_| drop(press(&mut state, "m")));
    let painted = shown(&state);
    assert!(painted.contains("▸ LIME") && painted.contains("refined with 128 of 1024 samples"), "{painted}");
    assert!(!painted.contains("not to be trusted"));
}

#[test]
fn figures_never_push_the_text_away() {
    let wording =
        "Ashdown ward; severe breathlessness without throat swelling today. Obs: RR 16, HR 80, temperature 38.5.";
    let mut explanation = fixture::explanation(wording, None, 1300, Method::ALL.len());
    for attribution in &mut explanation.attributions {
        attribution.checks.extend([
            Check::Eraser { comprehensiveness: 0.63, sufficiency: -0.01 },
            Check::Curves { deletion: 0.15, insertion: 0.87 },
            Check::LeaveOneOut { tau: 0.12 },
            Check::Infidelity { draws: 10, relative: 0.03 },
            Check::Plausibility { f1: 0.1, iou: 0.05, auprc: 0.08 },
        ]);
    }
    for (width, height) in [(80, 24), (100, 30), (120, 40), (200, 50)] {
        let mut state = fixture::live(1240, size(width, height), Screen::Explain);
        let record = fixture::record(1300, Event::Explained(Box::new(explanation.clone())));
        update(&mut state, Msg::Run(FromRun::Records(vec![record])));
        let painted = shown(&state);
        for word in wording.split(' ') {
            assert!(painted.contains(word), "no `{word}` at {width}x{height}:\n{painted}");
        }
    }
}

#[test]
fn words_have_the_colours_of_their_strengths() {
    let state = fixture::live(1240, size(120, 40), Screen::Explain);
    let styles = styles(Level::Truecolor);
    let painted = frame(&state, &styles, state.size);
    let explanation = fixture::explanation(fixture::TEXTS[0].0, Some(12), 1200, Method::ALL.len());
    let best = explanation.best().unwrap();
    assert_eq!(best.method, Method::Shapley, "it has passed best");
    let (x, y) = place(&text(&painted), "Crushing chest");
    for (word, span) in explanation.words.iter().enumerate().take(6) {
        let cell = &painted[(x + span.start as u16, y)];
        let heat = styles.heat(best.method.sign(), best.scale().strength(best.scores[word]));
        assert_eq!(cell.bg, heat.bg.unwrap_or(Color::Reset), "word {word}");
        let marked = word < 3;
        assert_eq!(cell.modifier.contains(Modifier::UNDERLINED), marked, "word {word}");
    }
}

fn place(text: &str, wanted: &str) -> (u16, u16) {
    let (y, line) = text.lines().enumerate().find(|(_, line)| line.contains(wanted)).unwrap();
    (line[..line.find(wanted).unwrap()].chars().count() as u16, y as u16)
}

#[test]
fn without_colours_signs_stay() {
    for screen in Screen::ALL {
        let state = fixture::live(1240, size(120, 40), screen);
        let painted = frame(&state, &styles(Level::None), state.size);
        assert!(painted.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{screen:?}");
        if screen == Screen::Explain {
            assert!(["+38", "-28", "●●●", "▸"].iter().all(|sign| text(&painted).contains(sign)));
        }
    }
}

#[test]
fn a_frame_can_be_ascii() {
    for screen in Screen::ALL {
        let state = fixture::live(1240, size(120, 40), screen);
        let before = frame(&state, &styles(Level::None), state.size);
        let mut after = before.clone();
        ascii::fold(&mut after);
        for (before, after) in before.content.iter().zip(&after.content) {
            let known = before.symbol().is_ascii() || after.symbol() != "?";
            assert!(after.symbol().is_ascii() && known, "{screen:?}: {:?}", before.symbol());
        }
    }
}

#[test]
fn the_help_has_every_key() {
    let mut state = fixture::live(10, size(200, 120), Screen::Train);
    press(&mut state, "?");
    let help = shown(&state);
    for binding in state.keys.bindings() {
        assert!(help.contains(&binding.all_keys()) && help.contains(binding.help), "{:?}", binding.action);
    }
}

#[test]
fn five_seconds_are_enough() {
    let mut state = fixture::live(1240, size(80, 24), Screen::Train);
    let first = shown(&state);
    assert!(
        ["● training", "learning: loss falls", "to go", "p pause", "q quit", "? help"]
            .iter()
            .all(|sign| first.contains(sign))
    );
    let heard = state.now;
    update(&mut state, Msg::Tick(heard + 40.0));
    assert!(shown(&state).contains("stalled 40 s"));
    let mut broken = fixture::step(1241);
    if let pellucid_protocol::Event::Step(step) = &mut broken.event {
        step.metrics.set("loss/l1", f64::NAN);
    }
    update(&mut state, Msg::Run(FromRun::Records(vec![broken])));
    assert!(shown(&state).contains("diverging: loss/l1 is NaN"));
    update(&mut state, Msg::Run(FromRun::Records(vec![fixture::ended(3000, Outcome::Finished, None)])));
    assert!(shown(&state).contains("✔ finished"));
}

#[test]
fn a_picture_is_made_of_a_recorded_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = pellucid_record::RunDir::new(folder.path());
    let mut log = pellucid_record::log::writer::LogWriter::open(&run.events()).unwrap();
    for record in fixture::records(300) {
        log.append(&record).unwrap();
    }
    pellucid_record::run_dir::write_lines(&run.samples(), &fixture::samples()).unwrap();
    let options = Options::default();
    let capture = PictureOptions { size: size(80, 24), keys: &[Key::parse("?").unwrap()], options: &options };
    let picture = snapshot(&run, Screen::Samples, capture).unwrap();
    assert!(text(&picture).contains("show all keys"), "the key was pressed");
    let picture = snapshot(&run, Screen::Samples, PictureOptions { keys: &[], ..capture }).unwrap();
    assert!(text(&picture).contains("Crushing chest pain"));
    let drawn = svg(&picture, &options).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n") && drawn.contains("Samples"));
}

/// Writes frames as pictures to look at, to the folder that PELLUCID_FRAMES names.
#[test]
#[ignore = "for eyes, not for machines"]
fn frames_to_look_at() {
    let folder = std::path::PathBuf::from(std::env::var("PELLUCID_FRAMES").unwrap());
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        for theme in SHIPPED.map(|(name, _)| name) {
            let styles = Styles::new(&Theme::find(Some(theme)).unwrap(), Level::Truecolor);
            let options = Options { theme: Some(theme.to_owned()), ..Options::default() };
            for screen in Screen::ALL {
                let state = fixture::live(1240, size(width, height), screen);
                let picture = svg(&frame(&state, &styles, state.size), &options).unwrap();
                std::fs::write(folder.join(format!("{}-{width}x{height}-{theme}.svg", screen.title())), picture)
                    .unwrap();
            }
        }
    }
    let options = Options::default();
    for (name, keys) in [("leaving", "q"), ("help", "?"), ("typing", "t"), ("read", "l")] {
        let mut state = fixture::live(1240, size(80, 24), Screen::Train);
        press(&mut state, keys);
        key(&mut state, KeyCode::Left);
        let picture = svg(&frame(&state, &styles(Level::Truecolor), state.size), &options).unwrap();
        std::fs::write(folder.join(format!("{name}.svg")), picture).unwrap();
    }
    let state = fixture::live(1240, size(120, 40), Screen::Train);
    let picture = svg(&frame(&state, &styles(Level::None), state.size), &options).unwrap();
    std::fs::write(folder.join("colourless.svg"), picture).unwrap();
}

/// Writes a recorded run to try the program on, to the folder that PELLUCID_RECORD names.
#[test]
#[ignore = "for hands, not for machines"]
fn a_run_to_try() {
    let run = pellucid_record::RunDir::new(std::env::var("PELLUCID_RECORD").unwrap());
    std::fs::create_dir_all(run.root().join("predictions")).unwrap();
    let mut log = pellucid_record::log::writer::LogWriter::open(&run.events()).unwrap();
    for record in fixture::records(1240) {
        log.append(&record).unwrap();
    }
    log.append(&fixture::ended(1240, Outcome::Stopped, None)).unwrap();
    pellucid_record::run_dir::write_lines(&run.samples(), &fixture::samples()).unwrap();
    let predictions = run.root().join(pellucid_record::RunDir::predictions_name(1200));
    pellucid_record::run_dir::write_lines(&predictions, &fixture::predictions()).unwrap();
    std::fs::write(run.log(), "[W] a warning that libtorch prints\n").unwrap();
}
