//! What may be told of private rows: no cell, but labels that many rows share.

use pellucid_protocol::readable::counted;
use pellucid_protocol::settings::Switch;

use super::{Label, Rows, columns};

/// Rows that share a label from which it says nothing of one of them.
const SHARED: usize = 5;

/// That these columns stand for nothing. What stands where names are looked for may be a row.
pub(super) fn unused(names: &[String], private: Switch) -> String {
    match private {
        Switch::On => format!("{} not used", counted(names.len(), "column")),
        Switch::Off => format!("columns not used: {}", columns::listed(names)),
    }
}

impl Rows {
    /// A label as it is told: by its name in quotes; by the line of its first row, where the data are private and few
    /// rows share it, for it may be a text.
    #[must_use]
    pub fn told_label(&self, label: &Label) -> String {
        match self.private {
            Switch::On if label.count < SHARED => format!("the label of line {}", self.line(label.first)),
            Switch::On | Switch::Off => format!("`{}`", label.name),
        }
    }

    /// Whether no cell of the data is told, but for labels that many rows share.
    #[must_use]
    pub fn private(&self) -> Switch {
        self.private
    }
    /// The id of a row, or else the line where it starts: what stands for its text where that must not be written.
    #[must_use]
    pub fn name(&self, row: usize) -> String {
        self.id(row).map_or_else(|| format!("line {}", self.line(row)), str::to_owned)
    }
}
