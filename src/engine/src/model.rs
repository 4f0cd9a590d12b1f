//! Transformers: from a model folder in Hugging Face layout to logits.
//!
//! ```text
//! teacher     pretrained     what runs make of models: answers, a teacher, a classifier with labels and tokenizer
//!   answers   sentence       a classifier made from a folder of sentence-transformers
//! masked_lm   classifier     models: an encoder with a head
//!   encoder   head           one encoder for all families
//!     layers                 attention, linear layers, norms, dropout
//!       weights              parameters, loaded and saved
//!         config             config.json and the architecture that it describes
//!           family           one file for each family
//!             architecture   a model in terms that all families share
//! ```
//!
//! A file uses only what stands below it. The texts of a batch are packed: linear layers see only real tokens, and
//! attention sees rectangles of texts of similar length.

pub mod answers;
pub mod architecture;
pub mod classifier;
pub mod config;
pub mod encoder;
pub mod family;
pub mod head;
pub mod layers;
pub mod masked_lm;
pub mod pretrained;
pub mod sentence;
pub mod teacher;
pub mod weights;
