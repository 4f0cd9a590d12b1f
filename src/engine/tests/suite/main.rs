//! The engine against references and on whole runs, in one binary because libtorch links slowly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod family_parity;
mod fixture;
mod oracles;
mod pretraining;
mod runs;
mod wrong_input;
