//! A report as what it consists of, before it is HTML or Markdown.

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// A part with a heading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// What stands in a section, in plain text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A paragraph.
    Text(String),
    /// Rows under a head.
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// A line over steps.
    Curve(Curve),
    /// A text with the scores of its words.
    Map(WordMap),
    /// To be typed as it stands.
    Code(String),
}

/// A metric over steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) meaning: String,
    /// Steps and values, by steps; only finite values.
    pub(super) points: Vec<(u64, f64)>,
}

/// A text with the scores of its words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WordMap {
    pub(super) title: String,
    pub(super) words: Vec<(String, f64)>,
    /// Whether no gate has failed.
    pub(super) holds: bool,
}

impl Section {
    pub(super) fn new(title: &str, blocks: Vec<Block>) -> Self {
        Self { title: title.to_owned(), blocks }
    }
}

impl Curve {
    /// At most `count` points: of each stretch the mean, at its last step; the first and the last point stay.
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

    /// Lowest and highest value; none without points.
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
