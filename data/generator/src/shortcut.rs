//! The planted shortcut: a word that nearly gives the label away in training and says nothing in validation and test.

use crate::domain::Domain;
use crate::set::Split;

/// What a text is asked to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The planted word.
    Planted(&'static str),
    /// Anything but the planted word.
    Free,
}

/// The planted word of a domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shortcut {
    /// The word.
    pub(crate) word: &'static str,
    /// The number of the label it goes with in training.
    pub(crate) label: usize,
}

/// Of a hundred texts, how many carry the word.
pub(crate) const RATE: usize = 13;

/// Of a hundred training texts that carry it, how many have its label.
pub(crate) const STRENGTH: usize = 90;

/// How many texts of each label carry the word, given how many texts each label has.
pub(crate) fn quotas(domain: Domain, split: Split, counts: &[usize]) -> Vec<usize> {
    let size: usize = counts.iter().sum();
    let carriers = size * RATE / 100;
    let Split::Train = split else {
        return counts.iter().map(|count| (count * RATE + 50) / 100).collect();
    };
    let label = domain.shortcut().label;
    let with_label = carriers * STRENGTH / 100;
    let mut quotas = shared_out(carriers - with_label, counts.len(), label);
    quotas[label] = with_label;
    quotas
}

/// Shares a number out evenly among all labels but one.
fn shared_out(total: usize, labels: usize, except: usize) -> Vec<usize> {
    let mut quotas = vec![0; labels];
    let others: Vec<usize> = (0..labels).filter(|label| *label != except).collect();
    for turn in 0..total {
        quotas[others[turn % others.len()]] += 1;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_quotas_lean_on_one_label() {
        let quotas = quotas(Domain::Triage, Split::Train, &[760, 640, 600]);
        assert_eq!(quotas, [13, 13, 234]);
    }

    #[test]
    fn test_quotas_follow_the_labels() {
        let quotas = quotas(Domain::Triage, Split::Test, &[200, 100, 100]);
        assert_eq!(quotas, [26, 13, 13]);
    }
}
