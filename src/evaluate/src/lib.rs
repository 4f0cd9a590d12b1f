//! What answers are worth: pure functions from predictions and labels to numbers, in f64. No tensors, no files.
//!
//! ```text
//! measures          the list of what an evaluation of a training reports, by metric name
//!   classification  accuracy, F1, loss
//!   distillation    how far a student is from its teacher
//! evaluation        all that is to be said about answers, each figure with its interval
//! cut_offs          the cut-off on a probability that a purpose asks for
//! conformal         sets of classes with a promised coverage
//! comparison        whether one classifier is better than another on the same examples
//! bootstrap         intervals of figures that have no formula
//! calibration       whether probabilities mean what they say
//! ranked            areas under curves, for examples that count as often as drawn
//! probabilities     what a classifier answered, with the true classes
//! curves            what each cut-off finds, and takes by mistake
//! agreement         single numbers of a confusion matrix
//! class_scores      precision, recall and F1 of each class, and their means
//! confusion         counts of (true class, predicted class)
//! proportion        shares of a count, with their intervals
//! ```
//!
//! A new measure is a function in the file of its kind and one line in [`measures`]. A file uses only files below it.

pub mod agreement;
pub mod bootstrap;
pub mod calibration;
pub mod class_scores;
pub mod classification;
pub mod comparison;
pub mod conformal;
pub mod confusion;
pub mod curves;
pub mod cut_offs;
pub mod distillation;
pub mod evaluation;
pub mod measures;
pub mod probabilities;
pub mod proportion;
pub mod ranked;

pub use measures::{Answers, measure};
