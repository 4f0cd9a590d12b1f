//! A report as Markdown.

use std::fmt::Write;

use pellucid_formats::html::Word;
use pellucid_protocol::scrub::scrub;

use super::page::{Block, Curve, Page, Section, WordMap};

/// Text that Markdown and HTML show as it is: what they would take for markup is escaped.
fn plain(text: &str) -> String {
    let mut safe = String::new();
    for character in scrub(text).chars() {
        if "\\`*_[]<>|#&".contains(character) {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

/// The page.
pub(super) fn render(page: &Page) -> String {
    let sections: String = page.sections.iter().map(section).collect();
    format!("# {}\n{sections}", plain(&page.title))
}

fn section(section: &Section) -> String {
    let blocks: String = section.blocks.iter().map(|part| format!("\n{}", block(part))).collect();
    format!("\n## {}\n{blocks}", plain(&section.title))
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(text) => plain(text) + "\n",
        // Indented: no fence that a text could close.
        Block::Code(text) => text.lines().fold(String::new(), |all, line| all + "    " + &scrub(line) + "\n"),
        Block::Table(head, rows) => {
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            let rule = line(vec!["---".to_owned(); head.len()]);
            let rows: String = rows.iter().map(|row| line(row.iter().map(|cell| plain(cell)).collect())).collect();
            line(head.iter().map(|cell| plain(cell)).collect()) + &rule + &rows
        }
        Block::Curve(curve) => figure(curve),
        Block::Map(map) => words(map),
    }
}

/// A curve as its ends and its range.
fn figure(curve: &Curve) -> String {
    let Some((least, most)) = curve.range() else { return String::new() };
    let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
    format!(
        "- {}: {:.4} at step {} to {:.4} at step {}; lowest {least:.4}, highest {most:.4}\n",
        plain(&curve.name),
        first.1,
        first.0,
        last.1,
        last.0
    )
}

fn words(map: &WordMap) -> String {
    let mut text = format!("{}{}:\n\n", plain(&map.title), if map.holds { "" } else { " (not to be trusted)" });
    for Word { word, score, .. } in &map.words {
        let _ = write!(text, "{} ({}) ", plain(word), map.scale.written(*score));
    }
    text.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Method;
    use pellucid_protocol::explanation::{Scalar, Scale};

    use super::*;

    #[test]
    fn a_text_stays_text() {
        let word = Word { word: "w_1".into(), score: 0.5, error: None };
        let blocks = vec![
            Block::Text("<b> `a` | *b* \u{1b}[31m".to_owned()),
            Block::Table(vec!["x"], vec![vec!["a|b".to_owned()]]),
            Block::Code("```\nrm".to_owned()),
            Block::Map(WordMap {
                title: "t".into(),
                words: vec![word],
                scale: Scale::new(Method::Lime, Scalar::Probability, &[0.5]),
                holds: false,
            }),
        ];
        let page = Page { title: "run".into(), sections: vec![Section::new("S", blocks)] };
        let text = render(&page);
        for part in [
            "# run\n",
            "\\<b\\> \\`a\\` \\| \\*b\\*",
            "| a\\|b |",
            "    ```\n    rm\n",
            "t (not to be trusted):\n\nw\\_1 (+50)",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
