//! The probe set: a few samples that are explained again and again while training goes on. It shows whether the maps are
//! faithful, and how far they have moved from the last ones, from those at the start and from the teacher's.
//!
//! It may cost a share of the training. Both are counted in tokens: one for a token's forward pass and two more for its
//! backward pass. So what is measured when depends on the data and the settings alone, and a resumed run measures what it
//! would have measured. Where the share does not suffice for all, fewer texts are measured. The time that it really takes
//! is `speed/probe_share`.

use pellucid_explain::GRADIENT_COST;
use pellucid_explain::checks::plausibility::plausibility;
use pellucid_explain::probe::complexity::complexity;
use pellucid_explain::probe::convergence::converged_at;
use pellucid_explain::probe::drift::Movement;
use pellucid_explain::probe::{Measures, probe, rows};
use pellucid_explain::words::marked;
use pellucid_protocol::{Method, Metrics, Settings};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::maps::{teacher_word_map, word_maps};
use super::oracle::ModelOracle;
use super::subject::Subject;
use crate::data::examples::Examples;
use crate::data::tokenise::TextEncoder;
use crate::data::tokens::TokenSource;
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::model::classifier::Classifier;
use crate::model::teacher::TeacherState;

/// How many maps are tested by masking words, which costs most.
const TESTED: usize = 2;
/// A cost in tokens that is always allowed: a second or two of a small model.
const ALLOWED: f64 = 5000.0;
/// How often the maps of the probe set can be made in a short run, if half of the share is left for their test.
const MEASUREMENTS: f64 = 8.0;
/// Drift from one evaluation to the next under which maps count as settled.
const CALM: f64 = 0.1;

/// A number of a [`Movement`].
type Part = fn(&Movement) -> f64;
/// The numbers of a movement by the middle part of their names: after `explain/` and before the reference.
const PARTS: [(&str, Part); 4] =
    [("drift", Movement::drift), ("jaccard", |m| m.jaccard), ("sign", |m| m.sign), ("jsd", |m| m.jsd)];

/// A map of each text of the set, where there is one.
type Maps = Vec<Option<Vec<f64>>>;

/// The probe set and what it has shown so far.
#[derive(Debug)]
pub struct Probe {
    texts: Vec<Text>,
    seed: u64,
    /// The share of the training that it may cost; 0 for no limit.
    share: f64,
    state: ProbeState,
    teacher: Option<Maps>,
}

#[derive(Debug)]
struct Text {
    text: String,
    pair: Option<String>,
    subject: Subject,
    label: usize,
    marked: Vec<bool>,
}

/// What a resumed run needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeState {
    /// Tokens that it has cost so far.
    spent: f64,
    before: Maps,
    start: Maps,
    drifts: Vec<(u64, f64)>,
    settled: Option<u64>,
}

/// What the set shows at an evaluation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProbeReport {
    /// The metrics that could be afforded.
    pub metrics: Metrics,
    /// The step since which the maps have not moved, if that was found just now.
    pub settled_since: Option<u64>,
}

/// The moment of an evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Steps done.
    pub step: u64,
    /// Tokens trained on so far.
    pub tokens: u64,
    /// Tokens that will have been trained on at the end, about.
    pub tokens_in_all: u64,
    /// Whether it is the last evaluation, at which something is measured if anything can be.
    pub last: bool,
}

/// A test of the maps of the first texts.
#[derive(Debug, Clone, Copy)]
struct Test {
    texts: usize,
    measures: Measures,
}

impl Probe {
    /// Draws as many samples as the settings ask for. The first two are of the shortest tenth, because their maps are tested,
    /// and the cost of that grows with length.
    #[must_use]
    pub fn choose(valid: &Examples, encoder: &TextEncoder, settings: &Settings) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        let mut order: Vec<usize> = (0..valid.len()).collect();
        order.sort_by_key(|&index| valid.tokens.length(index));
        let tenth = order.len().div_ceil(10).max(TESTED).min(order.len());
        let (short, long) = order.split_at_mut(tenth);
        short.shuffle(&mut random);
        let (tested, others) = short.split_at(TESTED.min(short.len()));
        let mut others = [others, long].concat();
        others.shuffle(&mut random);
        let chosen: Vec<usize> = tested.iter().chain(&others).copied().take(settings.probe as usize).collect();
        Self::new(valid, encoder, settings, &chosen)
    }

    /// The first texts of `given`, as many as the settings ask for.
    #[must_use]
    pub fn of(given: &Examples, encoder: &TextEncoder, settings: &Settings) -> Self {
        let count = given.len().min(settings.probe as usize);
        Self::new(given, encoder, settings, &(0..count).collect::<Vec<_>>())
    }

    fn new(valid: &Examples, encoder: &TextEncoder, settings: &Settings, chosen: &[usize]) -> Self {
        // The tokenizer has read each of them before.
        let text = |&index: &usize| {
            let (subject, sample) = (Subject::of_example(encoder, valid, index).ok()?, valid.sample(index));
            let marked = marked(&subject.words, &sample.rationale);
            Some(Text { text: sample.text, pair: sample.pair, subject, label: sample.label, marked })
        };
        let texts: Vec<Text> = chosen.iter().filter_map(text).collect();
        let state =
            ProbeState { before: vec![None; texts.len()], start: vec![None; texts.len()], ..Default::default() };
        Self { texts, seed: settings.seed, share: settings.probe_share, state, teacher: None }
    }

    /// What a resumed run needs.
    #[must_use]
    pub fn state(&self) -> &ProbeState {
        &self.state
    }

    /// Takes over the state of the same set; that of another one is ignored.
    pub fn restore(&mut self, state: ProbeState) {
        if state.before.len() == self.texts.len() && state.start.len() == self.texts.len() {
            self.state = state;
        }
    }

    /// The step since which the maps have not moved, if that was found just now.
    fn settle(&mut self, step: u64, drift: f64) -> Option<u64> {
        self.state.drifts.push((step, drift));
        let found = converged_at(&self.state.drifts, CALM);
        let is_new = found.is_some() && self.state.settled != found;
        self.state.settled = found;
        found.filter(|_| is_new)
    }

    fn affords(&self, cost: f64, moment: Moment) -> bool {
        // Before training has begun, the maps of the start are bought with what it will earn.
        let trained = if moment.step == 0 { moment.tokens_in_all } else { moment.tokens };
        let earned = self.share * GRADIENT_COST * trained as f64;
        let is_small = (moment.last || moment.step == 0) && cost <= ALLOWED;
        self.share == 0.0 || is_small || self.state.spent + cost <= earned
    }

    /// Explains the right class of each text on the model as it is, as far as the share of the time allows now.
    ///
    /// # Errors
    /// When libtorch refuses, or interrupted: the state is then as it was.
    pub fn measure(
        &mut self,
        moment: Moment,
        model: &Classifier,
        teacher: Option<&TeacherState>,
        interrupt: &Interrupt,
    ) -> Result<ProbeReport> {
        let state = self.state.clone();
        let measured = self.measure_unless(moment, model, teacher, interrupt);
        if measured.is_err() {
            self.state = state;
        }
        measured
    }

    fn measure_unless(
        &mut self,
        moment: Moment,
        model: &Classifier,
        teacher: Option<&TeacherState>,
        interrupt: &Interrupt,
    ) -> Result<ProbeReport> {
        interrupt.check()?;
        let (mut metrics, mut settled_since) = (Metrics::default(), None);
        let count = self.fitting(moment);
        let cost: f64 = self.texts.iter().take(count).map(Text::cost_of_map).sum();
        if count > 0 && self.affords(cost, moment) {
            self.state.spent += cost;
            let maps = self.maps(count, model)?;
            self.compare(&maps, teacher, &mut metrics)?;
            if moment.step > 0
                && let Some(drift) = metrics.get("explain/drift")
            {
                settled_since = self.settle(moment.step, drift);
            }
            let begins = self.state.start.iter().all(Option::is_none);
            self.state.before = maps.into_iter().map(Some).collect();
            self.state.before.resize(self.texts.len(), None);
            if begins {
                self.state.start = self.state.before.clone();
            }
        }
        if let Some(test) = self.affordable_test(moment) {
            self.state.spent += self.cost_of(test);
            self.test(test, model, interrupt, &mut metrics)?;
        }
        Ok(ProbeReport { metrics, settled_since })
    }

    /// Of how many texts the maps are made: of so many that the share suffices for a few measurements. The same in the whole
    /// run, so that means are of the same texts.
    fn fitting(&self, moment: Moment) -> usize {
        if self.share == 0.0 {
            return self.texts.len();
        }
        let budget = self.share * GRADIENT_COST * moment.tokens_in_all as f64 / MEASUREMENTS;
        let mut sum = 0.0;
        let fits = |text: &&Text| {
            sum += text.cost_of_map();
            sum <= budget.max(ALLOWED)
        };
        self.texts.iter().take_while(fits).count()
    }

    /// How many maps can be tested now, and by what; at the last evaluation fewer rather than none.
    fn affordable_test(&self, moment: Moment) -> Option<Test> {
        let all = Test { texts: TESTED, measures: Measures::All };
        let fewer = [all, Test { texts: 1, ..all }, Test { texts: 1, measures: Measures::Faithfulness }];
        let choices = if moment.last { &fewer[..] } else { &fewer[..1] };
        let mut choices = choices.iter().filter(|_| !self.texts.is_empty());
        choices.find(|test| self.affords(self.cost_of(**test), moment)).copied()
    }

    fn cost_of(&self, Test { texts, measures }: Test) -> f64 {
        self.texts.iter().take(texts).map(|text| text.cost(measures)).sum()
    }

    fn maps(&self, count: usize, model: &Classifier) -> Result<Vec<Vec<f64>>> {
        word_maps(model, &self.texts.iter().take(count).map(|text| (&text.subject, text.label)).collect::<Vec<_>>())
    }

    /// How far the maps are from the references, over how many words they spread, and whether they agree with rationales.
    fn compare(&mut self, maps: &[Vec<f64>], teacher: Option<&TeacherState>, metrics: &mut Metrics) -> Result<()> {
        if let (None, Some(teacher)) = (&self.teacher, teacher) {
            self.teacher = Some(self.texts.iter().map(|text| text.of_teacher(teacher)).collect::<Result<_>>()?);
        }
        let references =
            [("", Some(&self.state.before)), ("_start", Some(&self.state.start)), ("_teacher", self.teacher.as_ref())];
        for (ending, reference) in references {
            let pairs = reference.into_iter().flatten().zip(maps);
            let moved: Vec<Movement> =
                pairs.filter_map(|(theirs, mine)| Movement::between(theirs.as_ref()?, mine)).collect();
            for (name, part) in PARTS {
                set_mean(metrics, &format!("explain/{name}{ending}"), moved.iter().map(part));
            }
        }
        let spread: Vec<_> = maps.iter().filter_map(|map| complexity(map)).collect();
        set_mean(metrics, "explain/entropy", spread.iter().map(|found| found.entropy));
        set_mean(metrics, "explain/gini", spread.iter().map(|found| found.gini));
        let agreed = self.texts.iter().zip(maps);
        let agreed = agreed.filter_map(|(text, map)| plausibility(map, Method::GradientInput, &text.marked));
        set_mean(metrics, "explain/plausibility", agreed.map(|found| found.auprc));
        Ok(())
    }

    /// Whether the maps of the first texts name what the model uses, and whether a linear surrogate fits it around them.
    fn test(&self, test: Test, model: &Classifier, interrupt: &Interrupt, metrics: &mut Metrics) -> Result<()> {
        let (mut faithfulness, mut fidelity) = (Vec::new(), Vec::new());
        for text in self.texts.iter().take(test.texts) {
            interrupt.check()?;
            let mut oracle = ModelOracle { model, subject: &text.subject, target: text.label };
            let found = probe(&mut oracle, test.measures, self.seed)?;
            faithfulness.extend(found.faithfulness);
            fidelity.extend(found.fidelity);
        }
        set_mean(metrics, "explain/faithfulness", faithfulness.into_iter());
        set_mean(metrics, "explain/fidelity", fidelity.into_iter());
        Ok(())
    }
}

impl Text {
    fn tokens(&self) -> f64 {
        self.subject.encoded.ids.len() as f64
    }

    fn cost_of_map(&self) -> f64 {
        GRADIENT_COST * self.tokens()
    }

    /// The most that testing the map costs: see [`pellucid_explain::probe::probe`].
    fn cost(&self, measures: Measures) -> f64 {
        (rows(self.subject.words.len(), measures) as f64 + GRADIENT_COST) * self.tokens()
    }

    /// The teacher's map in this model's words; `None` if the teacher has not read all of them.
    fn of_teacher(&self, teacher: &TeacherState) -> Result<Option<Vec<f64>>> {
        let (theirs, scores) = teacher_word_map(teacher, &self.text, self.pair.as_deref(), self.label)?;
        let score = |word| theirs.words.iter().position(|their| their == word).map(|place| scores[place]);
        Ok(self.subject.words.iter().map(score).collect())
    }
}

fn set_mean(metrics: &mut Metrics, name: &str, values: impl Iterator<Item = f64>) {
    let values: Vec<f64> = values.collect();
    if !values.is_empty() {
        metrics.set(name, values.iter().sum::<f64>() / values.len() as f64);
    }
}
