//! Unlabelled texts for masked language modelling: fresh draws of all domains, none of them in a valid or test set.

use std::collections::HashSet;
use std::path::Path;

use color_eyre::eyre::Result;

use crate::dice::Dice;
use crate::domain::Domain;
use crate::draft::Carrier;
use crate::files;
use crate::set;
use crate::shortcut::RATE;
use crate::split::Split;

/// The random stream of the unlabelled texts, apart from those of the sets.
const STREAM: u64 = 1000;

/// `count` texts, all different, the domains mixed in equal parts.
pub(crate) fn make(count: usize, seed: u64) -> Vec<String> {
    let mut seen = held_out(seed);
    let mut dice = Dice::new(seed, STREAM);
    let mut texts = Vec::with_capacity(count);
    while texts.len() < count {
        let domain = Domain::ALL[texts.len() % Domain::ALL.len()];
        let planted = Carrier::Planted(domain.shortcut().word);
        let carrier = if dice.chance(RATE) { planted } else { Carrier::Free };
        dice.new_text();
        let text = domain.draw(&mut dice, carrier).text;
        if text.is_sound() && seen.insert(set::key(&text.text)) {
            texts.push(text.text);
        }
    }
    texts
}

/// The texts that no model may see before it is measured.
fn held_out(seed: u64) -> HashSet<String> {
    let splits = Domain::ALL.into_iter().flat_map(|domain| set::make(domain, seed));
    let measured = splits.filter(|(split, _)| *split != Split::Train);
    measured.flat_map(|(_, examples)| examples).map(|example| set::key(&example.text)).collect()
}

/// Writes the texts to a file, one a line.
pub(crate) fn write(out: &Path, count: usize, seed: u64) -> Result<()> {
    let mut contents = make(count, seed).join("\n");
    contents.push('\n');
    files::write(out, &contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_fresh_and_different() {
        let texts = make(600, 20);
        let keys: HashSet<String> = texts.iter().map(|text| set::key(text)).collect();
        assert_eq!(keys.len(), 600);
        assert!(held_out(20).is_disjoint(&keys));
        assert_eq!(texts, make(600, 20));
    }

    #[test]
    fn every_text_is_one_line() {
        assert!(make(60, 1).iter().all(|text| !text.contains('\n')));
    }
}
