//! From the text with all words masked to the answer, one word after the other.

use pellucid_protocol::explanation::{Baseline, Method, Scalar};
use pellucid_protocol::{Attribution, Check, Explanation};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Explain, attribution};
use crate::run::Run;
use crate::widgets::paper::{Paper, below, from, row, to};

/// Columns of the two numbers of a line.
const NUMBERS: u16 = 17;

/// A line of the picture.
struct Bar {
    name: String,
    from: f64,
    to: f64,
    kind: Kind,
    /// Whether it is the marked word's.
    marked: bool,
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

impl Explain {
    /// ```text
    /// ╭ waterfall: Shapley values, probability of urgent ───────╮
    /// │ all words masked  ████████▏               0.310         │
    /// │ ▸ chest                   ▆▆▆▆▆▆▆▆  0.722 +0.412        │
    /// │   mild                  ▆▆          0.602 -0.120        │
    /// │ 11 more words           ▆           0.611 +0.009        │
    /// │ this text         ████████████████        0.931         │
    /// ╰─────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn draw_waterfall(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let explanation = self.looked_at(current);
        let class = run.label(explanation.target);
        let made = attribution(explanation, self.method);
        let of = made.map_or_else(String::new, |made| format!(", {} of {class}", number(made.scalar)));
        let inside = paper.boxed(area, &self.titled(&format!("waterfall: {}{of}", self.method.title())));
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let muted = paper.styles.muted;
        let Some(made) = made else { return paper.middle(inside, "not done yet", muted) };
        let Some(ends) = made.ends() else {
            let words = format!(
                "The scores of {} do not add up to the answer. Those of Shapley values, Kernel SHAP, integrated gradients and LIME do: m chooses.",
                self.method.title()
            );
            return paper.middle(inside, &words, muted);
        };
        let note = note(explanation, made, ends);
        let used = paper.paragraph(inside, &note, if made.fails() { paper.styles.bad } else { muted });
        let list = below(inside, used);
        let mut bars = bars(explanation, made, ends, usize::from(list.height));
        let marked = self.draft.cursor_in(current).map(Kind::Word);
        bars.iter_mut().for_each(|bar| bar.marked = Some(bar.kind) == marked);
        let range = range(&bars);
        for (index, bar) in bars.iter().enumerate() {
            Self::draw_bar(bar, (made, range), paper, row(list, index as u16));
        }
    }

    fn draw_bar(bar: &Bar, (made, range): (&Attribution, (f64, f64)), paper: &mut Paper, line: Rect) {
        let styles = paper.styles;
        let name = (line.width / 3).clamp(8, 22);
        let plain = if made.fails() { styles.muted } else { styles.text };
        let cursor = if bar.marked { "▸ " } else { "  " };
        let cursor = if bar.kind == Kind::Level { "" } else { cursor };
        paper.line(to(line, name), &[(cursor, styles.accent), (&bar.name, plain)]);
        let place = to(from(line, name + 1), line.width.saturating_sub(name + 2 + NUMBERS));
        let style = match (made.fails(), bar.kind) {
            (true, _) => styles.muted,
            (false, Kind::Level) => styles.accent,
            (false, _) => styles.side(bar.to - bar.from),
        };
        stretch(bar, range, style, paper, place);
        let added = if bar.kind == Kind::Level { String::new() } else { format!("{:+.3}", bar.to - bar.from) };
        paper.right(line, &[(&format!("{:.3}", bar.to), plain), (&format!("{added:>9}"), style)]);
    }
}

/// The part of a line between two numbers; a level begins at the left edge.
fn stretch(bar: &Bar, (low, high): (f64, f64), style: Style, paper: &mut Paper, area: Rect) {
    let width = f64::from(area.width);
    let column = |value: f64| ((value - low) / (high - low).max(f64::MIN_POSITIVE) * width).round().clamp(0.0, width);
    let (from_, to_) =
        (column(if bar.kind == Kind::Level { low } else { bar.from.min(bar.to) }), column(bar.from.max(bar.to)));
    let length = ((to_ - from_) as u16).max(1);
    let start = (from_ as u16).min(area.width.saturating_sub(length));
    paper.write(to(from(area, start), length), &"▆".repeat(usize::from(length)), style);
}

/// Start, the strongest words that there is room for, the others together, end.
fn bars(explanation: &Explanation, made: &Attribution, (start, end): (f64, f64), rows: usize) -> Vec<Bar> {
    let mut order: Vec<usize> = (0..made.scores.len().min(explanation.words.len())).collect();
    order.sort_by(|&a, &b| made.scores[b].abs().total_cmp(&made.scores[a].abs()).then(a.cmp(&b)));
    let room = rows.saturating_sub(2);
    let shown = if order.len() <= room { order.len() } else { room.saturating_sub(1) };
    let mut bars =
        vec![Bar { name: beginning(made).to_owned(), from: start, to: start, kind: Kind::Level, marked: false }];
    let mut reached = start;
    for &word in &order[..shown] {
        let next = reached + made.scores[word];
        bars.push(Bar { name: explanation.word(word), from: reached, to: next, kind: Kind::Word(word), marked: false });
        reached = next;
    }
    if shown < order.len() {
        let name = format!("{} more", order.len() - shown);
        bars.push(Bar { name, from: reached, to: end, kind: Kind::Rest, marked: false });
    }
    bars.push(Bar { name: "this text".to_owned(), from: end, to: end, kind: Kind::Level, marked: false });
    bars
}

/// What the scores are added to.
fn beginning(made: &Attribution) -> &'static str {
    match (made.method, made.baseline) {
        (Method::Lime, _) => "intercept",
        (_, Some(Baseline::Pad)) => "all words [PAD]",
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
fn range(bars: &[Bar]) -> (f64, f64) {
    let values = || bars.iter().flat_map(|bar| [bar.from, bar.to]).filter(|value| value.is_finite());
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let low = if low >= 0.0 { 0.0 } else { low - (high - low) * 0.1 };
    (low, high)
}

/// What the end is, and why not to trust it where that is so.
fn note(explanation: &Explanation, made: &Attribution, (start, end): (f64, f64)) -> String {
    if let Some(why) = made.checks.iter().find_map(Check::objection) {
        return format!("✖ not to be trusted: {why}");
    }
    let model = explanation.probabilities.get(explanation.target).copied().unwrap_or(f64::NAN);
    match made.method {
        Method::Lime => format!("the surrogate goes from {start:.3} to {end:.3}; the model says {model:.3}"),
        Method::IntegratedGradients => format!("the logit goes from {start:.3} to {end:.3}; p = {model:.3}"),
        _ => format!("from {start:.3} with all words masked to {end:.3}; the model says {model:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn made(rows: usize) -> (Vec<Bar>, f64) {
        let explanation = fixture::explanation("not a good film at all", None, 1300, Method::ALL.len());
        let shapley = attribution(&explanation, Method::Shapley).unwrap();
        let ends = shapley.ends().unwrap();
        (bars(&explanation, shapley, ends, rows), ends.1)
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
