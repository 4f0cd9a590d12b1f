//! The model behind the oracles of `pellucid-explain`, directly or across a channel.
//!
//! ```text
//! explainer thread: attribute(RemoteOracle) ──query──▶ the thread that owns the tensors: answer(query)
//!                                           ◀─reply───
//! same thread:      attribute(ModelOracle) ─────────────────────────────────▶ answer(query)
//! ```

pub mod maps;
pub mod meter;
pub mod oracle;
pub mod parts;
pub mod probe;
pub mod remembering;
pub mod remote;
pub mod session;
pub mod shortcuts;
pub mod subject;
