//! The frontier as a whole: runs and keys in, frames and choices out.

use pellucid_protocol::Metrics;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};
use ratatui::style::Modifier;

use super::*;
use crate::tests::page_text;
use crate::theme::Tone;
use crate::theme::{Level, Styles, Theme};
use crate::widgets::ascii;

/// A run of a grid of `l1` and `kd_alpha`: sparser ones are less accurate, taught ones more.
fn entry(l1: &str, alpha: &str, seed: u32) -> Entry {
    let (penalty, taught): (f64, f64) = (l1.parse().unwrap(), alpha.parse().unwrap());
    let jitter = f64::from(seed) - 2.0;
    let sparsity = (1e5 * penalty * (1.0 + 0.05 * jitter)).min(0.9);
    let mut metrics = Metrics::default();
    for (metric, value) in [
        (HEIGHT, 0.93 - 0.12 * sparsity + 0.03 * taught + 0.008 * jitter),
        ("valid/loss", 0.3 + 0.1 * sparsity),
        ("sparsity/exact", sparsity),
        ("explain/faithfulness", 0.6 + 0.1 * taught - 0.02 * jitter),
        ("explain/drift_start", 0.4 - 0.2 * sparsity),
        ("explain/drift_teacher", 0.8 - 0.4 * taught),
    ] {
        metrics.set(metric, value);
    }
    let name = format!("l1-{l1}_kd_alpha-{alpha}_seed-{seed}");
    let seed = seed.to_string();
    let settings = [("l1", l1), ("kd_alpha", alpha), ("seed", &seed), ("lr", "0.001"), ("run_dir", &name)];
    let settings = settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Entry { name, state: (Tone::Good, "✔ finished"), counts: true, settings, metrics }
}

fn sweep() -> Vec<Entry> {
    let mut entries = Vec::new();
    for l1 in ["0", "3e-6", "8e-6"] {
        for alpha in ["0", "0.5"] {
            entries.extend((1..=3).map(|seed| entry(l1, alpha, seed)));
        }
    }
    let last = entries.last_mut().unwrap();
    (last.state, last.counts) = ((Tone::Good, "● running"), false);
    entries.push(Entry {
        name: "l1-8e-6_kd_alpha-1_seed-1".into(),
        metrics: Metrics::default(),
        ..entry("8e-6", "1", 1)
    });
    entries
}

fn frontier() -> Frontier {
    Frontier::new(sweep(), Keymap::default())
}

fn press(frontier: &mut Frontier, code: KeyCode) -> Option<Choice> {
    frontier.press(&KeyEvent::new(code, KeyModifiers::NONE), Size { width: 120, height: 40 })
}

fn marked(frontier: &Frontier) -> &str {
    frontier.marked.map_or("", |run| &frontier.field.entries()[run].name)
}

fn buffer(frontier: &Frontier, (width, height): (u16, u16), level: Level) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let (area, styles) = (buffer.area, Styles::new(&Theme::find(None).unwrap(), level));
    frontier.render(&styles, area, &mut buffer);
    buffer
}

fn kept(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn it_looks_as_kept() {
    for (width, height) in [(80, 24), (120, 40), (200, 50), (60, 16)] {
        kept(&format!("frontier-{width}x{height}"), &page_text(&frontier(), Size { width, height }));
    }
    for (width, height) in [(0, 0), (1, 1), (20, 6), (300, 80)] {
        page_text(&frontier(), Size { width, height });
        page_text(&Frontier::new(Vec::new(), Keymap::default()), Size { width, height });
    }
    let mut folded = buffer(&frontier(), (120, 40), Level::None);
    ascii::fold(&mut folded);
    assert!(folded.content.iter().all(|cell| cell.symbol().is_ascii()));
    assert_eq!(folded.content.iter().filter(|cell| cell.symbol() == "?").count(), 1, "the key alone");
    kept("frontier-120x40-ascii", &crate::tests::text(&folded));
    let mut explained = frontier();
    press(&mut explained, KeyCode::Char('?'));
    kept("frontier-definitions", &page_text(&explained, Size { width: 120, height: 40 }));
}

#[test]
fn the_marked_run_is_reversed_without_colours_and_a_configuration_has_one_sign_and_colour() {
    let frontier = frontier();
    let seen = buffer(&frontier, (120, 40), Level::None);
    let reversed: Vec<_> = seen.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).collect();
    assert_eq!(reversed.len(), 1);
    let styles = Styles::new(&Theme::find(None).unwrap(), Level::Truecolor);
    let looks: Vec<_> = (0..36).map(|index| plot::look(index, &styles)).collect();
    assert!((0..36).all(|one| (0..one).all(|other| looks[one] != looks[other])));
    let colours = buffer(&frontier, (120, 40), Level::Truecolor);
    let plot = Parts::of(Rect::new(0, 0, 120, 40), 7).plot;
    for configuration in 0..6 {
        let (sign, style) = plot::look(configuration, &styles);
        let dots =
            plot.positions().filter(|place| colours[*place].symbol() == sign && Some(colours[*place].fg) == style.fg);
        assert!((1..=3).contains(&dots.count()), "{sign}");
    }
}

#[test]
fn keys_go_from_run_to_run_and_from_configuration_to_configuration() {
    let mut frontier = frontier();
    assert_eq!(marked(&frontier), "l1-0_kd_alpha-0.5_seed-1", "the leftmost");
    let names: Vec<String> = (0..18)
        .map(|_| {
            press(&mut frontier, KeyCode::Right);
            marked(&frontier).to_owned()
        })
        .collect();
    assert_eq!(names[17], names[16], "the end is the end");
    let across = |name: &String| {
        frontier.field.entries().iter().find(|entry| entry.name == *name).unwrap().value("sparsity/exact")
    };
    assert!(names.windows(2).all(|two| across(&two[0]) <= across(&two[1])));
    frontier.mark("l1-8e-6_kd_alpha-0.5_seed-2");
    press(&mut frontier, KeyCode::Tab);
    assert_eq!(marked(&frontier), "l1-0_kd_alpha-0_seed-1", "the one without figures is passed over");
    press(&mut frontier, KeyCode::BackTab);
    assert_eq!(marked(&frontier), "l1-8e-6_kd_alpha-0.5_seed-1");
    (0..20).for_each(|_| drop(press(&mut frontier, KeyCode::Up)));
    let highest = marked(&frontier).to_owned();
    assert_eq!(press(&mut frontier, KeyCode::Enter), Some(Choice::Open(highest)));
    assert_eq!(press(&mut frontier, KeyCode::Char('r')), Some(Choice::Reread));
    assert_eq!(press(&mut frontier, KeyCode::Char('q')), Some(Choice::Leave));
}

#[test]
fn the_other_measures_come_in_turn_and_the_front_is_told() {
    let mut frontier = frontier();
    let mut seen = vec![frontier.across];
    while press(&mut frontier, KeyCode::Char('x')).is_none() && frontier.across != seen[0] {
        seen.push(frontier.across);
    }
    assert_eq!(seen, ["sparsity/exact", "explain/faithfulness", "explain/drift_start", "explain/drift_teacher"]);
    assert_eq!(frontier.field.front(frontier.across).len(), 4, "the taught ones, and the sparsest");
    let text = |frontier: &Frontier| page_text(frontier, Size { width: 120, height: 40 });
    assert_eq!(text(&frontier).lines().filter(|line| line.ends_with("  front")).count(), 4);
    let of_run = |frontier: &Frontier| text(frontier).lines().nth(3).unwrap().contains("front");
    assert!(of_run(&frontier));
    frontier.mark("l1-0_kd_alpha-0_seed-1");
    assert!(!of_run(&frontier));
}

#[test]
fn a_click_marks_the_closest_run_or_the_configuration_of_a_line() {
    let mut frontier = frontier();
    let size = Size { width: 120, height: 40 };
    let seen = buffer(&frontier, (120, 40), Level::Truecolor);
    let parts = Parts::of(Rect::new(0, 0, 120, 40), 7);
    let (sign, style) = plot::look(3, &Styles::new(&Theme::find(None).unwrap(), Level::Truecolor));
    let dot = parts.plot.positions().find(|&place| seen[place].symbol() == sign && Some(seen[place].fg) == style.fg);
    let dot = dot.unwrap();
    frontier.point(Pointer { kind: PointerKind::Down, x: dot.x, y: dot.y }, size);
    assert!(marked(&frontier).starts_with("l1-0_kd_alpha-0.5"), "{}", marked(&frontier));
    frontier.point(Pointer { kind: PointerKind::Down, x: 5, y: parts.list.y + 1 }, size);
    assert_eq!(marked(&frontier), "l1-0_kd_alpha-0_seed-1");
    let before = marked(&frontier).to_owned();
    frontier.point(Pointer { kind: PointerKind::Down, x: 0, y: 0 }, size);
    assert_eq!(marked(&frontier), before, "where nothing is, nothing is marked");
}

#[test]
fn read_again_it_keeps_its_place() {
    let mut frontier = frontier();
    press(&mut frontier, KeyCode::Right);
    let before = marked(&frontier).to_owned();
    let mut entries = sweep();
    entries.push(entry("1e-7", "0", 1));
    frontier.retake(entries);
    assert_eq!(marked(&frontier), before);
    frontier.mark("l1-8e-6_kd_alpha-0_seed-2");
    assert_eq!(marked(&frontier), "l1-8e-6_kd_alpha-0_seed-2");
    frontier.retake(Vec::new());
    assert_eq!(frontier.marked, None);
}
