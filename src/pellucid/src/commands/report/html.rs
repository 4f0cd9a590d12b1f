//! A report as one HTML page that needs nothing else: no network, no script, curves as SVG.

use std::fmt::Write;

use pellucid_protocol::scrub::escape_html;

use super::page::{Block, Curve, Page, Section, WordMap};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1b1f24;\
background:#fff}h1,h2{line-height:1.2}h2{border-bottom:1px solid #ccc;margin-top:2em}table{border-collapse:collapse;\
margin:1em 0;font-size:14px}th,td{text-align:left;padding:.2em .8em;border-bottom:1px solid #ddd;vertical-align:top;\
overflow-wrap:anywhere}th{overflow-wrap:break-word}td:first-child{min-width:7em}\
pre{background:#f4f4f4;padding:.8em;overflow-x:auto;white-space:pre-wrap}figure{display:inline-block;width:18em;\
margin:.5em 1em 1em 0;vertical-align:top}figcaption{font-size:12px;color:#555}svg{width:100%;height:7em;\
border:1px solid #ddd}polyline{fill:none;stroke:#1f5fa8;stroke-width:1.5;vector-effect:non-scaling-stroke}\
.map span{padding:0 .15em;border-bottom:3px solid transparent}.map i{font-size:10px;color:#555;margin-left:.2em}\
.f{border-bottom-color:#1f5fa8!important}.a{border-bottom:3px dashed #b4460f!important}.failed{color:#777;\
filter:grayscale(1)}@media print{body{margin:0;max-width:none}section,figure,tr,.map{break-inside:avoid}}";

/// The page.
pub(super) fn render(page: &Page) -> String {
    let title = escape_html(&page.title);
    let sections: String = page.sections.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n{sections}</body>\n</html>\n"
    )
}

fn section(section: &Section) -> String {
    let blocks: String = section.blocks.iter().map(block).collect();
    format!("<section>\n<h2>{}</h2>\n{blocks}</section>\n", escape_html(&section.title))
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(text) => format!("<p>{}</p>\n", escape_html(text)),
        Block::Code(text) => {
            let lines: Vec<String> = text.lines().map(escape_html).collect();
            format!("<pre>{}</pre>\n", lines.join("\n"))
        }
        Block::Table(head, rows) => {
            let head: String = head.iter().map(|cell| format!("<th>{}</th>", escape_html(cell))).collect();
            let row = |row: &Vec<String>| {
                let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escape_html(cell))).collect();
                format!("<tr>{cells}</tr>\n")
            };
            format!("<table>\n<tr>{head}</tr>\n{}</table>\n", rows.iter().map(row).collect::<String>())
        }
        Block::Curve(curve) => figure(curve),
        Block::Map(map) => words(map),
    }
}

/// A curve in a box of 200 by 100, its range in the caption.
fn figure(curve: &Curve) -> String {
    let Some((least, most)) = curve.range() else { return String::new() };
    let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
    let x =
        |step: u64| if last.0 > first.0 { 200.0 * (step - first.0) as f64 / (last.0 - first.0) as f64 } else { 100.0 };
    let y = |value: f64| if most > least { 96.0 - 92.0 * (value - least) / (most - least) } else { 50.0 };
    let mut line = String::new();
    for (step, value) in &curve.points {
        let _ = write!(line, "{:.1},{:.1} ", x(*step), y(*value));
    }
    format!(
        "<figure><svg viewBox=\"0 0 200 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{name}\">\
         <polyline points=\"{}\"/></svg><figcaption><b>{name}</b>: {:.4} at step {} to {:.4} at step {}; lowest {least:.4}, \
         highest {most:.4}. {}</figcaption></figure>\n",
        line.trim_end(),
        first.1,
        first.0,
        last.1,
        last.0,
        escape_html(&curve.meaning),
        name = escape_html(&curve.name),
    )
}

/// The words of a map: underlined for, dashed against, in grey where a gate has failed.
fn words(map: &WordMap) -> String {
    let strongest = map.words.iter().map(|(_, score)| score.abs()).fold(0.0, f64::max);
    let mut text = String::new();
    for (word, score) in &map.words {
        let kind = match score.abs() * 5.0 >= strongest && *score != 0.0 {
            true if *score > 0.0 => "f",
            true => "a",
            false => "",
        };
        let _ = write!(text, "<span class=\"{kind}\">{}<i>{score:+.3}</i></span> ", escape_html(word));
    }
    let state = if map.holds { "map" } else { "map failed" };
    format!("<p>{}</p>\n<p class=\"{state}\">{text}</p>\n", escape_html(&map.title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(blocks: Vec<Block>) -> String {
        render(&Page { title: "<run>".to_owned(), sections: vec![Section::new("Data", blocks)] })
    }

    #[test]
    fn nothing_of_what_is_shown_is_markup_or_a_command_and_nothing_is_fetched() {
        let hostile = "<script src='http://x'>\u{1b}[31m\"&".to_owned();
        let map = WordMap { title: hostile.clone(), words: vec![(hostile.clone(), 0.5)], holds: true };
        let curve = Curve { name: hostile.clone(), meaning: hostile.clone(), points: vec![(0, 1.0)] };
        let table = Block::Table(vec!["a"], vec![vec![hostile.clone()]]);
        let blocks =
            vec![Block::Text(hostile.clone()), table, Block::Code(hostile), Block::Map(map), Block::Curve(curve)];
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
        let words = vec![("for".into(), 1.0), ("against".into(), -0.5), ("hardly".into(), 0.1)];
        let html = page(vec![Block::Map(WordMap { title: "t".into(), words, holds: false })]);
        for part in
            ["class=\"map failed\"", "class=\"f\">for<i>+1.000", "class=\"a\">against<i>-0.500", "class=\"\">hardly"]
        {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
