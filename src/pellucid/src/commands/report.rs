//! `pellucid report`: what a run was, what it came to and what its model bases its answers on, for people who must answer
//! for the model. It is written as an HTML page and as Markdown, to be read without pellucid.

mod added;
mod data;
mod files;
mod html;
mod markdown;
mod page;
mod record;

use std::fs;
use std::io;
use std::path::Path;

use pellucid_client::failure::{Ending, Failure};
use pellucid_formats::html::Word;
use pellucid_protocol::event::AlertKind;
use pellucid_protocol::explanation::{Scalar, Scale};
use pellucid_protocol::metric::DEFINITIONS;
use pellucid_protocol::paste::quoted_path;
use pellucid_protocol::word_importance::{Case, Question, word_importance};
use pellucid_protocol::{Attribution, Explanation, Method, WatchedWord};
use pellucid_record::RunDir;

use super::written;
use crate::stdout;
use added::Origin;
pub(super) use files::is_report;
use page::{Block, Curve, Page, Section, WordMap};
use record::Recorded;

/// The most points of a curve.
const POINTS: usize = 300;
/// How many of the best tested maps are shown, and how many of the worst.
const EXAMPLES: usize = 3;
/// How many words are listed for a class.
const WORDS: usize = 15;
/// How many texts must contain a word for its mean to be listed.
const LEAST: usize = 2;

/// Writes `report.html` and `report.md` to `out`, or into the folder of the run. If the run has recorded few explanations,
/// `explain` validation texts are explained for the report.
pub(super) fn report(run: &RunDir, out: Option<&Path>, explain: usize) -> Result<Ending, Failure> {
    let cannot = |error| Failure::Failed(format!("cannot read {}: {error}", run.events().display()));
    let mut recorded = Recorded::of(run).map_err(cannot)?;
    out.map_or(Ok(()), make_folder)?;
    let outputs = files::outputs(out.unwrap_or(run.root()), &files::inputs(run))?;
    let origin = added::complete(run, &mut recorded, explain);
    let page = page(run, &recorded, &origin);
    for (output, text) in outputs.iter().zip([html::render(&page), markdown::render(&page)]) {
        output.write(text.as_bytes()).map_err(|error| written::cannot_write(output.path(), &error))?;
        stdout::line(&output.path().display().to_string())?;
    }
    Ok(Ending::Done)
}

/// Makes the folder that the user has named, if the one above it is there.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(written::cannot_write(folder, &error)),
        _ => Ok(()),
    }
}

fn page(run: &RunDir, recorded: &Recorded, origin: &Origin) -> Page {
    let sections = vec![
        summary(recorded),
        data::data(run, recorded),
        measures(recorded),
        findings(recorded),
        curves(recorded),
        words(recorded),
        examples(recorded, origin),
        limits(recorded),
        settings(recorded),
        how_to_reproduce(run),
    ];
    Page { title: format!("{}{}", files::TITLE, run.name()), sections }
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn summary(recorded: &Recorded) -> Section {
    let ended = recorded.summary.ended().map_or("It has not ended.".to_owned(), |ended| {
        let why = ended.message.as_ref().map_or(String::new(), |message| format!(": {message}"));
        format!("It {} after {} steps{why}.", ended.outcome.word(), ended.step)
    });
    let best = recorded.best().and_then(|(step, metrics)| {
        let accuracy = metrics.get(recorded.summary.primary_metric())?;
        Some(format!(
            " The best evaluation, at step {step}, got {:.1} % of the validation set right.",
            100.0 * accuracy
        ))
    });
    let blocks = vec![Block::Text(ended + &best.unwrap_or_default())];
    Section::new("In short", blocks)
}

/// The metrics of the best evaluation. One that it did not measure is taken from the last evaluation that did.
fn measures(recorded: &Recorded) -> Section {
    let value = |name: &str| {
        let of_best = recorded.best().and_then(|(step, metrics)| Some((*step, metrics.get(name)?)));
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
            "The model used words that predict a class in the training data only. Look at them before you trust the model."
        }
    };
    let mut blocks = vec![Block::Text(told.to_owned())];
    for alerts in [&shortcuts, &of_data, &others] {
        if !alerts.is_empty() {
            blocks.push(Block::Table(vec!["step", "message"], rows(alerts)));
        }
    }
    blocks.extend(watched_words(recorded));
    Section::new("Shortcuts and other findings", blocks)
}

/// The words that go with a class in the training data but not in the validation data, as of the last evaluation.
fn watched_words(recorded: &Recorded) -> Vec<Block> {
    let Some(watched) = &recorded.watched else { return Vec::new() };
    let labels = recorded.started().map(|started| started.labels.clone()).unwrap_or_default();
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
        "Words that go with a class more often in the training data than in the validation data, at step {}. The importance \
         of a word is its share of the sum of |gradient x input| over the words of a text: the mean over up to 16 \
         validation texts that contain it.",
        watched.step
    );
    let head = vec![
        "word",
        "class",
        "named",
        "importance",
        "share of texts with it that have the class: training / validation",
        "probability of the class: unchanged / word masked",
        "validation accuracy: unchanged / word masked",
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

/// The methods and the classes of the explanations.
fn explained(recorded: &Recorded) -> (Vec<Method>, Vec<usize>) {
    let of = |method: &Method| recorded.explanations.iter().any(|made| made.by(*method).is_some());
    let methods = Method::ALL.iter().copied().filter(of).collect();
    let mut classes: Vec<usize> = recorded.explanations.iter().map(|made| made.target).collect();
    classes.sort_unstable();
    classes.dedup();
    (methods, classes)
}

const NOTHING: &str = "No text was explained in this run or for this report, so there is nothing to show.";

/// A number and a noun, in the plural if it must be.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// For each class the words with the highest mean scores, by a method whose scores have a sign.
fn words(recorded: &Recorded) -> Section {
    let (methods, classes) = explained(recorded);
    let Some(method) = methods.iter().copied().find(|method| method.is_signed()) else {
        return Section::new("Words by class", vec![Block::Text(NOTHING.to_owned())]);
    };
    let labels = recorded.started().map(|started| started.labels.clone()).unwrap_or_default();
    let mut blocks = Vec::new();
    for class in classes {
        let question = Question { method, class, case: Case::Folded, least: LEAST };
        let found = word_importance(&recorded.explanations, &question);
        let label = labels.get(class).map_or("?", String::as_str);
        let scalar = recorded.explanations.iter().find_map(|made| Some(made.by(method)?.scalar));
        let largest = found.words.first().map_or(0.0, |word| word.mean);
        let scale = Scale::new(method, scalar.unwrap_or(Scalar::Probability), &[largest]);
        blocks.push(Block::Text(format!(
            "{label}: means of {}, in {}, over {}. Left out: {} whose map failed a check, and {} that fewer than {LEAST} \
             texts contain.",
            method.title(),
            scale.unit.told(),
            counted(found.counted, "explained text"),
            counted(found.failed, "text"),
            counted(found.rare, "word"),
        )));
        let row = |word: &pellucid_protocol::word_importance::WordImportance| {
            let error = word.error.map_or("-".to_owned(), |error| scale.size(error));
            vec![word.word.clone(), scale.written(word.mean), error, word.texts.len().to_string()]
        };
        let rows: Vec<_> = found.words.iter().take(WORDS).map(row).collect();
        if !rows.is_empty() {
            blocks.push(Block::Table(vec!["word", "mean score", "standard error", "texts"], rows));
        }
    }
    Section::new("Words by class", blocks)
}

/// The best tested map of an explained text.
struct RankedMap<'a> {
    explanation: &'a Explanation,
    made: &'a Attribution,
}

/// The best tested map of each explained text, the text with the best one first.
fn ranked(recorded: &Recorded) -> Vec<RankedMap<'_>> {
    let best = |explanation| {
        let made = Explanation::best(explanation).filter(|made| made.grade().is_some())?;
        Some(RankedMap { explanation, made })
    };
    let mut ranked: Vec<_> = recorded.explanations.iter().filter_map(best).collect();
    ranked.sort_by(|a, b| b.made.compare_trust(a.made));
    ranked
}

fn examples(recorded: &Recorded, origin: &Origin) -> Section {
    let ranked = ranked(recorded);
    let labels = recorded.started().map(|started| started.labels.clone()).unwrap_or_default();
    let map = |RankedMap { explanation, made }: &RankedMap| {
        let label = labels.get(explanation.target).map_or("?", String::as_str);
        let row = explanation.privacy.row().map(|row| format!("{row}: ")).unwrap_or_default();
        let title = format!(
            "{row}{label}, {:.1} %, step {}: {}, in {}, {}: {}",
            100.0 * explanation.probabilities.get(explanation.target).copied().unwrap_or(f64::NAN),
            explanation.step,
            made.method.title(),
            made.scale().unit.told(),
            made.trust(),
            made.reason()
        );
        let scores = made.scores.iter().enumerate();
        let word = |(index, score): (usize, &f64)| Word { word: explanation.word(index), score: *score, error: None };
        let (words, scale) = (scores.map(word).collect(), made.scale());
        Block::Map(WordMap { title, words, scale, holds: made.is_trusted() })
    };
    let half = EXAMPLES.min(ranked.len().div_ceil(2));
    let (most, rest) = ranked.split_at(half);
    let least = &rest[rest.len().saturating_sub(EXAMPLES)..];
    let mut blocks = vec![Block::Text(origin.describe(recorded.explanations.len()))];
    for (title, part) in [("The best tested maps:", most), ("The worst tested maps:", least)] {
        if !part.is_empty() {
            blocks.push(Block::Text(title.to_owned()));
            blocks.extend(part.iter().map(map));
        }
    }
    if ranked.is_empty() {
        blocks.push(Block::Text(NOTHING.to_owned()));
    }
    Section::new("Examples", blocks)
}

/// What a method cannot show.
fn limit(method: Method) -> &'static str {
    match method {
        Method::Gradient => "Sensitivity at one point, without a direction; often no better than a random map.",
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
    let general = "A map shows what this model uses, not what is right, and only for the texts that were explained. Curves \
                   of explanations are means over a small probe set.";
    let mut blocks = vec![Block::Text(general.to_owned())];
    if !rows.is_empty() {
        blocks.push(Block::Table(vec!["method", "limit"], rows));
    }
    Section::new("Limits", blocks)
}

fn settings(recorded: &Recorded) -> Section {
    let mut blocks = Vec::new();
    if let Some(started) = recorded.started() {
        blocks.push(Block::Code(toml::to_string(&started.settings).unwrap_or_default()));
    }
    let change = |change: &pellucid_protocol::event::Setting| {
        vec![change.step.to_string(), change.key.clone(), change.value.to_string()]
    };
    let changes: Vec<_> = recorded.changes.iter().map(change).collect();
    if !changes.is_empty() {
        blocks.push(Block::Text("Changed by hand during the run:".to_owned()));
        blocks.push(Block::Table(vec!["step", "setting", "value"], changes));
    }
    Section::new("Settings", blocks)
}

fn how_to_reproduce(run: &RunDir) -> Section {
    let text = "The same settings, data, threads, build and kind of processor give the same numbers, bit for bit. This \
                command does not repeat changes that were made by hand.";
    let command = match quoted_path(&run.settings()) {
        Some(settings) => format!("pellucid train --config {settings} --run-dir NEW-FOLDER"),
        None => "pellucid train --config RUN-FOLDER/run.toml --run-dir NEW-FOLDER".to_owned(),
    };
    Section::new("How to reproduce this run", vec![Block::Text(text.to_owned()), Block::Code(command)])
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Record;
    use pellucid_protocol::event::{Alert, AlertKind, Eval, Step};
    use pellucid_record::log::writer::LogWriter;

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
            "checks":[{"check":"chance","grade":"strong","correlation":0.875,"p":0.01,"rows":64}],"surrogate":null,
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
    fn the_report_holds_what_was_recorded_and_nothing_is_markup() {
        let folder = tempfile::tempdir().unwrap();
        let run = recorded(folder.path());
        report(&run, None, 0).unwrap();
        let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        for part in [
            "got 75.0 % of the validation set right",
            "shortcut: `ashdown` leads to urgent",
            "points=\"0.0,4.0 200.0,96.0\"",
            "&lt;b&gt;<i>-25</i>",
            "LIME, in points, strong: its scores follow 77 % of what hiding words does; random maps do so in at most 1 of 100 texts",
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
    fn an_empty_run_has_a_report_too() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        std::fs::write(run.events(), "").unwrap();
        report(&run, None, 0).unwrap();
        let html = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(html.contains("The shortcut alarm was off.") && html.contains("No text was explained in this run or"));
    }
}
