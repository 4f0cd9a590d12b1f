//! The unit of a map's scores: how they are written, and how strongly they are painted.

use serde::{Deserialize, Serialize};

use super::{Attribution, Method, Scalar};
use crate::text::readable::number;

/// What the sign of a score says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Above zero a word speaks for the class, below zero against it.
    ForOrAgainst,
    /// The method has no sign: a score is a size.
    None,
}

/// What a score is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Points of probability: hundredths.
    Points,
    /// Logits.
    Logits,
    /// Nothing that could be compared with another map: gradient norms, shares of attention or of a variance.
    None,
}

impl Unit {
    /// The unit of the scores of `method` where it explains `scalar`.
    #[must_use]
    pub fn of(method: Method, scalar: Scalar) -> Self {
        match (method, scalar) {
            (Method::Gradient | Method::Rollout | Method::Tree, _) | (_, Scalar::Attention) => Unit::None,
            (_, Scalar::Probability) => Unit::Points,
            (_, Scalar::Logit | Scalar::Margin) => Unit::Logits,
        }
    }

    /// The score that has the darkest colour, the same in all maps; `None` without a unit: there it is the largest of
    /// the map.
    #[must_use]
    pub fn darkest(self) -> Option<f64> {
        match self {
            Unit::Points => Some(0.5),
            Unit::Logits => Some(2.0),
            Unit::None => None,
        }
    }

    /// The unit in a word, for numbers above one.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Unit::Points => "points",
            Unit::Logits => "logits",
            Unit::None => "no unit",
        }
    }
}

impl Method {
    /// What the sign of its scores says.
    #[must_use]
    pub fn sign(self) -> Sign {
        if self.is_signed() { Sign::ForOrAgainst } else { Sign::None }
    }
}

/// How the scores of one map are written and painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What they are counted in.
    pub unit: Unit,
    /// What their sign says.
    pub sign: Sign,
    /// The largest size among them.
    largest: f64,
}

impl Scale {
    /// That of `scores`, by `method` for `scalar`.
    #[must_use]
    pub fn new(method: Method, scalar: Scalar, scores: &[f64]) -> Self {
        let sizes = scores.iter().filter(|score| score.is_finite()).map(|score| score.abs());
        Self { unit: Unit::of(method, scalar), sign: method.sign(), largest: sizes.fold(0.0, f64::max) }
    }

    /// How strongly a score is painted, from -1 to 1: by the unit's fixed scale, so that two maps can be compared.
    #[must_use]
    pub fn strength(&self, score: f64) -> f64 {
        let whole = self.unit.darkest().unwrap_or(self.largest);
        if whole > 0.0 { (score / whole).clamp(-1.0, 1.0) } else { 0.0 * score }
    }

    /// The length of a bar for a score, from -1 to 1: the strongest score has a whole one, but in a map of small scores
    /// all are short.
    #[must_use]
    pub fn length(&self, score: f64) -> f64 {
        let whole = self.unit.darkest().map_or(self.largest, |darkest| darkest.max(self.largest));
        if whole > 0.0 && !self.written(score).eq("0") { (score / whole).clamp(-1.0, 1.0) } else { 0.0 * score }
    }

    /// A score in its unit with two significant digits: `+93`, `-9.3`, `+0.3`; without a sign where it has none, and `0`
    /// where it rounds to zero.
    #[must_use]
    pub fn written(&self, score: f64) -> String {
        let value = self.value(score);
        if self.unit == Unit::None {
            return self.signed(number(value.abs()), value);
        }
        let places = match value.abs() {
            size if size >= 9.95 => 0,
            size if size >= 0.995 || self.unit == Unit::Points => 1,
            _ => 2,
        };
        self.rounded(value, places)
    }

    /// A standard error of a score, in the same unit: `±1.2`.
    #[must_use]
    pub fn error(&self, error: f64) -> String {
        format!("±{}", self.size(error))
    }

    /// A size in the unit of the scores, without a sign.
    #[must_use]
    pub fn size(&self, size: f64) -> String {
        Self { sign: Sign::None, ..*self }.written(size)
    }

    /// A score with its unit: `+21 points`, `-1.2 logits`.
    #[must_use]
    pub fn told(&self, score: f64) -> String {
        match self.unit {
            Unit::None => self.written(score),
            unit => format!("{} {}", self.written(score), unit.told()),
        }
    }

    /// A score for a place of `width` columns under its word, all of a map to the same precision; empty where it rounds to
    /// zero. Where there is no room, decimals go first, then all but the sign: never a digit that changes the size.
    /// Scores without a unit are tenths of the largest: 1 to 9.
    #[must_use]
    pub fn fitted(&self, score: f64, width: usize) -> String {
        let value = if self.unit == Unit::None { 9.0 * self.strength(score) } else { self.value(score) };
        let places = self.places();
        let whole = self.rounded(value, places);
        if whole == "0" || width == 0 {
            return String::new();
        }
        let short = if value.abs() >= 0.95 { self.rounded(value, 0) } else { whole.replacen("0.", ".", 1) };
        let sign = match self.sign {
            _ if value.is_nan() => "?",
            Sign::None => "·",
            Sign::ForOrAgainst if value < 0.0 => "-",
            Sign::ForOrAgainst => "+",
        };
        [whole, short].into_iter().find(|shown| shown.len() <= width).unwrap_or_else(|| sign.to_owned())
    }

    /// Decimals with which the largest score has two significant digits; one at most, so that a map of small scores is
    /// nearly blank.
    fn places(&self) -> usize {
        match (self.unit, self.value(self.largest)) {
            (Unit::None, _) => 0,
            (_, largest) if largest >= 9.95 => 0,
            _ => 1,
        }
    }

    fn value(&self, score: f64) -> f64 {
        if self.unit == Unit::Points { 100.0 * score } else { score }
    }

    fn rounded(&self, value: f64, places: usize) -> String {
        let size = format!("{:.places$}", value.abs());
        if size.bytes().all(|byte| matches!(byte, b'0' | b'.')) { "0".to_owned() } else { self.signed(size, value) }
    }

    fn signed(&self, size: String, value: f64) -> String {
        match self.sign {
            _ if value.is_nan() => "?".to_owned(),
            Sign::ForOrAgainst if value < 0.0 => format!("-{size}"),
            Sign::ForOrAgainst if value > 0.0 => format!("+{size}"),
            Sign::ForOrAgainst | Sign::None => size,
        }
    }
}

impl Attribution {
    /// How the scores are written and painted.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale::new(self.method, self.scalar, &self.scores)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(largest: f64) -> Scale {
        Scale::new(Method::Occlusion, Scalar::Probability, &[largest])
    }

    fn logits(largest: f64) -> Scale {
        Scale::new(Method::IntegratedGradients, Scalar::Logit, &[largest])
    }

    #[test]
    fn a_score_has_two_digits_that_count() {
        let shown = [0.934, -0.0934, 0.003, 0.0004, 0.0, -0.0, f64::NAN].map(|score| points(1.0).written(score));
        assert_eq!(shown, ["+93", "-9.3", "+0.3", "0", "0", "0", "?"]);
        let shown = [12.34, 1.234, -0.123, 0.012, 0.001].map(|score| logits(1.0).written(score));
        assert_eq!(shown, ["+12", "+1.2", "-0.12", "+0.01", "0"]);
        assert_eq!((points(1.0).told(0.21), logits(1.0).told(-1.2)), ("+21 points".into(), "-1.2 logits".into()));
        assert_eq!((points(1.0).error(0.012), logits(1.0).error(0.2)), ("±1.2".into(), "±0.20".into()));
    }

    #[test]
    fn a_map_without_a_sign_or_a_unit_never_shows_one() {
        for (method, scalar) in [(Method::Gradient, Scalar::Logit), (Method::Rollout, Scalar::Attention)] {
            let scale = Scale::new(method, scalar, &[0.5, 0.25]);
            assert_eq!((scale.unit, scale.sign), (Unit::None, Sign::None));
            assert_eq!([0.5, 0.25].map(|score| scale.fitted(score, 3)), ["9", "4"]);
            assert_eq!([0.5, 0.25].map(|score| scale.strength(score)), [1.0, 0.5]);
            assert!(!scale.written(0.25).contains('+'));
        }
        let tree = Scale::new(Method::Tree, Scalar::Probability, &[0.5, -0.25]);
        assert_eq!(
            [0.5, -0.25].map(|score| tree.fitted(score, 3)),
            ["+9", "-4"],
            "a share of a variance is no probability"
        );
    }

    #[test]
    fn colours_are_the_same_from_one_map_to_the_next() {
        let strengths = |scale: Scale| [0.003, 0.25, -0.9].map(|score| scale.strength(score));
        assert_eq!(strengths(points(0.003)), strengths(points(0.9)));
        assert_eq!(strengths(points(0.9)), [0.006, 0.5, -1.0]);
        assert_eq!([1.0, -3.0].map(|score| logits(9.0).strength(score)), [0.5, -1.0]);
        assert!(points(0.003).length(0.003) < 0.01, "a bar of a small score is short");
        assert_eq!((points(0.9).length(0.9), points(0.9).length(0.0001)), (1.0, 0.0));
    }

    #[test]
    fn numbers_under_words_lose_digits_but_do_not_lie() {
        let fitted = |scale: Scale, score: f64| [4, 3, 2, 1, 0].map(|width| scale.fitted(score, width));
        assert_eq!(fitted(points(0.93), 0.93), ["+93", "+93", "+", "+", ""]);
        assert_eq!(fitted(points(0.05), -0.012), ["-1.2", "-1", "-1", "-", ""]);
        assert_eq!(fitted(points(0.05), 0.003), ["+0.3", "+.3", "+", "+", ""]);
        assert_eq!(fitted(points(0.93), 0.003), [""; 5], "to the precision of the map");
        assert_eq!(fitted(logits(0.4), 0.31), ["+0.3", "+.3", "+", "+", ""]);
        assert_eq!(points(0.0).fitted(0.0, 4), "");
    }

    proptest! {
        #[test]
        fn what_is_shown_of_a_number_is_near_it(score in -1.2..1.2_f64, largest in 0.0..1.2_f64, width in 1..6_usize) {
            let scale = points(largest.max(score.abs()));
            let shown = scale.fitted(score, width);
            prop_assert!(shown.len() <= width);
            match shown.as_str() {
                "" => prop_assert!(score.abs() < 0.0051),
                "+" => prop_assert!(score > 0.0),
                "-" => prop_assert!(score < 0.0),
                shown => prop_assert!((shown.parse::<f64>().unwrap() - 100.0 * score).abs() <= 0.501, "{}", shown),
            }
        }
    }
}
