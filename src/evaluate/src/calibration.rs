//! Whether probabilities mean what they say: of the answers with 90 %, nine of ten should be right.

use serde::Serialize;

use super::probabilities::Answered;
use super::proportion::Proportion;

/// Answers of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// The lowest confidence among them.
    pub from: f64,
    /// The highest.
    pub to: f64,
    /// Their mean confidence: the share that should be right.
    pub confidence: f64,
    /// Those that are right.
    pub right: Proportion,
}

/// The answers by the probability of their most probable class, in `count` bins of equally many answers; fewer where
/// there are fewer answers. Equal confidences stay together.
#[must_use]
pub fn bins(answers: &Answered, count: usize) -> Vec<Bin> {
    let mut rows: Vec<(f64, bool)> = (0..answers.len())
        .map(|example| {
            let predicted = answers.predicted(example);
            (answers.of(example)[predicted], predicted == answers.truth()[example])
        })
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut found, mut start) = (Vec::new(), 0);
    for bin in 1..=count {
        let mut end = (rows.len() * bin).div_ceil(count.max(1)).max(start);
        while end > 0 && end < rows.len() && rows[end].0 == rows[end - 1].0 {
            end += 1;
        }
        if end > start {
            found.push(Bin::of(&rows[start..end]));
            start = end;
        }
    }
    found
}

impl Bin {
    fn of(rows: &[(f64, bool)]) -> Self {
        let confidence = rows.iter().map(|row| row.0).sum::<f64>() / rows.len() as f64;
        let right = Proportion { hits: rows.iter().filter(|row| row.1).count(), of: rows.len() };
        Self { from: rows[0].0, to: rows[rows.len() - 1].0, confidence, right }
    }

    /// By how much the answers are surer than right; negative if they are less sure.
    #[must_use]
    pub fn excess(&self) -> f64 {
        self.confidence - self.right.share().unwrap_or(0.0)
    }
}

/// The expected calibration error over bins: the mean distance of confidence and share of right answers, each bin by its
/// answers; 0 without answers.
///
/// Source: Naeini et al. 2015; bins of equal mass as Nixon et al. 2019, arXiv 1904.01685.
#[must_use]
pub fn expected_error(bins: &[Bin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.right.of).sum();
    bins.iter().map(|bin| bin.right.of as f64 * bin.excess().abs()).sum::<f64>() / all.max(1) as f64
}

/// The Brier score: the mean squared distance of the probabilities from the truth, summed over the classes, in [0, 2]; 0
/// without answers. For two classes it is twice scikit-learn's `brier_score_loss`.
///
/// Source: Brier 1950.
#[must_use]
pub fn brier(answers: &Answered) -> f64 {
    (0..answers.len()).map(|example| brier_of(answers, example)).sum::<f64>() / answers.len().max(1) as f64
}

/// What an example adds to [`brier`].
#[must_use]
pub fn brier_of(answers: &Answered, example: usize) -> f64 {
    let truth = answers.truth()[example];
    let gap = |(class, p): (usize, &f64)| (p - f64::from(u8::from(class == truth))).powi(2);
    answers.of(example).iter().enumerate().map(gap).sum()
}

/// The mean negative logarithm of the probability of the true class, in nats; probabilities below the smallest normal f64
/// count as that. 0 without answers.
#[must_use]
pub fn log_loss(answers: &Answered) -> f64 {
    (0..answers.len()).map(|example| log_loss_of(answers, example)).sum::<f64>() / answers.len().max(1) as f64
}

/// What an example adds to [`log_loss`].
#[must_use]
pub fn log_loss_of(answers: &Answered, example: usize) -> f64 {
    -answers.of(example)[answers.truth()[example]].max(f64::MIN_POSITIVE).ln()
}
