//! The event log of a run, a JSON object a line.
//!
//! ```text
//! line         one line and its checksum
//! step_block   steps as columns of numbers
//! step_line    the lines of steps, read without a JSON parser
//! columns      a copy of the steps in a file beside the log
//! version      whether a later version has written to it
//! writer       appends, one event a line
//! reader       reads whole lines, also while the log grows; a long log with several threads
//! backward     reads lines from the end to the start
//! ```
//!
//! Each of these uses only those above it.

pub(crate) mod backward;
mod columns;
pub mod line;
pub mod reader;
pub mod step_block;
mod step_line;
#[cfg(test)]
mod tests;
pub mod version;
pub mod writer;
