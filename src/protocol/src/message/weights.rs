//! Which weights of a run explain a text.

use serde::{Deserialize, Serialize};

/// Which weights of a run explain a text, or answer what if.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Those of now; after the end, the last ones.
    #[default]
    Latest,
    /// Those of the best evaluation so far.
    Best,
    /// Those of this step, with which the text on the screen was explained, if the worker still has them; else those of
    /// now. The answer says its step.
    OfStep(u64),
}
