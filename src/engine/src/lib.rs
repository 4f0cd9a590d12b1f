//! Data, model, training and explaining on libtorch; the worker process.

pub mod data;
pub mod error;
pub mod explain;
pub mod fence;
pub mod host;
pub mod model;
pub mod pretrain;
pub mod train;
pub mod worker;
