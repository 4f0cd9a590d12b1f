//! Values of flags that have a form of their own.

/// A speed: a number above zero.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches(['x', '×']).parse::<f64>().ok();
    number.filter(|speed| speed.is_finite() && *speed > 0.0).ok_or_else(|| "give a number above 0, as 10".to_owned())
}

/// Columns and rows, as 120x40.
pub(super) fn terminal_size(text: &str) -> Result<(u16, u16), String> {
    let parts = text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parts.filter(|&(columns, rows)| columns > 0 && rows > 0).ok_or_else(|| "give it as 120x40".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_above_zero() {
        assert_eq!((speed("10"), speed("0.5x")), (Ok(10.0), Ok(0.5)));
        assert!(["0", "-1", "fast", "inf", "NaN", ""].iter().all(|bad| speed(bad).is_err()));
    }

    #[test]
    fn a_size_is_columns_by_rows() {
        assert_eq!(terminal_size("80x24"), Ok((80, 24)));
        for bad in ["80", "80x", "x24", "0x1", "-1x4", "99999x1"] {
            assert!(terminal_size(bad).is_err(), "{bad}");
        }
    }
}
