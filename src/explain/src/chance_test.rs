//! The test of a map against chance: whether its scores say more about what hiding words does than a random map would.
//!
//! Random groups of words are hidden, each with its complement, and the change of the answer is measured. From that
//! follows an [effect](effects) of each word that rests on no map. The angle between a map and these effects is what is
//! tested: a map of independent normal scores points in a random direction, so that the distribution of its angle is
//! known whatever the model, the text and the groups ([`chance`]). Maps whose scores are more uneven agree more often where
//! a few words have most of the effect; a map that passes among normal ones is compared with [drawn](drawn_maps) ones too. So
//!
//! * a random map passes with probability [`ERROR`] at most, however few groups are measured;
//! * a right map of a short text can pass, also where one word decides: its scores agree, not only their order;
//! * the number of groups does not grow with the text: the cost of the test is linear in its words.
//!
//! The groups are drawn once a text and shared by all methods. They are measured in a few [looks](plan), and the test of
//! a map stops as soon as its answer is clear. Each look spends a share of the error; the looks of one map, and the maps
//! of one text, are corrected for (Bonferroni 1936; Holm 1979), so that the best of several random maps passes with
//! probability [`ERROR`] at most as well.

pub mod chance;
pub mod drawn_maps;
pub mod effects;
pub mod plan;

use std::cell::OnceCell;

use pellucid_protocol::check::Grade;
use pellucid_protocol::rank::is_ranking;
use pellucid_protocol::{Check, Method};

use crate::oracle::Answer;
use crate::oracle::masking::{Masking, NOISE};
use crate::oracle::word_set::WordSet;
use crate::sampling::strata::StratifiedSample;
use drawn_maps::DrawnMaps;
use effects::{Effects, Question};
use plan::Plan;

/// The probability that one of the random maps of a text passes.
pub const ERROR: f64 = 0.03;
/// Changes of the probability up to this size are none: then there is nothing to explain.
pub const NOTHING: f64 = 0.02;
/// The share of the changes that the scores of a strong map follow, as a squared correlation.
pub const STRONG: f64 = 0.5;

/// The correlation between the sums of a map over about `rows` random groups of words and what hiding the groups does: 1 for
/// a map that says it all, 0 for one that says nothing, whatever the size of the changes. `None` for scores that are all
/// the same and where the probability never moves.
///
/// Cost: at most `rows` + 2 rows.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn correlation(masking: &mut Masking, map: Map, rows: usize, seed: u64) -> Answer<Option<f64>> {
    let words = masking.words();
    if !is_ranking(map.scores) {
        return Ok(None);
    }
    let seen = Seen::new(masking, &Plan::new(words, seed).first(rows), seed)?;
    let found = seen.effects.correlation(map.question(), map.scores);
    Ok((seen.change > NOISE).then_some(found))
}

/// How long a map is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// One look, which decides most maps; none where others have looked before.
    Glance,
    /// Until it is decided.
    Decide,
}

/// The scores of a method.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a> {
    /// The method.
    pub method: Method,
    /// One score a word.
    pub scores: &'a [f64],
}

impl Map<'_> {
    fn question(&self) -> Question {
        if self.method.is_signed() { Question::Drop } else { Question::Change }
    }
}

/// The test of all maps of one text by one state of a model.
#[derive(Debug, Clone)]
pub struct ChanceTest {
    plan: Plan,
    seed: u64,
    /// How many maps will be tested.
    maps: usize,
    /// What each look so far has shown.
    seen: Vec<Seen>,
    tested: Vec<Tested>,
}

/// What a look has shown.
#[derive(Debug, Clone)]
struct Seen {
    /// The root of the mean squared change of the probability, that with all words hidden included.
    change: f64,
    effects: Effects,
    words: usize,
    seed: u64,
    /// For maps with a sign and without one.
    drawn: [OnceCell<DrawnMaps>; 2],
}

/// A map under test.
#[derive(Debug, Clone)]
struct Tested {
    method: Method,
    scores: Vec<f64>,
    /// Correlation with the changes at the last look.
    correlation: f64,
    /// The cosine with the effects at the last look.
    cosine: f64,
    /// The probability that a random map does as well, over all looks so far and corrected for their number.
    p: f64,
}

impl ChanceTest {
    /// The test of `maps` maps of a text of at least two words.
    #[must_use]
    pub fn new(words: usize, maps: usize, seed: u64) -> Self {
        Self { plan: Plan::new(words, seed), seed, maps: maps.max(1), seen: Vec::new(), tested: Vec::new() }
    }

    /// Looks at least once, or until the test of these scores is decided. Scores tested before gain from each look as
    /// well.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite. The looks taken before count.
    pub fn test(&mut self, masking: &mut Masking, map: Map, patience: Patience) -> Answer<()> {
        self.take(map);
        while !self.is_decided(map.method) && (self.seen.is_empty() || patience == Patience::Decide) {
            self.look(masking)?;
        }
        Ok(())
    }

    /// Takes in a map that is not known, and compares it with what was seen already.
    fn take(&mut self, Map { method, scores }: Map) {
        if self.tested.iter().any(|known| known.method == method && known.scores == scores) {
            return;
        }
        self.tested.retain(|known| known.method != method);
        let mut new = Tested { method, scores: scores.to_vec(), correlation: 0.0, cosine: 0.0, p: 1.0 };
        for (look, seen) in self.seen.iter().enumerate() {
            new.compare(seen, self.plan.share(look));
        }
        self.tested.push(new);
    }

    /// Forgets the maps, but not the groups: for other maps of the same text.
    pub fn forget(&mut self) {
        self.tested.clear();
    }

    /// [`Check::Chance`] of scores tested before; [`Check::Undefined`] for others. Its grade is
    /// [`Grade::Undecided`] while more looks could decide it.
    #[must_use]
    pub fn check(&self, method: Method) -> Check {
        let Some(at) = self.tested.iter().position(|known| known.method == method) else { return Check::Undefined };
        let (tested, p) = (&self.tested[at], self.corrected(at));
        let rows = self.rows();
        Check::Chance { grade: self.grade(tested, p), correlation: tested.correlation, p, rows }
    }

    /// Hidden groups measured so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.seen.len().checked_sub(1).map_or(0, |last| self.plan.rows(last))
    }

    /// Hidden groups that are measured at most.
    #[must_use]
    pub fn most_rows(&self) -> usize {
        self.plan.rows(self.plan.looks() - 1)
    }

    fn grade(&self, tested: &Tested, p: f64) -> Grade {
        let Some(seen) = self.seen.last() else { return Grade::Undecided };
        match () {
            () if seen.change < NOTHING => Grade::Nothing,
            () if p <= ERROR && tested.correlation >= STRONG.sqrt() => Grade::Strong,
            () if p <= ERROR => Grade::Weak,
            () if self.is_over(tested) => Grade::None,
            () => Grade::Undecided,
        }
    }

    /// Whether no more looks are worth their cost to a map that has not passed.
    fn is_over(&self, tested: &Tested) -> bool {
        // After two looks a map that points away from the effects has next to no chance to pass.
        let looks = self.seen.len();
        looks == self.plan.looks() || (looks >= 2 && tested.cosine <= 0.0)
    }

    fn is_decided(&self, method: Method) -> bool {
        !matches!(self.check(method), Check::Chance { grade: Grade::Undecided, .. })
    }

    /// The probability that any of the text's random maps does as well as map `at`: Holm's correction, for which maps
    /// that are still to come count as failed.
    fn corrected(&self, at: usize) -> f64 {
        let mut order: Vec<usize> = (0..self.tested.len()).collect();
        order.sort_by(|a, b| self.tested[*a].p.total_cmp(&self.tested[*b].p));
        let mut corrected = 0.0_f64;
        for (rank, map) in order.into_iter().enumerate() {
            let left = self.maps.max(self.tested.len()) - rank;
            corrected = corrected.max((left as f64 * self.tested[map].p).min(1.0));
            if map == at {
                break;
            }
        }
        corrected
    }

    fn look(&mut self, masking: &mut Masking) -> Answer<()> {
        let look = self.seen.len();
        let seen = Seen::new(masking, &self.plan.sample(look), self.seed)?;
        let share = self.plan.share(look);
        self.tested.iter_mut().for_each(|tested| tested.compare(&seen, share));
        self.seen.push(seen);
        Ok(())
    }
}

impl Seen {
    fn new(masking: &mut Masking, sample: &StratifiedSample, seed: u64) -> Answer<Self> {
        let words = masking.words();
        let all = WordSet::full(words);
        let sets: Vec<WordSet> = std::iter::once(&all).chain(&sample.sets).cloned().collect();
        let drops = masking.drops(&sets)?;
        let change = (drops.iter().map(|drop| drop * drop).sum::<f64>() / drops.len() as f64).sqrt();
        let effects = Effects::measure(sample, &drops, words);
        Ok(Self { change, effects, words, seed, drawn: Default::default() })
    }

    /// The probability that a random map agrees as well as one with this cosine: a normal one, and an uneven one.
    fn by_chance(&self, question: Question, cosine: f64) -> f64 {
        let of_normal = self.effects.ties() * chance::as_good(cosine, self.effects.dimensions());
        if of_normal > ERROR {
            return of_normal;
        }
        let drawn = &self.drawn[usize::from(question == Question::Change)];
        let drawn = drawn.get_or_init(|| DrawnMaps::new(&self.effects, question, self.words, self.seed));
        of_normal.max(drawn.as_good(cosine))
    }
}

impl Tested {
    /// Takes in a look that spends `share` of the error.
    fn compare(&mut self, seen: &Seen, share: f64) {
        let effects = &seen.effects;
        let question = Map { method: self.method, scores: &self.scores }.question();
        self.cosine = effects.cosine(question, &self.scores);
        self.correlation = effects.correlation(question, &self.scores);
        self.p = self.p.min((seen.by_chance(question, self.cosine) / share).min(1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;
    use crate::sampling::normals;

    fn tested(game: &mut Game, words: usize, maps: &[(Method, Vec<f64>)]) -> ChanceTest {
        let mut cache = OutcomeCache::default();
        let mut test = ChanceTest::new(words, maps.len(), 5);
        for (method, scores) in maps {
            test.test(&mut Masking::new(game, &mut cache), Map { method: *method, scores }, Patience::Decide).unwrap();
        }
        assert_eq!(cache.rows(), test.rows() + 2, "no group is asked for twice");
        test
    }

    fn graded(game: &mut Game, words: usize, scores: &[f64]) -> (Grade, f64) {
        match tested(game, words, &[(Method::Lime, scores.to_vec())]).check(Method::Lime) {
            Check::Chance { grade, p, .. } => (grade, p),
            other => panic!("no test but {other:?}"),
        }
    }

    /// A probability that one word of the text decides.
    fn one_decides(words: usize, at: usize) -> Game {
        Game::new(words, move |present| if present[at] { 0.9 } else { 0.2 })
    }

    #[test]
    fn a_right_map_passes_also_where_one_word_of_few_decides() {
        for words in [2, 3, 4, 5, 9, 30, 84, 300] {
            let mut scores = vec![0.0; words];
            scores[words / 2] = 0.7;
            let (grade, p) = graded(&mut one_decides(words, words / 2), words, &scores);
            assert_eq!(grade, Grade::Strong, "{words} words: p {p}");
            let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
            assert_eq!(graded(&mut one_decides(words, words / 2), words, &turned).0, Grade::None, "{words} words");
            scores.rotate_left(1);
            assert_eq!(graded(&mut one_decides(words, words / 2), words, &scores).0, Grade::None, "{words} words");
        }
    }

    #[test]
    fn a_random_map_passes_no_more_often_than_it_says() {
        for words in [4, 7, 16, 60] {
            let weights = normals(8, 0, words);
            let mut game = Game::new(words, move |present| logistic(present_sum(present, &weights)));
            let mut cache = OutcomeCache::default();
            let maps = 1000;
            let passes = |map: &u64| {
                let mut test = ChanceTest::new(words, 1, 5);
                let scores = normals(9, *map, words);
                let map = Map { method: Method::Lime, scores: &scores };
                test.test(&mut Masking::new(&mut game, &mut cache), map, Patience::Decide).unwrap();
                test.check(Method::Lime).passes()
            };
            let passed = (0..maps).filter(passes).count() as f64;
            // Three standard errors of a share of 3 %.
            assert!(passed / maps as f64 <= ERROR + 0.0162, "{words} words: {passed}");
        }
    }

    #[test]
    fn the_best_of_several_random_maps_is_corrected_for() {
        let words = 10;
        let weights = normals(8, 0, words);
        let mut game = Game::new(words, move |present| logistic(present_sum(present, &weights)));
        let mut cache = OutcomeCache::default();
        let methods = [Method::Lime, Method::Occlusion, Method::IntegratedGradients, Method::Tree, Method::Shapley];
        let any = |group: &u64| {
            let mut test = ChanceTest::new(words, methods.len(), 5);
            for (place, method) in methods.into_iter().enumerate() {
                let scores = normals(9, group * 5 + place as u64, words);
                let map = Map { method, scores: &scores };
                test.test(&mut Masking::new(&mut game, &mut cache), map, Patience::Decide).unwrap();
            }
            methods.into_iter().any(|method| test.check(method).passes())
        };
        let groups = 1000;
        let passed = (0..groups).filter(any).count() as f64;
        assert!(passed / groups as f64 <= ERROR + 0.0162, "{passed}");
    }

    #[test]
    fn a_map_that_follows_part_of_the_changes_is_weak() {
        let weights: Vec<f64> = (0..40).map(|word| f64::from((word * 11) % 7) / 300.0).collect();
        let mut half = weights.clone();
        half[..28].fill(0.0);
        let (whole, half) = (
            graded(&mut Game::additive(0.1, &weights), 40, &weights),
            graded(&mut Game::additive(0.1, &weights), 40, &half),
        );
        assert_eq!((whole.0, half.0), (Grade::Strong, Grade::Weak));
    }

    #[test]
    fn scores_without_a_sign_are_tested_by_the_size_of_changes() {
        let mut weights = vec![0.0; 20];
        (weights[3], weights[12]) = (0.3, -0.3);
        let sizes: Vec<f64> = weights.iter().map(|weight: &f64| weight.abs()).collect();
        let mut game = Game::additive(0.5, &weights);
        let test = tested(&mut game, 20, &[(Method::Gradient, sizes.clone()), (Method::Lime, sizes)]);
        assert!(test.check(Method::Gradient).passes() && test.check(Method::Lime).fails());
    }

    #[test]
    fn where_nothing_moves_there_is_nothing_to_explain() {
        for words in [2, 30] {
            let mut game = Game::new(words, |present| if present[0] { 0.994 } else { 0.985 });
            let mut scores = vec![0.0; words];
            scores[0] = 0.009;
            assert_eq!(graded(&mut game, words, &scores).0, Grade::Nothing);
        }
        // All words together change nothing, but some of them do.
        let mut game = Game::new(30, |present| 0.5 + if present[0] == present[1] { 0.0 } else { 0.3 });
        assert_ne!(graded(&mut game, 30, &[1.0; 30].map(f64::from)).0, Grade::Nothing);
    }

    #[test]
    fn the_number_of_groups_does_not_grow_with_the_text() {
        let rows = |words: usize| {
            let mut scores = vec![0.0; words];
            scores[1] = 1.0;
            let mut game = one_decides(words, 1);
            tested(&mut game, words, &[(Method::Lime, scores)]).rows()
        };
        assert_eq!([2, 5, 8, 12, 40, 300].map(rows), [2, 30, 254, 256, 64, 64]);
    }

    #[test]
    fn maps_tested_before_gain_from_later_looks() {
        let words = 60;
        let weights = normals(8, 0, words);
        let noisy: Vec<f64> =
            weights.iter().zip(normals(8, 1, words)).map(|(weight, noise)| 0.3 * weight + noise).collect();
        let game = || {
            let weights = normals(8, 0, words);
            Game::new(words, move |present| logistic(0.5 * present_sum(present, &weights)))
        };
        let random = normals(8, 2, words);
        let alone = tested(&mut game(), words, &[(Method::Lime, weights.clone())]);
        let both =
            tested(&mut game(), words, &[(Method::Lime, weights), (Method::Tree, noisy), (Method::Shapley, random)]);
        assert!(alone.rows() < both.rows());
        assert!(both.check(Method::Lime).passes() && both.check(Method::Shapley).fails());
    }

    #[test]
    fn an_answer_that_does_not_come_leaves_it_undecided() {
        let mut test = ChanceTest::new(3, 1, 5);
        let answer = test.test(
            &mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()),
            Map { method: Method::Lime, scores: &[1.0, 2.0, 0.0] },
            Patience::Decide,
        );
        assert_eq!(answer, Err(OracleError::Cancelled));
        assert!(matches!(test.check(Method::Lime), Check::Chance { grade: Grade::Undecided, rows: 0, .. }));
        assert_eq!(test.check(Method::Tree), Check::Undefined);
    }
}
