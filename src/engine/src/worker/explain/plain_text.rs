//! An explanation as lines for people.

use pellucid_protocol::scrub::scrub;

use super::explained::Explained;

/// Words that are shown of a map.
const STRONGEST: usize = 6;

/// The lines, with an empty one at the end.
#[must_use]
pub fn plain_text(explained: &Explained) -> String {
    let (class, probability) = (scrub(explained.class()), explained.probability() * 100.0);
    let mut text = format!("{}\n  {class} {probability:.1} %\n", scrub(&explained.explanation.text));
    let words = explained.words();
    for made in &explained.explanation.attributions {
        let sign = if made.is_trusted() { "✓" } else { "✗" };
        let checks: Vec<String> = made.checks.iter().map(|check| check.measured()).collect();
        let scalar = scrub(&explained.scalar(made)).into_owned();
        text += &format!("  {sign} {} ({scalar}): {}\n", made.method.title(), checks.join(", "));
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|&a, &b| made.scores[b].abs().total_cmp(&made.scores[a].abs()));
        let strongest =
            order.iter().take(STRONGEST).map(|&at| format!("{} {:+.3}", scrub(&words[at]), made.scores[at]));
        text += &format!("      {}\n", strongest.collect::<Vec<_>>().join("  "));
    }
    text + "\n"
}
