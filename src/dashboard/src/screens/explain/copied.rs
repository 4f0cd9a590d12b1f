//! An explanation to be put on the clipboard, for people and for programs.

use std::fmt::Write;

use pellucid_protocol::explanation::Sign;
use pellucid_protocol::scrub::{scrub, to_json};
use pellucid_protocol::{Attribution, Explanation};

use super::{Explain, notes};
use crate::run::Run;

impl Explain {
    /// The explanation on the screen as text.
    #[must_use]
    pub fn copied(&self, run: &Run) -> Option<String> {
        let current = self.current()?;
        let mut copy = as_text(run, self.looked_at(current));
        if let Some(answer) = self.draft.answer() {
            let target = current.target;
            let (before, after) = (answer.before.get(target)?, answer.after.get(target)?);
            let _ = writeln!(copy, "changed from: {}", scrub(&current.text));
            let _ = writeln!(copy, "p({}) {before:.4} -> {after:.4}", scrub(&run.label(target)));
        }
        Some(copy)
    }

    /// The same as one line of JSON, as it is in the record of a run.
    #[must_use]
    pub fn copied_data(&self) -> Option<String> {
        to_json(self.looked_at(self.current()?)).ok()
    }
}

/// Text, answer, and a table of words and scores, with the checks of each method below it.
fn as_text(run: &Run, explanation: &Explanation) -> String {
    let mut copy = format!("{}\n", scrub(&explanation.text));
    let answer = explanation.probabilities.iter().enumerate();
    let answer: Vec<_> = answer.map(|(class, share)| format!("{} {share:.4}", scrub(&run.label(class)))).collect();
    let _ = writeln!(copy, "as of step {}: {}", explanation.step, answer.join(", "));
    let _ = writeln!(copy, "explained: {}", scrub(&run.label(explanation.target)));
    let methods: Vec<_> = explanation.attributions.iter().map(|made| made.method.key()).collect();
    let _ = writeln!(copy, "\nword\t{}", methods.join("\t"));
    for word in 0..explanation.words.len() {
        let score = |made: &Attribution| made.scores.get(word).map_or_else(String::new, |score| format!("{score:.6}"));
        let scores: Vec<_> = explanation.attributions.iter().map(score).collect();
        let _ = writeln!(copy, "{}\t{}", scrub(&explanation.word(word)), scores.join("\t"));
    }
    copy.push('\n');
    for made in &explanation.by_trust() {
        let _ = writeln!(copy, "{}", verdict(made));
    }
    copy
}

/// A method, what its scores are of, and whether to trust it.
fn verdict(made: &Attribution) -> String {
    let unit = match (made.scale().sign, made.scalar) {
        (Sign::None, _) => "no direction".to_owned(),
        (Sign::ForOrAgainst, scalar) => scalar.key().to_owned(),
    };
    format!("{} ({unit}): {}", made.method.key(), notes::verdict(made))
}
