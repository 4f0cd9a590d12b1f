//! Parsers for values of flags that clap has none for.

/// A speed: a number above zero.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches(['x', '×']).parse::<f64>().ok();
    number
        .filter(|speed| speed.is_finite() && *speed > 0.0)
        .ok_or_else(|| "write a number above 0, such as 10".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_above_zero() {
        assert_eq!((speed("10"), speed("0.5x")), (Ok(10.0), Ok(0.5)));
        assert!(["0", "-1", "fast", "inf", "NaN", ""].iter().all(|bad| speed(bad).is_err()));
    }
}
