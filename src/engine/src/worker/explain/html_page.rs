//! Explanations as one page that needs nothing else: no network, no script.
//!
//! Colour says for or against the class, and so does the line below a word: solid for, dashed against, dotted for
//! maps without a sign, the thicker the stronger. A map that has failed a gate is grey and says why. All text goes
//! through [`escape`].

use std::fmt::Write;

use pellucid_protocol::agreement::agreement;
use pellucid_protocol::scrub::escape_html;
use pellucid_protocol::surrogate::Tree;
use pellucid_protocol::work::ExplainWork;
use pellucid_protocol::{Attribution, Check, Removal, Verdict};

use super::explained::Explained;

const STYLE: &str = include_str!("page.css");
/// Steps of heat.
const LEVELS: f64 = 5.0;

/// The page up to the first text.
#[must_use]
pub fn head(work: &ExplainWork, texts: usize) -> String {
    let name = work.model.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let methods: Vec<_> = work.methods.iter().map(|method| method.title()).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
        <meta name=\"viewport\" content=\"width=device-width\">\n\
        <title>What {model} bases its answers on</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
        <h1>What {model} bases its answers on</h1>\n\
        <p class=\"about\">{texts} texts; {methods}; seed {seed}; made by pellucid {version}.<br>\n\
        <span class=\"map\"><span class=\"w f h4\">for</span> the class, solid line; <span class=\"w a h4\">against</span> it, \
        dashed; <span class=\"w u h4\">without sign</span>, dotted; the stronger, the thicker. </span>\
        <span class=\"map failed\"><span class=\"w f h4\">Grey</span></span>: has failed its check, not to be trusted.</p>\n",
        model = escape_html(&name),
        methods = escape_html(&methods.join(", ")),
        seed = work.seed,
        version = env!("CARGO_PKG_VERSION"),
    )
}

/// The end of the page.
#[must_use]
pub fn foot() -> &'static str {
    "</body>\n</html>\n"
}

/// The part of text number `number`.
#[must_use]
pub fn part(explained: &Explained, number: usize) -> String {
    let label =
        explained.row.label.as_deref().map(|label| format!("; labelled {}", escape_html(label))).unwrap_or_default();
    let cut = match explained.explanation.truncated_words {
        0 => String::new(),
        words => format!("; the last {words} words are beyond the model's limit"),
    };
    let mut part = format!(
        "<article>\n<h2>{number}. {} {:.1} % <small>predicted {}{label}{cut}</small></h2>\n",
        escape_html(explained.class()),
        explained.probability() * 100.0,
        escape_html(explained.predicted()),
    );
    let words = explained.words();
    for made in &explained.explanation.attributions {
        part += &map(explained, made, &words);
    }
    part + &agreements(&explained.explanation.attributions) + "</article>\n"
}

fn map(explained: &Explained, made: &Attribution, words: &[String]) -> String {
    let state = if made.is_trusted() { "map" } else { "map failed" };
    let removal = match made.removal {
        Some(Removal::Delete) => "; words deleted",
        Some(Removal::Mask) => "; words masked",
        None => "",
    };
    let sign = if made.is_trusted() { "✓" } else { "✗ not to be trusted" };
    let title = made.method.title();
    let mut text =
        format!("<section class=\"{state}\">\n<h3>{title} <small>{}{removal}; ", escape_html(&explained.scalar(made)));
    let _ = writeln!(text, "{sign}</small></h3>");
    for reason in made.checks.iter().filter_map(Check::objection) {
        let _ = writeln!(text, "<p class=\"why\">{}</p>", escape_html(&reason));
    }
    let strongest = made.scores.iter().fold(0.0_f64, |most, score| most.max(score.abs()));
    text += "<p class=\"words\">";
    for (index, (word, score)) in words.iter().zip(&made.scores).enumerate() {
        let error = made.errors.get(index).map(|error| format!(" ± {error:.4}")).unwrap_or_default();
        let kind = heat(*score, strongest, made.method.is_signed());
        let _ = write!(
            text,
            "<span class=\"w{kind}\" title=\"{score:+.6}{error}\">{}<i>{score:+.3}</i></span> ",
            escape_html(word)
        );
    }
    text += "</p>\n";
    text += &made.tree.as_ref().map(|tree| rules(tree, words)).unwrap_or_default();
    text += "<ul class=\"checks\">";
    for check in &made.checks {
        let _ = write!(text, "<li>{} {}</li>", verdict_sign(check), escape_html(&check.measured()));
    }
    text + "</ul>\n</section>\n"
}

fn verdict_sign(check: &Check) -> &'static str {
    match check.verdict() {
        Verdict::Passed => "✓",
        Verdict::Failed => "✗",
        Verdict::Informative => "·",
    }
}

fn cell(agreement: Option<f64>) -> String {
    agreement.map_or_else(|| "<td>–</td>".to_owned(), |found| format!("<td>{found:.2}</td>"))
}

/// The classes of a word: for, against or neither, and how strongly.
fn heat(score: f64, strongest: f64, signed: bool) -> String {
    let level = if strongest > 0.0 { (score.abs() / strongest * LEVELS).round() } else { 0.0 };
    match level as u32 {
        0 => String::new(),
        level if !signed => format!(" u h{level}"),
        level if score > 0.0 => format!(" f h{level}"),
        level => format!(" a h{level}"),
    }
}

fn rules(tree: &Tree, words: &[String]) -> String {
    let condition = |condition: &pellucid_protocol::surrogate::Condition| {
        format!("{} {}", if condition.present { "with" } else { "without" }, escape_html(&words[condition.word]))
    };
    let rule = |rule: &pellucid_protocol::surrogate::Rule| {
        let conditions: Vec<_> = rule.conditions.iter().map(condition).collect();
        let when = if conditions.is_empty() { "always".to_owned() } else { conditions.join(" and ") };
        format!("<tr><th>{when}</th><td>{:.3}</td><td>{:.0} %</td></tr>\n", rule.probability, rule.coverage * 100.0)
    };
    let rows: String = tree.rules.iter().map(rule).collect();
    format!("<table><tr><th>rule</th><th>value</th><th>coverage</th></tr>\n{rows}</table>\n")
}

/// How far each pair of maps agrees; nothing of one map alone.
fn agreements(made: &[Attribution]) -> String {
    if made.len() < 2 {
        return String::new();
    }
    let names: String = made.iter().map(|made| format!("<th>{}</th>", made.method.title())).collect();
    let row = |left: &Attribution| {
        let cells: String = made.iter().map(|right| cell(agreement(left, right))).collect();
        format!("<tr><th>{}</th>{cells}</tr>\n", left.method.title())
    };
    let rows: String = made.iter().map(row).collect();
    format!(
        "<section><h3>Agreement <small>Spearman's correlation; by size where a map has no sign</small></h3>\n\
        <table><tr><th></th>{names}</tr>\n{rows}</table></section>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup_or_a_command() {
        assert_eq!(escape_html("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        assert!(!escape_html("a\u{1b}[31mb\u{202e}c").contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn heat_has_a_sign_and_a_size() {
        assert_eq!(heat(1.0, 1.0, true), " f h5");
        assert_eq!((heat(-0.5, 1.0, true), heat(0.5, 1.0, false)), (" a h3".to_owned(), " u h3".to_owned()));
        assert_eq!((heat(0.01, 1.0, true), heat(0.0, 0.0, true)), (String::new(), String::new()));
    }
}
