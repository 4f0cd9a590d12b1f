//! Groups of words that a method removed as wholes, because the text is long.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// Neighbouring words, about a sentence, and the score of all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WordGroup {
    /// The first word and the one after the last.
    pub words: (usize, usize),
    /// The score of the group, to which the scores of its words add up.
    pub value: f64,
    /// How its words have got their scores.
    pub scored: Scored,
}

/// How the words of a group have got their scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scored {
    /// Each from what it does itself.
    ByWord,
    /// Each has the same share of the group's score, because hiding words of the group hardly moves the answer.
    Evenly,
}

impl WordGroup {
    /// A sentence that says how the words of a long text were scored; `None` if its words were not grouped.
    #[must_use]
    pub fn told(groups: &[WordGroup]) -> Option<String> {
        let evenly = groups.iter().filter(|group| group.scored == Scored::Evenly).count();
        match (groups.len(), evenly) {
            (0, _) => None,
            (all, 0) => Some(format!("a long text: first its {all} sentences, then the words of each")),
            (all, evenly) => Some(format!(
                "a long text: first its {all} sentences, then their words; in {evenly} of them hiding words hardly moves \
                 the answer, so each word has an equal share of what its sentence does"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_looked_at_is_said() {
        let group = |scored| WordGroup { words: (0, 2), value: 0.5, scored };
        let (own, even) = (group(Scored::ByWord), group(Scored::Evenly));
        assert_eq!(WordGroup::told(&[]), None);
        assert!(!WordGroup::told(&[own, own]).unwrap().contains("equal"));
        assert!(WordGroup::told(&[own, even, even]).unwrap().contains("3 sentences, then their words; in 2 of them"));
        let line = serde_json::to_string(&even).unwrap();
        assert_eq!(line, r#"{"words":[0,2],"value":0.5,"scored":"evenly"}"#);
        assert_eq!(serde_json::from_str::<WordGroup>(&line).unwrap(), even);
    }
}
