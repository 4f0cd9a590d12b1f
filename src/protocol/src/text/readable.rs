//! Numbers, shares and durations as people read them.

/// Three significant digits: `0.612`, `12.3`, `4.10k`, `1.2e-5`.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "∞" } else { "-∞" }.to_owned(),
        0.0 => "0".to_owned(),
        _ if size < 0.001 => exponent(value),
        _ if size < 0.9995 => format!("{value:.3}"),
        _ if size < 9.995 => format!("{value:.2}"),
        _ if size < 99.95 => format!("{value:.1}"),
        _ if size < 9_999.5 => format!("{value:.0}"),
        _ => scaled(value),
    }
}

fn exponent(value: f64) -> String {
    format!("{value:.1e}").replace(".0e", "e")
}

fn scaled(value: f64) -> String {
    let (divisor, unit) = match value.abs() {
        size if size < 999_500.0 => (1e3, "k"),
        size if size < 999_500_000.0 => (1e6, "M"),
        size if size < 9.995e11 => (1e9, "G"),
        _ => return exponent(value),
    };
    let short = value / divisor;
    let digits = if short.abs() < 9.995 { 2 } else { usize::from(short.abs() < 99.95) };
    format!("{short:.digits$}{unit}")
}

/// A share as a percentage: `41 %`, `0.8 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value.abs() {
        _ if !value.is_finite() => "NaN".to_owned(),
        size if size > 0.0 && size < 9.95 => format!("{value:.1} %"),
        _ => format!("{value:.0} %"),
    }
}

/// A duration: `8 s`, `3 m 12 s`, `2 h 05 m`, `3 d 4 h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".to_owned();
    }
    // Negative is a clock that was set back, not a duration.
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} m {:02} s", whole / 60, whole % 60),
        3600..86400 => format!("{} h {:02} m", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}

/// A number with commas between thousands: `1,234,567`.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let parts = digits.as_bytes().rchunks(3).rev();
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join(",")
}

/// So many of a thing: `1 row`, `1,234 rows`.
#[must_use]
pub fn counted(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_no_more() {
        assert_eq!([0, 1, 2000].map(|rows| counted(rows, "row")), ["0 rows", "1 row", "2,000 rows"]);
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 12, 1234, 1_234_567].map(grouped), ["0", "12", "1,234", "1,234,567"]);
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let shown: Vec<_> =
            [0.0, 0.6123, 1.5, 12.34, 123.4, 9_999.0, 12_345.0, 3.2e6, 1.2e-5, 1e-4, -0.25, 0.9999, 1e30]
                .map(number)
                .into();
        assert_eq!(
            shown,
            ["0", "0.612", "1.50", "12.3", "123", "9999", "12.3k", "3.20M", "1.2e-5", "1e-4", "-0.250", "1.00", "1e30"]
        );
    }

    #[test]
    fn durations_read_well() {
        assert_eq!([8.2, 192.0, 7500.0, 3e5, -4.0].map(duration), ["8 s", "3 m 12 s", "2 h 05 m", "3 d 11 h", "0 s"]);
    }
}
