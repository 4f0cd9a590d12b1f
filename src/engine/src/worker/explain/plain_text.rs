//! An explanation as lines for people.

use pellucid_protocol::Check;
use pellucid_protocol::explanation::StandIn;
use pellucid_protocol::scrub::scrub;

use super::explained_text::ExplainedText;

/// Words that are shown of a map.
const STRONGEST: usize = 6;

/// The lines, with an empty one at the end.
#[must_use]
pub fn plain_text(explained: &ExplainedText) -> String {
    let (class, probability) = (scrub(explained.class()), explained.probability() * 100.0);
    let row = explained.explanation.privacy.row().map(|row| format!("{}: ", scrub(row))).unwrap_or_default();
    let mut text = format!("{row}{}\n  {class} {probability:.1} %\n", scrub(&explained.explanation.text));
    let words = explained.words();
    for attribution in &explained.explanation.attributions {
        let sign = if attribution.is_trusted() { "✓" } else { "✗" };
        let checks: Vec<String> = attribution.checks.iter().map(Check::measured).collect();
        let scalar = scrub(&explained.scalar(attribution)).into_owned();
        text += &format!("  {sign} {} ({scalar}): {}\n", attribution.method.title(), checks.join(", "));
        if let Some(told) = StandIn::told(&explained.explanation.stand_ins, attribution) {
            text += &format!("      {}\n", scrub(&told));
        }
        let scores = &attribution.scores;
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|&a, &b| scores[b].abs().total_cmp(&scores[a].abs()));
        let strongest = order.iter().take(STRONGEST).map(|&at| format!("{} {:+.3}", scrub(&words[at]), scores[at]));
        text += &format!("      {}\n", strongest.collect::<Vec<_>>().join("  "));
    }
    text + "\n"
}
