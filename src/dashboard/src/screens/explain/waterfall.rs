//! From the text with all words masked to the answer, one word after the other.

use pellucid_protocol::explanation::{Baseline, Method, Scalar, Unit};
use pellucid_protocol::{Attribution, Explanation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::notes::verdict;
use super::{ExplainView, attribution};
use crate::theme::Styles;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// Columns for the two numbers of a line.
const NUMBERS: u16 = 17;

/// A bar from one number to another.
struct Step {
    name: String,
    from: f64,
    to: f64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number that is reached.
    Level,
    /// What a word adds.
    Word(usize),
    /// What the words that there is no room for add together.
    Rest,
}

impl ExplainView<'_> {
    /// ```text
    /// ╭─ waterfall: Shapley values, probability of urgent ──────╮
    /// │ all words masked  ████████▏               0.310         │
    /// │ ▸ chest                   ▆▆▆▆▆▆▆▆  0.722    +41        │
    /// │   mild                  ▆▆          0.602    -12        │
    /// │ 11 more words           ▆           0.611   +0.9        │
    /// │ this text         ████████████████        0.931         │
    /// ╰─────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn render_waterfall(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let (screen, styles) = (self.screen, self.styles);
        let explanation = screen.looked_at(current);
        let method = screen.method().title();
        let made = attribution(explanation, screen.method());
        let class = self.run.label(explanation.target);
        let of = made.map_or_else(String::new, |made| format!(", {} of {class}", number(made.scalar)));
        let title = screen.titled(&format!("waterfall: {method}{of}"));
        let inside = inset(Panel::new(&title, styles).draw(area, buf));
        let Some(made) = made else { return buf.put_centered(inside, "not done yet", styles.muted) };
        let Some(ends) = made.ends() else {
            let words = format!(
                "The scores of {method} do not add up to the answer. Those of Shapley values, Kernel SHAP, integrated gradients and LIME do: m chooses."
            );
            return buf.put_centered(inside, &words, styles.muted);
        };
        let style = if made.is_trusted() { styles.muted } else { styles.bad };
        let used = buf.put_wrapped(inside, &note(explanation, made, ends), style);
        let list = below(inside, used);
        let steps = steps(explanation, made, ends, usize::from(list.height));
        let lines = WaterfallLines { made, range: range(&steps), marked: screen.draft.cursor_in(current), styles };
        for (y, step) in (0..).zip(&steps) {
            lines.render(step, row(list, y), buf);
        }
    }
}

/// How the lines of a waterfall are drawn.
struct WaterfallLines<'a> {
    made: &'a Attribution,
    /// The numbers at the left and at the right edge.
    range: (f64, f64),
    /// The word under the cursor.
    marked: Option<usize>,
    styles: &'a Styles,
}

impl WaterfallLines<'_> {
    fn render(&self, step: &Step, line: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let name = (line.width / 3).clamp(8, 22);
        let plain = if self.made.is_trusted() { styles.text } else { styles.muted };
        let cursor = match step.kind {
            Kind::Level => "",
            Kind::Word(word) if self.marked == Some(word) => "▸ ",
            Kind::Word(_) | Kind::Rest => "  ",
        };
        buf.put_spans(to(line, name), &[Span::styled(cursor, styles.accent), Span::styled(&step.name, plain)]);
        let place = to(from(line, name + 1), line.width.saturating_sub(name + 2 + NUMBERS));
        let (scale, change) = (self.made.scale(), step.to - step.from);
        let style = match (self.made.is_trusted(), step.kind) {
            (false, _) => styles.muted,
            (true, Kind::Level) => styles.accent,
            (true, _) => styles.ink(scale.sign, change),
        };
        let (start, length) = self.stretch(step, place.width);
        buf.put(to(from(place, start), length), &"▆".repeat(usize::from(length)), style);
        let added = if step.kind == Kind::Level { String::new() } else { scale.written(change) };
        let numbers = [Span::styled(format!("{:.3}", step.to), plain), Span::styled(format!("{added:>9}"), style)];
        buf.put_spans_right(line, &numbers);
    }

    /// The first column of a bar in `width` columns, and its length. A level begins at the left edge.
    fn stretch(&self, step: &Step, width: u16) -> (u16, u16) {
        let ((low, high), columns) = (self.range, f64::from(width));
        let column =
            |value: f64| ((value - low) / (high - low).max(f64::MIN_POSITIVE) * columns).round().clamp(0.0, columns);
        let left = if step.kind == Kind::Level { low } else { step.from.min(step.to) };
        let (left, right) = (column(left), column(step.from.max(step.to)));
        let length = ((right - left) as u16).max(1);
        ((left as u16).min(width.saturating_sub(length)), length)
    }
}

/// Start, the strongest words that there is room for, the others together, end.
fn steps(explanation: &Explanation, made: &Attribution, (start, end): (f64, f64), rows: usize) -> Vec<Step> {
    let mut order: Vec<usize> = (0..made.scores.len().min(explanation.words.len())).collect();
    order.sort_by(|&a, &b| made.scores[b].abs().total_cmp(&made.scores[a].abs()).then(a.cmp(&b)));
    let room = rows.saturating_sub(2);
    let shown = if order.len() <= room { order.len() } else { room.saturating_sub(1) };
    let mut steps = vec![Step { name: beginning(made).to_owned(), from: start, to: start, kind: Kind::Level }];
    let mut reached = start;
    for &word in &order[..shown] {
        let next = reached + made.scores[word];
        steps.push(Step { name: explanation.word(word), from: reached, to: next, kind: Kind::Word(word) });
        reached = next;
    }
    if shown < order.len() {
        let name = format!("{} more", order.len() - shown);
        steps.push(Step { name, from: reached, to: end, kind: Kind::Rest });
    }
    steps.push(Step { name: "this text".to_owned(), from: end, to: end, kind: Kind::Level });
    steps
}

/// What the scores are added to.
fn beginning(made: &Attribution) -> &'static str {
    match (made.method, made.baseline) {
        (Method::Lime, _) => "base",
        (_, Some(Baseline::Pad)) => "all padding",
        (_, Some(Baseline::Zero)) => "all words zero",
        (_, Some(Baseline::Mean)) => "all words mean",
        _ => "all masked",
    }
}

fn number(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Logit => "logit",
        Scalar::Probability => "probability",
        Scalar::Margin => "margin",
        Scalar::Attention => "attention",
    }
}

/// Where the bars begin to be told apart: a tenth of the way below the lowest, or zero.
fn range(steps: &[Step]) -> (f64, f64) {
    let values = || steps.iter().flat_map(|step| [step.from, step.to]).filter(|value| value.is_finite());
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let low = if low >= 0.0 { 0.0 } else { low - (high - low) * 0.1 };
    (low, high)
}

/// What the end is, and why not to trust it where that is so.
fn note(explanation: &Explanation, made: &Attribution, (start, end): (f64, f64)) -> String {
    if !made.is_trusted() {
        return verdict(made);
    }
    let model = explanation.probabilities.get(explanation.target).copied().unwrap_or(f64::NAN);
    let told = match made.method {
        Method::Lime => format!("the surrogate goes from {start:.3} to {end:.3}; the model says {model:.3}"),
        Method::IntegratedGradients => format!("the logit goes from {start:.3} to {end:.3}; p = {model:.3}"),
        _ => format!("from {start:.3} with all words masked to {end:.3}; the model says {model:.3}"),
    };
    match made.scale().unit {
        Unit::Points => format!("{told}; a word's change in points, hundredths of it"),
        Unit::Logits | Unit::None => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn made(rows: usize) -> (Vec<Step>, f64) {
        let explanation = fixture::explanation("not a good film at all", None, 1300, Method::ALL.len());
        let shapley = attribution(&explanation, Method::Shapley).unwrap();
        let ends = shapley.ends().unwrap();
        (steps(&explanation, shapley, ends, rows), ends.1)
    }

    #[test]
    fn each_bar_begins_where_the_one_before_ends_and_the_last_is_the_answer() {
        for rows in [3, 5, 8, 20] {
            let (bars, end) = made(rows);
            assert!(bars.len() <= rows.max(3), "{rows}");
            assert!(bars.windows(2).all(|pair| (pair[0].to - pair[1].from).abs() < 1e-9));
            assert!((bars.last().unwrap().to - end).abs() < 1e-12);
        }
        let (all, _) = made(20);
        assert_eq!(all.len(), 8, "six words and both ends");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let (bars, _) = made(5);
        assert_eq!(bars[3].name, "4 more");
        assert_eq!(bars[3].kind, Kind::Rest);
    }
}
