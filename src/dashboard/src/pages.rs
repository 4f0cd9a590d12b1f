//! Screens of their own, without a run that goes on: to choose from, or to look at.

pub mod compare;
pub mod frontier;
pub mod page;
pub mod picker;
