//! The list of runs: state, curve and best value of each; one to open, or several to compare.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};

use crate::pages::page::Page;
use crate::text;
use crate::theme::SERIES;
use crate::theme::Tone;
use crate::widgets::paper::{Paper, below, from, row, to};
use crate::widgets::spark;

/// Columns of the curve.
pub const CURVE: u16 = 20;

/// A run in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it does, with a sign.
    pub state: (Tone, &'static str),
    /// Values of the loss from its start to its end.
    pub curve: Vec<f64>,
    /// The accuracy of its best evaluation.
    pub best: Option<f64>,
    /// Steps done, and how many there are.
    pub steps: (u64, Option<u64>),
    /// When it began, as people write it.
    pub started: String,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Open the run of this index.
    Open(usize),
    /// Compare these.
    Compare(Vec<usize>),
    /// All of them as one picture.
    Frontier,
    /// Start the demo.
    Demo,
    /// Leave.
    Nothing,
}

/// The screen.
#[derive(Debug, Clone)]
pub struct Picker {
    entries: Vec<Entry>,
    cursor: usize,
    /// The runs that are to be compared, in the order in which they were marked.
    marked: Vec<usize>,
}

impl Picker {
    /// With `entries` in the order in which they are shown.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries, cursor: 0, marked: Vec::new() }
    }

    fn go(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.entries.len().saturating_sub(1));
    }

    fn mark(&mut self) {
        if let Some(at) = self.marked.iter().position(|&index| index == self.cursor) {
            self.marked.remove(at);
        } else if self.marked.len() < SERIES && !self.entries.is_empty() {
            self.marked.push(self.cursor);
        }
        self.go(1);
    }

    /// The marked runs and the one under the cursor.
    fn compared(&self) -> Option<Choice> {
        let mut runs = self.marked.clone();
        if runs.len() < 2 && !runs.contains(&self.cursor) {
            runs.push(self.cursor);
        }
        (runs.len() >= 2).then_some(Choice::Compare(runs))
    }

    fn line(&self, index: usize, name: u16, paper: &mut Paper, area: Rect) {
        let (Some(entry), styles) = (self.entries.get(index), paper.styles) else { return };
        let here = index == self.cursor;
        let sign = if here { "▸" } else { " " };
        let mark = if self.marked.contains(&index) { "✔ " } else { "  " };
        let title = if here { styles.strong } else { styles.text };
        paper.line(to(area, 3), &[(sign, styles.accent), (mark, styles.good)]);
        paper.write(to(from(area, 3), name), &entry.name, title);
        let rest = from(area, name + 5);
        let (tone, words) = entry.state;
        paper.write(to(rest, 11), words, styles.tone(tone));
        let best = entry.best.map_or_else(|| "–".to_owned(), text::number);
        paper.right(to(from(rest, 11), 7), &[(&best, styles.strong)]);
        spark::draw(paper, to(from(rest, 20), CURVE), &entry.curve, styles.series[1]);
        let steps =
            entry.steps.1.map_or_else(|| entry.steps.0.to_string(), |total| format!("{}/{total}", entry.steps.0));
        paper.right(to(from(rest, 41), 13), &[(&steps, styles.text)]);
        paper.write(from(rest, 56), &entry.started, styles.muted);
    }
}

impl Page for Picker {
    type Answer = Choice;

    /// ```text
    ///  pellucid   3 runs
    ///    run                      state       best    loss          steps          started
    ///  ▸ 20260101-120000-triage   ● running   0.920   ▇▅▃▂▂▁▁▁▁     1240/3000      2026-01-01 12:00
    ///
    ///  Enter open  Space mark  c compare  d demo  q leave
    /// ```
    fn draw(&self, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        let title = text::plural(self.entries.len(), "run");
        paper.line(from(row(area, 0), 1), &[("pellucid", styles.accent), ("   ", styles.text), (&title, styles.text)]);
        // The name gives way to the rest, but stays long enough to be told apart.
        let longest = self.entries.iter().map(|entry| text::width(&entry.name)).max().unwrap_or(0) as u16;
        let name = longest.min(area.width.saturating_sub(5 + 20 + CURVE)).max(16);
        let head = from(row(area, 2), 1);
        paper.write(from(head, 3), "run", styles.muted);
        let rest = from(head, name + 5);
        paper.write(rest, "state", styles.muted);
        paper.right(to(from(rest, 11), 7), &[("best", styles.muted)]);
        paper.write(from(rest, 20), "loss", styles.muted);
        paper.right(to(from(rest, 41), 13), &[("steps", styles.muted)]);
        paper.write(from(rest, 56), "started", styles.muted);
        let list = Rect { height: area.height.saturating_sub(5), ..from(below(area, 3), 1) };
        let top = (self.cursor + 1).saturating_sub(usize::from(list.height));
        for y in 0..list.height {
            self.line(top + usize::from(y), name, paper, row(list, y));
        }
        let keys = if self.marked.is_empty() {
            "Enter open   Space mark to compare   F frontier   d demo   q leave"
        } else {
            "c compare the marked ones   Space mark   Enter open   q leave"
        };
        paper.write(from(row(area, area.height.saturating_sub(1)), 1), keys, styles.muted);
    }

    fn press(&mut self, key: &KeyEvent, size: Size) -> Option<Choice> {
        let page = isize::try_from(size.height.saturating_sub(5).max(1)).unwrap_or(1);
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Some(Choice::Nothing),
            KeyCode::Char('q') | KeyCode::Esc => return Some(Choice::Nothing),
            KeyCode::Char('d') => return Some(Choice::Demo),
            KeyCode::Char('c') => return self.compared(),
            KeyCode::Char('F') if !self.entries.is_empty() => return Some(Choice::Frontier),
            KeyCode::Enter if !self.entries.is_empty() => return Some(Choice::Open(self.cursor)),
            KeyCode::Char(' ') => self.mark(),
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::PageDown => self.go(page),
            KeyCode::PageUp => self.go(-page),
            KeyCode::Home | KeyCode::Char('g') => self.cursor = 0,
            KeyCode::End | KeyCode::Char('G') => self.go(isize::MAX),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::page_text;

    fn entry(index: usize) -> Entry {
        let states = [(Tone::Good, "● running"), (Tone::Good, "✔ finished"), (Tone::Bad, "✖ failed")];
        Entry {
            name: format!("2026010{}-120000-triage", index + 1),
            state: states[index % 3],
            curve: (0..20).map(|x| 1.0 / f64::from(x + 1 + index as i32)).collect(),
            best: (index != 2).then_some(0.92),
            steps: (1240, Some(3000)),
            started: "2026-01-01 12:00".to_owned(),
        }
    }

    fn press(picker: &mut Picker, code: KeyCode) -> Option<Choice> {
        picker.press(&KeyEvent::new(code, KeyModifiers::NONE), Size { width: 80, height: 24 })
    }

    #[test]
    fn it_looks_as_kept() {
        let mut picker = Picker::new((0..3).map(entry).collect());
        press(&mut picker, KeyCode::Char(' '));
        for (width, height) in [(80, 24), (120, 40)] {
            let text = page_text(&picker, Size { width, height });
            insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
                insta::assert_snapshot!(format!("picker-{width}x{height}"), text);
            });
        }
        for (width, height) in [(0, 0), (1, 1), (20, 6), (300, 80)] {
            page_text(&picker, Size { width, height });
        }
    }

    #[test]
    fn one_is_opened_or_several_are_compared() {
        let mut picker = Picker::new((0..3).map(entry).collect());
        assert_eq!(press(&mut picker, KeyCode::Enter), Some(Choice::Open(0)));
        assert_eq!(press(&mut picker, KeyCode::Char('c')), None, "one alone is not compared");
        assert_eq!(press(&mut picker, KeyCode::Char('F')), Some(Choice::Frontier));
        assert_eq!(press(&mut picker, KeyCode::Char(' ')), None);
        assert_eq!(press(&mut picker, KeyCode::Char('c')), Some(Choice::Compare(vec![0, 1])));
        press(&mut picker, KeyCode::Char('G'));
        press(&mut picker, KeyCode::Char(' '));
        assert_eq!(press(&mut picker, KeyCode::Char('c')), Some(Choice::Compare(vec![0, 2])));
        (0..9).for_each(|_| drop(press(&mut picker, KeyCode::Down)));
        assert_eq!(press(&mut picker, KeyCode::Enter), Some(Choice::Open(2)));
        let mut none = Picker::new(Vec::new());
        assert_eq!(
            [KeyCode::Enter, KeyCode::Char(' '), KeyCode::Down].map(|code| press(&mut none, code)),
            [None, None, None]
        );
        assert_eq!(press(&mut none, KeyCode::Char('d')), Some(Choice::Demo));
    }
}
