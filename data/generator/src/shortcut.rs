//! The planted shortcut: a word that nearly gives the label away in training and says nothing in validation and test.

use crate::domain::Domain;
use crate::split::Split;

/// Of a hundred texts, how many carry the word.
pub(crate) const RATE: usize = 13;

/// Of a hundred training texts that carry it, how many have its label.
pub(crate) const STRENGTH: usize = 90;

/// How the word of a domain is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planting {
    /// Of a hundred texts, how many carry the word.
    pub(crate) rate: usize,
    /// Of a hundred training texts that carry it, how many have its label; none where it goes with all labels alike,
    /// in training as afterwards.
    pub(crate) strength: Option<usize>,
}

/// As in the sets that come with pellucid.
impl Default for Planting {
    fn default() -> Self {
        Self { rate: RATE, strength: Some(STRENGTH) }
    }
}

/// How many texts of each label carry the word, given how many texts each label has. Where a label has too few texts
/// for its share, all of them do.
pub(crate) fn quotas(domain: Domain, split: Split, counts: &[usize], planting: Planting) -> Vec<usize> {
    let size: usize = counts.iter().sum();
    let carriers = size * planting.rate / 100;
    let (Split::Train, Some(strength)) = (split, planting.strength) else {
        return counts.iter().map(|count| (count * planting.rate + 50) / 100).collect();
    };
    let label = domain.shortcut().label;
    let with_label = carriers * strength / 100;
    let mut quotas = shared_out(carriers - with_label, counts.len(), label);
    quotas[label] = with_label.min(counts[label]);
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
        let quotas = quotas(Domain::Triage, Split::Train, &[760, 640, 600], Planting::default());
        assert_eq!(quotas, [13, 13, 234]);
    }

    #[test]
    fn test_quotas_follow_the_labels() {
        let quotas = quotas(Domain::Triage, Split::Test, &[200, 100, 100], Planting::default());
        assert_eq!(quotas, [26, 13, 13]);
    }

    #[test]
    fn a_control_follows_the_labels_in_training_too() {
        let control = Planting { strength: None, ..Planting::default() };
        assert_eq!(quotas(Domain::Triage, Split::Train, &[1000, 500, 500], control), [130, 65, 65]);
        let much = Planting { rate: 50, strength: Some(90) };
        assert_eq!(quotas(Domain::Triage, Split::Train, &[760, 640, 600], much), [50, 50, 600]);
    }
}
