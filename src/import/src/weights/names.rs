//! Names of tensors that older programs have given, and those of today.

use std::collections::HashSet;

use crate::brief::quoted;

/// What training on several GPUs puts before every name.
const WRAPPER: &str = "module.";
/// Endings of names, and what they are now.
const ENDINGS: &[(&str, &str)] = &[("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")];

/// The name that safetensors keeps for something else.
const RESERVED: &str = "__metadata__";

/// Changes the names to those of today, and says what was changed.
///
/// # Errors
/// When two tensors would have one name, or one has a name that none can have in the new file.
pub(super) fn modern<'a>(names: impl Iterator<Item = &'a mut String>) -> Result<Vec<String>, String> {
    let mut names: Vec<&mut String> = names.collect();
    let mut notes = Vec::new();
    if !names.is_empty() && names.iter().all(|name| name.starts_with(WRAPPER)) {
        names.iter_mut().for_each(|name| drop(name.drain(..WRAPPER.len())));
        notes.push(format!("`{WRAPPER}` was taken from the beginning of every name"));
    }
    for (old, new) in ENDINGS {
        let mut count = 0;
        for name in names.iter_mut().filter(|name| name.ends_with(old)) {
            name.truncate(name.len() - old.len());
            name.push_str(new);
            count += 1;
        }
        if count > 0 {
            notes.push(format!("{count} tensors `{old}` are now `{new}`"));
        }
    }
    if names.iter().any(|name| *name == RESERVED) {
        return Err(format!(
            "has a tensor of the name {}, which safetensors keeps for something else; rename it",
            quoted(RESERVED)
        ));
    }
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(format!("has the tensor {} twice, also under an older name", quoted(twice))),
        None => Ok(notes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(names: &[&str]) -> Result<(Vec<String>, usize), String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let notes = modern(names.iter_mut())?;
        Ok((names, notes.len()))
    }

    #[test]
    fn old_names_become_those_of_today() {
        let (names, notes) =
            changed(&["module.bert.a.LayerNorm.gamma", "module.bert.a.LayerNorm.beta", "module.x"]).unwrap();
        assert_eq!(
            (names, notes),
            (["bert.a.LayerNorm.weight", "bert.a.LayerNorm.bias", "x"].map(str::to_owned).to_vec(), 3)
        );
        assert_eq!(changed(&["module.a", "b.gamma"]).unwrap().1, 0, "not all of them; no norm");
        assert!(changed(&["LayerNorm.gamma", "LayerNorm.weight"]).unwrap_err().contains("twice"));
        for name in ["__metadata__", "module.__metadata__"] {
            assert!(changed(&[name]).unwrap_err().contains("safetensors keeps for something else"));
        }
    }
}
