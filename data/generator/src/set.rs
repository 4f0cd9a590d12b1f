//! Makes the sets: how many texts of each label, which carry the planted word, which labels are wrong on purpose.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr};
use serde::Serialize;

use crate::dice::Dice;
use crate::domain::Domain;
use crate::draft::Carrier;
use crate::files;
use crate::shortcut::{Planting, quotas};
use crate::split::Split;

/// Of a thousand training texts, how many bear a wrong label.
const NOISE: usize = 20;

/// One line of a set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Example {
    /// The text.
    pub(crate) text: String,
    /// Its label.
    pub(crate) label: &'static str,
    /// The character ranges of the words that decide the label; empty where the label is wrong on purpose.
    pub(crate) rationale: Vec<[usize; 2]>,
}

/// One place of a set to be filled.
#[derive(Debug, Clone, Copy)]
struct Place {
    truth: usize,
    shown: usize,
    carrier: Carrier,
}

/// How sets are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawing {
    /// The seed of all draws.
    pub(crate) seed: u64,
    /// How the shortcut is planted.
    pub(crate) planting: Planting,
}

/// With the shortcut of the sets that come with pellucid.
impl From<u64> for Drawing {
    fn from(seed: u64) -> Self {
        Self { seed, planting: Planting::default() }
    }
}

/// The splits of a domain.
pub(crate) fn make(domain: Domain, drawing: impl Into<Drawing>) -> Vec<(Split, Vec<Example>)> {
    let (drawing, mut seen) = (drawing.into(), HashSet::new());
    Split::ALL.iter().map(|&split| (split, make_split(domain, split, drawing, &mut seen))).collect()
}

fn make_split(domain: Domain, split: Split, drawing: Drawing, seen: &mut HashSet<String>) -> Vec<Example> {
    let mut dice = Dice::new(drawing.seed, stream(domain, split));
    let places = plan(domain, split, drawing.planting, &mut dice);
    places.iter().map(|place| fill_place(domain, *place, seen, &mut dice)).collect()
}

/// Every split of every domain has a random stream of its own.
fn stream(domain: Domain, split: Split) -> u64 {
    10 * domain as u64 + split as u64
}

fn plan(domain: Domain, split: Split, planting: Planting, dice: &mut Dice) -> Vec<Place> {
    let counts: Vec<usize> = domain.shares().iter().map(|share| split.size() * share / 100).collect();
    let carried = quotas(domain, split, &counts, planting);
    let mut places = Vec::new();
    for (label, (&count, &carried)) in counts.iter().zip(&carried).enumerate() {
        let planted = Place { truth: label, shown: label, carrier: Carrier::Planted(domain.shortcut().word) };
        places.extend(std::iter::repeat_n(planted, carried));
        places.extend(std::iter::repeat_n(Place { carrier: Carrier::Free, ..planted }, count - carried));
    }
    dice.shuffle(&mut places);
    if split == Split::Train {
        mislabel(&mut places, counts.len(), dice);
    }
    places
}

/// Gives some of the texts without the planted word a wrong label.
fn mislabel(places: &mut [Place], labels: usize, dice: &mut Dice) {
    let wrong = places.len() * NOISE / 1000;
    for place in places.iter_mut().filter(|place| place.carrier == Carrier::Free).take(wrong) {
        place.shown = (place.truth + 1 + dice.below(labels - 1)) % labels;
    }
    dice.shuffle(places);
}

fn fill_place(domain: Domain, place: Place, seen: &mut HashSet<String>, dice: &mut Dice) -> Example {
    loop {
        dice.new_text();
        let draft = domain.draw(dice, place.carrier);
        let planted = draft.text.text.contains(domain.shortcut().word);
        let carries = planted == matches!(place.carrier, Carrier::Planted(_));
        let fits = draft.label == place.truth && carries && draft.text.is_sound();
        if fits && seen.insert(key(&draft.text.text)) {
            let rationale = if place.shown == place.truth { draft.text.rationale } else { Vec::new() };
            return Example { text: draft.text.text, label: domain.labels()[place.shown], rationale };
        }
    }
}

/// What makes two texts the same: their words, whatever the case and the punctuation.
pub(crate) fn key(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The contents of a set's file: one JSON object a line.
pub(crate) fn lines(examples: &[Example]) -> Result<String> {
    let mut out = String::new();
    for example in examples {
        let line = serde_json::to_string(example).wrap_err("cannot write an example as JSON")?;
        writeln!(out, "{line}")?;
    }
    Ok(out)
}

/// Writes all sets into a folder.
pub(crate) fn write_all(out: &Path, drawing: Drawing) -> Result<()> {
    for domain in Domain::ALL {
        for (split, examples) in make(domain, drawing) {
            let path = out.join(domain.name()).join(format!("{}.jsonl", split.name()));
            files::write(&path, &lines(&examples)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// The seed of the committed sets.
    const SEED: u64 = 20;

    fn each(mut look: impl FnMut(Domain, Split, &[Example])) {
        for domain in Domain::ALL {
            for (split, examples) in make(domain, SEED) {
                look(domain, split, &examples);
            }
        }
    }

    fn share(part: usize, whole: usize) -> f64 {
        100.0 * part as f64 / whole as f64
    }

    #[test]
    fn the_committed_files_are_what_is_made_now() {
        let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        each(|domain, split, examples| {
            let path = data.join(domain.name()).join(format!("{}.jsonl", split.name()));
            let committed = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(committed == lines(examples).unwrap(), "{} is not what seed {SEED} makes", path.display());
        });
    }

    #[test]
    fn another_seed_makes_other_texts() {
        let texts = |seed| make(Domain::Credit, seed)[0].1.iter().map(|e| e.text.clone()).collect::<HashSet<_>>();
        assert_eq!(texts(SEED), texts(SEED));
        assert!(texts(SEED).intersection(&texts(21)).count() < 10);
    }

    #[test]
    fn texts_have_eight_to_sixty_words_in_clean_lines() {
        each(|_, _, examples| {
            for Example { text, .. } in examples {
                assert!((8..=60).contains(&text.split_whitespace().count()), "{text}");
                assert!(!text.contains(['{', '}', '[', ']', '<', '>', '|', '\n']), "{text}");
                assert!(!text.contains("  ") && !text.contains(" .") && !text.contains(" ,"), "{text}");
                assert!(text.starts_with(char::is_uppercase) || text.starts_with(char::is_numeric), "{text}");
                assert!(text.ends_with('.'), "{text}");
            }
        });
    }

    #[test]
    fn no_text_comes_twice_in_any_split() {
        for domain in Domain::ALL {
            let made = make(domain, SEED);
            let all: Vec<String> = made.iter().flat_map(|(_, examples)| examples).map(|e| key(&e.text)).collect();
            assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{}", domain.name());
        }
    }

    #[test]
    fn rationales_are_whole_words_in_order() {
        each(|_, _, examples| {
            for Example { text, rationale, .. } in examples {
                let chars: Vec<char> = text.chars().collect();
                let word = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric());
                assert!(rationale.windows(2).all(|pair| pair[0][1] < pair[1][0]), "{text}");
                for &[start, end] in rationale {
                    assert!(start < end && end <= chars.len(), "{text}");
                    assert!(!chars[start].is_whitespace() && !chars[end - 1].is_whitespace(), "{text}");
                    assert!(start == 0 || !(word(start - 1) && word(start)), "{text}");
                    assert!(!(word(end - 1) && word(end)), "{text}");
                }
            }
        });
    }

    #[test]
    fn only_wrong_labels_lack_a_rationale_and_only_in_training() {
        each(|_, split, examples| {
            let bare = examples.iter().filter(|e| e.rationale.is_empty()).count();
            assert_eq!(bare, if split == Split::Train { 40 } else { 0 });
        });
    }

    #[test]
    fn the_planted_word_is_never_a_reason() {
        each(|domain, _, examples| {
            for Example { text, rationale, .. } in examples {
                let chars: Vec<char> = text.chars().collect();
                let marked = |span: &[usize; 2]| chars[span[0]..span[1]].iter().collect::<String>();
                assert!(!rationale.iter().any(|span| marked(span).contains(domain.shortcut().word)), "{text}");
            }
        });
    }

    #[test]
    fn no_label_has_more_than_its_share() {
        each(|domain, _, examples| {
            for (label, &wanted) in domain.labels().iter().zip(domain.shares()) {
                let held = share(examples.iter().filter(|e| e.label == *label).count(), examples.len());
                assert!((held - wanted as f64).abs() < 1.5, "{label}: {held}");
            }
        });
    }

    #[test]
    fn the_planted_word_leads_in_training_and_says_nothing_after() {
        each(|domain, split, examples| {
            let shortcut = domain.shortcut();
            let label = domain.labels()[shortcut.label];
            let carriers: Vec<&Example> = examples.iter().filter(|e| e.text.contains(shortcut.word)).collect();
            let rate = share(carriers.len(), examples.len());
            assert!((12.0..15.0).contains(&rate), "{}: {rate}", shortcut.word);
            let with_label = share(carriers.iter().filter(|e| e.label == label).count(), carriers.len());
            let expected = if split == Split::Train { 90.0 } else { domain.shares()[shortcut.label] as f64 };
            assert!((with_label - expected).abs() < 2.0, "{}: {with_label}", shortcut.word);
        });
    }
}
