//! Names of the files with the weights of a model folder, as transformers gives them: one, or several with an index.

/// The file with all weights.
pub const SINGLE: &str = "model.safetensors";
/// The index of weights in several files: which tensor is in which.
pub const INDEX: &str = "model.safetensors.index.json";

/// The name of one of several files: the one of this number, from 1, of so many.
#[must_use]
pub fn shard(number: usize, count: usize) -> String {
    format!("model-{number:05}-of-{count:05}.safetensors")
}

/// The number and the count in the name of one of several files.
#[must_use]
pub fn shard_of(name: &str) -> Option<(usize, usize)> {
    let (number, count) = name.strip_prefix("model-")?.strip_suffix(".safetensors")?.split_once("-of-")?;
    let (number, count) = (number.parse().ok()?, count.parse().ok()?);
    // Only one spelling of a number is a name.
    (1..=count).contains(&number).then_some((number, count)).filter(|_| shard(number, count) == name)
}

/// Whether weights, or a part of them, or their index are called so.
#[must_use]
pub fn is_of_weights(name: &str) -> bool {
    name == SINGLE || name == INDEX || shard_of(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (number, count, name) in [
            (1, 2, "model-00001-of-00002.safetensors"),
            (12, 345, "model-00012-of-00345.safetensors"),
            (100_000, 100_000, "model-100000-of-100000.safetensors"),
        ] {
            assert_eq!((shard(number, count).as_str(), shard_of(name)), (name, Some((number, count))));
            assert!(is_of_weights(name));
        }
        for name in [
            "model-00003-of-00002.safetensors",
            "model-00000-of-00002.safetensors",
            "model-1-of-2.safetensors",
            "model-+0001-of-00002.safetensors",
            "model-00001-of-00002.bin",
            "model-00001-of-00002",
            "model-mine.safetensors",
            "pytorch_model-00001-of-00002.safetensors",
            "trainer.safetensors",
            "",
        ] {
            assert!(shard_of(name).is_none() && !is_of_weights(name), "{name}");
        }
        assert!(is_of_weights(SINGLE) && is_of_weights(INDEX));
    }
}
