//! The weight of each class in the loss.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Weights of the classes in the cross entropy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum ClassWeights {
    /// All equal.
    #[default]
    Equal,
    /// examples / (classes * examples of the class), as scikit-learn's `class_weight="balanced"`.
    Balanced,
    /// By name; a class that is not named has the weight 1.
    Named(BTreeMap<String, f64>),
}

/// As written in a file: the name of a rule, or a table.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Rule(Rule),
    Named(BTreeMap<String, f64>),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    None,
    Balanced,
}

impl From<Written> for ClassWeights {
    fn from(written: Written) -> Self {
        match written {
            Written::Rule(Rule::None) => Self::Equal,
            Written::Rule(Rule::Balanced) => Self::Balanced,
            Written::Named(weights) => Self::Named(weights),
        }
    }
}

impl From<ClassWeights> for Written {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::Equal => Self::Rule(Rule::None),
            ClassWeights::Balanced => Self::Rule(Rule::Balanced),
            ClassWeights::Named(weights) => Self::Named(weights),
        }
    }
}

/// `none`, `balanced`, or `NAME=WEIGHT,NAME=WEIGHT`.
impl FromStr for ClassWeights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => return Ok(Self::Equal),
            "balanced" => return Ok(Self::Balanced),
            _ => {}
        }
        let part = |part: &str| {
            let (name, weight) = part.rsplit_once('=')?;
            Some((name.trim().to_owned(), weight.trim().parse::<f64>().ok()?))
        };
        let weights: Option<BTreeMap<_, _>> = text.split(',').map(part).collect();
        weights.map(Self::Named).ok_or_else(|| format!("`{text}` is none of: none, balanced, NAME=WEIGHT,NAME=WEIGHT"))
    }
}

impl ClassWeights {
    /// The weight of each of `classes`, which have `counts` examples; `None` if all weights are equal.
    ///
    /// # Errors
    /// When a name is not a class.
    pub fn of(&self, classes: &[String], counts: &[usize]) -> Result<Option<Vec<f64>>, String> {
        match self {
            Self::Equal => Ok(None),
            Self::Balanced => {
                let all = counts.iter().sum::<usize>() as f64;
                let balanced = |&count: &usize| all / (classes.len() as f64 * count.max(1) as f64);
                Ok(Some(counts.iter().map(balanced).collect()))
            }
            Self::Named(weights) => match weights.keys().find(|name| !classes.contains(name)) {
                Some(name) => Err(format!("there is no class `{name}`; there are {}", classes.join(", "))),
                None => Ok(Some(classes.iter().map(|name| weights.get(name).copied().unwrap_or(1.0)).collect())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Vec<String> {
        vec!["no".into(), "yes".into()]
    }

    #[test]
    fn flags_and_files_say_the_same() {
        for (flag, file) in [("none", "\"none\""), ("balanced", "\"balanced\""), ("a=2,b=0.5", r#"{"a":2.0,"b":0.5}"#)]
        {
            let weights: ClassWeights = flag.parse().unwrap();
            assert_eq!(serde_json::to_string(&weights).unwrap(), file);
            assert_eq!(serde_json::from_str::<ClassWeights>(file).unwrap(), weights);
        }
        assert!("a:2".parse::<ClassWeights>().unwrap_err().contains("balanced"));
    }

    #[test]
    fn balanced_weights_make_classes_count_alike_and_have_the_mean_one() {
        let weights = ClassWeights::Balanced.of(&classes(), &[30, 10]).unwrap().unwrap();
        assert_eq!(weights, [40.0 / 60.0, 2.0]);
        assert_eq!((weights[0] * 30.0 + weights[1] * 10.0) / 40.0, 1.0);
    }

    #[test]
    fn a_class_that_is_not_there_is_named() {
        let named: ClassWeights = "yes=3".parse().unwrap();
        assert_eq!(named.of(&classes(), &[1, 1]), Ok(Some(vec![1.0, 3.0])));
        assert!("maybe=3".parse::<ClassWeights>().unwrap().of(&classes(), &[1, 1]).unwrap_err().contains("no, yes"));
    }
}
