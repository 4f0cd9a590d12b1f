//! The range of a number.

/// The range of a number. NaN and infinities are in no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Every finite number.
    Any,
    /// 0 or more.
    FromZero,
    /// 1 or more.
    FromOne,
    /// 2 or more.
    FromTwo,
    /// More than 0.
    Positive,
    /// From 0 to 1.
    Share,
    /// From 0 to under 1.
    PartialShare,
    /// More than 0, up to 1.
    PositiveShare,
    /// Between 0 and 1.
    OpenShare,
}

impl Range {
    /// Refuses a number that is not in the range.
    pub(super) fn check(self, value: f64) -> Result<(), String> {
        let (words, holds): (_, fn(f64) -> bool) = match self {
            Self::Any => ("a number", |_| true),
            Self::FromZero => ("0 or more", |v| v >= 0.0),
            Self::FromOne => ("1 or more", |v| v >= 1.0),
            Self::FromTwo => ("2 or more", |v| v >= 2.0),
            Self::Positive => ("more than 0", |v| v > 0.0),
            Self::Share => ("from 0 to 1", |v| (0.0..=1.0).contains(&v)),
            Self::PartialShare => ("from 0 to under 1", |v| (0.0..1.0).contains(&v)),
            Self::OpenShare => ("between 0 and 1", |v| v > 0.0 && v < 1.0),
            Self::PositiveShare => ("more than 0 and at most 1", |v| v > 0.0 && v <= 1.0),
        };
        match value.is_finite() && holds(value) {
            true => Ok(()),
            false => Err(format!("must be {words}, not {value}")),
        }
    }
}
