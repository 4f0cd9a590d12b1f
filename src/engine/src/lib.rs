//! Data, model, training and explaining on libtorch; the worker process.

pub mod data;
pub mod error;
pub mod model;
