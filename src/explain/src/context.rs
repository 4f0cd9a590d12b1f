//! What the methods share on one text: the settings, and what the model has answered so far.

pub use pellucid_protocol::check::Depth;
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Baseline, Check, Removal};

use crate::chance_test::{ChanceTest, Map, Patience};
use crate::faithfulness::{Faithfulness, ranking};
use crate::oracle::masking::{Masking, OutcomeCache};
use crate::oracle::subsets::Subsets;
use crate::oracle::word_groups::WordGroups;
use crate::oracle::{Answer, OracleError, Slopes};
use crate::sentences::LONG_TEXT;

/// How many maskings are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// Maskings to fit to, the whole text included; at least one.
    pub fit: usize,
    /// Maskings to judge a tree on. A linear surrogate is judged on the rows it is fitted to, each left out in turn.
    pub held_out: usize,
    /// How many of `lime`'s samples the maskings stand for, the whole text included. The penalty of the ridge is
    /// weighed against this number, however many maskings are drawn.
    pub scale: usize,
}

/// What a fit needs at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Least {
    /// Words, or groups of words.
    pub(crate) units: usize,
    /// Rows for each of them.
    pub(crate) rows_each: usize,
    /// The fit gets one part of so many of all maskings.
    pub(crate) share: usize,
}

impl Least {
    /// For the groups of a text where there are some, which get one part of `share`, else for its words.
    pub(crate) fn of(groups: Option<&WordGroups>, words: usize, rows_each: usize, share: usize) -> Self {
        match groups {
            Some(groups) => Self { units: groups.len(), rows_each, share },
            None => Self { units: words, rows_each, share: 1 },
        }
    }
}

impl Samples {
    /// How many maskings are drawn of a text with this number of words: there may not be as many.
    pub(crate) fn fit_of(self, words: usize) -> f64 {
        (self.fit as f64).min(2.0_f64.powi(words.min(30) as i32))
    }
}

impl Samples {
    /// Refuses fewer maskings than the scores of a text can be told from with an error: a fit with as many numbers as rows
    /// leaves no rest, and would claim to be exact.
    ///
    /// # Errors
    /// [`OracleError::Unsupported`], with the number that is needed.
    pub(crate) fn check(self, least: Least) -> Answer<()> {
        let all = 1_usize.checked_shl(least.units as u32).unwrap_or(usize::MAX);
        let needed = least.share * (least.rows_each * least.units + 2).min(all);
        if self.fit >= needed {
            return Ok(());
        }
        let why =
            format!("{} samples are too few for a text like this, which needs {needed}; --samples sets them", self.fit);
        Err(OracleError::Unsupported(why))
    }
}

impl Default for Samples {
    /// 1024 and 256: for texts of up to 10 words these are all maskings. They stand for 5000, the default of `lime`.
    fn default() -> Self {
        Self { fit: 1024, held_out: 256, scale: 5000 }
    }
}

/// How many nodes the quadrature of integrated gradients has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Steps {
    /// As many as completeness needs: see
    /// [`integrated_gradients`](crate::gradient::integrated_gradients::integrated_gradients).
    #[default]
    Enough,
    /// This number, whatever the completeness gap; at least one.
    Fixed(usize),
}

/// What the methods share on one text, one class and one state of a model. A new oracle needs a new context.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) seed: u64,
    pub(crate) samples: Samples,
    pub(crate) baseline: Baseline,
    pub(crate) steps: Steps,
    /// The number to explain; if `None`, each method explains its usual one.
    scalar: Option<Scalar>,
    /// How surrogates remove words.
    pub(crate) removal: Removal,
    pub(crate) depth: Depth,
    /// For each word, whether a person marked it as a reason; empty if nobody did.
    pub(crate) marked: Vec<bool>,
    /// Where a long text can be cut.
    groups: Option<WordGroups>,
    pub(crate) masked: OutcomeCache,
    deleted: OutcomeCache,
    pub(crate) subsets: Option<Subsets>,
    faithfulness: Option<Faithfulness>,
    /// How many maps of the text are tested against chance.
    maps: usize,
    chance: Option<ChanceTest>,
}

impl Context {
    /// The default settings with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            samples: Samples::default(),
            baseline: Baseline::default(),
            steps: Steps::default(),
            scalar: None,
            removal: Removal::default(),
            depth: Depth::default(),
            marked: Vec::new(),
            groups: None,
            masked: OutcomeCache::default(),
            deleted: OutcomeCache::default().with_removal(Removal::Delete),
            subsets: None,
            faithfulness: None,
            maps: 1,
            chance: None,
        }
    }

    /// Sets how many maskings surrogates and Shapley values draw.
    #[must_use]
    pub fn with_samples(self, samples: Samples) -> Self {
        Self { samples, ..self }
    }

    /// Sets where the path of integrated gradients starts.
    #[must_use]
    pub fn with_baseline(self, baseline: Baseline) -> Self {
        Self { baseline, ..self }
    }

    /// Sets the number of nodes of integrated gradients.
    #[must_use]
    pub fn with_steps(self, steps: Steps) -> Self {
        Self { steps, ..self }
    }

    /// Makes every method explain this scalar instead of its usual one; attention rollout explains none. Checks that
    /// mask words measure the probability in any case.
    #[must_use]
    pub fn with_scalar(self, scalar: Option<Scalar>) -> Self {
        Self { scalar, ..self }
    }

    /// Sets how LIME and the tree remove words. Shapley values and checks always mask them.
    #[must_use]
    pub fn with_removal(self, removal: Removal) -> Self {
        Self { removal, ..self }
    }

    /// Sets how many maps of the text will be tested against chance: the more there are, the better each has to be.
    #[must_use]
    pub fn with_maps(self, maps: usize) -> Self {
        Self { maps, ..self }
    }

    /// Sets which checks are made.
    #[must_use]
    pub fn with_depth(self, depth: Depth) -> Self {
        Self { depth, ..self }
    }

    /// Sets the words that a person marked as the reason, for plausibility.
    #[must_use]
    pub fn with_marked_words(self, marked: Vec<bool>) -> Self {
        Self { marked, ..self }
    }

    /// Sets the groups of words that LIME and Shapley values remove as wholes first, if the text is long; without
    /// them they draw single words, however many there are.
    #[must_use]
    pub fn with_groups(self, groups: Option<WordGroups>) -> Self {
        Self { groups, ..self }
    }

    /// The groups of a text with this number of words; `None` if it is not long, or was not cut.
    pub(crate) fn groups(&self, words: usize) -> Option<WordGroups> {
        self.groups.clone().filter(|groups| words > LONG_TEXT && groups.words() == words && groups.len() > 1)
    }

    /// Limits one call of [`Predict::outcomes`](crate::oracle::Predict::outcomes) to `rows`, at least one; for long
    /// texts. To be called before anything is evaluated.
    #[must_use]
    pub fn with_rows_per_call(self, rows: usize) -> Self {
        let cache = OutcomeCache::new(rows);
        Self { deleted: cache.clone().with_removal(Removal::Delete), masked: cache, ..self }
    }

    /// Texts with words removed that the oracle was asked about so far, for scores and checks together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.masked.rows() + self.deleted.rows()
    }

    /// What a method explains here whose usual scalar is `usual`.
    pub(crate) fn scalar_or(&self, usual: Scalar) -> Scalar {
        match usual {
            Scalar::Attention => Scalar::Attention,
            usual => self.scalar.unwrap_or(usual),
        }
    }

    /// Updates the shared checks of all `attributions`: a method scored later may have widened the bounds that the
    /// others were measured by, or have had more groups of words hidden. Asks nothing of the oracle.
    pub fn update(&self, attributions: &mut [Attribution]) {
        for Attribution { method, checks, .. } in attributions {
            for check in checks {
                *check = match (&*check, &self.faithfulness, &self.chance) {
                    (Check::Faithfulness { .. }, Some(faithfulness), _) => faithfulness.check(*method),
                    (Check::Chance { .. }, _, Some(test)) => test.check(*method),
                    (known, ..) => *known,
                };
            }
        }
    }

    /// [`Check::Chance`] of scores that rank the words. Where the time ends, what is known by then.
    pub(crate) fn chance(&mut self, oracle: &mut dyn Slopes, made: &Attribution, patience: Patience) -> Answer<Check> {
        let known = self.chance.take();
        let mut test = known.unwrap_or_else(|| ChanceTest::new(oracle.words(), self.maps, self.seed));
        let map = Map { method: made.method, scores: &made.scores };
        let tested = test.test(&mut self.masking(oracle, Removal::Mask), map, patience);
        let check = test.check(made.method);
        self.chance = Some(test);
        match tested {
            Ok(()) | Err(OracleError::OutOfTime) => Ok(check),
            Err(error) => Err(error),
        }
    }

    /// Groups of words that the test against chance hides at most, less those that it has hidden.
    #[must_use]
    pub fn test_rows_left(&self, words: usize) -> usize {
        match &self.chance {
            Some(test) => test.most_rows() - test.rows(),
            None if self.depth == Depth::None || words < 2 => 0,
            None => ChanceTest::new(words, self.maps, self.seed).most_rows(),
        }
    }

    /// Which checks are made.
    #[must_use]
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The probability of the text with words removed in this way.
    pub(crate) fn masking<'a>(&'a mut self, oracle: &'a mut dyn Slopes, removal: Removal) -> Masking<'a> {
        let cache = match removal {
            Removal::Mask => &mut self.masked,
            Removal::Delete => &mut self.deleted,
        };
        Masking::new(oracle, cache)
    }

    /// Asks for all maskings of a short text, unless they are known.
    pub(crate) fn ask_all_subsets(&mut self, oracle: &mut dyn Slopes) -> Answer<()> {
        let subsets = match self.subsets.take() {
            Some(known) => known,
            None => Subsets::ask(&mut self.masking(oracle, Removal::Mask))?,
        };
        // From now on the bounds are exact, even if they were found by beam search before.
        self.faithfulness = self.faithfulness.take().map(|measure| match measure.bounds().exact {
            true => measure,
            false => measure.tightened(&subsets),
        });
        self.subsets = Some(subsets);
        Ok(())
    }

    /// [`Check::Faithfulness`] of scores that rank the words. Scores that do not rank them must not be passed: they
    /// would be measured by the order of the text.
    pub(crate) fn faithfulness(&mut self, oracle: &mut dyn Slopes, made: &Attribution) -> Answer<Check> {
        let known = self.faithfulness.take();
        let mut measure = match (known, &self.subsets) {
            (Some(known), _) => known,
            (None, Some(subsets)) => Faithfulness::exact(subsets),
            (None, None) => Faithfulness::prepare(&mut Masking::new(oracle, &mut self.masked), self.seed)?,
        };
        let order = ranking(&made.scores, made.method);
        let check = measure.score(&mut self.masking(oracle, Removal::Mask), made.method, &order);
        self.faithfulness = Some(measure);
        check
    }
}
