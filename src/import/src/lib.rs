//! Makes model folders of those in old layouts: pickles for weights, vocabularies and SentencePiece models for
//! tokenizers, configurations that do not say all. Nothing in a file is run.
//!
//! ```text
//! folder       the command: starts a process, and puts in its place what that has written
//!   convert    what the process does           confine    what the process may do
//!     config      config.json, completed by the weights
//!     tokenizer   tokenizer.json of the files before it
//!     weights     tensors by name, and the file that they are written to
//!       checkpoint   a file of torch.save          pickle    a machine for plain tensors
//!   family     what families are called, and where their sizes are seen
//!   job        what passes between the two processes
//!   brief      what a message shows of a file
//! ```
//!
//! The process that reads hostile bytes has a bound on memory, time and what it writes; on Linux it can open nothing but
//! the folder that it reads and the one that it writes, start nothing and speak to nobody, where the kernel knows how.

mod brief;
pub mod checkpoint;
mod config;
pub mod confine;
pub mod convert;
mod family;
pub mod folder;
pub mod job;
mod pickle;
pub mod tokenizer;
mod weights;
