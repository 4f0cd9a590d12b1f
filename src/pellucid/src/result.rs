//! What came of a run: how it ended, its settings, and the figures that stand for it in tables and pictures.

use std::io;

use pellucid_protocol::{Event, Metrics};
use pellucid_record::{Piece, RunDir, RunSummary};

use crate::recorded;

/// What came of a run, as far as its record goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RunResult {
    /// The run in short.
    pub(crate) summary: RunSummary,
    /// Of the best evaluation; what that did not measure, from the last one that did.
    pub(crate) metrics: Metrics,
}

impl RunResult {
    /// Of the record of `run`.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn of(run: &RunDir) -> io::Result<Self> {
        Ok(Self::from_pieces(recorded::pieces(run)?))
    }

    fn from_pieces(pieces: Vec<Piece>) -> Self {
        let (mut summary, mut metrics) = (RunSummary::default(), Metrics::default());
        for piece in pieces {
            summary.take_piece(&piece);
            if let Piece::Record(record) = piece
                && let Event::Eval(eval) = record.event
            {
                metrics.extend(eval.metrics);
            }
        }
        metrics.extend(summary.best.clone());
        Self { summary, metrics }
    }
}

#[cfg(test)]
mod tests {
    use pellucid_fixture as fixture;
    use pellucid_protocol::event::Outcome;

    use super::*;

    #[test]
    fn the_best_evaluation_counts_and_the_last_one_for_what_it_lacks() {
        let mut records = fixture::records(600);
        let mut late = fixture::eval(600);
        if let Event::Eval(eval) = &mut late.event {
            eval.best = false;
            eval.metrics.set("valid/accuracy", 0.1);
            eval.metrics.set("explain/plausibility", 0.7);
        }
        records.extend([late, fixture::ended(600, Outcome::Finished, None)]);
        let result = RunResult::from_pieces(records.into_iter().map(Piece::Record).collect());
        assert_eq!((result.summary.step, result.summary.outcome()), (600, Some(Outcome::Finished)));
        assert!(result.metrics.get("valid/accuracy").unwrap() > 0.8, "{:?}", result.metrics);
        assert_eq!(result.metrics.get("explain/plausibility"), Some(0.7));
        assert_eq!(result.summary.started.unwrap().1.settings.kd_alpha, 0.5);
        assert_eq!(RunResult::from_pieces(Vec::new()), RunResult::default());
    }
}
