//! All methods on one text; results are given out as they come.
//!
//! ```text
//! maps      of each method in the order of what they say for their cost, each with its test against chance; the first
//!           with one look, because it is there at once and the next is most often better
//! tests     of the maps that are not decided yet
//! figures   if they are asked for
//! ```

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use pellucid_explain::oracle::word_groups::WordGroups;
use pellucid_explain::sentences::sentences;
use pellucid_explain::words::marked;
use pellucid_explain::{Answer, Context, Depth, OracleError, Patience, Slopes, cost, figures, grade, score};
use pellucid_protocol::check::Grade;
use pellucid_protocol::explanation::progress::{Progress, Task};
use pellucid_protocol::explanation::{Asker, LeftOut, Privacy};
use pellucid_protocol::{Attribution, Check, Explanation, Method, Verdict};

use super::meter::Meter;
use super::subject::Subject;

/// How often progress is told while scores are computed that are not refined.
const OFTEN: Duration = Duration::from_millis(250);
/// Rows a word that the best and the worst order of a text cost, for figures.
const ORDERS: f64 = 60.0;

/// The methods by what they say for their cost: the first is there at once, the next are most often right.
const ORDER: [Method; 11] = [
    Method::GradientInput,
    Method::IntegratedGradients,
    Method::Occlusion,
    Method::Lime,
    Method::KernelShap,
    Method::Shapley,
    Method::OcclusionDelete,
    Method::SmoothGrad,
    Method::Gradient,
    Method::Tree,
    Method::Rollout,
];

/// An explanation of `subject` with no method done yet.
#[must_use]
pub fn blank(subject: &Subject, probabilities: Vec<f64>, target: usize) -> Explanation {
    Explanation {
        request: 0,
        step: 0,
        sample: None,
        text: subject.text.clone(),
        words: subject.words.clone(),
        probabilities,
        teacher_probabilities: None,
        target,
        label: None,
        rationale: Vec::new(),
        truncated_words: subject.truncated_words,
        stand_ins: subject.stand_ins.clone(),
        attributions: Vec::new(),
        partial: true,
        progress: None,
        left_out: Vec::new(),
        edits: Vec::new(),
        asker: Asker::Person,
        privacy: Privacy::Public,
    }
}

/// What is to be done with a text.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The methods.
    pub methods: &'a [Method],
    /// The settings.
    pub context: Context,
    /// How long it may take. The first map is made whatever it takes.
    pub budget: Option<Duration>,
}

impl<'a> Plan<'a> {
    /// Without a limit of time.
    #[must_use]
    pub fn new(methods: &'a [Method], context: Context) -> Self {
        Self { methods, context, budget: None }
    }
}

/// A stage of an explanation.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    done: &'a Explanation,
    /// Scores that are still refined, or not looked at yet.
    under_way: Option<&'a Attribution>,
    progress: Option<Progress>,
    ending: Ending,
}

/// Whether and how an explanation has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// More is to come.
    Open,
    /// It is done, or its time has ended.
    Over,
    /// Nobody waits for more.
    Cancelled,
    /// The model could not be evaluated.
    Failed,
}

impl Stage<'_> {
    /// How far it is; `None` at the end.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// Whether it has ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Whether a map is there.
    #[must_use]
    pub fn has_maps(&self) -> bool {
        !self.done.attributions.is_empty() || self.under_way.is_some()
    }

    /// The explanation at this stage.
    #[must_use]
    pub fn explanation(&self) -> Explanation {
        let mut explanation = Explanation { progress: self.progress, ..self.done.clone() };
        explanation.attributions.extend(self.under_way.map(not_graded));
        explanation
    }
}

/// Scores without their gates: one that was passed means nothing while another may still fail.
fn not_graded(attribution: &Attribution) -> Attribution {
    let checks = attribution.checks.iter().copied().filter(|check| check.verdict() == Verdict::Informative);
    Attribution { checks: checks.collect(), ..attribution.clone() }
}

/// Does the methods of `plan`. `emit` gets the explanation at each stage: scores while they are refined and when they are
/// done, grades as they become clear, and the progress in between. The last stage has all that could be done. A method that
/// says nothing about such a text is left out, if another one is there.
///
/// # Errors
/// When the oracle gives no answer; what was done by then was given to `emit`.
pub fn explain(
    oracle: &mut dyn Slopes,
    explanation: Explanation,
    plan: Plan<'_>,
    emit: &mut dyn FnMut(Stage<'_>),
) -> Answer<Explanation> {
    let methods: Vec<Method> = ORDER.into_iter().filter(|method| plan.methods.contains(method)).collect();
    let context = plan.context.with_maps(methods.len());
    let sentences = sentences(&explanation.text, &explanation.words);
    let context = context.with_groups(WordGroups::new(explanation.words.len(), sentences));
    let context = context.with_marked_words(marked(&explanation.words, &explanation.rationale));
    let board = Board::new(explanation, methods, &context, emit);
    let counted = |rows| board.count(rows);
    let mut work = Work { meter: Meter::new(oracle, &counted), context, board: &board };
    let deadline = plan.budget.map(|budget| Instant::now() + budget);
    let ending = work.run(deadline);
    board.end(plan.methods, ending)
}

/// Names a method without scores among those that are left out.
fn name_left(explanation: &mut Explanation, method: Method, why: &str) {
    let is_named = explanation.left_out.iter().any(|left| left.method == method);
    if explanation.by(method).is_none() && !is_named {
        explanation.left_out.push(LeftOut { method, why: why.to_owned() });
    }
}

/// Says of scores that their test has not begun.
fn undecided(made: &mut Attribution) {
    made.checks.push(Check::Chance { grade: Grade::Undecided, correlation: 0.0, p: 1.0, rows: 0 });
}

/// The work on one text.
struct Work<'a> {
    meter: Meter<'a>,
    context: Context,
    board: &'a Board<'a>,
}

impl Work<'_> {
    fn run(&mut self, deadline: Option<Instant>) -> Answer<()> {
        for (place, &method) in self.board.methods.iter().enumerate() {
            // The first map is rarely the best one. The looks for the next decide those after it too.
            self.map(method, if place == 0 { Patience::Glance } else { Patience::Decide }, deadline)?;
        }
        let methods = self.board.methods.clone();
        for &method in &methods {
            if !self.board.is_decided(method) {
                self.board.begin(Task::Test(method));
                let made = self.board.take(method);
                self.graded(made, Patience::Decide)?;
            }
        }
        if self.context.depth() < Depth::Figures {
            return Ok(());
        }
        for method in methods {
            self.board.begin(Task::Figures(method));
            if let Some(made) = self.board.take(method) {
                let found = figures(&mut self.meter, made.clone(), &mut self.context);
                let (made, ending) = found.map_or_else(|error| (made, Err(error)), |made| (made, Ok(())));
                self.board.put(made, &self.context);
                ending?;
            }
        }
        Ok(())
    }

    /// The scores of a method, and looks at them. From the first scores on the time is kept.
    fn map(&mut self, method: Method, patience: Patience, deadline: Option<Instant>) -> Answer<()> {
        self.board.begin(Task::Scores(method));
        let start = Instant::now();
        let ms = || start.elapsed().as_secs_f64() * 1e3;
        let board = self.board;
        let mut watch = |so_far: &Attribution| board.refine(Attribution { ms: ms(), ..so_far.clone() });
        let mut made = match score(&mut self.meter, method, &mut self.context, &mut watch) {
            Err(OracleError::Unsupported(why)) => {
                board.leave_out(method, why);
                return Ok(());
            }
            made => made?,
        };
        made.ms = ms();
        board.refine(made.clone());
        self.meter.keep(deadline);
        board.begin(Task::Test(method));
        self.graded(Some(made), patience)
    }

    fn graded(&mut self, made: Option<Attribution>, patience: Patience) -> Answer<()> {
        let Some(made) = made else { return Ok(()) };
        let graded = grade(&mut self.meter, made.clone(), &mut self.context, patience);
        let (made, ending) = graded.map_or_else(|error| (made, Err(error)), |graded| (graded, Ok(())));
        self.board.put(made, &self.context);
        ending
    }
}

/// What is known so far and shown.
struct Board<'a> {
    methods: Vec<Method>,
    explanation: RefCell<Explanation>,
    under_way: RefCell<Option<Attribution>>,
    emit: RefCell<&'a mut dyn FnMut(Stage<'_>)>,
    task: Cell<Option<Task>>,
    start: Instant,
    told: Cell<Instant>,
    /// Forward passes asked for so far.
    rows: Cell<f64>,
    /// What all will cost, in forward passes, as far as it is known.
    planned: f64,
    depth: Depth,
}

impl<'a> Board<'a> {
    fn new(
        explanation: Explanation,
        methods: Vec<Method>,
        context: &Context,
        emit: &'a mut dyn FnMut(Stage<'_>),
    ) -> Self {
        let words = explanation.words.len();
        let scores: f64 = methods.iter().map(|method| cost(*method, words, context)).sum();
        let figures = if context.depth() >= Depth::Figures { ORDERS * words as f64 } else { 0.0 };
        let planned = scores + context.test_rows_left(words) as f64 + figures;
        Self {
            methods,
            explanation: RefCell::new(explanation),
            under_way: RefCell::new(None),
            emit: RefCell::new(emit),
            task: Cell::new(None),
            start: Instant::now(),
            told: Cell::new(Instant::now()),
            rows: Cell::new(0.0),
            planned,
            depth: context.depth(),
        }
    }

    fn begin(&self, task: Task) {
        self.task.set(Some(task));
    }

    /// Counts what a call cost, and tells the progress now and then.
    fn count(&self, rows: f64) {
        self.rows.set(self.rows.get() + rows);
        if self.told.get().elapsed() >= OFTEN {
            self.tell(Ending::Open);
        }
    }

    fn refine(&self, so_far: Attribution) {
        *self.under_way.borrow_mut() = Some(so_far);
        self.tell(Ending::Open);
    }

    /// Takes in scores with their grade.
    fn put(&self, made: Attribution, context: &Context) {
        *self.under_way.borrow_mut() = None;
        {
            let all = &mut self.explanation.borrow_mut().attributions;
            match all.iter_mut().find(|known| known.method == made.method) {
                Some(known) => *known = made,
                None => all.push(made),
            }
            context.update(all);
        }
        self.tell(Ending::Open);
    }

    fn leave_out(&self, method: Method, why: String) {
        *self.under_way.borrow_mut() = None;
        self.explanation.borrow_mut().left_out.push(LeftOut { method, why });
    }

    /// The scores of a method, if they were made.
    fn take(&self, method: Method) -> Option<Attribution> {
        self.explanation.borrow().by(method).cloned()
    }

    fn is_decided(&self, method: Method) -> bool {
        self.explanation.borrow().by(method).is_none_or(Attribution::is_decided)
    }

    fn progress(&self) -> Option<Progress> {
        let task = self.task.get()?;
        let (rows, seconds) = (self.rows.get(), self.start.elapsed().as_secs_f64());
        // Never quite done before the end.
        let planned = self.planned.max(rows * 1.02);
        let seconds_left = if rows > 0.0 { seconds / rows * (planned - rows) } else { 0.0 };
        Some(Progress { task, done: rows / planned.max(1.0), seconds_left })
    }

    fn tell(&self, ending: Ending) {
        self.told.set(Instant::now());
        let progress = self.progress().filter(|_| ending == Ending::Open);
        let (done, under_way) = (self.explanation.borrow(), self.under_way.borrow());
        let stage = Stage { done: &done, under_way: under_way.as_ref(), progress, ending };
        (self.emit.borrow_mut())(stage);
    }

    /// Tells the last stage. Scores under way are kept, without a grade; methods that are not done are named.
    fn end(&self, wanted: &[Method], ending: Answer<()>) -> Answer<Explanation> {
        {
            let mut explanation = self.explanation.borrow_mut();
            explanation.partial = false;
            explanation.attributions.extend(self.under_way.borrow_mut().take());
            if self.depth > Depth::None {
                explanation.attributions.iter_mut().filter(|made| !made.is_checked()).for_each(undecided);
            }
            let why = ending.as_ref().err().map(ToString::to_string).unwrap_or_default();
            self.methods.iter().for_each(|method| name_left(&mut explanation, *method, &why));
            let place = |made: &Attribution| wanted.iter().position(|method| *method == made.method);
            explanation.attributions.sort_by_key(place);
        }
        let ending = match ending {
            Ok(()) | Err(OracleError::OutOfTime) => self.nothing().map_or(Ok(()), Err),
            Err(error) => Err(error),
        };
        self.tell(match ending {
            Ok(()) => Ending::Over,
            Err(OracleError::Cancelled) => Ending::Cancelled,
            Err(_) => Ending::Failed,
        });
        ending.map(|()| self.explanation.borrow().clone())
    }

    /// Why no method has said anything, if none has.
    fn nothing(&self) -> Option<OracleError> {
        let explanation = self.explanation.borrow();
        let left = explanation.left_out.first().filter(|_| explanation.attributions.is_empty())?;
        Some(OracleError::Failed(left.why.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_method_is_left_out_of_the_order() {
        assert_eq!(HashSet::from(ORDER), Method::ALL.iter().copied().collect());
    }
}
