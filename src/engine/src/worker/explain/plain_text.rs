//! An explanation as lines for people.

use pellucid_protocol::explanation::{LeftOut, Sign, StandIn, WordGroup};
use pellucid_protocol::readable::{counted, percent};
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::{Attribution, Check};

use super::explained_text::ExplainedText;

/// Words that are shown of a map.
const STRONGEST: usize = 6;

/// The lines, with an empty one at the end.
#[must_use]
pub fn plain_text(explained: &ExplainedText) -> String {
    let (class, probability) = (scrub(explained.class()), explained.probability() * 100.0);
    let id = explained.explanation.privacy.row().or(explained.row.id.as_deref());
    let row = id.map(|row| format!("{}: ", scrub(row))).unwrap_or_default();
    let mut text = format!("{row}{}\n  {class} {probability:.1} %", scrub(&explained.explanation.text));
    if explained.predicted() != explained.class() {
        text += &format!("; the answer is {}", scrub(explained.predicted()));
    }
    if let Some(label) = &explained.row.label {
        text += &format!("; labelled {}", scrub(label));
    }
    text += "\n";
    let cut = explained.explanation.truncated_words;
    if cut > 0 {
        let (seen, lost) = (percent(explained.explanation.seen()), counted(cut, "word"));
        text += &format!("  the model sees {seen} of the text; not read: {lost}\n");
    }
    let words = explained.words();
    for attribution in &explained.explanation.attributions {
        text += &map(explained, attribution, &words);
    }
    for LeftOut { method, why } in &explained.explanation.left_out {
        text += &format!("  {} is left out: {}\n", method.title(), scrub(why));
    }
    text + "\n"
}

/// A map: its grade with the reason, the strongest words, and the figures of its checks.
fn map(explained: &ExplainedText, made: &Attribution, words: &[String]) -> String {
    let (scale, scalar) = (made.scale(), scrub(&explained.scalar(made)).into_owned());
    let doubt = if made.is_trusted() { "" } else { ", not to be trusted" };
    let mut text =
        format!("  {} {} ({scalar}): {}{doubt}: {}\n", made.dots(), made.method.title(), made.trust(), made.reason());
    if let Some(told) = StandIn::told(&explained.explanation.stand_ins, made) {
        text += &format!("      {}\n", scrub(&told));
    }
    if let Some(told) = WordGroup::told(&made.groups) {
        text += &format!("      {told}\n");
    }
    let direction = if scale.sign == Sign::None { ", no direction" } else { "" };
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by(|&a, &b| made.scores[b].abs().total_cmp(&made.scores[a].abs()));
    let written = order.iter().take(STRONGEST).map(|&at| (at, scale.written(made.scores[at])));
    // What is written as 0 says nothing.
    let strongest: Vec<_> =
        written.filter(|(_, score)| score != "0").map(|(at, score)| format!("{} {score}", scrub(&words[at]))).collect();
    let strongest = if strongest.is_empty() { "every word 0".to_owned() } else { strongest.join("  ") };
    text += &format!("      {}{direction}: {strongest}\n", scale.unit.told());
    let checks: Vec<String> = made.checks.iter().map(Check::measured).collect();
    if !checks.is_empty() {
        text += &format!("      checks: {}\n", checks.join(", "));
    }
    text
}
