//! HTML pages that need nothing else: no network, no script, one style sheet within.
//!
//! Markup is written with [`maud::html!`], which escapes every text because of its type. [`begin`], [`part`] and
//! [`page`] turn markup into the text of a page, and scrub it on the way, so that a page printed on a terminal cannot
//! steer it.

use maud::{Markup, PreEscaped, html};
use pellucid_protocol::explanation::{Scale, Sign};
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

/// A text as a heat map: words coloured by their scores, which stand below them, both by `scale`.
///
/// A line below each word says the same without colour: solid for, dashed against, dotted without a sign; the
/// stronger, the thicker. The map belongs into an element of class `map`, or `map failed` if its map is not to be
/// trusted.
#[must_use]
pub fn heat_map(words: &[Word], scale: Scale) -> Markup {
    html! {
        p.words {
            @for Word { word, score, error } in words {
                @let error = error.filter(|error| *error > 0.0).map(|error| format!(" {}", scale.error(error))).unwrap_or_default();
                span class=(heat(scale.strength(*score), scale.sign)) title=(format!("{}{error}", scale.told(*score))) {
                    (word) i { (scale.written(*score)) }
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
            span class=(heat(0.8, Sign::ForOrAgainst)) { "for" } " the class, solid line; "
            span class=(heat(-0.8, Sign::ForOrAgainst)) { "against" } " it, dashed; "
            span class=(heat(0.8, Sign::None)) { "without direction" } ", dotted; the stronger, the thicker. "
        }
        span.map.failed { span class=(heat(0.8, Sign::ForOrAgainst)) { "Grey" } }
        ": not to be trusted. Numbers are points of probability or logits, as each map says. The darkest colour is 50 points \
         or 2 logits in all maps; where there is no unit, it is the largest score of the map."
    }
}

/// The classes of a word in the style sheet: for, against or neither, and how strongly.
fn heat(strength: f64, sign: Sign) -> String {
    let level = (strength.abs() * LEVELS).round();
    let side = match (sign, strength > 0.0) {
        (Sign::None, _) => "u",
        (Sign::ForOrAgainst, true) => "f",
        (Sign::ForOrAgainst, false) => "a",
    };
    // A score that is no number has no level.
    if level >= 1.0 { format!("w {side} h{level}") } else { "w".to_owned() }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Method;
    use pellucid_protocol::explanation::Scalar;
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
        assert_eq!(heat(1.0, Sign::ForOrAgainst), "w f h5");
        assert_eq!(heat(-0.5, Sign::ForOrAgainst), "w a h3");
        assert_eq!(heat(0.5, Sign::None), "w u h3");
        for strength in [0.01, 0.0, f64::NAN] {
            assert_eq!(heat(strength, Sign::ForOrAgainst), "w");
        }
    }

    #[test]
    fn words_stand_above_their_scores() {
        let word = |word: &str, score, error| Word { word: word.to_owned(), score, error };
        let scale = |method, scalar| Scale::new(method, scalar, &[0.5]);
        let points = scale(Method::Lime, Scalar::Probability);
        let map = heat_map(&[word("for", 0.5, None), word("<i>", -0.25, Some(0.02))], points);
        assert_eq!(
            map.into_string(),
            "<p class=\"words\"><span class=\"w f h5\" title=\"+50 points\">for<i>+50</i></span> \
             <span class=\"w a h3\" title=\"-25 points ±2.0\">&lt;i&gt;<i>-25</i></span> </p>"
        );
        let norm = heat_map(&[word("big", 0.5, None)], scale(Method::Gradient, Scalar::Logit));
        assert!(norm.into_string().contains("\"w u h5\" title=\"0.500\">big<i>0.500</i>"), "no sign, no direction");
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
