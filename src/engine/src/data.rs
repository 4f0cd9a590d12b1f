//! Data: from files of rows to batches of token ids. No tensors here but in [`batch`].

pub mod batch;
pub mod layout;
pub mod order;
pub mod tokenise;
