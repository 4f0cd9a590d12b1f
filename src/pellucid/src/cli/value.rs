//! Parsers for values of flags that clap has none for.

use std::time::Duration;

/// A speed: a number above zero.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches(['x', '×']).parse::<f64>().ok();
    number
        .filter(|speed| speed.is_finite() && *speed > 0.0)
        .ok_or_else(|| "write a number above 0, such as 10".to_owned())
}

/// How a run is named. A name that is empty comes from a script's empty variable and does not mean the newest run.
pub(super) fn run(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("the name is empty; `pellucid runs` lists the runs".to_owned());
    }
    Ok(text.to_owned())
}

/// As [`run`], for commands that remove or end a run: no name of the folder that one is in, or of one above it.
pub(super) fn exact_run(text: &str) -> Result<String, String> {
    let name = run(text)?;
    match name.trim_end_matches('/').rsplit('/').next() {
        None | Some("" | "." | "..") => Err("this names no run; `pellucid runs` lists the runs".to_owned()),
        Some(_) => Ok(name),
    }
}

/// The path of a file to write. `-` is none, and not stdout.
pub(crate) fn output_file(text: &str) -> Result<std::path::PathBuf, String> {
    if text == "-" {
        return Err("would be a file of that name, and not stdout; write ./- if it is meant".to_owned());
    }
    Ok(text.into())
}

/// A time above zero: seconds, or a number with its unit.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let with_unit = || text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    seconds
        .or_else(with_unit)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "write a time above 0, such as 5s, 500ms or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        let ms = |text| time(text).map(|time| time.as_millis());
        assert_eq!(
            ["5s", "5", "1.5", "500ms", "2m", "1m 30s"].map(ms),
            [5000, 5000, 1500, 500, 120_000, 90_000].map(Ok)
        );
        for bad in ["", "0", "0s", "-3s", "soon", "nan", "1e300", "5 apples"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_is_no_name_of_a_run_and_neither_is_the_folder_of_them() {
        for text in ["", " ", "\t", "\n"] {
            assert!(run(text).is_err() && exact_run(text).is_err(), "{text:?}");
        }
        for text in [".", "..", "./", "../", "x/.", "x/..", "x/../", "/", "//", ".//", "../..//"] {
            assert!(run(text).is_ok() && exact_run(text).is_err(), "{text:?}");
        }
        for text in ["run", "runs/run", "runs/run/", "../runs/run", "./run", "...", "-run", " run"] {
            assert_eq!(exact_run(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_speed_is_a_number_above_zero() {
        assert_eq!((speed("10"), speed("0.5x")), (Ok(10.0), Ok(0.5)));
        assert!(["0", "-1", "fast", "inf", "NaN", ""].iter().all(|bad| speed(bad).is_err()));
    }
}
