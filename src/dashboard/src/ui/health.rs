//! Whether a run is well, in words.

use pellucid_protocol::event::Outcome;

use super::history::Series;
use super::state::run::{Access, Run, Stage};
use super::text;

/// How the words are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// Look at it.
    Warn,
    /// Something is wrong.
    Bad,
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How it is meant.
    pub tone: Tone,
    /// A few words.
    pub words: String,
}

fn say(tone: Tone, words: impl Into<String>) -> Health {
    Health { tone, words: words.into() }
}

/// The state of a run with its sign.
#[must_use]
pub fn state(run: &Run) -> Health {
    match &run.stage {
        Stage::Launching(..) => say(Tone::Plain, "… starting"),
        Stage::Running => say(Tone::Good, "● training"),
        Stage::Paused => say(Tone::Warn, "Ⅱ paused"),
        Stage::Ended(Outcome::Finished, _) => say(Tone::Good, "✔ finished"),
        Stage::Ended(Outcome::Stopped, _) => say(Tone::Warn, "■ stopped"),
        Stage::Ended(Outcome::Failed, _) | Stage::Failed(_) => say(Tone::Bad, "✖ failed"),
    }
}

/// How the run does, at `now`.
#[must_use]
pub fn judge(run: &Run, now: f64) -> Health {
    match &run.stage {
        Stage::Launching(phase, since) => say(Tone::Plain, format!("{phase}, {}", text::duration(now - since))),
        Stage::Failed(why) => say(Tone::Bad, why.clone()),
        Stage::Ended(Outcome::Failed, why) => say(Tone::Bad, why.clone().unwrap_or_else(|| "no reason given".into())),
        Stage::Ended(..) => result(run),
        Stage::Paused => say(Tone::Plain, "p resumes it"),
        Stage::Running => running(run, now),
    }
}

fn result(run: &Run) -> Health {
    match run.best().and_then(|best| Some((best.metrics.get("valid/accuracy")?, best.step))) {
        Some((accuracy, step)) => say(Tone::Plain, format!("best accuracy {} at step {step}", text::number(accuracy))),
        None => say(Tone::Plain, "not evaluated"),
    }
}

fn running(run: &Run, now: f64) -> Health {
    if let Some(broken) = &run.broken {
        return say(Tone::Bad, format!("diverging: {broken}"));
    }
    if run.access != Access::Waiting && !run.answers() {
        return say(Tone::Warn, "its worker does not answer");
    }
    let silent = now - run.heard;
    if silent > (run.pace.longest() * 3.0).max(15.0) {
        return say(Tone::Warn, format!("stalled {}", text::duration(silent)));
    }
    overfitting(run).unwrap_or_else(|| trend(run))
}

/// The validation loss has turned: clearly above its lowest value at the last two evaluations.
fn overfitting(run: &Run) -> Option<Health> {
    let losses: Vec<_> =
        run.evals.iter().filter_map(|eval| Some((eval.step, eval.metrics.get("valid/loss")?))).collect();
    let lowest = losses.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a })?;
    let [.., before, last] = losses.as_slice() else { return None };
    let turned = |point: &(u64, f64)| point.0 > lowest.0 && point.1 > lowest.1 * 1.05 + 0.01;
    (turned(before) && turned(last))
        .then(|| say(Tone::Warn, format!("overfitting: valid loss rises since step {}", lowest.0)))
}

fn trend(run: &Run) -> Health {
    let loss = run.series.get("loss/task").or_else(|| run.series.get("loss/total"));
    match loss.map(direction) {
        None | Some(Trend::Unknown) => say(Tone::Plain, "warming up: too early to tell"),
        Some(Trend::Falling) => say(Tone::Good, "learning: loss falls"),
        Some(Trend::Flat) => say(Tone::Plain, "steady: loss is flat"),
        Some(Trend::Rising) => say(Tone::Warn, "loss rising"),
    }
}

/// Where a series goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trend {
    Unknown,
    Falling,
    Flat,
    Rising,
}

/// The mean of the last fifth against the fifth before it, measured by how much they scatter.
fn direction(series: &Series) -> Trend {
    let count = series.len();
    let window = (count / 5).clamp(5, 500);
    if count < 2 * window + 2 {
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

    #[test]
    fn silence_is_a_stall_only_while_it_trains() {
        let mut run = Run::new(0.0);
        run.stage = Stage::Running;
        run.access = Access::Live;
        assert_eq!(judge(&run, 40.0).words, "stalled 40 s");
        run.broken = Some("loss/l1 is NaN".to_owned());
        assert_eq!(judge(&run, 40.0), say(Tone::Bad, "diverging: loss/l1 is NaN"));
        run.stage = Stage::Paused;
        assert_eq!(judge(&run, 4000.0).tone, Tone::Plain);
    }
}
