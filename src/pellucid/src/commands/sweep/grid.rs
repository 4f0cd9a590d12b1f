//! The settings of a sweep: every combination of the values that were asked for.

use pellucid_protocol::RawSettings;

use pellucid_client::failure::Failure;

/// A setting and the values that it takes in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    /// The key, as in a settings file.
    pub(crate) key: String,
    /// Its values, as written.
    pub(crate) values: Vec<String>,
}

/// `KEY=A,B`, the key with `-` or `_`.
impl std::str::FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, values) = text.split_once('=').ok_or_else(|| "write it as KEY=A,B".to_owned())?;
        let key = key.trim().trim_start_matches('-').replace('-', "_");
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        if !RawSettings::KEYS.contains(&key.as_str()) || key == "run_dir" {
            return Err(format!("`{key}` is no setting that can be swept"));
        }
        if values.iter().any(String::is_empty) {
            return Err(format!("{key} has an empty value"));
        }
        Ok(Self { key, values })
    }
}

/// One combination: keys and values in the order of the axes.
pub(super) type Point = Vec<(String, String)>;

/// All combinations; the last axis changes fastest.
pub(super) fn points(axes: &[Axis]) -> Vec<Point> {
    axes.iter().fold(vec![Point::new()], |points, axis| {
        let longer = |point: Point| {
            axis.values.iter().map(move |value| {
                let mut longer = point.clone();
                longer.push((axis.key.clone(), value.clone()));
                longer
            })
        };
        points.into_iter().flat_map(longer).collect()
    })
}

/// The name of a point's run folder.
pub(super) fn name(point: &Point) -> String {
    let part = |(key, value): &(String, String)| {
        let value: String =
            value.chars().map(|c| if c.is_alphanumeric() || ".-".contains(c) { c } else { '-' }).collect();
        format!("{key}-{value}")
    };
    point.iter().map(part).collect::<Vec<_>>().join("_")
}

/// The settings of a point, over `under`.
pub(super) fn settings(point: &Point, under: &RawSettings) -> Result<RawSettings, Failure> {
    let mut raw = under.clone();
    for (key, value) in point {
        let bare = toml::from_str::<RawSettings>(&format!("{key} = {value}"));
        let quoted = || toml::from_str::<RawSettings>(&format!("{key} = {}", toml::Value::from(value.as_str())));
        let one = bare.or_else(|_| quoted());
        let one = one.map_err(|error| Failure::Usage(format!("--grid {key}={value}: {}", error.message())))?;
        raw = one.or(raw);
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_comes_once_and_has_a_name() {
        let axes: Vec<Axis> = ["l1=0,1e-5", "--kd-alpha=0.5", "seed=1,2"].map(|axis| axis.parse().unwrap()).into();
        let points = points(&axes);
        let names: Vec<String> = points.iter().map(name).collect();
        assert_eq!(names[1..3], ["l1-0_kd_alpha-0.5_seed-2", "l1-1e-5_kd_alpha-0.5_seed-1"]);
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn values_are_read_as_in_a_settings_file() {
        let under = RawSettings { l1: Some(0.5), lr: Some(1e-3), ..RawSettings::default() };
        let point = vec![("l1".to_owned(), "1e-5".to_owned()), ("optimizer".to_owned(), "sgd".to_owned())];
        let raw = settings(&point, &under).unwrap();
        assert_eq!((raw.l1, raw.lr, raw.optimizer.is_some()), (Some(1e-5), Some(1e-3), true));
        let wrong = settings(&vec![("l1".to_owned(), "much".to_owned())], &under).unwrap_err().to_string();
        assert!(wrong.starts_with("--grid l1=much: invalid type"), "{wrong}");
    }

    #[test]
    fn what_is_no_axis_is_refused() {
        for (text, part) in
            [("l1", "KEY=A,B"), ("lambda=1", "no setting"), ("l1=1,,2", "empty"), ("run-dir=a", "no setting")]
        {
            assert!(text.parse::<Axis>().unwrap_err().contains(part), "{text}");
        }
    }
}
