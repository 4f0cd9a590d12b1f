//! The message about an unknown name.

/// The message about a `name` that is not among the `known` names of a `kind` of thing.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    format!("unknown {kind} `{name}`; known are {}", known.join(", "))
}
