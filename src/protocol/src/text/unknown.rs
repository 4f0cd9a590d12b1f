//! What is said of a name that is none of a few.

/// What is said of a `name` that is none of the `known` names of a `kind` of thing.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    format!("unknown {kind} `{name}`; known are {}", known.join(", "))
}
