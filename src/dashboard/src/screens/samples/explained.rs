//! The latest explanation of each sample.

use std::collections::BTreeMap;

use pellucid_protocol::agreement::disagreement;
use pellucid_protocol::explanation::{Scalar, Scale};
use pellucid_protocol::{Attribution, Check, Explanation, Method};

/// The latest explanation of each sample, and the method whose figures are shown.
#[derive(Debug, Clone)]
pub(super) struct ExplainedSamples {
    known: BTreeMap<usize, Known>,
    method: Method,
}

#[derive(Debug, Clone)]
struct Known {
    explanation: Explanation,
    disagreement: Option<f64>,
}

impl Default for ExplainedSamples {
    fn default() -> Self {
        Self { known: BTreeMap::new(), method: Method::Occlusion }
    }
}

impl ExplainedSamples {
    /// Takes the explanation of a sample if it is complete; whether it is.
    pub(super) fn take(&mut self, explanation: &Explanation) -> bool {
        let Some(sample) = explanation.sample.filter(|_| !explanation.partial && explanation.edits.is_empty()) else {
            return false;
        };
        let mut explanation = explanation.clone();
        for made in &mut explanation.attributions {
            // Large, and not shown here.
            (made.surrogate, made.tree, made.exhaustive) = (None, None, None);
        }
        self.known.insert(sample, Known { disagreement: disagreement(&explanation), explanation });
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The samples with their explanations, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Explanation)> {
        self.known.iter().map(|(sample, known)| (*sample, &known.explanation))
    }

    pub(super) fn explanation(&self, sample: usize) -> Option<&Explanation> {
        self.known.get(&sample).map(|known| &known.explanation)
    }

    /// The method whose trust and plausibility are shown.
    pub(super) fn method(&self) -> Method {
        self.method
    }

    /// The next of the methods that a survey does.
    pub(super) fn next_method(&mut self) {
        let at = Method::USUAL.iter().position(|&method| method == self.method).unwrap_or(0);
        self.method = Method::USUAL[(at + 1) % Method::USUAL.len()];
    }

    fn made(&self, sample: usize) -> Option<&Attribution> {
        self.explanation(sample)?.by(self.method)
    }

    /// Whether there is a map that is not to be trusted.
    pub(super) fn fails(&self, sample: usize) -> bool {
        self.made(sample).is_some_and(|made| !made.is_trusted())
    }

    /// How means of the scores are written and painted: `largest` is the largest of them.
    pub(super) fn scale(&self, largest: f64) -> Scale {
        let made = self.all().find_map(|(_, explanation)| explanation.by(self.method));
        let scalar = made.map_or(Scalar::Probability, |made| made.scalar);
        Scale::new(self.method, scalar, &[largest])
    }

    fn check(&self, sample: usize, read: impl Fn(&Check) -> Option<f64>) -> Option<f64> {
        self.made(sample)?.checks.iter().find_map(read)
    }

    /// The correlation of the scores with what hiding words does: 1 for a map that says it all.
    pub(super) fn correlation(&self, sample: usize) -> Option<f64> {
        self.made(sample)?.correlation()
    }

    /// Area under precision over recall, against the words that a person marked.
    pub(super) fn plausibility(&self, sample: usize) -> Option<f64> {
        self.check(sample, |check| match check {
            Check::Plausibility { auprc, .. } => Some(*auprc),
            _ => None,
        })
    }

    /// Of the methods that have signs: 0 where they rank the words alike.
    pub(super) fn disagreement(&self, sample: usize) -> Option<f64> {
        self.known.get(&sample)?.disagreement
    }
}
