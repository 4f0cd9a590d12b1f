//! One integration binary: the house rules, and the real programs from end to end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod after_the_end;
mod binary;
mod claims;
mod dashboard;
mod data;
mod evaluate;
mod explaining;
mod explanations;
mod folder;
mod headless;
mod hostile;
mod hostile_data;
mod import;
mod job;
mod limits;
mod moved;
mod numbers;
mod ownership;
mod pasted;
mod private;
mod program;
mod pull;
mod recorded;
mod resume;
mod sequences;
mod survival;
mod sweep;
mod terminal;
mod texts;
mod tidy;
mod wrong_input;
