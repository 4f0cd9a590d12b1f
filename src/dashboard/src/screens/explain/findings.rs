//! What the chosen method found besides its scores: a linear model, rules of a tree, or the answers to all maskings.

use pellucid_protocol::explanation::{Condition, Exhaustive, Interaction, Method, Rule, Scale, Sign, Surrogate, Tree};
use pellucid_protocol::{Attribution, Check, Explanation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::attribution;
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::bar::{Bar, SignedBar, Weight};
use crate::widgets::{Panel, PutText};

/// Whether a method has something to show besides its scores.
pub(super) fn has_findings(explanation: &Explanation, method: Method) -> bool {
    match method {
        Method::Lime | Method::Tree => true,
        Method::Shapley => all_maskings(explanation).is_some(),
        _ => false,
    }
}

fn all_maskings(explanation: &Explanation) -> Option<(&Attribution, &Exhaustive)> {
    let made = attribution(explanation, Method::Shapley)?;
    Some((made, made.exhaustive.as_ref()?))
}

/// The findings of LIME, of the tree or of all maskings where one of these methods is looked at, else the words that
/// matter most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Findings<'a> {
    pub(super) explanation: &'a Explanation,
    /// The method that is looked at.
    pub(super) method: Method,
    pub(super) styles: &'a Styles,
}

impl Widget for Findings<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        match self.method {
            Method::Tree => self.render_rules(area, buf),
            Method::Lime => self.render_linear_model(area, buf),
            Method::Shapley if has_findings(self.explanation, self.method) => self.render_all_maskings(area, buf),
            _ => self.render_words(area, buf),
        }
    }
}

impl<'a> Findings<'a> {
    fn render_panel(&self, title: &str, area: Rect, buf: &mut Buffer) -> Rect {
        inset(Panel::new(title, self.styles).draw(area, buf))
    }

    fn render_nothing(&self, area: Rect, buf: &mut Buffer) {
        let words = if self.explanation.partial { "under way" } else { "not fitted" };
        buf.put_centered(area, words, self.styles.muted);
    }

    /// ```text
    /// R² 0.81 held out ✔   a line 0.62
    ///  p    share
    /// 0.91    34 %  good, no not
    /// 0.12    21 %  good, not
    /// ```
    fn render_rules(&self, area: Rect, buf: &mut Buffer) {
        let inside = self.render_panel("tree surrogate", area, buf);
        let made = attribution(self.explanation, Method::Tree);
        let Some((made, tree)) = made.and_then(|made| Some((made, made.tree.as_ref()?))) else {
            return self.render_nothing(inside, buf);
        };
        buf.put_spans(row(inside, 0), &self.tree_fit(made, tree));
        buf.put(row(inside, 1), "   p   share  where", self.styles.muted);
        let style = if made.is_trusted() { self.styles.text } else { self.styles.muted };
        for (y, rule) in (2..).zip(&tree.rules) {
            buf.put(row(inside, y), &rule_text(self.explanation, rule), style);
        }
    }

    fn tree_fit(&self, made: &Attribution, tree: &Tree) -> Vec<Span<'a>> {
        let styles = self.styles;
        let fit = |check: &Check| match *check {
            Check::Fidelity { held_out, .. } => {
                Some([Span::styled(format!("R² {} held out", text::number(held_out)), styles.text), self.sign(check)])
            }
            _ => None,
        };
        let linear = tree.linear_held_out;
        let linear = linear.map(|fit| Span::styled(format!("  a line {}", text::number(fit)), styles.muted));
        made.checks.iter().filter_map(fit).flatten().chain(linear).collect()
    }

    /// Whether a check was passed.
    fn sign(&self, check: &Check) -> Span<'a> {
        if check.passes() { Span::styled(" ✔", self.styles.good) } else { Span::styled(" ✖", self.styles.bad) }
    }

    /// ```text
    /// enough alone: not good
    /// not + good      -41
    /// ```
    fn render_all_maskings(&self, area: Rect, buf: &mut Buffer) {
        let inside = self.render_panel("all maskings", area, buf);
        let Some((made, table)) = all_maskings(self.explanation) else { return self.render_nothing(inside, buf) };
        let used = buf.put_wrapped(inside, &sufficient(self.explanation, table), self.styles.text);
        self.render_interactions(made, &table.interactions, below(inside, used), buf);
    }

    /// What pairs of words do together, the strongest first.
    fn render_interactions(&self, made: &Attribution, pairs: &[Interaction], area: Rect, buf: &mut Buffer) {
        if pairs.is_empty() {
            return;
        }
        let (styles, scale) = (self.styles, made.scale());
        buf.put(row(area, 0), &format!("what two words do together, {}", scale.unit.told()), styles.muted);
        for (y, pair) in (1..area.height).zip(pairs) {
            let line = row(area, y);
            let words = format!("{} + {}", self.explanation.word(pair.words.0), self.explanation.word(pair.words.1));
            buf.put(to(line, line.width.saturating_sub(8)), &words, styles.text);
            buf.put_spans_right(line, &[Span::styled(scale.written(pair.value), styles.ink(scale.sign, pair.value))]);
        }
    }

    /// ```text
    /// base 0.310  LIME says 0.914  model says 0.931
    /// R² 0.93 seen, 0.71 held out ✔
    /// sudden         │███████  +41 ±0.8
    /// mild       ████│         -12 ±0.8
    /// ```
    fn render_linear_model(&self, area: Rect, buf: &mut Buffer) {
        let made = attribution(self.explanation, Method::Lime);
        let unit = made.map_or_else(String::new, |made| format!(", {}", made.scale().unit.told()));
        let inside = self.render_panel(&format!("linear surrogate (LIME){unit}"), area, buf);
        let Some((made, surrogate)) = made.and_then(|made| Some((made, made.surrogate.as_ref()?))) else {
            return self.render_nothing(inside, buf);
        };
        let used = self.render_fit(made, surrogate, inside, buf);
        self.render_bars(made, &surrogate.coefficients, below(inside, used), buf);
    }

    /// ```text
    /// Ashdown        │███████████  +93
    /// ward           │▏             +1
    /// 43 more: 0
    /// ```
    fn render_words(&self, area: Rect, buf: &mut Buffer) {
        let made = attribution(self.explanation, self.method);
        let unit = made.map_or_else(String::new, |made| format!(", {}", made.scale().unit.told()));
        let inside = self.render_panel(&format!("words by {}{unit}", self.method.title()), area, buf);
        match made {
            Some(made) => self.render_bars(made, &made.scores, inside, buf),
            None => self.render_nothing(inside, buf),
        }
    }

    /// The numbers of the linear model, and how well it fits; returns the rows used.
    fn render_fit(&self, made: &Attribution, surrogate: &Surrogate, area: Rect, buf: &mut Buffer) -> u16 {
        let styles = self.styles;
        let model = self.explanation.probabilities.get(self.explanation.target).copied().unwrap_or(f64::NAN);
        let numbers =
            [("base ", surrogate.intercept), ("  LIME says ", surrogate.local_prediction), ("  model says ", model)];
        let spans = numbers.into_iter().flat_map(|(name, value)| {
            [Span::styled(name, styles.muted), Span::styled(text::number(value), styles.strong)]
        });
        buf.put_spans(row(area, 0), &spans.collect::<Vec<_>>());
        let mut used = 1;
        for check in &made.checks {
            if let Check::Fidelity { in_sample, held_out } = *check {
                let words = format!("R² {} seen, {} held out", text::number(in_sample), text::number(held_out));
                buf.put_spans(row(area, used), &[Span::styled(words, styles.text), self.sign(check)]);
                used += 1;
            }
        }
        used
    }

    /// The words with the largest values, and how many others there are.
    fn render_bars(&self, made: &Attribution, values: &[f64], area: Rect, buf: &mut Buffer) {
        let (styles, scale) = (self.styles, Scale::new(made.method, made.scalar, values));
        let mut ranked: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
        ranked.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        let shown = ranked.iter().filter(|(_, value)| scale.written(*value) != "0").count();
        let shown = if shown > usize::from(area.height) || shown < ranked.len() {
            shown.min(usize::from(area.height).saturating_sub(1))
        } else {
            shown
        };
        if shown < ranked.len() {
            let rest = format!("{} more: {} or less", ranked.len() - shown, scale.size(ranked[shown].1.abs()));
            buf.put(row(area, shown as u16), &rest, styles.muted);
        }
        let name = (area.width / 3).min(16);
        for (y, (word, value)) in (0..area.height).zip(ranked.into_iter().take(shown)) {
            let line = row(area, y);
            let (plain, side) = if made.is_trusted() {
                (styles.text, styles.ink(scale.sign, value))
            } else {
                (styles.muted, styles.muted)
            };
            buf.put(to(line, name), &self.explanation.word(word), plain);
            let error = made.errors.get(word).copied().filter(|error| *error > 0.0 && line.width >= 36);
            let error = error.map_or_else(String::new, |error| format!(" {:<5}", scale.error(error)));
            let tail = 7 + text::width(&error) as u16;
            let place = to(from(line, name + 1), line.width.saturating_sub(name + tail));
            let share = scale.length(value);
            match scale.sign {
                Sign::ForOrAgainst => SignedBar { share, style: side, styles }.render(place, buf),
                Sign::None => Bar { share, weight: Weight::Full, style: side, styles }.render(place, buf),
            }
            buf.put_spans_right(line, &[Span::styled(format!("{}{error}", scale.written(value)), plain)]);
        }
    }
}

fn rule_text(explanation: &Explanation, rule: &Rule) -> String {
    let condition = |condition: &Condition| {
        let word = explanation.word(condition.word);
        if condition.present { word } else { format!("no {word}") }
    };
    let conditions: Vec<_> = rule.conditions.iter().map(condition).collect();
    let place = if conditions.is_empty() { "everywhere".to_owned() } else { conditions.join(", ") };
    format!("{:.3}  {:>4.0} %  {place}", rule.probability, rule.coverage * 100.0)
}

fn sufficient(explanation: &Explanation, table: &Exhaustive) -> String {
    match table.sufficient.first() {
        Some(words) if words.is_empty() => format!("no word is needed: {:.3} with all masked", table.nothing),
        Some(words) => {
            let words: Vec<_> = words.iter().map(|word| explanation.word(*word)).collect();
            format!("enough alone: {}", words.join(" "))
        }
        None => String::new(),
    }
}
