//! Formats that other programs open, safe whatever text stands in them.
//!
//! ```text
//! html   pages for a browser: one frame and one style sheet; text is escaped by its type and scrubbed at the end
//! table  CSV for a spreadsheet: text is scrubbed, and no cell is taken for a formula
//! ```
//!
//! Knows nothing of runs or models: it is told what to write, and where.

pub mod html;
pub mod table;
