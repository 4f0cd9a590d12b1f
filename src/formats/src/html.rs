//! HTML pages that need nothing else: no network, no script, one style sheet within.
//!
//! Markup is written with [`maud::html!`], which escapes every text because of its type. [`begin`], [`part`] and
//! [`page`] turn markup into the text of a page, and scrub it on the way, so that a page printed on a terminal cannot
//! steer it.

use maud::{Markup, PreEscaped, html};
use pellucid_protocol::scrub::scrub;

const STYLE: &str = include_str!("page.css");
/// Nothing is loaded and nothing runs, whatever gets into a page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The steps in which the colour of a word grows stronger.
const LEVELS: f64 = 5.0;

/// What follows the last part of a page.
pub const END: &str = "</body>\n</html>\n";

/// A whole page.
#[must_use]
pub fn page(title: &str, body: Markup) -> String {
    begin(title) + &part(body) + END
}

/// A page up to its heading, for pages that are written piece by piece: [`part`]s follow, then [`END`].
#[must_use]
pub fn begin(title: &str) -> String {
    let head = html! {
        head {
            "\n" meta charset="utf-8";
            "\n" meta http-equiv="Content-Security-Policy" content=(POLICY);
            "\n" meta name="viewport" content="width=device-width";
            "\n" title { (title) }
            "\n" style { (PreEscaped(STYLE)) }
            "\n"
        }
        "\n"
    };
    format!("<!doctype html>\n<html lang=\"en\">\n{}<body>\n{}", part(head), part(html! { h1 { (title) } "\n" }))
}

/// A piece of a page as text. Control characters and whatever else steers a terminal are made visible.
#[must_use]
pub fn part(markup: Markup) -> String {
    let text = markup.into_string();
    let lines: Vec<_> = text.split('\n').map(scrub).collect();
    lines.join("\n")
}

/// A word with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The word as it stands in the text.
    pub word: String,
    /// Its score.
    pub score: f64,
    /// The standard error of the score, where the score is estimated from samples.
    pub error: Option<f64>,
}

/// What the sign of a score says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Above zero a word speaks for the class, below zero against it.
    ForOrAgainst,
    /// The method has no sign: a score is a size.
    None,
}

impl Sign {
    /// The sign of a method's scores: whether it `is_signed`.
    #[must_use]
    pub fn of(is_signed: bool) -> Self {
        if is_signed { Sign::ForOrAgainst } else { Sign::None }
    }
}

/// A text as a heat map: words coloured by their scores, which stand below them.
///
/// A line below each word says the same without colour: solid for, dashed against, dotted without a sign; the
/// stronger, the thicker. The map belongs into an element of class `map`, or `map failed` if its map is not to be
/// trusted.
#[must_use]
pub fn heat_map(words: &[Word], sign: Sign) -> Markup {
    let strongest = words.iter().fold(0.0_f64, |most, word| most.max(word.score.abs()));
    html! {
        p.words {
            @for Word { word, score, error } in words {
                @let error = error.map(|error| format!(" ± {error:.4}")).unwrap_or_default();
                span class=(heat(*score, strongest, sign)) title=(format!("{score:+.6}{error}")) {
                    (word) i { (format!("{score:+.3}")) }
                } " "
            }
        }
    }
}

/// What the colours and lines of a [`heat_map`] mean.
#[must_use]
pub fn legend() -> Markup {
    html! {
        span.map {
            span class=(heat(0.8, 1.0, Sign::ForOrAgainst)) { "for" } " the class, solid line; "
            span class=(heat(-0.8, 1.0, Sign::ForOrAgainst)) { "against" } " it, dashed; "
            span class=(heat(0.8, 1.0, Sign::None)) { "without sign" } ", dotted; the stronger, the thicker. "
        }
        span.map.failed { span class=(heat(0.8, 1.0, Sign::ForOrAgainst)) { "Grey" } }
        ": has failed its check, not to be trusted."
    }
}

/// The classes of a word in the style sheet: for, against or neither, and how strongly.
fn heat(score: f64, strongest: f64, sign: Sign) -> String {
    let level = if strongest > 0.0 { (score.abs() / strongest * LEVELS).round() } else { 0.0 };
    let side = match (sign, score > 0.0) {
        (Sign::None, _) => "u",
        (Sign::ForOrAgainst, true) => "f",
        (Sign::ForOrAgainst, false) => "a",
    };
    // A score that is no number has no level.
    if level >= 1.0 { format!("w {side} h{level}") } else { "w".to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_has_one_frame_and_fetches_nothing() {
        let page = page("<run>", html! { p { "text" } });
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"), "{page}");
        assert!(page.contains("<title>&lt;run&gt;</title>") && page.contains("<h1>&lt;run&gt;</h1>\n<p>text</p>"));
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\"") && page.ends_with(END));
        for outside in ["http:", "https:", "src=", "href", "url(", "<script", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn a_page_shows_markup_and_commands_as_text() {
        let text = "<b a='1'>&\"\u{1b}";
        assert_eq!(part(html! { p title=(text) { (text) } }), {
            let safe = "&lt;b a='1'&gt;&amp;&quot;\u{241b}";
            format!("<p title=\"{safe}\">{safe}</p>")
        });
        assert!(!part(html! { "a\u{1b}[31mb\u{202e}c\r" }).contains(['\u{1b}', '\u{202e}', '\r']));
        assert_eq!(part(html! { "a\nb\n" }), "a\nb\n");
    }

    #[test]
    fn heat_has_a_sign_and_a_size() {
        let level = |score, strongest, sign| heat(score, strongest, sign);
        assert_eq!(level(1.0, 1.0, Sign::ForOrAgainst), "w f h5");
        assert_eq!(level(-0.5, 1.0, Sign::ForOrAgainst), "w a h3");
        assert_eq!(level(0.5, 1.0, Sign::None), "w u h3");
        for (score, strongest) in [(0.01, 1.0), (0.0, 0.0), (f64::NAN, 1.0)] {
            assert_eq!(level(score, strongest, Sign::ForOrAgainst), "w");
        }
    }

    #[test]
    fn words_stand_above_their_scores() {
        let word = |word: &str, score, error| Word { word: word.to_owned(), score, error };
        let map = heat_map(&[word("for", 1.0, None), word("<i>", -0.5, Some(0.25))], Sign::ForOrAgainst);
        assert_eq!(
            map.into_string(),
            "<p class=\"words\"><span class=\"w f h5\" title=\"+1.000000\">for<i>+1.000</i></span> \
             <span class=\"w a h3\" title=\"-0.500000 ± 0.2500\">&lt;i&gt;<i>-0.500</i></span> </p>"
        );
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup_or_a_command(text in any::<String>()) {
            let shown = part(html! { (text) });
            prop_assert!(!shown.contains(['<', '>']));
            prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
