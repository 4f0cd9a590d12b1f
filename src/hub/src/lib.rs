//! Fetches models from the Hugging Face Hub into its cache, laid out as `huggingface_hub` does, so that either program
//! finds what the other one has fetched. Nothing else in this program opens a connection.
//!
//! ```text
//! pull        what is fetched of a model, and in which order
//!   store       the cache: contents by their hash, links to them, branches, locks
//!     download    one file: continued where it was cut, checked against its hash
//!   listing     the files of a commit, and which of them are wanted
//!   remote_file size and hash of a file, as the Hub says them
//!   client      requests: redirects, who sees the token, what is tried again
//!     pace        whether next to nothing comes
//!     address     a URL and whom it belongs to
//!   hub         the endpoint, the token and the cache that the environment names
//!   content_hash  what files are named by
//!   progress    whoever shows how far it is
//! error       why a model was not fetched
//! ```
//!
//! Servers are hostile until what they send has been checked: names are ours or plain, sizes have bounds, what is stored has
//! the hash that was promised, and no other host gets the token.

mod address;
mod client;
mod content_hash;
mod download;
mod error;
mod hub;
mod listing;
mod pace;
mod progress;
mod pull;
mod remote_file;
mod store;

pub use error::PullError;
pub use hub::Hub;
pub use progress::Progress;
pub use pull::{Pulled, PulledFile, pull};
