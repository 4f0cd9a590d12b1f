//! The engine against references and on whole runs, in one binary because libtorch links slowly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ahead;
mod decoders;
mod exact;
mod family_parity;
mod features;
mod fixture;
mod folders;
mod fuzz;
mod imports;
mod lasso;
mod oracles;
mod packing;
mod pretraining;
mod reasons;
mod runs;
mod soak;
mod windows;
mod wrong_input;
