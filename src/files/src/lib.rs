//! Files at the edge of the program: read within limits, written whole or not at all.
//!
//! ```text
//! regular  opens regular files without following links
//! bounded  reads regular files no larger than their kind can be
//! whole    writes a file under a temporary name, syncs it and renames it
//! ```
//!
//! Knows nothing of runs, models or data sets; every crate that touches a file may use it.

pub mod bounded;
pub mod regular;
pub mod whole;
