//! Answers with their true classes, from lines of JSON or from a run.

use std::collections::BTreeMap;
use std::path::Path;

use pellucid_client::failure::Failure;
use pellucid_evaluate::probabilities::Answered;
use pellucid_files::bounded;
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::{Event, Prediction};
use pellucid_record::RunDir;
use serde::Deserialize;
use serde_json::Value;

use crate::recorded;

/// What is evaluated.
#[derive(Debug)]
pub(super) struct Answers {
    /// Where the answers are from, for people.
    pub(super) of: String,
    /// The names of the classes.
    pub(super) classes: Vec<String>,
    /// The answers to the rows with a label.
    pub(super) given: Answered,
    /// Rows without a label.
    pub(super) without_label: usize,
    /// Whether the checkpoint was chosen by these rows: the figures are then better than on rows that nobody has seen.
    pub(super) chose_the_model: bool,
}

/// A line.
#[derive(Deserialize)]
struct Line {
    probabilities: Option<Probabilities>,
    /// Where `probabilities` are missing.
    probs: Option<Vec<f64>>,
    /// The class that the label of the row stands for.
    gold_class: Option<Value>,
    gold: Option<Value>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Probabilities {
    ByName(BTreeMap<String, f64>),
    InOrder(Vec<f64>),
}

impl Answers {
    /// The answers in a file.
    pub(super) fn of_file(file: &Path) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| Failure::Failed(format!("{}: {error}", file.display()));
        let text = bounded::read(file, bounded::LINES).map_err(cannot)?;
        Self::of_lines(&text, None, &file.display().to_string())
    }

    /// The validation answers of a run by its best weights.
    pub(super) fn of_run(run: &RunDir) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", run.root().display()));
        let best = BestAnswers::read(run).map_err(failed)?;
        let Some(BestAnswers { step, classes, predictions }) = best else {
            return Err(Failure::Failed(format!("{}: no evaluation was the best yet", run.root().display())));
        };
        let samples = run.read_samples().map_err(failed)?;
        let mut given = Answered::new(classes.len());
        if samples.len() != predictions.len() {
            let (root, found) = (run.root().display(), predictions.len());
            return Err(Failure::Failed(format!("{root}: {found} answers to {} validation texts", samples.len())));
        }
        for (number, (sample, prediction)) in samples.iter().zip(&predictions).enumerate() {
            let probabilities = prediction.probabilities.iter().map(|p| f64::from(*p));
            let told = |error| Failure::Failed(format!("{}, text {number}: {error}", run.root().display()));
            given.push(probabilities, sample.label).map_err(told)?;
        }
        let of = format!("the validation texts of {}, step {step}", run.name());
        Ok(Self { of, classes, given, without_label: 0, chose_the_model: true })
    }

    /// The answers in lines of JSON. `order` is that of the classes; without it they are sorted by name.
    pub(super) fn of_lines(lines: &[u8], order: Option<&[String]>, of: &str) -> Result<Self, Failure> {
        let mut found: Option<Self> = None;
        for (number, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let told = |why: &dyn std::fmt::Display| Failure::Failed(format!("{of}, line {}: {why}", number + 1));
            let line: Line = serde_json::from_slice(line).map_err(|error| told(&error))?;
            if let Some(error) = &line.error {
                return Err(told(&format!("a row has no answer: {}", scrub(error))));
            }
            let (names, probabilities) = named(&line, order).map_err(|why| told(&why))?;
            let all = found.get_or_insert_with(|| Self {
                of: of.to_owned(),
                given: Answered::new(names.len()),
                classes: names.clone(),
                without_label: 0,
                chose_the_model: false,
            });
            if all.classes != names {
                return Err(told(&format!(
                    "its classes are {}, those of the lines before {}",
                    names.join(", "),
                    all.classes.join(", ")
                )));
            }
            match truth(&line, &names).map_err(|why| told(&why))? {
                Some(class) => all.given.push(probabilities, class).map_err(|error| told(&error))?,
                None => all.without_label += 1,
            }
        }
        let found = found.filter(|found| !found.given.is_empty());
        found.ok_or_else(|| {
            Failure::Failed(format!("{of}: no row has a label (`gold`), so there is nothing to compare with"))
        })
    }
}

/// The answers of the best evaluation of a run.
struct BestAnswers {
    step: u64,
    classes: Vec<String>,
    predictions: Vec<Prediction>,
}

impl BestAnswers {
    fn read(run: &RunDir) -> std::io::Result<Option<Self>> {
        let (mut classes, mut best) = (Vec::new(), None);
        recorded::each(run, &mut |record| match record.event {
            Event::Started(started) => classes.clone_from(&started.labels),
            Event::Eval(eval) if eval.best => best = eval.predictions.map(|file| (eval.step, file)),
            _ => {}
        })?;
        let Some((step, file)) = best else { return Ok(None) };
        Ok(Some(Self { step, classes, predictions: run.read_predictions(&file)? }))
    }
}

/// The classes of a line, with a probability for each.
fn named(line: &Line, order: Option<&[String]>) -> Result<(Vec<String>, Vec<f64>), String> {
    match (&line.probabilities, &line.probs) {
        (Some(Probabilities::ByName(named)), _) => {
            let sorted: Vec<String> = named.keys().cloned().collect();
            let names = order.filter(|order| is_permutation(order, &sorted)).map_or(sorted, <[String]>::to_vec);
            let probabilities = names.iter().map(|name| named[name]).collect();
            Ok((names, probabilities))
        }
        (Some(Probabilities::InOrder(list)), _) | (None, Some(list)) => {
            Ok(((0..list.len()).map(|class| class.to_string()).collect(), list.clone()))
        }
        (None, None) => Err("it has no `probabilities`".to_owned()),
    }
}

fn is_permutation(order: &[String], sorted: &[String]) -> bool {
    let mut names = order.to_vec();
    names.sort();
    names == sorted
}

/// The true class of a line.
fn truth(line: &Line, classes: &[String]) -> Result<Option<usize>, String> {
    let written = match line.gold_class.as_ref().or(line.gold.as_ref()) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(name)) => name.clone(),
        Some(other) => other.to_string(),
    };
    let class = classes.iter().position(|class| *class == written);
    let unknown = || {
        let classes = classes.join(", ");
        format!(
            "its label `{}` is no class; they are {}; --label-map LABEL=CLASS,... names labels anew",
            scrub(&written),
            scrub(&classes)
        )
    };
    class.map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Answers, String> {
        Answers::of_lines(lines.as_bytes(), None, "file").map_err(|error| error.to_string())
    }

    #[test]
    fn classes_are_those_of_the_lines_or_numbers() {
        let named = read(
            "{\"probabilities\":{\"b\":0.25,\"a\":0.75},\"gold\":\"b\"}\n\n{\"probabilities\":{\"a\":1,\"b\":0}}\n",
        )
        .unwrap();
        assert_eq!((named.classes.join(","), named.given.len(), named.without_label), ("a,b".to_owned(), 1, 1));
        assert_eq!((named.given.of(0), named.given.truth()), ([0.75, 0.25].as_slice(), [1].as_slice()));
        let numbered = read("{\"probs\":[0.1,0.9],\"gold\":1}\n{\"probabilities\":[0.9,0.1],\"gold\":\"0\"}").unwrap();
        assert_eq!((numbered.classes.join(","), numbered.given.truth()), ("0,1".to_owned(), [1, 0].as_slice()));
        let order = ["b".to_owned(), "a".to_owned()];
        let line = b"{\"probabilities\":{\"b\":0.25,\"a\":0.75},\"gold\":\"x\",\"gold_class\":\"b\"}";
        let ordered = Answers::of_lines(line, Some(&order), "file").unwrap();
        assert_eq!((ordered.classes.join(","), ordered.given.truth()), ("b,a".to_owned(), [0].as_slice()));
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_its_line() {
        for (lines, part) in [
            ("{\"probs\":[0.5,0.5]}", "no row has a label"),
            ("{\"gold\":1}", "line 1: it has no `probabilities`"),
            ("{\"probs\":[0.5,0.5],\"gold\":7}", "line 1: its label `7` is no class; they are 0, 1"),
            ("{\"probs\":[0.5,0.6],\"gold\":1}", "add up to 1"),
            (
                "{\"probs\":[0.5,0.5],\"gold\":1}\n{\"probs\":[1],\"gold\":0}",
                "line 2: its classes are 0, those of the lines before 0, 1",
            ),
            ("{\"error\":\"no number\"}", "a row has no answer: no number"),
            ("nonsense", "line 1"),
        ] {
            let why = read(lines).unwrap_err();
            assert!(why.contains(part) && !why.contains('\n'), "{why}");
        }
    }
}
