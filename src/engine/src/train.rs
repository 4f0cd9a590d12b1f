//! Fine-tuning. [`run()`] is a plain function with a callback: it knows no thread, channel or screen.
//!
//! One step: [`crate::data::order`] gives indices → [`crate::data::batch`] tensors → the classifier logits →
//! [`loss`] and [`teacher`] a scalar → [`gradient`] → one sync of the numbers to the host → [`optimiser`] with the
//! [`penalty`], one pass of the [`kernel`] → an event. Heads and neurons as groups of weights are [`units`]. On a GPU
//! nothing of a step is read: its numbers wait there for [`Trainer::settle`], ten steps at a time, and the optimiser is
//! tensor operations behind an [`optimiser::Gate`].
//!
//! What answers are based on has a say in the loss by [`attribution`], for [`reasons`] that people give, and by
//! [`masking`].
//!
//! [`prepare`] reads and checks what a run needs; [`checkpoints`] are what [`resume`] takes a run up from.

pub mod attribution;
pub mod checkpoints;
pub mod evaluate;
pub mod gradient;
pub mod interrupt;
pub mod kernel;
pub mod ledger;
pub mod loss;
pub mod masking;
pub mod measured;
pub mod optimiser;
pub mod penalty;
pub mod prepare;
pub mod reasons;
pub mod resume;
pub mod rules;
pub mod run;
pub mod saver;
pub mod schedule;
pub mod teacher;
pub mod teacher_cache;
pub mod trainer;
pub mod units;

pub use run::{Control, Flow, NoControl, run};
pub use trainer::Trainer;
