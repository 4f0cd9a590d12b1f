//! What crosses between processes: events, commands, and how a worker starts.

pub mod alert;
pub mod command;
pub mod data_report;
pub mod event;
pub mod job_progress;
pub mod launch;
pub mod sample;
pub mod subject;
pub mod survey;
pub mod watched;
pub mod weights;
pub mod what_if;
pub mod work;
