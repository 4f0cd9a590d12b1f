//! The three domains: their names, labels, shares and planted words, and which generator makes their texts.

use crate::dice::Dice;
use crate::draft::{Carrier, Draft};
use crate::{clauses, credit, triage};

/// The planted word of a domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shortcut {
    /// The word.
    pub(crate) word: &'static str,
    /// The number of the label it goes with in training.
    pub(crate) label: usize,
}

/// A field of work with a data set of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Medicine: triage notes.
    Triage,
    /// Finance: credit memos.
    Credit,
    /// Law: contract clauses.
    Clauses,
}

impl Domain {
    /// All of them, in the order of their random streams.
    pub(crate) const ALL: [Self; 3] = [Self::Triage, Self::Credit, Self::Clauses];

    /// The name of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Credit => "credit",
            Self::Clauses => "clauses",
        }
    }

    /// Its labels, in the order of their numbers.
    pub(crate) fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Triage => triage::LABELS,
            Self::Credit => credit::LABELS,
            Self::Clauses => clauses::LABELS,
        }
    }

    /// Of a hundred texts, how many have each label.
    pub(crate) fn shares(self) -> &'static [usize] {
        match self {
            Self::Triage => &[37, 34, 29],
            Self::Credit => &[52, 48],
            Self::Clauses => &[20, 20, 20, 20, 20],
        }
    }

    /// Its planted word.
    pub(crate) fn shortcut(self) -> Shortcut {
        match self {
            Self::Triage => Shortcut { word: "Ashdown", label: 2 },
            Self::Credit => Shortcut { word: "Pemberton", label: 1 },
            Self::Clauses => Shortcut { word: "Halden", label: 0 },
        }
    }

    /// Draws one text.
    pub(crate) fn draw(self, dice: &mut Dice, carrier: Carrier) -> Draft {
        match self {
            Self::Triage => triage::draw(dice, carrier),
            Self::Credit => credit::draw(dice, carrier),
            Self::Clauses => clauses::draw(dice, carrier),
        }
    }
}
