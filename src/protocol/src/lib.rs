//! What crosses between the worker, the run folder and the screen. No torch, no tokio.
//!
//! ```text
//! settings ──▶ run.toml                    what was asked for
//! event    ──▶ events.jsonl ──▶ screen     what happened: one line each, the record of a run
//! command  ──▶ socket ──▶ worker           what the screen asks for
//! launch   ──▶ the worker's stdout         how a worker starts
//! ```
//!
//! Whatever stands here is plain and serialisable: no tensors, no callbacks, no senders. A recorded
//! run read back is the run. Text inside is as it came from data and models; [`scrub::scrub`] is the
//! one way from there to a terminal.

pub mod check;
pub mod command;
pub mod device;
pub mod event;
pub mod explanation;
pub mod launch;
pub mod log_line;
pub mod log_reader;
pub mod log_writer;
pub mod method;
pub mod metric;
pub mod owner;
pub mod run_dir;
pub mod sample;
pub mod scrub;
pub mod settings;
pub mod surrogate;
pub mod work;

pub use check::{Check, Verdict};
pub use command::{Command, ExplainRequest, SetRequest, Subject, ToClient, ToWorker};
pub use event::{Event, Record};
pub use explanation::{Attribution, Explanation};
pub use method::{Baseline, Method};
pub use metric::Metrics;
pub use run_dir::RunDir;
pub use sample::{Prediction, Sample};
pub use settings::{LiveSetting, RawSettings, Settings};
pub use surrogate::Surrogate;
