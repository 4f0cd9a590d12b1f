//! The settings of a sweep: every combination of the values of its axes.

use pellucid_client::failure::Failure;
use pellucid_protocol::RawSettings;
use serde::Serializer;

use crate::cli::axis::Axis;

/// A setting and its value, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) key: String,
    pub(super) value: String,
}

/// One combination: a choice for each axis, in the order of the axes.
pub(super) type Point = Vec<Choice>;

/// Serialises a point as an object: keys and values.
pub(super) fn as_map<S: Serializer>(point: &Point, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(point.iter().map(|choice| (&choice.key, &choice.value)))
}

/// All combinations; the last axis changes fastest.
pub(super) fn points(axes: &[Axis]) -> Vec<Point> {
    axes.iter().fold(vec![Point::new()], |points, axis| {
        let longer = |point: Point| {
            axis.values.iter().map(move |value| {
                let mut longer = point.clone();
                longer.push(Choice { key: axis.key.clone(), value: value.clone() });
                longer
            })
        };
        points.into_iter().flat_map(longer).collect()
    })
}

/// The name of a point's run folder.
pub(super) fn name(point: &Point) -> String {
    let part = |Choice { key, value }: &Choice| {
        let value: String =
            value.chars().map(|c| if c.is_alphanumeric() || ".-".contains(c) { c } else { '-' }).collect();
        format!("{key}-{value}")
    };
    point.iter().map(part).collect::<Vec<_>>().join("_")
}

/// The settings of a point; settings that it does not have are those of `under`.
pub(super) fn settings(point: &Point, under: &RawSettings) -> Result<RawSettings, Failure> {
    let mut raw = under.clone();
    for Choice { key, value } in point {
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
        let choice = |key: &str, value: &str| Choice { key: key.to_owned(), value: value.to_owned() };
        let point = vec![choice("l1", "1e-5"), choice("optimizer", "sgd")];
        let raw = settings(&point, &under).unwrap();
        assert_eq!((raw.l1, raw.lr, raw.optimizer.is_some()), (Some(1e-5), Some(1e-3), true));
        let wrong = settings(&vec![choice("l1", "much")], &under).unwrap_err().to_string();
        assert!(wrong.starts_with("--grid l1=much: invalid type"), "{wrong}");
    }
}
