//! Agreement with leaving out one word at a time.

use pellucid_protocol::{Check, Method};

use super::Case;
use super::kendall::kendall;
use crate::oracle::Answer;
use crate::oracle::masking::NOISE;

/// [`Check::LeaveOneOut`] of scores that rank the words: Kendall's tau-b between the scores and what masking each word
/// alone loses (by magnitude, for scores without a sign). None for occlusion, whose scores are these losses, and where
/// no word loses anything.
///
/// Source: ferret's `tau-LOO`; Jain and Wallace 2019, arXiv 1902.10186.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    if case.ranking().is_none() || case.made.method == Method::Occlusion {
        return Ok(None);
    }
    let mut losses = case.masking().single_drops()?;
    if losses.iter().all(|loss| loss.abs() <= NOISE) {
        return Ok(None);
    }
    if !case.made.method.is_signed() {
        losses.iter_mut().for_each(|loss| *loss = loss.abs());
    }
    Ok(kendall(&case.made.scores, &losses).map(|tau| Check::LeaveOneOut { tau }))
}
