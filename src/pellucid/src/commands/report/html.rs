//! A report as one HTML page, its curves as SVG.

use maud::{Markup, html};
use pellucid_formats::html::{self, heat_map};

use super::page::{Block, Curve, Page, Section, WordMap};

/// The page.
pub(super) fn render(page: &Page) -> String {
    html::page(&page.title, html! { @for section in &page.sections { (self::section(section)) "\n" } })
}

fn section(section: &Section) -> Markup {
    html! {
        section {
            "\n" h2 { (section.title) } "\n"
            @for block in &section.blocks { (self::block(block)) "\n" }
        }
    }
}

fn block(block: &Block) -> Markup {
    match block {
        Block::Text(text) => html! { p { (text) } },
        Block::Code(text) => html! { pre { (text.trim_end_matches('\n')) } },
        Block::Table(head, rows) => html! {
            table {
                "\n" tr { @for cell in head { th { (cell) } } } "\n"
                @for row in rows { tr { @for cell in row { td { (cell) } } } "\n" }
            }
        },
        Block::Curve(curve) => figure(curve),
        Block::Map(map) => words(map),
    }
}

/// A curve in a box of 200 by 100, its range in the caption.
fn figure(curve: &Curve) -> Markup {
    let Some((least, most)) = curve.range() else { return Markup::default() };
    let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
    let x =
        |step: u64| if last.0 > first.0 { 200.0 * (step - first.0) as f64 / (last.0 - first.0) as f64 } else { 100.0 };
    let y = |value: f64| if most > least { 96.0 - 92.0 * (value - least) / (most - least) } else { 50.0 };
    let points: Vec<String> =
        curve.points.iter().map(|(step, value)| format!("{:.1},{:.1}", x(*step), y(*value))).collect();
    let range = format!(
        ": {:.4} at step {} to {:.4} at step {}; lowest {least:.4}, highest {most:.4}. ",
        first.1, first.0, last.1, last.0
    );
    html! {
        figure {
            svg viewBox="0 0 200 100" preserveAspectRatio="none" role="img" aria-label=(curve.name) {
                polyline points=(points.join(" ")) {}
            }
            figcaption { b { (curve.name) } (range) (curve.meaning) }
        }
    }
}

/// A text as a heat map, in grey where its map is not to be trusted.
fn words(map: &WordMap) -> Markup {
    html! {
        p { (map.title) } "\n"
        div.map.failed[!map.holds] { (heat_map(&map.words, map.scale)) }
    }
}

#[cfg(test)]
mod tests {
    use pellucid_formats::html::Word;
    use pellucid_protocol::Method;
    use pellucid_protocol::explanation::{Scalar, Scale};

    use super::*;

    fn map(title: &str, words: &[(&str, f64)], holds: bool) -> Block {
        let word = |(word, score): &(&str, f64)| Word { word: (*word).to_owned(), score: *score, error: None };
        let words = words.iter().map(word).collect();
        Block::Map(WordMap {
            title: title.to_owned(),
            words,
            scale: Scale::new(Method::Lime, Scalar::Probability, &[0.5]),
            holds,
        })
    }

    fn page(blocks: Vec<Block>) -> String {
        render(&Page { title: "<run>".to_owned(), sections: vec![Section::new("Data", blocks)] })
    }

    #[test]
    fn nothing_of_what_is_shown_is_markup_or_a_command_and_nothing_is_fetched() {
        let hostile = "<script src='http://x'>\u{1b}[31m\"&".to_owned();
        let map = map(&hostile, &[(&hostile, 0.5)], true);
        let curve = Curve { name: hostile.clone(), meaning: hostile.clone(), points: vec![(0, 1.0)] };
        let table = Block::Table(vec!["a"], vec![vec![hostile.clone()]]);
        let blocks = vec![Block::Text(hostile.clone()), table, Block::Code(hostile), map, Block::Curve(curve)];
        let html = page(blocks);
        assert!(html.contains("<title>&lt;run&gt;</title>") && !html.contains("<script") && !html.contains('\u{1b}'));
        assert!(!html.contains("src=\"") && !html.contains("href") && !html.contains("url("));
        assert_eq!(html.matches("&lt;script").count(), 8);
    }

    #[test]
    fn a_curve_spans_its_box() {
        let curve =
            Curve { name: "loss".into(), meaning: "cross entropy".into(), points: vec![(0, 2.0), (5, 1.0), (10, 1.5)] };
        let html = page(vec![Block::Curve(curve)]);
        assert!(html.contains("points=\"0.0,4.0 100.0,96.0 200.0,50.0\""), "{html}");
        let flat = Curve { name: "a".into(), meaning: String::new(), points: vec![(3, 1.0)] };
        assert!(page(vec![Block::Curve(flat)]).contains("points=\"100.0,50.0\""));
    }

    #[test]
    fn words_against_look_otherwise_and_a_failed_map_is_grey() {
        let words = [("for", 0.5), ("against", -0.25), ("hardly", 0.004)];
        let html = page(vec![map("t", &words, false)]);
        for part in [
            "class=\"map failed\"",
            "class=\"w f h5\" title=\"+50 points\">for<i>+50",
            "class=\"w a h3\" title=\"-25 points\">against<i>-25",
            "class=\"w\" title=\"+0.4 points\">hardly",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
