//! What screens are drawn with, beside the widgets of ratatui. Nothing here knows what a run is.
//!
//! Every text goes through [`PutText`], which scrubs it: a text of a data set or a log may contain anything.

pub(crate) mod area;
pub(crate) mod ascii;
pub(crate) mod bar;
pub(crate) mod columns;
pub(crate) mod heat_text;
mod panel;
mod put_text;
pub(crate) mod sparkline;

pub(crate) use self::panel::{Panel, inner};
pub(crate) use self::put_text::PutText;
