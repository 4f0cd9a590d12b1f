//! What comes from the keyboard and the mouse.

pub mod keymap;
pub mod parser;
pub(crate) mod reader;
pub mod screen;
