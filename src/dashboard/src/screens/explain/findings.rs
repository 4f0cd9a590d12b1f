//! What the chosen method has found besides its scores: a line, rules, or what all maskings tell.

use pellucid_protocol::explanation::{Condition, Exhaustive, Interaction, Method, Rule, Surrogate, Tree};
use pellucid_protocol::{Attribution, Check, Explanation};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::attribution;
use crate::text;
use crate::widgets::bar;
use crate::widgets::paper::{Paper, below, from, row, to};

/// Whether a method has something to show besides its scores.
pub(super) fn has_findings(method: Method) -> bool {
    matches!(method, Method::Lime | Method::Tree | Method::Shapley)
}

/// The findings of the tree or of all maskings where one of these is chosen, else LIME's line.
pub(super) fn findings(current: &Explanation, method: Method, paper: &mut Paper, area: Rect) {
    match method {
        Method::Tree => rules(current, paper, area),
        Method::Shapley => all_maskings(current, paper, area),
        _ => line_surrogate(current, paper, area),
    }
}

fn panel(paper: &mut Paper, area: Rect, title: &str) -> Rect {
    let inside = paper.boxed(area, title);
    to(from(inside, 1), inside.width.saturating_sub(2))
}

fn nothing(current: &Explanation, paper: &mut Paper, area: Rect) {
    let words = if current.partial { "under way" } else { "not fitted" };
    let muted = paper.styles.muted;
    paper.middle(area, words, muted);
}

/// ```text
/// R² 0.81 held out ✔   a line 0.62
///  p    share
/// 0.91    34 %  good, no not
/// 0.12    21 %  good, not
/// ```
fn rules(current: &Explanation, paper: &mut Paper, area: Rect) {
    let inside = panel(paper, area, "tree surrogate");
    let found = attribution(current, Method::Tree).and_then(|scores| Some((scores, scores.tree.as_ref()?)));
    let Some((scores, tree)) = found else { return nothing(current, paper, inside) };
    tree_fit(scores, tree, paper, row(inside, 0));
    let muted = paper.styles.muted;
    paper.write(row(inside, 1), "   p   share  where", muted);
    let style = if !scores.fails() { paper.styles.text } else { muted };
    for (index, rule) in tree.rules.iter().enumerate() {
        paper.write(row(inside, index as u16 + 2), &rule_text(current, rule), style);
    }
}

fn tree_fit(scores: &Attribution, tree: &Tree, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let mut runs: Vec<(String, Style)> = Vec::new();
    for check in &scores.checks {
        if let Check::Fidelity { held_out, .. } = *check {
            let (sign, style) = if check.passes() { (" ✔", styles.good) } else { (" ✖", styles.bad) };
            runs.extend([(format!("R² {} held out", text::number(held_out)), styles.text), (sign.to_owned(), style)]);
        }
    }
    if let Some(linear) = tree.linear_held_out {
        runs.push((format!("  a line {}", text::number(linear)), styles.muted));
    }
    let runs: Vec<_> = runs.iter().map(|(words, style)| (words.as_str(), *style)).collect();
    paper.line(area, &runs);
}

fn rule_text(current: &Explanation, rule: &Rule) -> String {
    let condition = |condition: &Condition| {
        let word = current.word(condition.word);
        if condition.present { word } else { format!("no {word}") }
    };
    let conditions: Vec<_> = rule.conditions.iter().map(condition).collect();
    let place = if conditions.is_empty() { "everywhere".to_owned() } else { conditions.join(", ") };
    format!("{:.3}  {:>4.0} %  {place}", rule.probability, rule.coverage * 100.0)
}

/// ```text
/// enough alone: not good
/// not + good   -0.412
/// ```
fn all_maskings(current: &Explanation, paper: &mut Paper, area: Rect) {
    let inside = panel(paper, area, "all maskings");
    let found = attribution(current, Method::Shapley);
    let Some(table) = found.and_then(|scores| scores.exhaustive.as_ref()) else {
        return match found {
            Some(_) => {
                let muted = paper.styles.muted;
                paper.middle(inside, "the text has too many words for all of its maskings", muted);
            }
            None => nothing(current, paper, inside),
        };
    };
    let enough = sufficient(current, table);
    let lines = text::wrap(&enough, usize::from(inside.width));
    for (index, line) in lines.iter().enumerate() {
        paper.write(row(inside, index as u16), line, paper.styles.text);
    }
    interactions(current, &table.interactions, paper, below(inside, lines.len() as u16));
}

fn sufficient(current: &Explanation, table: &Exhaustive) -> String {
    match table.sufficient.first() {
        Some(words) if words.is_empty() => format!("no word is needed: {:.3} with all masked", table.nothing),
        Some(words) => {
            let words: Vec<_> = words.iter().map(|word| current.word(*word)).collect();
            format!("enough alone: {}", words.join(" "))
        }
        None => String::new(),
    }
}

/// Pairs with what they do together, the strongest first.
fn interactions(current: &Explanation, pairs: &[Interaction], paper: &mut Paper, area: Rect) {
    if pairs.is_empty() {
        return;
    }
    let muted = paper.styles.muted;
    paper.write(row(area, 0), "what two words do together", muted);
    for (index, pair) in pairs.iter().take(usize::from(area.height.saturating_sub(1))).enumerate() {
        let line = row(area, index as u16 + 1);
        let words = format!("{} + {}", current.word(pair.words.0), current.word(pair.words.1));
        paper.write(to(line, line.width.saturating_sub(8)), &words, paper.styles.text);
        let style = paper.styles.side(pair.value);
        paper.right(line, &[(&format!("{:+.3}", pair.value), style)]);
    }
}

/// ```text
/// intercept 0.310   whole text 0.914   model 0.931
/// R² 0.93 in sample, 0.71 held out ✔
/// sudden         │███████  +0.412
/// mild       ████│         -0.120
/// ```
fn line_surrogate(current: &Explanation, paper: &mut Paper, area: Rect) {
    let inside = panel(paper, area, "linear surrogate (LIME)");
    let found = attribution(current, Method::Lime).and_then(|scores| Some((scores, scores.surrogate.as_ref()?)));
    let Some((scores, surrogate)) = found else { return nothing(current, paper, inside) };
    let used = fit(current, scores, surrogate, paper, inside);
    coefficients(current, scores, surrogate, paper, below(inside, used));
}

fn fit(current: &Explanation, scores: &Attribution, surrogate: &Surrogate, paper: &mut Paper, area: Rect) -> u16 {
    let styles = paper.styles;
    let model = current.probabilities.get(current.target).copied().unwrap_or(f64::NAN);
    let (intercept, local) = (text::number(surrogate.intercept), text::number(surrogate.local_prediction));
    let model = text::number(model);
    let mut lines: Vec<Vec<(String, Style)>> = vec![vec![
        ("intercept ".to_owned(), styles.muted),
        (intercept, styles.strong),
        ("  here ".to_owned(), styles.muted),
        (local, styles.strong),
        ("  model ".to_owned(), styles.muted),
        (model, styles.strong),
    ]];
    for check in &scores.checks {
        if let Check::Fidelity { in_sample, held_out } = *check {
            let (sign, style) = if check.passes() { (" ✔", styles.good) } else { (" ✖", styles.bad) };
            let words = format!("R² {} seen, {} held out", text::number(in_sample), text::number(held_out));
            lines.push(vec![(words, styles.text), (sign.to_owned(), style)]);
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let runs: Vec<_> = line.iter().map(|(words, style)| (words.as_str(), *style)).collect();
        paper.line(row(area, index as u16), &runs);
    }
    lines.len() as u16
}

fn coefficients(current: &Explanation, scores: &Attribution, surrogate: &Surrogate, paper: &mut Paper, area: Rect) {
    let mut ranked: Vec<(usize, f64)> = surrogate.coefficients.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    let largest = ranked.first().map_or(0.0, |(_, value)| value.abs());
    let trusted = !scores.fails();
    let name = (area.width / 3).min(16);
    for (index, (word, value)) in ranked.iter().take(usize::from(area.height)).enumerate() {
        let line = row(area, index as u16);
        let style = if trusted { paper.styles.side(*value) } else { paper.styles.muted };
        let plain = if trusted { paper.styles.text } else { paper.styles.muted };
        paper.write(to(line, name), &current.word(*word), plain);
        let error = scores.errors.get(*word).copied().filter(|error| *error >= 0.0005 && line.width >= 36);
        let error = error.map_or_else(String::new, |error| format!(" ±{error:.3}"));
        let tail = 9 + text::width(&error) as u16;
        let bar_area = to(from(line, name + 1), line.width.saturating_sub(name + tail));
        let share = if largest > 0.0 { value / largest } else { 0.0 };
        bar::signed(paper, bar_area, share, style);
        paper.right(line, &[(&format!("{value:+.3}{error}"), plain)]);
    }
}
