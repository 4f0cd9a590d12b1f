//! Explanations as one HTML page: an article a text, with a heat map for each method.
//!
//! A map that is not to be trusted is grey, and beside each map stands why it is to be trusted or not.

use maud::{Markup, html};
use pellucid_formats::html::{self, Word, heat_map, legend};
use pellucid_protocol::agreement::agreement;
use pellucid_protocol::explanation::{StandIn, WordGroup};
use pellucid_protocol::surrogate::{Condition, Rule, Tree};
use pellucid_protocol::work::ExplainWork;
use pellucid_protocol::{Attribution, Check, Removal, Verdict};

use super::explained_text::ExplainedText;

/// The page up to the first of `texts` texts.
#[must_use]
pub fn begin(work: &ExplainWork, texts: usize) -> String {
    let model = work.model.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let methods: Vec<_> = work.methods.iter().map(|method| method.title()).collect();
    let about = html! {
        p.about {
            (texts) @if texts == 1 { " text; " } @else { " texts; " } (methods.join(", ")) "; seed " (work.seed)
            "; made by pellucid " (env!("CARGO_PKG_VERSION")) "." br; "\n"
            (legend())
        }
        "\n"
    };
    html::begin(&format!("What {model} bases its answers on")) + &html::part(about)
}

/// The article on text number `number`, counted from 1.
#[must_use]
pub fn article(explained: &ExplainedText, number: usize) -> String {
    let attributions = &explained.explanation.attributions;
    let words = explained.words();
    let cut = explained.explanation.truncated_words;
    html::part(html! {
        article {
            "\n" h2 {
                (number) ". " (explained.class()) (format!(" {:.1} % ", explained.probability() * 100.0))
                small {
                    @if let Some(row) = explained.explanation.privacy.row() { (row) "; " }
                    "predicted " (explained.predicted())
                    @if let Some(label) = &explained.row.label { "; labelled " (label) }
                    @if cut > 0 { "; words that the model does not read: " (cut) }
                }
            }
            "\n"
            @for attribution in attributions { (map(explained, attribution, &words)) }
            @for left in &explained.explanation.left_out {
                p.why { (left.method.title()) " is left out: " (left.why) } "\n"
            }
            @if attributions.len() > 1 { (agreements(attributions)) }
        }
        "\n"
    })
}

/// What stands in the place of text number `number`, which has no explanation.
#[must_use]
pub fn failure(number: usize, why: &str) -> String {
    html::part(html! {
        article {
            "\n" h2 { (number) ". " small { "no explanation" } } "\n"
            p.why { (why) } "\n"
        }
        "\n"
    })
}

fn map(explained: &ExplainedText, attribution: &Attribution, words: &[String]) -> Markup {
    let trusted = attribution.is_trusted();
    html! {
        section.map.failed[!trusted] {
            "\n" h3 {
                (attribution.method.title()) " "
                small {
                    (explained.scalar(attribution))
                    @match attribution.removal {
                        Some(Removal::Delete) => "; words deleted",
                        Some(Removal::Mask) => "; words masked",
                        None => "",
                    }
                    "; " (attribution.scale().unit.told()) "; " (attribution.dots()) " " (attribution.trust())
                    @if !trusted { ", not to be trusted" }
                }
            }
            "\n"
            @if let Some(told) = StandIn::told(&explained.explanation.stand_ins, attribution) { p.why { (told) } "\n" }
            @if let Some(told) = WordGroup::told(&attribution.groups) { p.checks { (told) } "\n" }
            p.why { (attribution.reason()) } "\n"
            (heat_map(&scored(attribution, words), attribution.scale())) "\n"
            @if let Some(tree) = &attribution.tree { (rules(tree, words)) }
            ul.checks {
                @for check in &attribution.checks { li { (mark(check)) " " (check.measured()) } }
            }
            "\n"
        }
        "\n"
    }
}

/// The mark that shows the verdict of a check.
fn mark(check: &Check) -> &'static str {
    match check.verdict() {
        Verdict::Passed => "✓",
        Verdict::Failed => "✗",
        Verdict::Open => "?",
        Verdict::Informative => "·",
    }
}

fn scored(attribution: &Attribution, words: &[String]) -> Vec<Word> {
    let word = |(index, (word, score)): (usize, (&String, &f64))| Word {
        word: word.clone(),
        score: *score,
        error: attribution.errors.get(index).copied(),
    };
    words.iter().zip(&attribution.scores).enumerate().map(word).collect()
}

/// The rules of a regression tree as a table.
fn rules(tree: &Tree, words: &[String]) -> Markup {
    let condition = |condition: &Condition| {
        format!("{} {}", if condition.present { "with" } else { "without" }, words[condition.word])
    };
    let when = |rule: &Rule| match rule.conditions.as_slice() {
        [] => "always".to_owned(),
        conditions => conditions.iter().map(condition).collect::<Vec<_>>().join(" and "),
    };
    html! {
        table.numbers {
            tr { th { "rule" } th { "value" } th { "coverage" } } "\n"
            @for rule in &tree.rules {
                tr {
                    th { (when(rule)) }
                    td { (format!("{:.3}", rule.probability)) }
                    td { (format!("{:.0} %", rule.coverage * 100.0)) }
                }
                "\n"
            }
        }
        "\n"
    }
}

/// How far each pair of maps agrees, as a table.
fn agreements(attributions: &[Attribution]) -> Markup {
    let cell = |left, right| agreement(left, right).map_or_else(|| "–".to_owned(), |found| format!("{found:.2}"));
    html! {
        section {
            h3 { "Agreement " small { "Spearman's correlation; by size where a map has no sign" } } "\n"
            table.numbers {
                tr { th {} @for right in attributions { th { (right.method.title()) } } } "\n"
                @for left in attributions {
                    tr {
                        th { (left.method.title()) }
                        @for right in attributions { td { (cell(left, right)) } }
                    }
                    "\n"
                }
            }
        }
        "\n"
    }
}
