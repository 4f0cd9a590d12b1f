//! How the test against chance behaves on real texts: which share of random maps passes, whether exact Shapley values
//! do, and whether maps that fail are less faithful than those that pass.

use std::collections::BTreeMap;
use std::time::Instant;

use pellucid_explain::chance_test::{ChanceTest, Map as TestedMap, Patience};
use pellucid_explain::oracle::masking::{Masking, OutcomeCache};
use pellucid_explain::sampling::normals;
use pellucid_explain::{Context, Depth, Samples, attribute};
use pellucid_intake::rows::Row;
use pellucid_protocol::check::Grade;
use pellucid_protocol::work::BenchExplainWork;
use pellucid_protocol::{Attribution, Check, Method};
use serde_json::{Map, Value, json};

use super::print_line;
use crate::data::tokenise::TextEncoder;
use crate::error::Result;
use crate::explain::oracle::{ModelOracle, ROWS_PER_CALL};
use crate::explain::subject::Subject;
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::task::output_of;

/// Up to so many words, maps are placed between the best and the worst order, and Shapley values are exact.
const EXACT_WORDS: usize = 12;
/// Of so many maps the best one counts, to see whether their number is corrected for.
const BEST_OF: usize = 5;
/// The first word counts of the classes in which rates are given.
const LENGTHS: [usize; 7] = [2, 5, 11, 21, 51, 101, 201];

/// A score of a random map from a normal number.
type Draw = fn(f64) -> f64;

/// The kinds of random maps, with a method that has scores of that kind.
const KINDS: [(&str, Method, Draw); 5] = [
    ("normal", Method::GradientInput, |number| number),
    ("uniform", Method::GradientInput, |number| 2.0 * share(number) - 1.0),
    ("positive", Method::GradientInput, share),
    ("uneven", Method::GradientInput, |number| number.signum() * -(2.0 * share(-number.abs())).max(1e-12).ln()),
    ("without_sign", Method::Gradient, |number| -(1.0 - share(number)).max(1e-12).ln()),
];

/// The share of normal numbers below this one, by the logistic approximation: close to uniform for a normal number.
fn share(number: f64) -> f64 {
    1.0 / (1.0 + (-1.702 * number).exp())
}

/// What is calibrated.
pub(super) struct Calibration<'a> {
    pub(super) work: &'a BenchExplainWork,
    pub(super) model: &'a Classifier,
    pub(super) encoder: &'a TextEncoder,
    /// Random maps of each kind for each text.
    pub(super) maps: usize,
}

/// Passed and tested maps by what was tested.
#[derive(Debug, Default)]
struct Rates(BTreeMap<(usize, String), (usize, usize)>);

impl Rates {
    fn count(&mut self, words: usize, what: &str, passed: usize, tested: usize) {
        let class = LENGTHS.iter().rev().find(|first| words >= **first).copied().unwrap_or(0);
        let entry = self.0.entry((class, what.to_owned())).or_default();
        *entry = (entry.0 + passed, entry.1 + tested);
    }

    fn json(&self) -> Value {
        let mut by_length: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
        for ((class, what), (passed, tested)) in &self.0 {
            by_length.entry(*class).or_default().insert(what.clone(), json!([passed, tested]));
        }
        by_length.into_iter().map(|(class, rates)| json!({"words_from": class, "passed_of": rates})).collect()
    }
}

impl Calibration<'_> {
    /// A line a text, then one with the rates by length and the area under the curve.
    pub(super) fn run(&self, rows: &[Row]) -> Result<()> {
        let (mut rates, mut places) = (Rates::default(), Vec::new());
        for (text, row) in rows.iter().enumerate() {
            let subject = Subject::new(self.encoder, &row.text, row.pair.as_deref())?;
            let words = subject.words.len();
            if words < LENGTHS[0] {
                continue;
            }
            let logits = answers::of_one(self.model, &subject.encoded)?;
            let target = output_of(self.model).answer(&output_of(self.model).probabilities(&logits));
            let mut oracle = ModelOracle { model: self.model, subject: &subject, target };
            let test = self.random(&mut oracle, text, &mut rates)?;
            let methods = self.methods(&mut oracle, &mut rates, &mut places)?;
            print_line(&json!({"words": words, "test": test, "methods": methods}))?;
        }
        print_line(&json!({"rates": rates.json(), "auc": auc(&places), "maps_placed": places.len()}))
    }

    /// Tests random maps of each kind; what the test of one costs.
    fn random(&self, oracle: &mut ModelOracle, text: usize, rates: &mut Rates) -> Result<Value> {
        let words = oracle.subject.words.len();
        let mut cache = OutcomeCache::new(ROWS_PER_CALL);
        let (mut start, mut first) = (Instant::now(), None);
        let mut test = ChanceTest::new(words, 1, self.work.seed);
        for (kind, (name, method, draw)) in KINDS.into_iter().enumerate() {
            let map = |number: usize| -> Vec<f64> {
                normals(self.work.seed + kind as u64, (text * self.maps + number) as u64, words)
                    .into_iter()
                    .map(draw)
                    .collect()
            };
            let mut passed = Vec::with_capacity(self.maps);
            for number in 0..self.maps {
                test.forget();
                let map = TestedMap { method, scores: &map(number) };
                test.test(&mut Masking::new(oracle, &mut cache), map, Patience::Decide)?;
                let Check::Chance { grade, rows, .. } = test.check(method) else { continue };
                first.get_or_insert_with(|| json!({"rows": rows, "ms": start.elapsed().as_secs_f64() * 1e3}));
                if grade == Grade::Nothing {
                    rates.count(words, "nothing_to_explain", 1, 1);
                    return Ok(json!("nothing to explain"));
                }
                passed.push(usize::from(grade >= Grade::Weak));
            }
            rates.count(words, name, passed.iter().sum(), passed.len());
            start = Instant::now();
        }
        self.best(oracle, &mut cache, text, rates)?;
        Ok(json!(first))
    }

    /// Tests groups of random maps: whether the best of each group passes.
    fn best(&self, oracle: &mut ModelOracle, cache: &mut OutcomeCache, text: usize, rates: &mut Rates) -> Result<()> {
        let words = oracle.subject.words.len();
        let mut test = ChanceTest::new(words, BEST_OF, self.work.seed);
        for group in 0..self.maps / BEST_OF {
            test.forget();
            let methods = Method::ALL.iter().copied().filter(|method| method.is_signed()).take(BEST_OF);
            let mut passed = false;
            for (place, method) in methods.clone().enumerate() {
                let map = normals(self.work.seed + 99, (text * self.maps + group * BEST_OF + place) as u64, words);
                test.test(&mut Masking::new(oracle, cache), TestedMap { method, scores: &map }, Patience::Decide)?;
            }
            for method in methods {
                passed |= test.check(method).passes();
            }
            rates.count(words, "best_of_5", usize::from(passed), 1);
        }
        Ok(())
    }

    /// Grades the maps of the methods. `places` gets their place between the worst and the best order, and whether they
    /// passed.
    fn methods(
        &self,
        oracle: &mut ModelOracle,
        rates: &mut Rates,
        places: &mut Vec<(f64, bool)>,
    ) -> Result<Map<String, Value>> {
        let words = oracle.subject.words.len();
        let depth = if words <= EXACT_WORDS { Depth::Figures } else { Depth::Gates };
        let mut context = Context::new(self.work.seed).with_depth(depth).with_rows_per_call(ROWS_PER_CALL);
        context = context.with_samples(Samples { fit: self.work.lime_samples, ..Samples::default() });
        let mut made: Vec<Attribution> = Vec::new();
        for method in self.work.methods.iter().copied() {
            if method != Method::Shapley || words <= EXACT_WORDS {
                made.push(attribute(oracle, method, &mut context)?);
            }
        }
        context.update(&mut made);
        for map in &made {
            let Some(grade) = map.grade().filter(|grade| *grade != Grade::Nothing) else { continue };
            rates.count(words, map.method.key(), usize::from(grade >= Grade::Weak), 1);
            rates.count(words, &format!("{}_strong", map.method.key()), usize::from(grade == Grade::Strong), 1);
            places.extend(place(map).map(|place| (place, grade >= Grade::Weak)));
        }
        let told =
            |map: &Attribution| (map.method.key().to_owned(), json!({"grade": map.grade(), "checks": map.checks}));
        Ok(made.iter().map(told).collect())
    }
}

fn place(map: &Attribution) -> Option<f64> {
    map.checks.iter().find_map(|check| match check {
        Check::Faithfulness { normalised, .. } => Some(*normalised),
        _ => None,
    })
}

/// The probability that a map that passed lies higher between the worst and the best order than one that failed. `None`
/// where all passed, or all failed.
fn auc(places: &[(f64, bool)]) -> Option<f64> {
    let of = |wanted: bool| places.iter().filter(move |(_, passed)| *passed == wanted).map(|(place, _)| *place);
    let pairs = of(true).flat_map(|high| of(false).map(move |low| (high, low)));
    let (won, count) = pairs.fold((0.0, 0.0), |(won, count), (high, low)| {
        let gain = if high > low {
            1.0
        } else if high < low {
            0.0
        } else {
            0.5
        };
        (won + gain, count + 1.0)
    });
    (count > 0.0).then(|| won / count)
}
