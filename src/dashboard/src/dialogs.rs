//! What lists over a screen offer.

pub(crate) mod measures;
pub(crate) mod palette;
