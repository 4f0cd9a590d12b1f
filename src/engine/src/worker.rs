//! The worker process: one thread owns the tensors, a hub keeps the record and serves the socket.
//!
//! ```text
//! stdin ─Work─▶ work ─┬─ train ─▶ thread "pellucid-tensors": prepare, run, explain (desk)
//!                     │              │ events            ▲ mail
//!                     │              ▼                   │
//!                     │           hub ── journal ── clients (Unix socket)
//!                     └─ predict, explain, bench, doctor: in the foreground, JSON lines on stdout
//! ```

pub mod asked;
pub mod bench;
pub mod bench_explain;
pub mod client;
pub mod clock;
pub mod desk;
pub mod doctor;
pub mod explain;
pub mod hub;
pub mod journal;
pub mod memory;
pub mod place;
pub mod predict;
pub mod run_folder;
pub mod survey;
pub mod system;
pub mod texts;
pub mod thread;
pub mod train;
