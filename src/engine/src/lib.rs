//! Everything that touches tensors: data, model, task, explaining, training, and the worker process.
//!
//! Lower folders do not know higher ones:
//!
//! ```text
//! error, panic_guard, interrupt, host, device             what every folder may use
//!   ▲
//! data        samples ─▶ examples with token ids ─▶ batches
//!   ▲
//! model       a Hugging Face folder ─▶ architecture, weights, classifier, teacher ─▶ logits
//!   ▲
//! task        what labels and logits mean: loss, scores, the metric that decides
//!   ▲
//! explain     the model behind the oracles of `pellucid-explain`; probe set, shortcuts
//!   ▲
//! train       prepare ─▶ trainer ─▶ run; loss terms, optimiser, checkpoints
//!   ▲
//! worker      one thread that owns the tensors, a server, clients; jobs in the foreground
//! ```
//!
//! [`pretrain`] makes small models for tests and data sets, beside the worker. The binary is `pellucid-worker`.

pub mod data;
pub mod device;
pub mod error;
pub mod explain;
pub mod host;
pub mod interrupt;
pub mod model;
pub mod panic_guard;
pub mod pretrain;
pub mod task;
pub mod train;
pub mod worker;
