//! Explainers and faithfulness as pure functions over an oracle and a seed: f64, no torch, no I/O.

pub mod oracle;
