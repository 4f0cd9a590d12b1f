//! Writer and reader of a log together.

mod columns;
mod faults;
