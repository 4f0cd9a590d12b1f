//! What stands beside the text: the answer, and the methods with their checks.

use pellucid_protocol::explanation::Method;
use pellucid_protocol::{Attribution, Check, Explanation, Verdict};
use ratatui::layout::Rect;

use super::words;
use super::{Explain, attribution, highest};
use crate::chart::{Chart, Line, Look, MARKS, Scale};
use crate::history::Series;
use crate::run::Run;
use crate::text;
use crate::widgets::bar::{self, Weight};
use crate::widgets::paper::{Paper, from, row, to};

/// Columns of a method's name and checks.
const FIGURES: u16 = 52;

/// A heading, the methods, the box: all of them with room, else five, which follow the chosen one.
pub(super) fn methods_height(screen: Rect) -> u16 {
    let methods = if screen.height >= 60 { Method::ALL.len() } else { Method::USUAL.len() };
    methods as u16 + 3
}

impl Explain {
    /// ```text
    ///     method            faithful  random  own check  chest  pain  since
    /// ▸ ✔ gradient x input      0.81    0.50               +9    +8    -7
    ///   ✔ integrated gradients  0.84    0.50  gap 0.8 %    +9    +7    -6
    ///   ✖ gradient norm         0.31    0.50               +5    +9    +2
    /// ```
    /// With room beside it, each method's map stands in its line: where they agree is seen at once.
    pub(super) fn draw_methods(&self, current: &Explanation, paper: &mut Paper, area: Rect) {
        let inside = paper.boxed(area, "methods and their checks");
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        // Five methods come before their heading.
        let heading = u16::from(inside.height > Method::USUAL.len() as u16);
        let room = usize::from(inside.height - heading.min(inside.height));
        let chosen = Method::ALL.iter().position(|&method| method == self.method).unwrap_or(0);
        let first = (chosen + 1).saturating_sub(room.max(1));
        if room < Method::ALL.len() && area.width >= 50 {
            let place = format!("{} of {}", chosen + 1, Method::ALL.len());
            let muted = paper.styles.muted;
            paper.corner(area, &place, muted);
        }
        let titles = format!("    {:<14}{:>12}{:>8}  own check", "method", "faithful", "random");
        paper.write(to(row(inside, 0), inside.width * heading), &titles, paper.styles.muted);
        let strip = from(inside, FIGURES);
        let columns = words::columns(current, attribution(current, self.method), strip.width);
        if strip.width >= 20 {
            words::header(current, &columns, paper, strip);
        }
        for (index, method) in Method::ALL.iter().copied().skip(first).take(room).enumerate() {
            let line = row(inside, index as u16 + heading);
            self.draw_method(current, method, paper, line);
            if let Some(scores) = attribution(current, method).filter(|_| strip.width >= 20) {
                words::strip(scores, &columns, paper, from(line, FIGURES));
            }
        }
    }

    fn draw_method(&self, current: &Explanation, method: Method, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        let chosen = method == self.method;
        let cursor = if chosen { "▸ " } else { "  " };
        let scores = attribution(current, method);
        let (sign, sign_style, style) = match scores {
            Some(scores) if scores.is_trusted() => {
                ("✔ ", styles.good, if chosen { styles.strong } else { styles.text })
            }
            Some(scores) if scores.fails() => ("✖ ", styles.bad, styles.muted),
            // Not done, or no gate reached yet: still being refined.
            _ => ("… ", styles.muted, styles.muted),
        };
        let rest =
            scores.map_or_else(|| if current.partial { "  under way" } else { "  not done" }.to_owned(), figures);
        let name = format!("{:<20}", method.title());
        paper.line(area, &[(cursor, styles.accent), (sign, sign_style), (&name, style), (&rest, style)]);
    }
}

/// The figures of a method's checks in columns.
fn figures(scores: &Attribution) -> String {
    let mut faithful = (String::from("–"), String::from("–"));
    let mut own = String::new();
    for check in &scores.checks {
        if let Check::Faithfulness { normalised, random, exact } = *check {
            let bound = if exact { "" } else { "≈" };
            faithful = (format!("{bound}{normalised:.2}"), format!("{random:.2}"));
        } else if let Some(brief) = check.brief()
            // A figure is of less weight than a gate.
            && (own.is_empty() || check.verdict() != Verdict::Informative)
        {
            own = brief;
        }
    }
    format!("{:>6}{:>8}  {own:<9}", faithful.0, faithful.1)
}

/// ```text
///            student        teacher
/// ▸✔ urgent   ▆▆▆▆▆▆··  0.91  0.88
///    routine  ▆·······  0.09  0.12
/// ```
/// Where words are changed: what the model says without and with that.
pub(super) struct Answer<'a> {
    heading: &'static str,
    /// The bars, and the second column of numbers.
    shares: &'a [f64],
    first: &'a [f64],
    second: Option<&'a [f64]>,
}

impl Explain {
    pub(super) fn draw_answer(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let shares = &current.probabilities;
        let answer = match self.draft.last_answer() {
            Some(said) => {
                let heading = if self.draft.answer().is_some() { "before  after" } else { "before  … " };
                Answer { heading, shares: &said.after, first: &said.before, second: Some(&said.after) }
            }
            None => {
                let second = current.teacher_probabilities.as_deref();
                let heading = if second.is_some() { "student teacher" } else { "student" };
                Answer { heading, shares, first: shares, second }
            }
        };
        answer.draw(run, current, paper, area);
    }
}

impl Answer<'_> {
    fn draw(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let title = if current.label.is_some() { "answer, ✔ is right" } else { "answer" };
        let inside = paper.boxed(area, title);
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let names: Vec<_> = (0..self.shares.len()).map(|class| run.label(class)).collect();
        let name = names.iter().map(|name| text::width(name)).max().unwrap_or(0).min(14) as u16;
        let digits = if inside.width < 32 { 2 } else { 3 };
        let muted = paper.styles.muted;
        paper.right(row(inside, 0), &[(self.heading, muted)]);
        for (class, probability) in self.shares.iter().enumerate() {
            let line = row(inside, class as u16 + 1);
            class_name(current, class, &names[class], paper, to(line, name + 3));
            let other = self.second.and_then(|second| second.get(class)).map(|&value| share(value, digits + 5, digits));
            let shown = share(self.first.get(class).copied().unwrap_or(f64::NAN), digits + 4, digits);
            let tail = (shown.len() + other.as_ref().map_or(0, String::len)) as u16;
            let bar_area = to(from(line, name + 4), line.width.saturating_sub(name + 4 + tail));
            let style = if class == current.target { paper.styles.accent } else { paper.styles.muted };
            bar::draw(paper, bar_area, *probability, (Weight::Full, style));
            paper.right(line, &[(&shown, paper.styles.strong), (other.as_deref().unwrap_or(""), paper.styles.text)]);
        }
        answer_note(run, current, paper, row(inside, names.len() as u16 + 1));
    }
}

/// A probability in a field of its own.
fn share(value: f64, width: usize, digits: usize) -> String {
    format!("{value:>width$.digits$}")
}

fn class_name(current: &Explanation, class: usize, name: &str, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let cursor = if class == current.target { "▸" } else { " " };
    let style = if class == current.target { styles.strong } else { styles.text };
    let right = if current.label == Some(class) { "✔ " } else { "  " };
    paper.line(area, &[(cursor, styles.accent), (right, styles.good), (name, style)]);
}

fn answer_note(run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
    let answer = highest(&current.probabilities);
    let styles = paper.styles;
    let (words, style) = match current.label {
        Some(label) if label == answer => ("right".to_owned(), styles.good),
        Some(label) => (format!("wrong: it is {}", run.label(label)), styles.bad),
        None => return,
    };
    let agrees = current.teacher_probabilities.as_deref().map(|teacher| highest(teacher) == answer);
    let teacher = match agrees {
        Some(true) => " · the teacher agrees",
        Some(false) => " · the teacher does not agree",
        None => "",
    };
    paper.line(area, &[(&words, style), (teacher, styles.muted)]);
}

/// The answer over the run: the probability of each class, by the explanations of this text so far.
pub(super) fn course(screen: &Explain, run: &Run, paper: &mut Paper, area: Rect) {
    let Some(current) = screen.current().filter(|_| area.height >= 6) else { return };
    let classes = current.probabilities.len().min(MARKS.len());
    let mut series = vec![Series::default(); classes];
    for known in screen.related() {
        for (series, probability) in series.iter_mut().zip(&known.probabilities) {
            series.push(known.step, *probability);
        }
    }
    let names: Vec<_> = (0..classes).map(|class| run.label(class)).collect();
    let lines = series.iter().zip(&names).enumerate();
    let lines =
        lines.map(|(slot, (series, name))| Line { name, series, look: Look::Joined, slot, course: None }).collect();
    let steps = (0, run.horizon());
    let chart =
        Chart { title: "this answer over the run", lines, steps, scale: Scale::FromZero, cursor: None, empty: "" };
    chart.draw(paper, area);
}
