//! An evaluation as lines for people: the finding first, then the tables.

use pellucid_evaluate::calibration::Bin;
use pellucid_evaluate::evaluation::{ClassEvaluation, Estimate, Evaluation};
use pellucid_protocol::readable::{grouped, percent};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::answers::Answers;

/// Classes whose pairs are shown as a table; more would not fit a terminal.
const MOST_COLUMNS: usize = 9;
/// Columns of the name of a class.
const NAME: usize = 18;

/// The lines.
pub(super) fn lines(found: &Evaluation, answers: &Answers) -> Vec<String> {
    let mut lines = vec![headline(found, answers)];
    if answers.without_label > 0 {
        lines.push(format!("rows without a label, left out: {}", grouped(answers.without_label)));
    }
    if answers.chose_the_model {
        lines.push("these texts chose the checkpoint: expect worse figures on new texts".to_owned());
    }
    lines.push(String::new());
    lines.extend(overall(found));
    lines.push(String::new());
    lines.extend(per_class(found, &answers.classes));
    lines.push(String::new());
    lines.extend(confusion(found, &answers.classes));
    lines.push(String::new());
    lines.extend(reliability(found));
    lines.push(String::new());
    lines.push(format!(
        "intervals: 95 %; of shares by Wilson, of the rest from {} draws by class, seed {}; [–]: the draws tell none",
        grouped(found.draws.count),
        found.draws.seed
    ));
    lines
}

/// What is worst, in a sentence.
fn headline(found: &Evaluation, answers: &Answers) -> String {
    let examples = grouped(found.examples);
    let missed = |class: &ClassEvaluation| 1.0 - class.recall.value.unwrap_or(1.0);
    let worst =
        (0..found.classes.len()).max_by(|a, b| missed(&found.classes[*a]).total_cmp(&missed(&found.classes[*b])));
    let told = worst.filter(|class| missed(&found.classes[*class]) > 0.0).map(|class| {
        let (of, name) = (&found.classes[class], short(&answers.classes[class]));
        let hits = found.confusion[class][class];
        format!("; {} of {} {name} are missed ({})", of.support - hits, of.support, percent(missed(of)))
    });
    format!("{examples} texts: {}{}", answers.of, told.unwrap_or_else(|| "; none is missed".to_owned()))
}

fn overall(found: &Evaluation) -> Vec<String> {
    let all = &found.overall;
    let majority = all.majority_accuracy.map(|share| format!("   always the most frequent class: {share:.3}"));
    let rows = [
        ("accuracy", all.accuracy, majority.unwrap_or_default()),
        ("balanced accuracy", all.balanced_accuracy, String::new()),
        ("F1, classes alike", all.macro_f1, String::new()),
        ("F1, by support", all.weighted_f1, String::new()),
        ("Matthews correlation", all.matthews_correlation, String::new()),
        ("Cohen's kappa", all.kappa, String::new()),
        ("calibration error", all.calibration_error, "   how far confidence is from being right".to_owned()),
        ("Brier score", all.brier, "   0 is perfect, 2 the worst".to_owned()),
        ("log loss", all.log_loss, "   nats".to_owned()),
    ];
    rows.into_iter().map(|(name, estimate, more)| format!("{name:<22}{}{more}", told(estimate))).collect()
}

fn per_class(found: &Evaluation, names: &[String]) -> Vec<String> {
    let head = format!(
        "{:<NAME$}{:>8}  {:<22}{:<22}{:<22}{:<22}{}",
        "class", "texts", "precision", "recall", "F1", "ROC area", "average precision"
    );
    let row = |(class, name): (&ClassEvaluation, &String)| {
        let columns =
            [class.precision, class.recall, class.f1, class.roc_area].map(|estimate| format!("{:<22}", told(estimate)));
        format!(
            "{}{:>8}  {}{}",
            left(&short(name), NAME),
            grouped(class.support),
            columns.concat(),
            told(class.average_precision)
        )
    };
    std::iter::once(head).chain(found.classes.iter().zip(names).map(row)).collect()
}

fn confusion(found: &Evaluation, names: &[String]) -> Vec<String> {
    if names.len() > MOST_COLUMNS {
        return most_confused(found, names);
    }
    let head: String = names.iter().map(|name| right(&cut(name, 12), 13)).collect();
    let row = |(counts, name): (&Vec<usize>, &String)| {
        let cells: String = counts.iter().map(|count| format!("{:>13}", grouped(*count))).collect();
        format!("{}{cells}", left(&short(name), NAME))
    };
    std::iter::once(format!("{:<NAME$}{head}", "label \\ answer"))
        .chain(found.confusion.iter().zip(names).map(row))
        .collect()
}

/// The pairs of classes that are taken for each other most.
fn most_confused(found: &Evaluation, names: &[String]) -> Vec<String> {
    let pairs = found.confusion.iter().enumerate().flat_map(|(truth, counts)| {
        counts
            .iter()
            .enumerate()
            .filter(move |(answer, _)| *answer != truth)
            .map(move |(answer, count)| (*count, truth, answer))
    });
    let mut pairs: Vec<_> = pairs.filter(|(count, ..)| *count > 0).collect();
    pairs.sort_unstable_by(|a, b| b.cmp(a));
    let row = |(count, truth, answer): &(usize, usize, usize)| {
        format!("{:>8}  {} taken for {}", grouped(*count), short(&names[*truth]), short(&names[*answer]))
    };
    std::iter::once("most often taken for another class".to_owned()).chain(pairs.iter().take(10).map(row)).collect()
}

fn reliability(found: &Evaluation) -> Vec<String> {
    let row = |bin: &Bin| {
        let interval = bin.right.interval();
        let (low, high) = interval.map_or((0.0, 1.0), |interval| (interval.low, interval.high));
        let doubt = if bin.confidence > high {
            "   too sure"
        } else if bin.confidence < low {
            "   too unsure"
        } else {
            ""
        };
        let range = format!("{:.3} to {:.3}", bin.from, bin.to);
        format!(
            "{range:<NAME$}{:>8.3}   {:>5.3} [{low:.3}, {high:.3}]{:>8}{doubt}",
            bin.confidence,
            bin.right.share().unwrap_or(0.0),
            grouped(bin.right.of)
        )
    };
    let head = format!("{:<NAME$}{:>8}   {:<21}{:>8}", "confidence", "mean", "right", "texts");
    std::iter::once(head).chain(found.reliability.iter().map(row)).collect()
}

/// `0.759 [0.673, 0.827]`.
fn told(estimate: Estimate) -> String {
    match (estimate.value, estimate.interval) {
        (Some(value), Some(interval)) => format!("{value:.3} [{:.3}, {:.3}]", interval.low, interval.high),
        (Some(value), None) => format!("{value:.3} [–]"),
        (None, _) => "not defined".to_owned(),
    }
}

fn short(name: &str) -> String {
    cut(name, NAME - 1)
}

/// The name in at most `most` columns.
fn cut(name: &str, most: usize) -> String {
    if name.width() <= most {
        return name.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        let is_in = width <= room;
        room -= width.min(room);
        is_in
    };
    name.chars().take_while(fits).chain(['…']).collect()
}

/// The text with blanks before it. Letters may be two columns wide.
fn right(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(text.width())) + text
}

/// The text with blanks behind it.
fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}
