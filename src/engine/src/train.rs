//! Fine-tuning. [`run()`] is a plain function with a callback: it knows no thread, channel or screen.
//!
//! ```text
//! prepare ──▶ trainer ──▶ run        resume: a trainer from a checkpoint
//!                │
//!    batches ──▶ model ──▶ loss (its terms) ──▶ optimiser ──▶ measured (the step's numbers) ──▶ event
//! ```
//!
//! On a GPU a step reads nothing: its numbers wait there for [`Trainer::flush`], ten steps at a time, and the optimiser is
//! tensor operations behind an [`optimiser::Gate`]. Folders in order, lower ones first: [`measured`], [`optimiser`],
//! [`loss`], [`prepare`], [`trainer`], [`run`](mod@run).

pub mod checkpoints;
pub mod log_sync;
pub mod loss;
pub mod measured;
pub mod optimiser;
pub mod prepare;
pub mod resume;
pub mod run;
pub mod sparsity;
pub mod trainer;

pub use run::{Control, Flow, NoControl, run};
pub use trainer::Trainer;
