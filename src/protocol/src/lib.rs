//! The values that cross a process border: settings, commands, events, explanations. No I/O, no torch, no tokio.
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

pub mod agreement;
pub mod alert;
pub mod check;
mod choice;
pub mod command;
pub mod device;
pub mod edit;
pub mod event;
pub mod explanation;
pub mod launch;
pub mod line_at;
pub mod method;
pub mod metric;
pub mod rank;
pub mod readable;
pub mod sample;
pub mod scrub;
pub mod settings;
pub mod surrogate;
pub mod survey;
pub mod task;
pub mod watched;
pub mod what_if;
pub mod word_importance;
pub mod work;

pub use check::{Check, Verdict};
pub use command::{Cancel, Command, ExplainRequest, SetRequest, Subject, ToClient, ToWorker};
pub use edit::{Change, WordEdit};
pub use event::{Event, Record};
pub use explanation::{Attribution, Explanation};
pub use method::{Baseline, Method, Removal};
pub use metric::Metrics;
pub use sample::{Prediction, Sample};
pub use settings::{LiveSetting, RawSettings, Settings};
pub use surrogate::Surrogate;
pub use survey::{SurveyProgress, SurveyRequest, SurveyState};
pub use task::Task;
pub use watched::{Watched, WatchedWord};
pub use what_if::{WhatIf, WhatIfAnswer};
