//! What answers are worth: pure functions from predictions and labels to numbers, in f64. No tensors, no files.
//!
//! ```text
//! measures        the list of what an evaluation reports, by metric name
//!   classification  accuracy, F1, loss          from the confusion matrix
//!   distillation    how far a student is from its teacher
//!     confusion     counts of (true class, predicted class)
//! ```
//!
//! A new measure is a function in the file of its kind and one line in [`measures`]. A file uses only files below it.

pub mod classification;
pub mod confusion;
pub mod distillation;
pub mod measures;

pub use measures::{Answers, measure};
