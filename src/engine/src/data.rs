//! Texts as batches of token ids. Tensors are only in [`batch`] and [`layout`].
//!
//! ```text
//! examples   labelled texts with their token ids
//! batch      packed token ids on a device
//!   layout      which tokens make up which text
//!   word_ids    token ids by word, for tokenizers that look at words alone
//!   tokens      the token ids of many texts
//!   tokenise    texts as token ids
//! windows    a text that is read in pieces
//! order      the examples of each batch of an epoch
//! ```

pub mod batch;
pub mod examples;
pub mod layout;
pub mod order;
pub mod tokenise;
pub mod tokens;
pub mod windows;
pub mod word_ids;
