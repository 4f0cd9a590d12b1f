//! A fixed set of validation samples, explained again as training goes on: whether the maps are true, and how far they
//! have moved from those before, from the start's and from the teacher's.
//!
//! It may cost a share of the training. Both are counted in tokens, one for a token's way forward and two more for its
//! way back, so that when the set is explained depends on nothing but the data and the settings: a run that is taken
//! up again measures what it would have measured. What it really costs is measured too, as `speed/probe_share`.

use pellucid_explain::checks::plausibility::plausibility;
use pellucid_explain::faithfulness::{EXACT_WORDS, RANDOM_ORDERS};
use pellucid_explain::probe::complexity::complexity;
use pellucid_explain::probe::convergence::converged_at;
use pellucid_explain::probe::drift::Movement;
use pellucid_explain::probe::{SAMPLES, probe};
use pellucid_explain::words::marked;
use pellucid_protocol::{Method, Metrics, Settings};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::maps::word_maps;
use super::oracle::ModelOracle;
use super::subject::Subject;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::train::interrupt::Interrupt;
use crate::train::prepare::Examples;
use crate::train::teacher::TeacherDesk;

/// Texts whose maps are tested by masking words, which is what costs most.
const TESTED: usize = 2;
/// What a token costs that goes forward and back, in tokens that go forward.
const THERE_AND_BACK: f64 = 3.0;
/// Beam of the search for the bounds of long texts, as its documentation has it: rows a word.
const BEAM_ROWS: usize = 80;
/// Drift from one evaluation to the next under which maps count as settled.
const CALM: f64 = 0.1;

/// A number of a [`Movement`].
type Part = fn(&Movement) -> f64;
/// The parts of its names, after `explain/` and before the reference.
const PARTS: [(&str, Part); 4] =
    [("drift", Movement::drift), ("jaccard", |m| m.jaccard), ("sign", |m| m.sign), ("jsd", |m| m.jsd)];

/// A map of each text of the set, as far as there is one.
type Maps = Vec<Option<Vec<f64>>>;

/// The probe set and what is remembered of it.
#[derive(Debug)]
pub struct Probe {
    texts: Vec<Text>,
    seed: u64,
    /// Share of the training that it may cost; 0 for no limit.
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

/// What a run that is taken up again needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeState {
    /// Tokens that it has cost.
    spent: f64,
    before: Maps,
    start: Maps,
    drifts: Vec<(u64, f64)>,
    settled: Option<u64>,
}

/// When the set is to be explained.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Steps done.
    pub step: u64,
    /// Tokens trained on so far.
    pub tokens: u64,
    /// Whether it is the last evaluation, which measures all.
    pub last: bool,
}

impl Probe {
    /// Chooses as many samples by seed as the settings ask for. The first two are of the shortest tenth, because their
    /// maps are tested, the cost of which grows with length.
    #[must_use]
    pub fn choose(valid: &Examples, encoder: &TextEncoder, settings: &Settings) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        let mut order: Vec<usize> = (0..valid.samples.len()).collect();
        order.sort_by_key(|&index| valid.encoded[index].ids.len());
        let tenth = order.len().div_ceil(10).max(TESTED).min(order.len());
        let (short, long) = order.split_at_mut(tenth);
        short.shuffle(&mut random);
        let (tested, others) = short.split_at(TESTED.min(short.len()));
        let mut others = [others, long].concat();
        others.shuffle(&mut random);
        let chosen: Vec<usize> = tested.iter().chain(&others).copied().take(settings.probe as usize).collect();
        Self::new(valid, encoder, settings, &chosen)
    }

    /// The first of the texts that a person named, as many as the settings ask for.
    #[must_use]
    pub fn of(given: &Examples, encoder: &TextEncoder, settings: &Settings) -> Self {
        let count = given.samples.len().min(settings.probe as usize);
        Self::new(given, encoder, settings, &(0..count).collect::<Vec<_>>())
    }

    fn new(valid: &Examples, encoder: &TextEncoder, settings: &Settings, chosen: &[usize]) -> Self {
        let text = |&index: &usize| {
            let (subject, sample) = (valid.subject(encoder, index), &valid.samples[index]);
            let marked = marked(&subject.words, &sample.rationale);
            Text { text: sample.text.clone(), pair: sample.pair.clone(), subject, label: sample.label, marked }
        };
        let texts: Vec<Text> = chosen.iter().map(text).collect();
        let state =
            ProbeState { before: vec![None; texts.len()], start: vec![None; texts.len()], ..Default::default() };
        Self { texts, seed: settings.seed, share: settings.probe_share, state, teacher: None }
    }

    /// What a run that is taken up again needs.
    #[must_use]
    pub fn state(&self) -> &ProbeState {
        &self.state
    }

    /// Takes over the state of the same set; one of another is left alone.
    pub fn restore(&mut self, state: ProbeState) {
        if state.before.len() == self.texts.len() && state.start.len() == self.texts.len() {
            self.state = state;
        }
    }

    /// The step from which on the maps have not moved, if that was found just now.
    fn settle(&mut self, step: u64, drift: f64) -> Option<u64> {
        self.state.drifts.push((step, drift));
        let found = converged_at(&self.state.drifts, CALM);
        let is_new = found.is_some() && self.state.settled != found;
        self.state.settled = found;
        found.filter(|_| is_new)
    }

    fn affords(&self, cost: f64, moment: Moment) -> bool {
        let earned = self.share * THERE_AND_BACK * moment.tokens as f64;
        self.share == 0.0 || moment.last || self.state.spent + cost <= earned
    }

    /// Explains the right class of each text on the model as it is, as far as that may be done at this moment; also
    /// gives the step since which the maps have settled, once that is known.
    ///
    /// # Errors
    /// When libtorch refuses, or interrupted: the state is then as it was.
    pub fn measure(
        &mut self,
        moment: Moment,
        model: &Classifier,
        teacher: Option<&TeacherDesk>,
        interrupt: &Interrupt,
    ) -> Result<(Metrics, Option<u64>)> {
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
        teacher: Option<&TeacherDesk>,
        interrupt: &Interrupt,
    ) -> Result<(Metrics, Option<u64>)> {
        interrupt.check()?;
        let (mut metrics, mut settled) = (Metrics::default(), None);
        let cost: f64 = self.texts.iter().map(|text| THERE_AND_BACK * text.tokens()).sum();
        if !self.texts.is_empty() && (moment.step == 0 || self.affords(cost, moment)) {
            self.state.spent += cost;
            let maps = self.maps(model)?;
            self.compare(&maps, teacher, &mut metrics)?;
            if moment.step > 0
                && let Some(drift) = metrics.get("explain/drift")
            {
                settled = self.settle(moment.step, drift);
            }
            let begins = self.state.start.iter().all(Option::is_none);
            self.state.before = maps.into_iter().map(Some).collect();
            if begins {
                self.state.start = self.state.before.clone();
            }
        }
        let cost: f64 = self.tested().map(Text::cost).sum();
        if cost > 0.0 && self.affords(cost, moment) {
            self.state.spent += cost;
            self.test(model, interrupt, &mut metrics)?;
        }
        Ok((metrics, settled))
    }

    fn tested(&self) -> impl Iterator<Item = &Text> {
        self.texts.iter().take(TESTED)
    }

    fn maps(&self, model: &Classifier) -> Result<Vec<Vec<f64>>> {
        word_maps(model, &self.texts.iter().map(|text| (&text.subject, text.label)).collect::<Vec<_>>())
    }

    /// How far the maps are from the others, how many words they spread over, and whether people agree.
    fn compare(&mut self, maps: &[Vec<f64>], teacher: Option<&TeacherDesk>, metrics: &mut Metrics) -> Result<()> {
        if let (None, Some(desk)) = (&self.teacher, teacher) {
            self.teacher = Some(self.texts.iter().map(|text| text.of_teacher(desk)).collect::<Result<_>>()?);
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

    /// Whether the maps of the first texts say what the model uses, and whether a line fits it around them.
    fn test(&self, model: &Classifier, interrupt: &Interrupt, metrics: &mut Metrics) -> Result<()> {
        let (mut faithfulness, mut fidelity) = (Vec::new(), Vec::new());
        for text in self.tested() {
            interrupt.check()?;
            let mut oracle = ModelOracle { model, subject: &text.subject, target: text.label };
            let found = probe(&mut oracle, self.seed).map_err(|error| Error::Torch(format!("probe: {error}")))?;
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

    /// What testing the map costs at most: see [`pellucid_explain::probe::probe`].
    fn cost(&self) -> f64 {
        let words = self.subject.words.len();
        let rows = if words <= EXACT_WORDS {
            1 << words
        } else {
            SAMPLES.fit + SAMPLES.held_out + 1 + words * (BEAM_ROWS + RANDOM_ORDERS + 2)
        };
        rows as f64 * self.tokens()
    }

    /// The teacher's map in this model's words; none if it has not read all of them.
    fn of_teacher(&self, desk: &TeacherDesk) -> Result<Option<Vec<f64>>> {
        let (theirs, scores) = desk.word_map((&self.text, self.pair.as_deref()), self.label)?;
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
