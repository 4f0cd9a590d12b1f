//! What screens are drawn with: nothing here knows what a run is.

pub mod bar;
pub mod curve;
pub mod heat;
pub mod paper;
pub mod plain;
pub mod spark;
pub mod table;
