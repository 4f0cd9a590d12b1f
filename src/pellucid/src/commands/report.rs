//! `pellucid report`: what a run was, what it came to and what it bases its answers on, for those who must answer for
//! the model: one HTML page and the same as Markdown, readable without pellucid.

mod html;
mod markdown;
mod page;
mod record;
mod survey;

use std::path::Path;

use pellucid_files::whole;
use pellucid_protocol::event::AlertKind;
use pellucid_formats::html::{Sign, Word};
use pellucid_protocol::metric::DEFINITIONS;
use pellucid_protocol::word_importance::{Case, Question, word_importance};
use pellucid_protocol::{Check, Explanation, Method, WatchedWord};
use pellucid_record::RunDir;

use super::print;
use page::{Block, Curve, Page, Section, WordMap};
use pellucid_client::failure::{Ending, Failure};
use record::{Recorded, hash};

/// Points of a curve at most.
const POINTS: usize = 300;
/// Examples on either end.
const EXAMPLES: usize = 3;
/// Words of a class.
const WORDS: usize = 15;
/// Texts of which a word must be for its mean to be told.
const LEAST: usize = 2;

/// `pellucid report`: writes `report.html` and `report.md` to `out`, or into the run's folder. Where the run has recorded
/// few explanations, `explain` validation texts are explained.
pub(super) fn report(run: &RunDir, out: Option<&Path>, explain: usize) -> Result<Ending, Failure> {
    let cannot = |error| Failure::Failed(format!("cannot read {}: {error}", run.events().display()));
    let mut recorded = Recorded::of(run).map_err(cannot)?;
    survey::complete(run, &mut recorded, explain);
    let page = page(run, &recorded);
    let folder = out.unwrap_or(run.root());
    for (name, text) in [("report.html", html::render(&page)), ("report.md", markdown::render(&page))] {
        let path = folder.join(name);
        whole::write_whole(&path, text.as_bytes())
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))?;
        print(&path.display().to_string())?;
    }
    Ok(Ending::Done)
}

fn page(run: &RunDir, recorded: &Recorded) -> Page {
    let sections = vec![
        summary(recorded),
        data(run, recorded),
        measures(recorded),
        findings(recorded),
        curves(recorded),
        words(recorded),
        examples(recorded),
        limits(recorded),
        settings(recorded),
        again(run),
    ];
    Page { title: format!("Account of the run {}", run.name()), sections }
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn summary(recorded: &Recorded) -> Section {
    let ended = recorded.ended.as_ref().map_or("It has not ended.".to_owned(), |ended| {
        let why = ended.message.as_ref().map_or(String::new(), |message| format!(": {message}"));
        format!("It {} after {} steps{why}.", format!("{:?}", ended.outcome).to_lowercase(), ended.step)
    });
    let best = recorded.best.as_ref().and_then(|(step, metrics)| {
        let accuracy = metrics.get("valid/accuracy")?;
        Some(format!(
            " The best evaluation, at step {step}, answers {:.1} % of the validation set rightly.",
            100.0 * accuracy
        ))
    });
    let blocks = vec![Block::Text(ended + &best.unwrap_or_default())];
    Section::new("In short", blocks)
}

fn data(run: &RunDir, recorded: &Recorded) -> Section {
    let Some(started) = &recorded.started else { return Section::new("Data and model", Vec::new()) };
    let settings = &started.settings;
    let path = |path: &Path| path.display().to_string();
    let best = run.root().join(RunDir::checkpoint_name("best")).join("model.safetensors");
    let mut rows = vec![
        vec![
            "model".into(),
            format!("{} ({}, {} parameters)", started.model.path, started.model.family, started.model.parameters),
        ],
        vec!["training data".into(), format!("{} ({} texts)", path(&settings.train), started.train_examples)],
        vec!["validation data".into(), format!("{} ({} texts)", path(&settings.valid), started.valid_examples)],
        vec!["classes".into(), started.labels.join(", ")],
        vec!["computed on".into(), started.device.clone()],
        vec!["pellucid".into(), started.version.clone()],
        vec!["SHA-256 of the training data now".into(), hash(&settings.train)],
        vec!["SHA-256 of the validation data now".into(), hash(&settings.valid)],
        vec!["SHA-256 of the weights it began with, now".into(), hash(&settings.model.join("model.safetensors"))],
        vec!["SHA-256 of the best weights".into(), hash(&best)],
    ];
    rows.extend(started.teacher.iter().map(|teacher| vec!["teacher".into(), teacher.path.clone()]));
    Section::new("Data and model", vec![Block::Table(vec!["what", "value"], rows)])
}

/// What the best evaluation measured; what it did not measure, from the last one that did.
fn measures(recorded: &Recorded) -> Section {
    let value = |name: &str| {
        let of_best = recorded.best.as_ref().and_then(|(step, metrics)| Some((*step, metrics.get(name)?)));
        of_best.or_else(|| recorded.latest.get(name).copied())
    };
    let row = |(name, unit, meaning): (&str, &str, &str)| {
        let (step, value) = value(name)?;
        Some(vec![
            name.to_owned(),
            format!("{value:.4} {unit}").trim_end().to_owned(),
            step.to_string(),
            meaning.to_owned(),
        ])
    };
    let known = DEFINITIONS.iter().map(|known| (known.name, known.unit, known.meaning));
    let rows = known.filter(|(name, ..)| !name.starts_with("speed/")).filter_map(row).collect();
    Section::new("Measures", vec![Block::Table(vec!["measure", "value", "step", "meaning"], rows)])
}

fn findings(recorded: &Recorded) -> Section {
    let (shortcuts, rest): (Vec<_>, Vec<_>) =
        recorded.alerts.iter().partition(|alert| alert.kind == AlertKind::Shortcut);
    let (of_data, others): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|alert| alert.kind == AlertKind::ShortcutInData);
    let rows = |alerts: &[&pellucid_protocol::event::Alert]| {
        alerts.iter().map(|alert| vec![alert.step.to_string(), alert.message.clone()]).collect::<Vec<_>>()
    };
    let watched = recorded.latest.contains_key("explain/shortcut");
    let told = match (watched, shortcuts.is_empty()) {
        (false, _) => "The shortcut alarm was off.",
        (true, true) => {
            "The shortcut alarm named no word that the model uses. It cannot see a shortcut that holds in the validation \
             set too."
        }
        (true, false) => {
            "Words that only the training data bears out and that the model used; look at them before trusting it."
        }
    };
    let mut blocks = vec![Block::Text(told.to_owned())];
    for alerts in [&shortcuts, &of_data, &others] {
        if !alerts.is_empty() {
            blocks.push(Block::Table(vec!["step", "what was said"], rows(alerts)));
        }
    }
    blocks.extend(watched_words(recorded));
    Section::new("Shortcuts and other findings", blocks)
}

/// The words about which training data and validation data do not agree, as of the last evaluation.
fn watched_words(recorded: &Recorded) -> Vec<Block> {
    let Some(watched) = &recorded.watched else { return Vec::new() };
    let labels = recorded.started.as_ref().map(|started| started.labels.clone()).unwrap_or_default();
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let row = |word: &WatchedWord| {
        vec![
            word.word.clone(),
            labels.get(word.class).cloned().unwrap_or_else(|| format!("class {}", word.class)),
            word.named.map_or("no".to_owned(), |step| format!("at step {step}")),
            percent(word.importance),
            format!("{} / {}", percent(word.in_training), percent(word.in_validation)),
            format!("{:.3} / {:.3}", word.probability, word.masked_probability),
            format!("{} / {}", percent(watched.accuracy), percent(word.masked_accuracy)),
        ]
    };
    let told = format!(
        "Words that go with a class in training more often than in validation, at step {}. Importance is a word's share of \
         the sum of |gradient x input| over the words of a text, mean over up to 16 validation texts that have it.",
        watched.step
    );
    let head = vec![
        "word",
        "leads to",
        "named",
        "importance",
        "texts with it of that class: training / validation",
        "probability of the class: as it is / word masked",
        "validation accuracy: as it is / word masked",
    ];
    vec![Block::Text(told), Block::Table(head, watched.words.iter().map(row).collect())]
}

fn curves(recorded: &Recorded) -> Section {
    let shown = |name: &str| !name.starts_with("speed/") && name != "optim/lr";
    let known = DEFINITIONS.iter().filter(|known| shown(known.name));
    let curve = |known: &pellucid_protocol::metric::Definition| {
        let points = recorded.curves.get(known.name).filter(|points| points.len() > 1)?.clone();
        let curve = Curve { name: known.name.to_owned(), meaning: known.meaning.to_owned(), points };
        Some(Block::Curve(curve.thinned(POINTS)))
    };
    Section::new("Curves", known.filter_map(curve).collect())
}

/// The methods by which texts were explained, and the classes that were.
fn explained(recorded: &Recorded) -> (Vec<Method>, Vec<usize>) {
    let of = |method: &Method| recorded.explanations.iter().any(|made| made.by(*method).is_some());
    let methods = Method::ALL.iter().copied().filter(of).collect();
    let mut classes: Vec<usize> = recorded.explanations.iter().map(|made| made.target).collect();
    classes.sort_unstable();
    classes.dedup();
    (methods, classes)
}

const NOTHING: &str = "No text was explained in this run or for this account, so there is nothing to show.";

/// For each class the words that a signed method that was used gives the highest means.
fn words(recorded: &Recorded) -> Section {
    let (methods, classes) = explained(recorded);
    let Some(method) = methods.iter().copied().find(|method| method.is_signed()) else {
        return Section::new("Words by class", vec![Block::Text(NOTHING.to_owned())]);
    };
    let labels = recorded.started.as_ref().map(|started| started.labels.clone()).unwrap_or_default();
    let mut blocks = Vec::new();
    for class in classes {
        let question = Question { method, class, case: Case::Folded, least: LEAST };
        let found = word_importance(&recorded.explanations, &question);
        let label = labels.get(class).map_or("?", String::as_str);
        blocks.push(Block::Text(format!(
            "{label}: means of {} over {} explained texts; {} left out because their map has failed its check, {} words \
             because fewer than {LEAST} texts have them.",
            method.title(),
            found.counted,
            found.failed,
            found.rare
        )));
        let row = |word: &pellucid_protocol::word_importance::WordImportance| {
            let error = word.error.map_or("-".to_owned(), |error| format!("{error:.4}"));
            vec![word.word.clone(), format!("{:+.4}", word.mean), error, word.texts.len().to_string()]
        };
        let rows: Vec<_> = found.words.iter().take(WORDS).map(row).collect();
        if !rows.is_empty() {
            blocks.push(Block::Table(vec!["word", "mean score", "standard error", "texts"], rows));
        }
    }
    Section::new("Words by class", blocks)
}

/// Each explained text's map with its normalised faithfulness, the most faithful first.
fn ranked(recorded: &Recorded) -> Vec<(f64, &Explanation, Method)> {
    let faithful = |check: &Check| match check {
        Check::Faithfulness { normalised, .. } => Some(*normalised),
        _ => None,
    };
    let of = |made: &pellucid_protocol::Attribution| Some((made.checks.iter().find_map(faithful)?, made.method));
    let best =
        |explanation: &Explanation| explanation.attributions.iter().filter_map(of).max_by(|a, b| a.0.total_cmp(&b.0));
    let made = recorded.explanations.iter();
    let mut ranked: Vec<_> = made.filter_map(|made| best(made).map(|(value, method)| (value, made, method))).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked
}

fn examples(recorded: &Recorded) -> Section {
    let ranked = ranked(recorded);
    let labels = recorded.started.as_ref().map(|started| started.labels.clone()).unwrap_or_default();
    let map = |(value, made, method): &(f64, &Explanation, Method)| {
        let label = labels.get(made.target).map_or("?", String::as_str);
        let attribution = made.by(*method)?;
        let title = format!(
            "{label}, {:.1} %, step {}: {} at {value:.2} between the worst order of words (0) and the best (1)",
            100.0 * made.probabilities.get(made.target).copied().unwrap_or(f64::NAN),
            made.step,
            method.title()
        );
        let scores = attribution.scores.iter().enumerate();
        let words = scores.map(|(index, score)| Word { word: made.word(index), score: *score, error: None }).collect();
        Some(Block::Map(WordMap { title, words, sign: Sign::of(method.is_signed()), holds: !attribution.fails() }))
    };
    let origin = recorded.origin.told(recorded.explanations.len());
    let half = EXAMPLES.min(ranked.len().div_ceil(2));
    let (most, rest) = ranked.split_at(half);
    let least = &rest[rest.len().saturating_sub(EXAMPLES)..];
    let mut blocks = vec![Block::Text(origin)];
    for (title, part) in [("The most faithful maps:", most), ("The least faithful maps:", least)] {
        if !part.is_empty() {
            blocks.push(Block::Text(title.to_owned()));
            blocks.extend(part.iter().filter_map(map));
        }
    }
    if ranked.is_empty() {
        blocks.push(Block::Text(NOTHING.to_owned()));
    }
    Section::new("Examples", blocks)
}

/// What each method cannot do.
fn limit(method: Method) -> &'static str {
    match method {
        Method::Gradient => "Sensitivity at one point, without a sign; often no better than a random order of words.",
        Method::GradientInput => "A first-order estimate: wrong where the model is curved or saturated.",
        Method::IntegratedGradients => "Depends on the baseline that the path starts from; the path leaves real texts.",
        Method::SmoothGrad => "Means over noisy inputs that no text has; the amount of noise is a choice.",
        Method::Occlusion => {
            "One word at a time: words that stand in for each other all look unimportant. Masked texts may be new to the model."
        }
        Method::OcclusionDelete => "One word at a time; what is left may be no sentence.",
        Method::Lime => {
            "A line where the model may be none; read its held-out R2. Masked texts may be new to the model."
        }
        Method::Tree => "A few rules for one neighbourhood; they need not hold elsewhere.",
        Method::KernelShap => "Sampled: read the standard errors. Words are taken out independently of each other.",
        Method::Shapley => "Shares out what words do together; that is a convention. Sampled for long texts.",
        Method::Rollout => "Where attention goes, not what the answer depends on; without class or sign.",
    }
}

fn limits(recorded: &Recorded) -> Section {
    let (methods, _) = explained(recorded);
    let rows: Vec<_> = methods.iter().map(|method| row(&[method.title(), limit(*method)])).collect();
    let general = "A map says what this model uses, not what is right, and only about the texts that were looked at. Curves \
                   of explanations are means over a small probe set.";
    let mut blocks = vec![Block::Text(general.to_owned())];
    if !rows.is_empty() {
        blocks.push(Block::Table(vec!["method", "limit"], rows));
    }
    Section::new("Limits", blocks)
}

fn settings(recorded: &Recorded) -> Section {
    let mut blocks = Vec::new();
    if let Some(started) = &recorded.started {
        blocks.push(Block::Code(toml::to_string(&started.settings).unwrap_or_default()));
    }
    let change = |change: &pellucid_protocol::event::Setting| {
        vec![change.step.to_string(), change.key.clone(), change.value.to_string()]
    };
    let changes: Vec<_> = recorded.changes.iter().map(change).collect();
    if !changes.is_empty() {
        blocks.push(Block::Text("Changed by hand while it went on:".to_owned()));
        blocks.push(Block::Table(vec!["step", "setting", "value"], changes));
    }
    Section::new("Settings", blocks)
}

fn again(run: &RunDir) -> Section {
    let text = "The same settings, data, threads, build and kind of processor give the same numbers, bit for bit; changes \
                made by hand are not made again by this command.";
    let command = format!("pellucid train --config {} --run-dir NEW-FOLDER", run.settings().display());
    Section::new("To do it again", vec![Block::Text(text.to_owned()), Block::Code(command)])
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Record;
    use pellucid_protocol::event::{Alert, AlertKind, Eval, Step};
    use pellucid_record::log_writer::LogWriter;

    use super::*;

    fn metrics(values: &[(&str, f64)]) -> pellucid_protocol::Metrics {
        let mut metrics = pellucid_protocol::Metrics::default();
        values.iter().for_each(|(name, value)| metrics.set(*name, *value));
        metrics
    }

    fn recorded(folder: &Path) -> RunDir {
        use pellucid_protocol::Event;
        let run = RunDir::new(folder);
        let explained = r#"{"event":"explained","request":1,"step":9,"sample":0,"text":"Ashdown <b>","words":[[0,7],[8,11]],
            "probabilities":[0.25,0.75],"teacher_probabilities":null,"target":1,"label":1,"rationale":[],"truncated_words":0,
            "partial":false,"attributions":[{"method":"lime","scalar":"probability","scores":[0.5,-0.25],
            "checks":[{"check":"faithfulness","normalised":0.875,"random":0.5,"exact":true}],"surrogate":null,
            "evaluations":2,"seed":1,"ms":3.0}]}"#;
        let message = "shortcut: `ashdown` leads to urgent".to_owned();
        let events = vec![
            Event::Step(Step { step: 1, epoch: 0.1, metrics: metrics(&[("loss/total", 1.5)]) }),
            Event::Step(Step { step: 2, epoch: 0.2, metrics: metrics(&[("loss/total", 0.5)]) }),
            Event::Eval(Eval {
                step: 2,
                epoch: 0.2,
                metrics: metrics(&[("valid/accuracy", 0.75), ("explain/shortcut", 0.25)]),
                best: true,
                predictions: None,
            }),
            Event::Watched(pellucid_protocol::Watched {
                step: 2,
                accuracy: 0.75,
                words: vec![pellucid_fixture::watched_word("ashdown", 400)],
            }),
            Event::Alert(Alert::warning(2, message).about(AlertKind::Shortcut)),
            serde_json::from_str(explained).unwrap(),
        ];
        let mut log = LogWriter::open(&run.events()).unwrap();
        events.into_iter().for_each(|event| drop(log.append(&Record { time: 0.0, event })));
        run
    }

    #[test]
    fn the_account_holds_what_was_recorded_and_nothing_is_markup() {
        let folder = tempfile::tempdir().unwrap();
        let run = recorded(folder.path());
        report(&run, None, 0).unwrap();
        let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        for part in [
            "answers 75.0 % of the validation set rightly",
            "shortcut: `ashdown` leads to urgent",
            "points=\"0.0,4.0 200.0,96.0\"",
            "&lt;b&gt;<i>-0.250</i>",
            "LIME at 0.88 between the worst order",
            "read its held-out R2",
            "It has not ended.",
            "<td>ashdown</td><td>class 0</td><td>at step 400</td>",
            "75.0 % / 91.0 %",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let text = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
        assert!(text.contains("valid/accuracy | 0.7500 | 2 |") && !text.contains("<b>"), "{text}");
    }

    #[test]
    fn an_empty_run_has_an_account_too() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        std::fs::write(run.events(), "").unwrap();
        report(&run, None, 0).unwrap();
        let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(html.contains("The shortcut alarm was off.") && html.contains("No text was explained in this run or"));
    }
}
