//! The pages of the dashboard: each keeps its own state and draws itself.

pub mod data;
pub mod explain;
pub mod layers;
pub mod log;
pub mod samples;
pub mod train;
