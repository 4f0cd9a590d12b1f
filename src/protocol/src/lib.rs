//! The values that cross a process border: settings, commands, events, explanations. No I/O, no torch, no tokio.
//!
//! ```text
//! settings ──▶ run.toml                    what a person asked for
//! event    ──▶ events.jsonl ──▶ screen     what happened: one line each, the record of a run
//! command  ──▶ socket ──▶ worker           what the screen asks for
//! launch   ──▶ the worker's stdout         how a worker starts
//! ```
//!
//! All values are plain and serialisable: no tensors, no callbacks, no senders. A recorded run read back is the run.
//! Texts inside are as they came from data and models; [`scrub::scrub`] is the only way from there to a terminal.
//!
//! The folders in their order; each uses only those above it:
//!
//! ```text
//! text          numbers and texts as people read them, without anything that steers a terminal
//! metric        what is measured in a run
//! task          what a model is trained to do
//! settings      the settings of a run, each declared once
//! explanation   scores of words with their checks, and how far they agree
//! message       what crosses between processes
//! ```

pub mod explanation;
pub mod message;
pub mod metric;
pub mod settings;
pub mod task;
pub mod text;

// Outside this crate the modules are known without their folders.
pub use explanation::{agreement, check, edit, method, rank, surrogate, word_importance};
pub use message::{command, data_report, event, launch, sample, survey, watched, what_if, work};
pub use text::{line_at, paste, readable, scrub};

pub use check::{Check, Verdict};
pub use command::{Cancel, Command, ExplainRequest, SetRequest, Subject, ToClient, ToWorker};
pub use edit::{Change, WordEdit};
pub use event::{Event, Record};
pub use explanation::{Attribution, Explanation};
pub use message::weights::Weights;
pub use method::{Baseline, Method, Removal};
pub use metric::Metrics;
pub use sample::{Prediction, Sample};
pub use settings::{LiveSetting, RawSettings, Settings};
pub use surrogate::Surrogate;
pub use survey::{SurveyProgress, SurveyRequest, SurveyState};
pub use task::Task;
pub use watched::{Watched, WatchedWord};
pub use what_if::{WhatIf, WhatIfAnswer};
