//! `pellucid` alone: a list of the runs to open, or the demo when there are none yet.

use std::io::{BufRead, Write};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use pellucid_protocol::RunDir;
use pellucid_protocol::scrub::scrub;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{List, ListState};

use super::runs::Summary;
use super::{open, train};
use crate::cli::{Cli, DemoArgs, Global};
use crate::failure::{Ending, Failure};

/// Asks whether to start the demo, and starts it.
pub(super) fn offer_demo(global: &Global) -> Result<Ending, Failure> {
    let mut out = std::io::stdout().lock();
    let folder = global.runs.display().to_string();
    writeln!(out, "There are no runs in {} yet. `pellucid help` lists the commands.", scrub(&folder))?;
    write!(out, "Start the demo: fine-tune a small model on triage notes, a minute or two? [Y/n] ")?;
    out.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::Failed(error.to_string()))?;
    match (read, answer.trim()) {
        (0, _) => Ok(Ending::Done),
        (_, "" | "y" | "Y" | "yes") => demo(global),
        _ => Ok(Ending::Done),
    }
}

fn demo(global: &Global) -> Result<Ending, Failure> {
    train::demo(demo_args(), global)
}

/// `pellucid demo` as if typed without flags.
fn demo_args() -> DemoArgs {
    use clap::Parser;
    match Cli::parse_from(["pellucid", "demo"]).action {
        Some(crate::cli::Action::Demo(args)) => args,
        _ => unreachable!("`pellucid demo` is the demo"),
    }
}

/// Lets the user choose one of `runs` and opens it.
pub(super) fn pick(runs: &[RunDir], global: &Global) -> Result<Ending, Failure> {
    match choose(runs).map_err(|error| Failure::Failed(format!("cannot use the terminal: {error}")))? {
        Choice::Run(index) => open::attach(runs[index].clone(), global),
        Choice::Demo => demo(global),
        Choice::Nothing => Ok(Ending::Done),
    }
}

/// What was chosen.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// The run of this index.
    Run(usize),
    Demo,
    Nothing,
}

fn choose(runs: &[RunDir]) -> std::io::Result<Choice> {
    let mut picker = Picker::new(runs);
    let mut terminal = ratatui::try_init()?;
    let choice = loop {
        if let Err(error) = terminal.draw(|frame| picker.draw(frame)) {
            break Err(error);
        }
        match event::read() {
            Ok(Event::Key(key)) if key.kind == KeyEventKind::Press => {
                if let Some(choice) = picker.press(key) {
                    break Ok(choice);
                }
            }
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    ratatui::try_restore()?;
    choice
}

/// The list, newest run first, and what is marked in it.
struct Picker {
    rows: Vec<String>,
    marked: ListState,
}

impl Picker {
    fn new(runs: &[RunDir]) -> Self {
        let summaries: Vec<_> = runs.iter().rev().map(Summary::of).collect();
        let width = summaries.iter().map(|summary| summary.name.chars().count()).max().unwrap_or(0);
        let rows = summaries.iter().map(|summary| scrub(&summary.row(width)).into_owned()).collect();
        Self { rows, marked: ListState::default().with_selected(Some(0)) }
    }

    fn press(&mut self, key: KeyEvent) -> Option<Choice> {
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Some(Choice::Nothing),
            KeyCode::Char('q') | KeyCode::Esc => return Some(Choice::Nothing),
            KeyCode::Char('d') => return Some(Choice::Demo),
            KeyCode::Enter => return self.chosen().map(Choice::Run),
            KeyCode::Down | KeyCode::Char('j') => self.marked.select_next(),
            KeyCode::Up | KeyCode::Char('k') => self.marked.select_previous(),
            KeyCode::Home | KeyCode::Char('g') => self.marked.select_first(),
            KeyCode::End | KeyCode::Char('G') => self.marked.select_last(),
            _ => {}
        }
        None
    }

    /// The marked run; the list is the folder's upside down.
    fn chosen(&self) -> Option<usize> {
        let marked = self.marked.selected()?.min(self.rows.len().checked_sub(1)?);
        Some(self.rows.len() - 1 - marked)
    }

    fn draw(&mut self, frame: &mut Frame) {
        let parts = [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)];
        let [title, list, keys] = Layout::vertical(parts).areas(frame.area());
        frame.render_widget(Line::from("pellucid: runs").style(Style::new().add_modifier(Modifier::BOLD)), title);
        let rows = List::new(self.rows.iter().map(String::as_str))
            .highlight_symbol("> ")
            .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
        frame.render_stateful_widget(rows, list, &mut self.marked);
        frame.render_widget(Line::from("Enter open  d demo  j/k move  q leave"), keys);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn picker(rows: usize) -> Picker {
        let rows = (0..rows).map(|row| format!("run {row}")).collect();
        Picker { rows, marked: ListState::default().with_selected(Some(0)) }
    }

    fn press(picker: &mut Picker, code: KeyCode) -> Option<Choice> {
        picker.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn the_list_is_upside_down_and_ends_at_its_ends() {
        let mut picker = picker(3);
        assert_eq!(press(&mut picker, KeyCode::Enter), Some(Choice::Run(2)));
        for _ in 0..5 {
            assert_eq!(press(&mut picker, KeyCode::Char('j')), None);
            picker.draw(&mut Terminal::new(TestBackend::new(30, 8)).unwrap().get_frame());
        }
        assert_eq!(press(&mut picker, KeyCode::Enter), Some(Choice::Run(0)));
        press(&mut picker, KeyCode::Char('G'));
        assert_eq!(press(&mut picker, KeyCode::Enter), Some(Choice::Run(0)));
        assert_eq!(press(&mut picker, KeyCode::Char('d')), Some(Choice::Demo));
        assert_eq!(press(&mut picker, KeyCode::Char('q')), Some(Choice::Nothing));
    }

    #[test]
    fn it_draws_at_any_size() {
        for (width, height) in [(80, 24), (20, 6), (3, 2), (1, 1), (0, 0)] {
            Terminal::new(TestBackend::new(width, height)).unwrap().draw(|frame| picker(30).draw(frame)).unwrap();
        }
    }

    #[test]
    fn the_demo_needs_no_flags() {
        assert!(!demo_args().watch.headless);
    }
}
