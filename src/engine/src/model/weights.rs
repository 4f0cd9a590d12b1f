//! Parameters: their places in one flat buffer, and the way from a model folder and back.
//!
//! ```text
//! load   from a model folder          save   to a model folder, in one file of weights or in several
//!   init   initial values             provenance    what a saved folder says of itself
//!                                     tensor_file   named tensors in a file of their own
//!     params   the flat buffer
//!       spec     name, shape and place of each parameter
//! ```

pub mod init;
pub mod load;
pub mod params;
pub mod provenance;
pub mod save;
pub mod spec;
pub mod tensor_file;
