//! Whether a run is well, in words.

use pellucid_protocol::event::Outcome;
use pellucid_protocol::metric;

use crate::history::Series;
use crate::run::{Access, Run, Stage};
use crate::text;
use crate::theme::Tone;

/// Share of a run in which the loss may still be flat.
const BEGINNING: f64 = 0.1;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has not begun.
    Starting,
    /// It is over: finished or stopped.
    Over,
    /// It could not go on.
    Failed,
    /// It is paused.
    Held,
    /// A loss is no number, or has grown far above what it was.
    Diverging,
    /// Its worker does not answer.
    Unanswered,
    /// No record has come for a long time.
    Stalled,
    /// It memorises the training set.
    Overfitting,
    /// The loss rises.
    Rising,
    /// The loss falls.
    Learning,
    /// The loss neither rises nor falls.
    Plateau,
    /// There are too few steps to tell.
    Early,
}

impl Verdict {
    /// Whether the user should be notified.
    #[must_use]
    pub(crate) fn is_worth_a_notice(self) -> bool {
        matches!(self, Verdict::Over | Verdict::Failed | Verdict::Diverging | Verdict::Stalled | Verdict::Overfitting)
    }

    fn tone(self) -> Tone {
        match self {
            Verdict::Learning => Tone::Good,
            Verdict::Starting | Verdict::Over | Verdict::Held | Verdict::Plateau | Verdict::Early => Tone::Plain,
            Verdict::Unanswered | Verdict::Stalled | Verdict::Overfitting | Verdict::Rising => Tone::Warn,
            Verdict::Failed | Verdict::Diverging => Tone::Bad,
        }
    }
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// What the run does.
    pub verdict: Verdict,
    /// Whether that is good or bad.
    pub tone: Tone,
    /// A few words.
    pub words: String,
}

fn say(verdict: Verdict, words: impl Into<String>) -> Health {
    Health { verdict, tone: verdict.tone(), words: words.into() }
}

/// The state of a run with its sign.
#[must_use]
pub(crate) fn state(run: &Run) -> (Tone, &'static str) {
    match &run.stage {
        Stage::Launching(..) => (Tone::Plain, "… starting"),
        Stage::Running => (Tone::Good, "● training"),
        Stage::Paused => (Tone::Warn, "Ⅱ paused"),
        Stage::Ended(outcome, _) => outcome_state(*outcome),
        Stage::Failed(_) => outcome_state(Outcome::Failed),
    }
}

/// The state of a run that has ended, with its sign.
#[must_use]
pub fn outcome_state(outcome: Outcome) -> (Tone, &'static str) {
    match outcome {
        Outcome::Finished => (Tone::Good, "✔ finished"),
        Outcome::Stopped => (Tone::Warn, "■ stopped"),
        Outcome::Failed => (Tone::Bad, "✖ failed"),
        Outcome::Died => (Tone::Bad, "✖ died"),
    }
}

/// How the run does, at `now`.
#[must_use]
pub(crate) fn judge(run: &Run, now: f64) -> Health {
    match &run.stage {
        Stage::Launching(phase, since) => say(Verdict::Starting, format!("{phase}, {}", text::duration(now - since))),
        Stage::Failed(why) => say(Verdict::Failed, why.clone()),
        Stage::Ended(Outcome::Failed | Outcome::Died, why) => {
            say(Verdict::Failed, why.clone().unwrap_or_else(|| "no reason given".into()))
        }
        Stage::Ended(..) => result(run),
        Stage::Paused if run.answers() => say(Verdict::Held, "p resumes it"),
        Stage::Paused => say(Verdict::Held, ""),
        Stage::Running => running(run, now),
    }
}

fn result(run: &Run) -> Health {
    let best = run.best().zip(run.started.as_ref());
    match best.and_then(|(best, started)| Some((started, started.primary(&best.metrics)?, best.step))) {
        Some((started, value, step)) => {
            let name = metric::short(&started.primary_metric);
            say(Verdict::Over, format!("best {name} {} at step {step}", text::number(value)))
        }
        None => say(Verdict::Over, "not evaluated"),
    }
}

fn running(run: &Run, now: f64) -> Health {
    if let Some(broken) = &run.broken {
        return say(Verdict::Diverging, format!("diverging: {broken}"));
    }
    if matches!(run.access, Access::ViewOnly(_)) {
        return say(Verdict::Unanswered, "its worker does not answer");
    }
    let silent = if run.access == Access::Record { 0.0 } else { now - run.last_message };
    if silent > (run.throughput.longest() * 3.0).max(15.0) {
        return say(Verdict::Stalled, format!("stalled {}", text::duration(silent)));
    }
    diverging(run).or_else(|| overfitting(run)).unwrap_or_else(|| trend(run))
}

/// A loss rises and is more than twice the lowest it has been, over stretches that even out the noise.
fn diverging(run: &Run) -> Option<Health> {
    let losses = run.series.iter().filter(|(name, _)| name.starts_with("loss/"));
    let (name, _) = losses.into_iter().find(|(_, series)| {
        let means = means(series);
        let lowest = means.iter().map(|(_, mean)| *mean).fold(f64::INFINITY, f64::min);
        direction(series) == Trend::Rising && means.last().is_some_and(|(_, last)| *last > 2.0 * lowest)
    })?;
    Some(say(Verdict::Diverging, format!("diverging: {name} has doubled")))
}

/// The validation loss has turned: clearly above its lowest value at the last two evaluations.
fn overfitting(run: &Run) -> Option<Health> {
    let losses: Vec<_> = run.evals.iter().filter_map(|eval| eval.metrics.get("valid/loss")).collect();
    let (at, lowest) = losses.iter().enumerate().reduce(|a, b| if b.1 < a.1 { b } else { a })?;
    let since = losses.len() - 1 - at;
    let turned = |loss: &f64| *loss > lowest * 1.05 + 0.01;
    (since >= 2 && losses.iter().rev().take(2).all(turned))
        .then(|| say(Verdict::Overfitting, format!("over-fitting: valid up {since} evals")))
}

fn trend(run: &Run) -> Health {
    let Some(loss) = run.series.get("loss/task").or_else(|| run.series.get("loss/total")) else {
        return say(Verdict::Early, "warming up: too early to tell");
    };
    match direction(loss) {
        Trend::Unknown => say(Verdict::Early, "warming up: too early to tell"),
        Trend::Falling => say(Verdict::Learning, "learning: loss falls"),
        Trend::Rising => say(Verdict::Rising, "loss rising"),
        Trend::Flat => match flat_since(loss) {
            Some(step) if loss.step(0) == Some(step) && run.share() < BEGINNING => {
                say(Verdict::Early, "warming up: too early to tell")
            }
            Some(step) if loss.step(0) == Some(step) => say(Verdict::Plateau, "no progress since the start"),
            Some(step) => say(Verdict::Plateau, format!("plateau since step {step}")),
            None => say(Verdict::Plateau, "steady: loss is flat"),
        },
    }
}

/// The trend of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trend {
    Unknown,
    Falling,
    Flat,
    Rising,
}

/// Points in each of the stretches that are compared; more in a long run, so that a comparison stays cheap.
fn window(series: &Series) -> usize {
    (series.len() / 5).clamp(5, 500).max(series.len() / 200)
}

/// First step and mean of each whole stretch, counted from the end, in order.
fn means(series: &Series) -> Vec<(u64, f64)> {
    let (count, window) = (series.len(), window(series));
    let starts = (1..=count / window).rev().map(|back| count - back * window);
    let mean = |start: usize| Some((series.step(start)?, series.summary(start, start + window).mean()?));
    starts.filter_map(mean).collect()
}

/// The first step of the last stretches with similar means, if there are at least three; the very first step if all
/// stretches are similar.
fn flat_since(series: &Series) -> Option<u64> {
    let means = means(series);
    let (_, last) = *means.last()?;
    let noise = (moments(series, series.len() - window(series), series.len()).1 / window(series) as f64).sqrt();
    let alike = |mean: f64| (mean - last).abs() <= (3.0 * noise).max(0.02 * last.abs());
    let flat: Vec<_> = means.iter().rev().take_while(|(_, mean)| alike(*mean)).collect();
    let since = || if flat.len() == means.len() { series.step(0) } else { flat.last().map(|(step, _)| *step) };
    (flat.len() >= 3).then(since)?
}

/// The mean of the last fifth against the fifth before it, measured by how much they scatter.
fn direction(series: &Series) -> Trend {
    let (count, window) = (series.len(), window(series));
    // The first steps are warm-up: they say little.
    if count < (2 * window + 2).max(30) {
        return Trend::Unknown;
    }
    let before = moments(series, count - 2 * window, count - window);
    let last = moments(series, count - window, count);
    let (change, noise) = (last.0 - before.0, ((before.1 + last.1) / window as f64).sqrt());
    let floor = 0.002 * before.0.abs();
    match change {
        change if change.is_nan() => Trend::Unknown,
        change if change < -noise.max(floor) => Trend::Falling,
        change if change > (3.0 * noise).max(10.0 * floor) => Trend::Rising,
        _ => Trend::Flat,
    }
}

/// Mean, and variance by a sample of at most a hundred points.
fn moments(series: &Series, from: usize, to: usize) -> (f64, f64) {
    let mean = series.summary(from, to).mean().unwrap_or(f64::NAN);
    let stride = ((to - from) / 100).max(1);
    let squares: Vec<_> = (from..to)
        .step_by(stride)
        .map(|at| series.summary(at, at + 1))
        .filter(|sum| sum.finite > 0)
        .map(|sum| (sum.sum - mean).powi(2))
        .collect();
    (mean, squares.iter().sum::<f64>() / squares.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend_of(value: impl Fn(u64) -> f64) -> Trend {
        let mut series = Series::default();
        // A fixed ripple stands for noise.
        (0..200).for_each(|step| series.push(step, value(step) + 0.05 * ((step * 7919 % 13) as f64 / 6.5 - 1.0)));
        direction(&series)
    }

    #[test]
    fn a_trend_is_told_from_noise() {
        assert_eq!(trend_of(|step| 1.0 - step as f64 * 0.003), Trend::Falling);
        assert_eq!(trend_of(|_| 0.5), Trend::Flat);
        assert_eq!(trend_of(|step| 0.5 + step as f64 * 0.003), Trend::Rising);
        assert_eq!(direction(&Series::default()), Trend::Unknown);
    }

    fn run() -> Run {
        let mut run = Run::new(0.0);
        run.stage = Stage::Running;
        run.access = Access::Live;
        run
    }

    fn said(run: &Run) -> String {
        judge(run, 1.0).words
    }

    fn with(value: impl Fn(u64) -> f64) -> Run {
        let mut run = run();
        let mut series = Series::default();
        (1..=1000).for_each(|step| series.push(step, value(step) + 0.02 * ((step * 7919 % 13) as f64 / 6.5 - 1.0)));
        run.series.insert("loss/task".to_owned(), series);
        run
    }

    #[test]
    fn it_says_in_words_what_goes_on() {
        assert_eq!(said(&run()), "warming up: too early to tell");
        assert_eq!(said(&with(|step| 1.0 - step as f64 * 5e-4)), "learning: loss falls");
        assert_eq!(said(&with(|step| (1.0 - step as f64 * 2e-3).max(0.4))), "plateau since step 401");
        assert_eq!(said(&with(|step| 1.0 + step as f64 * 2e-4)), "loss rising");
        let mut flat = with(|_| 1.0);
        assert_eq!(said(&flat), "warming up: too early to tell");
        flat.step = 1000;
        assert_eq!(said(&flat), "no progress since the start");
        // Stretches are counted from the end: the first steps are of none.
        let series = flat.series.get_mut("loss/task").unwrap();
        (1001..=1003).for_each(|step| series.push(step, 1.0));
        assert_eq!(said(&flat), "no progress since the start");
        let blown = judge(&with(|step| 0.5 + (step as f64 - 600.0).max(0.0) * 3e-3), 1.0);
        assert_eq!((blown.verdict, blown.words.as_str()), (Verdict::Diverging, "diverging: loss/task has doubled"));
    }

    #[test]
    fn over_fitting_is_seen_from_the_second_evaluation_on() {
        let mut run = with(|step| 1.0 - step as f64 * 5e-4);
        for (index, loss) in [0.6, 0.4, 0.5, 0.55, 0.6].into_iter().enumerate() {
            let mut metrics = pellucid_protocol::Metrics::default();
            metrics.set("valid/loss", loss);
            let step = index as u64 * 100;
            run.evals.push(pellucid_protocol::event::Eval {
                step,
                epoch: 0.0,
                metrics,
                best: false,
                predictions: None,
            });
            let expected = match index {
                3 => "over-fitting: valid up 2 evals",
                4 => "over-fitting: valid up 3 evals",
                _ => "learning: loss falls",
            };
            assert_eq!(said(&run), expected, "evaluation {index}");
        }
    }

    #[test]
    fn silence_is_a_stall_only_while_it_trains() {
        let mut run = run();
        assert_eq!(judge(&run, 40.0).words, "stalled 40 s");
        run.broken = Some("loss/l1 is NaN".to_owned());
        assert_eq!(judge(&run, 40.0).words, "diverging: loss/l1 is NaN");
        run.stage = Stage::Paused;
        assert_eq!(judge(&run, 4000.0).tone, Tone::Plain);
    }
}
