//! The local time of day.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `seconds` since 1970 in local time, as `format` says.
#[must_use]
pub(crate) fn show(seconds: f64, format: &str) -> String {
    timestamp(seconds).to_zoned(zone()).strftime(format).to_string()
}

/// How far local time is ahead of UTC then, in seconds.
#[must_use]
pub(crate) fn offset(seconds: f64) -> f64 {
    f64::from(zone().to_offset(timestamp(seconds)).seconds())
}

fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_second(seconds as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(not(test))]
fn zone() -> TimeZone {
    TimeZone::system()
}

#[cfg(test)]
fn zone() -> TimeZone {
    TimeZone::UTC
}
