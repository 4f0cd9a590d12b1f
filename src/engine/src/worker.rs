//! The worker process: one thread owns the tensors, a server keeps the event log and serves the clients.
//!
//! ```text
//! stdin ─Work─▶ work ─┬─ train ─▶ tensor_thread: prepare, run, explain (scheduler)
//!                     │              │ reports          ▲ requests
//!                     │              ▼                  │
//!                     │           server ── event_log ── clients (Unix socket)
//!                     └─ predict, explain, data, bench, doctor: in the foreground, JSON lines on stdout
//! ```

pub mod bench;
pub mod bench_explain;
pub mod claim;
pub mod client;
pub mod clock;
pub mod data;
pub mod doctor;
pub mod event_log;
pub mod explain;
pub mod explain_job;
pub mod memory;
pub mod message;
pub mod predict;
pub mod run_files;
pub mod run_folder;
pub mod scheduler;
pub mod server;
pub mod snapshot;
pub mod survey;
pub mod system;
pub mod tensor_thread;
pub mod texts;
pub mod train;
pub mod what_if_answers;
pub mod writer;
