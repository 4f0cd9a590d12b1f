//! Tokens that a model lacks, and which others stand in for them.

use serde::{Deserialize, Serialize};

use super::{Attribution, Baseline, Removal};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To stand in the place of a word that is masked.
    Mask,
    /// To fill a text up.
    Padding,
}

/// A token that stands in for one which the model lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandIn {
    /// What the model has no token for.
    pub purpose: Purpose,
    /// The token, as the vocabulary writes it.
    pub token: String,
}

impl StandIn {
    /// Whether the scores rest on it.
    fn is_used(&self, scores: &Attribution) -> bool {
        match self.purpose {
            Purpose::Mask => scores.removal == Some(Removal::Mask) || scores.baseline == Some(Baseline::Mask),
            Purpose::Padding => scores.baseline == Some(Baseline::Pad),
        }
    }

    /// What is said of it beside `scores`, if they rest on one of `all`.
    #[must_use]
    pub fn told(all: &[StandIn], scores: &Attribution) -> Option<String> {
        let used = all.iter().find(|stand_in| stand_in.is_used(scores))?;
        let purpose = match used.purpose {
            Purpose::Mask => "mask",
            Purpose::Padding => "padding",
        };
        Some(format!("the model has no {purpose} token; {} stands in for it", used.token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_told_beside_the_scores_that_rest_on_it() {
        let scores = |removal, baseline| {
            let old = r#"{"method":"lime","scalar":"probability","scores":[],"checks":[],"surrogate":null,
                "evaluations":2,"seed":1,"ms":3.0}"#;
            Attribution { removal, baseline, ..serde_json::from_str(old).unwrap() }
        };
        let stand_in = |purpose| StandIn { purpose, token: "<unk>".to_owned() };
        let all = [stand_in(Purpose::Mask), stand_in(Purpose::Padding)];
        let mask = Some("the model has no mask token; <unk> stands in for it".to_owned());
        let padding = Some("the model has no padding token; <unk> stands in for it".to_owned());
        assert_eq!(StandIn::told(&all, &scores(Some(Removal::Mask), None)), mask);
        assert_eq!(StandIn::told(&all, &scores(None, Some(Baseline::Mask))), mask);
        assert_eq!(StandIn::told(&all, &scores(None, Some(Baseline::Pad))), padding);
        assert_eq!(StandIn::told(&all[..1], &scores(None, Some(Baseline::Pad))), None);
        assert_eq!(StandIn::told(&all, &scores(Some(Removal::Delete), Some(Baseline::Zero))), None);
    }
}
