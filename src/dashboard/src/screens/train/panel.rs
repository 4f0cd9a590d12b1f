//! What can be charted: the charts that are known beforehand, and one for each family of other metrics.

use std::collections::BTreeMap;

use crate::chart::{Line, LineStyle, Scale};
use crate::history::Series;
use crate::run::Run;
use crate::theme::SERIES;

/// A chart and its series.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// The title; also its name where the choice of charts is kept.
    pub title: String,
    /// The vertical axis, unless it is logarithmic.
    pub scale: Scale,
    /// What is said while there are no points.
    pub empty: &'static str,
    /// Metric, name in the legend, how it is drawn.
    series: Vec<(String, String, LineStyle)>,
}

/// What a curve is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// The metric.
    pub metric: String,
    /// Its name in the legend.
    pub name: String,
    /// Its last step and the value there, if there is any.
    pub last: Option<(u64, f64)>,
}

/// A chart that is known beforehand.
struct Known {
    title: &'static str,
    scale: Scale,
    empty: &'static str,
    series: &'static [(&'static str, &'static str, LineStyle)],
}

use LineStyle::{Joined, Smoothed};

const STEP: &str = "comes with the first step";

const LOSS: Known = Known {
    title: "loss",
    scale: Scale::FromZero,
    empty: STEP,
    series: &[
        ("loss/total", "total", Smoothed),
        ("loss/task", "task", Smoothed),
        ("loss/kd", "kd", Smoothed),
        ("loss/l1", "l1", Smoothed),
        ("loss/l2", "l2", Smoothed),
        ("valid/loss", "valid", Joined),
    ],
};

const ACCURACY: Known = Known {
    title: "accuracy",
    scale: Scale::Fitted,
    empty: STEP,
    series: &[("valid/accuracy", "valid", Joined), ("train/accuracy", "train", Smoothed), ("valid/f1", "F1", Joined)],
};

const SPARSITY: Known = Known {
    title: "sparsity",
    scale: Scale::FromZero,
    empty: "comes with the first measurement",
    series: &[("sparsity/exact", "exact", Joined), ("sparsity/near", "near", Joined)],
};

const TEACHER: Known = Known {
    title: "student and teacher",
    scale: Scale::FromZero,
    empty: "comes with the first evaluation",
    series: &[("kd/agreement", "agree", Joined), ("kd/accuracy_gap", "gap", Joined), ("kd/kl", "KL", Joined)],
};

const MAPS: Known = Known {
    title: "explanations",
    scale: Scale::Fitted,
    empty: "measured at evaluations, with --probe",
    series: &[
        ("explain/faithfulness", "faithfulness", Joined),
        ("explain/fidelity", "fidelity", Joined),
        ("explain/drift", "drift", Joined),
    ],
};

const GRADIENT: Known = Known {
    title: "gradient norm",
    scale: Scale::FromZero,
    empty: STEP,
    series: &[("optim/grad_norm", "before clipping", Smoothed)],
};

const SPEED: Known = Known {
    title: "speed",
    scale: Scale::FromZero,
    empty: STEP,
    series: &[("speed/examples_per_s", "examples/s", Smoothed)],
};

const RATE: Known =
    Known { title: "learning rate", scale: Scale::FromZero, empty: STEP, series: &[("optim/lr", "rate", Joined)] };

const TOKENS: Known = Known {
    title: "tokens a second",
    scale: Scale::FromZero,
    empty: STEP,
    series: &[("speed/tokens_per_s", "tokens/s", Smoothed)],
};

const DEAD: Known = Known {
    title: "dead heads and neurons",
    scale: Scale::FromZero,
    empty: "comes with the first measurement",
    series: &[("sparsity/dead_heads", "heads", Joined), ("sparsity/dead_neurons", "neurons", Joined)],
};

const STEP_TIME: Known =
    Known { title: "time a step", scale: Scale::FromZero, empty: STEP, series: &[("speed/step_ms", "ms", Smoothed)] };

const PROCESSOR: Known = Known {
    title: "processor %",
    scale: Scale::FromZero,
    empty: SECONDS,
    series: &[
        ("system/worker_cpu", "worker", Joined),
        ("system/cpu", "machine", Joined),
        ("system/gpu", "GPU", Joined),
    ],
};

const MEMORY: Known = Known {
    title: "memory MB",
    scale: Scale::FromZero,
    empty: SECONDS,
    series: &[
        ("system/worker_memory", "worker", Joined),
        ("system/memory", "machine", Joined),
        ("system/gpu_memory", "GPU", Joined),
    ],
};

const SECONDS: &str = "comes after a few seconds";

/// The order in which they are shown.
const KNOWN: [Known; 13] =
    [LOSS, ACCURACY, SPARSITY, TEACHER, MAPS, GRADIENT, SPEED, RATE, DEAD, TOKENS, STEP_TIME, PROCESSOR, MEMORY];

/// How many of [`KNOWN`] are shown unless the user has chosen.
const USUAL: usize = 8;

/// Metrics that have a screen of their own.
const ELSEWHERE: [&str; 4] =
    ["sparsity/layer/", "sparsity/dead_heads/", "sparsity/dead_neurons/", "optim/grad_norm/layer/"];

impl From<&Known> for Panel {
    fn from(known: &Known) -> Self {
        let series = known
            .series
            .iter()
            .map(|(metric, name, line_style)| ((*metric).to_owned(), (*name).to_owned(), *line_style));
        Self { title: known.title.to_owned(), scale: known.scale, empty: known.empty, series: series.collect() }
    }
}

impl Panel {
    /// How far explanations can be trusted.
    #[must_use]
    pub(super) fn of_explanations() -> Self {
        Self::from(&MAPS)
    }

    /// What it shows: what was measured, or all that could be if nothing was.
    #[must_use]
    pub(super) fn measures(&self, run: &Run) -> Vec<Measure> {
        let measure = |(metric, name, _): &(String, String, LineStyle)| {
            let last = run.series.get(metric).and_then(Series::last);
            Measure { metric: metric.clone(), name: name.clone(), last }
        };
        let all: Vec<Measure> = self.series.iter().map(measure).collect();
        let measured: Vec<Measure> = all.iter().filter(|measure| measure.last.is_some()).cloned().collect();
        if measured.is_empty() { all } else { measured }
    }

    /// Its curves, as far as there are points.
    #[must_use]
    pub(super) fn lines<'a>(&'a self, run: &'a Run) -> Vec<Line<'a>> {
        let lines = self.series.iter().take(SERIES).enumerate();
        lines
            .filter_map(|(slot, (metric, name, line_style))| {
                let series = worth_showing(metric, run.series.get(metric)?)?;
                Some(Line { name, series, line_style: *line_style, slot, timeline: None })
            })
            .collect()
    }
}

/// A penalty that is switched off is zero throughout: no curve.
fn worth_showing<'a>(metric: &str, series: &'a Series) -> Option<&'a Series> {
    let all = series.summary(0, series.len());
    let silent = all.gaps == 0 && all.min == 0.0 && all.max == 0.0;
    (!silent || !matches!(metric, "loss/l1" | "loss/l2" | "loss/kd")).then_some(series)
}

/// All that can be charted of `run`, in a fixed order.
#[must_use]
pub(super) fn catalogue(run: &Run) -> Vec<Panel> {
    let taught = run.started.as_ref().is_some_and(|started| started.teacher.is_some());
    let known = KNOWN.iter().filter(|known| taught || known.title != TEACHER.title);
    known.map(Panel::from).chain(families(run)).collect()
}

/// The charts of `run` that are shown: the chosen ones, or the usual ones and whatever else it measures.
#[must_use]
pub(super) fn shown(run: &Run, chosen: Option<&[String]>) -> Vec<Panel> {
    let all = catalogue(run);
    let Some(chosen) = chosen else {
        let rare = |panel: &Panel| KNOWN[USUAL..].iter().any(|known| known.title == panel.title);
        return all.into_iter().filter(|panel| !rare(panel)).collect();
    };
    chosen.iter().filter_map(|title| all.iter().find(|panel| panel.title == *title)).cloned().collect()
}

/// One chart for the metrics of one family, `a/b` and `a/c`, that no other chart has.
fn families(run: &Run) -> Vec<Panel> {
    let mut families = BTreeMap::<&str, Vec<(String, String, LineStyle)>>::new();
    for (metric, series) in &run.series {
        let known = KNOWN.iter().any(|known| known.series.iter().any(|(name, ..)| name == metric));
        if known || ELSEWHERE.iter().any(|start| metric.starts_with(start)) {
            continue;
        }
        let (family, name) = metric.rsplit_once('/').unwrap_or((metric, metric));
        let line_style = if series.len() > 4 * run.evals.len().max(10) { Smoothed } else { Joined };
        families.entry(family).or_default().push((metric.clone(), name.to_owned(), line_style));
    }
    // A title is the name of a chart: no two are alike.
    let taken = |title: &str| KNOWN.iter().any(|known| known.title == title);
    let panel = |(family, series): (&str, _)| Panel {
        title: if taken(family) { format!("other {family}") } else { family.to_owned() },
        scale: Scale::Fitted,
        empty: "",
        series,
    };
    families.into_iter().map(panel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_that_nobody_foresaw_have_a_chart_and_the_chosen_ones_come_in_their_order() {
        let mut run = Run::new(0.0);
        for name in ["weather/rain", "weather/wind", "sparsity/layer/0", "sparsity/odd", "loss/task"] {
            run.series.entry(name.to_owned()).or_default().push(1, 0.5);
        }
        let titles =
            |chosen: Option<&[String]>| shown(&run, chosen).into_iter().map(|panel| panel.title).collect::<Vec<_>>();
        assert_eq!(titles(None).last().map(String::as_str), Some("weather"));
        let chosen = ["weather", "nothing", "loss"].map(str::to_owned);
        assert_eq!(titles(Some(&chosen)), ["weather", "loss"]);
        let known = catalogue(&run);
        assert_eq!(known.last().map(|panel| panel.lines(&run).len()), Some(2));
        assert!(known.iter().all(|panel| panel.title != "sparsity/layer" && panel.title != "student and teacher"));
        assert!(known.iter().any(|panel| panel.title == "other sparsity"));
    }
}
