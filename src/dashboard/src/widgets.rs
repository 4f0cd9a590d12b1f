//! What screens are drawn with: nothing here knows what a run is.

pub(crate) mod bar;
pub(crate) mod heat;
pub(crate) mod paper;
pub(crate) mod plain;
pub(crate) mod spark;
pub(crate) mod table;
