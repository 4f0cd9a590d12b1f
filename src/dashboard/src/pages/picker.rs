//! The list of runs: state, curve and best value of each; one to open, or several to compare.

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use crate::pages::page::{Page, render_title};
use crate::text;
use crate::theme::{SERIES, Styles, Tone};
use crate::widgets::PutText;
use crate::widgets::area::{from, row, to};
use crate::widgets::sparkline::sparkline;

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
}

/// The columns of the list.
struct RunsList<'a> {
    picker: &'a Picker,
    /// Columns for the names.
    name: u16,
    styles: &'a Styles,
}

impl RunsList<'_> {
    fn render_heading(&self, area: Rect, buf: &mut Buffer) {
        let muted = self.styles.muted;
        buf.put(from(area, 3), "run", muted);
        let rest = from(area, self.name + 5);
        buf.put(rest, "state", muted);
        buf.put_spans_right(to(from(rest, 11), 7), &[Span::styled("best", muted)]);
        buf.put(from(rest, 20), "loss", muted);
        buf.put_spans_right(to(from(rest, 41), 13), &[Span::styled("steps", muted)]);
        buf.put(from(rest, 56), "started", muted);
    }

    fn render_run(&self, index: usize, area: Rect, buf: &mut Buffer) {
        let (Some(entry), styles) = (self.picker.entries.get(index), self.styles) else { return };
        let here = index == self.picker.cursor;
        let sign = if here { "▸" } else { " " };
        let mark = if self.picker.marked.contains(&index) { "✔ " } else { "  " };
        buf.put_spans(to(area, 3), &[Span::styled(sign, styles.accent), Span::styled(mark, styles.good)]);
        let title = if here { styles.strong } else { styles.text };
        buf.put(to(from(area, 3), self.name), &entry.name, title);
        let rest = from(area, self.name + 5);
        let (tone, words) = entry.state;
        buf.put(to(rest, 11), words, styles.tone(tone));
        let best = entry.best.map_or_else(|| "–".to_owned(), text::number);
        buf.put_spans_right(to(from(rest, 11), 7), &[Span::styled(best, styles.strong)]);
        let curve = to(from(rest, 20), CURVE).intersection(buf.area);
        sparkline(&entry.curve, styles.series[1]).render(curve, buf);
        let steps =
            entry.steps.1.map_or_else(|| entry.steps.0.to_string(), |total| format!("{}/{total}", entry.steps.0));
        buf.put_spans_right(to(from(rest, 41), 13), &[Span::styled(steps, styles.text)]);
        buf.put(from(rest, 56), &entry.started, styles.muted);
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
    fn render(&self, styles: &Styles, area: Rect, buf: &mut Buffer) {
        let (line, rest) = (Constraint::Length(1), Constraint::Fill(1));
        let [top, _, head, list, _, foot] = Layout::vertical([line, line, line, rest, line, line]).areas(from(area, 1));
        render_title(&text::plural(self.entries.len(), "run"), styles, top, buf);
        // The name gives way to the rest, but stays long enough to be told apart.
        let longest = self.entries.iter().map(|entry| text::width(&entry.name)).max().unwrap_or(0) as u16;
        let name = longest.min(area.width.saturating_sub(5 + 20 + CURVE)).max(16);
        let runs = RunsList { picker: self, name, styles };
        runs.render_heading(head, buf);
        let first = (self.cursor + 1).saturating_sub(usize::from(list.height));
        for y in 0..list.height {
            runs.render_run(first + usize::from(y), row(list, y), buf);
        }
        let keys = if self.marked.is_empty() {
            "Enter open   Space mark to compare   F frontier   d demo   q leave"
        } else {
            "c compare the marked ones   Space mark   Enter open   q leave"
        };
        buf.put(foot, keys, styles.muted);
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
