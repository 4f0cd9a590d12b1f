//! The layers that every family is made of.
//!
//! ```text
//! attention   self-attention on packed texts
//!   relative    distances between tokens (DeBERTa)
//!     linear    y = x W^T + b
//!       onednn    the same without a gradient, faster
//! norm   activation   dropout
//! ```

pub mod activation;
pub mod attention;
pub mod dropout;
pub mod linear;
pub mod norm;
mod onednn;
pub mod relative;
