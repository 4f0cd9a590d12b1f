//! What a report consists of, before it becomes HTML or Markdown.

use pellucid_formats::html::Word;
use pellucid_protocol::explanation::Scale;

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// A part of a report with its heading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section. All texts are plain: what they become in HTML or Markdown shows them as they are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// The titles of the columns, and the rows.
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// A metric over steps.
    Curve(Curve),
    /// A text with the scores of its words.
    Map(WordMap),
    /// Lines to be copied as they stand.
    Code(String),
}

/// A metric over steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) meaning: String,
    /// Steps and values in the order of the steps; all values are finite.
    pub(super) points: Vec<(u64, f64)>,
}

/// A text with the scores of its words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WordMap {
    pub(super) title: String,
    pub(super) words: Vec<Word>,
    /// How the scores are written and painted.
    pub(super) scale: Scale,
    /// Whether the map is to be trusted.
    pub(super) holds: bool,
}

impl Section {
    pub(super) fn new(title: &str, blocks: Vec<Block>) -> Self {
        Self { title: title.to_owned(), blocks }
    }
}

impl Curve {
    /// The curve with about `count` points at most: each stretch of points becomes its mean, at its last step. The first
    /// and the last point stay.
    pub(super) fn thinned(mut self, count: usize) -> Self {
        if self.points.len() > count {
            let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
            let stretch = self.points.len().div_ceil(count);
            let mean = |part: &[(u64, f64)]| {
                (part[part.len() - 1].0, part.iter().map(|(_, value)| value).sum::<f64>() / part.len() as f64)
            };
            self.points = self.points.chunks(stretch).map(mean).collect();
            self.points[0] = first;
            self.points.pop();
            self.points.push(last);
        }
        self
    }

    /// The lowest and the highest value; `None` if there are no points.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        let values = || self.points.iter().map(|(_, value)| *value);
        (!self.points.is_empty())
            .then(|| (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_ends() {
        let points = (0..1000).map(|step| (step, step as f64)).collect();
        let curve = Curve { name: String::new(), meaning: String::new(), points };
        let thin = curve.clone().thinned(100);
        assert!(thin.points.len() <= 100 && thin.points[0] == (0, 0.0) && thin.points.last() == Some(&(999, 999.0)));
        assert_eq!(thin.range(), Some((0.0, 999.0)));
        assert_eq!(curve.clone().thinned(1000), curve);
    }
}
