//! Keys of the user's own, in a file.
//!
//! ```toml
//! [train]
//! zoom-in = ["+", "Ctrl-U"]
//! [everywhere]
//! pause = []            # on no key; the list of commands still has it
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use pellucid_protocol::line_at::line_at;

use super::{Key, Keymap, Place, kebab};

/// Places and actions by name, and the keys that are written for them.
type File = BTreeMap<String, BTreeMap<String, Vec<String>>>;

impl Place {
    /// Its name in a file.
    fn name(self) -> String {
        match self {
            Place::On(screen) => kebab(screen.title()),
            other => kebab(&format!("{other:?}")),
        }
    }
}

impl Keymap {
    /// The table with the changes that the file `text` asks for; `from` names the file in errors.
    ///
    /// # Errors
    /// One line that says what is wrong: no TOML, a name that is not known, a key that is none, or one key
    /// for two things in one place.
    pub fn read(text: &str, from: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            format!("keys {from}:{line}: {}", error.message())
        })?;
        let mut keymap = Self::default();
        for (place, actions) in &file {
            for (action, keys) in actions {
                keymap.change(place, action, keys).map_err(|why| format!("keys {from}: {place}.{action}: {why}"))?;
            }
        }
        keymap.clash().map_or(Ok(keymap), |why| Err(format!("keys {from}: {why}")))
    }

    fn change(&mut self, place: &str, action: &str, keys: &[String]) -> Result<(), String> {
        let keys = keys.iter().map(|key| Key::parse(key)).collect::<Result<Vec<_>, _>>()?;
        let named = |binding: &&mut super::Binding| binding.place.name() == place && binding.action.name() == action;
        let binding = self.bindings.iter_mut().find(named);
        let binding = binding.ok_or_else(|| "no such place or action; `pellucid keys` lists them".to_owned())?;
        binding.keys = Cow::Owned(keys);
        Ok(())
    }

    /// A key that means two things in one place.
    fn clash(&self) -> Option<String> {
        for (index, one) in self.bindings.iter().enumerate() {
            for other in self.bindings.iter().skip(index + 1).filter(|other| other.place == one.place) {
                if let Some(key) = one.keys.iter().find(|key| other.keys.contains(key)) {
                    let (place, one, other) = (one.place.name(), one.action.name(), other.action.name());
                    return Some(format!("{} means {one} and {other} in {place}", key.written()));
                }
            }
        }
        None
    }

    /// The whole table as such a file.
    #[must_use]
    pub fn written(&self) -> String {
        let mut text = String::from("# Keys of pellucid. What differs may stand in ~/.config/pellucid/keys.toml.\n");
        for place in Place::ALL {
            // Writing to a string cannot fail.
            let _infallible = writeln!(text, "\n[{}]", place.name());
            for binding in self.bindings.iter().filter(|binding| binding.place == place) {
                let keys: Vec<_> =
                    binding.keys.iter().map(|key| toml::Value::from(key.written()).to_string()).collect();
                let _infallible =
                    writeln!(text, "{} = [{}] # {}", binding.action.name(), keys.join(", "), binding.help);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_a_file_that_changes_nothing() {
        let keymap = Keymap::default();
        let read = Keymap::read(&keymap.written(), "keys.toml").unwrap();
        for (before, after) in keymap.bindings().iter().zip(read.bindings()) {
            assert_eq!((before.all_keys(), before.action), (after.all_keys(), after.action));
        }
    }

    #[test]
    fn a_change_is_taken_and_a_mistake_is_named() {
        let changed = Keymap::read("[everywhere]\npause = [\"F5\"]\n", "mine").unwrap();
        let pause = changed.bindings().iter().find(|binding| binding.action == super::super::Action::Pause).unwrap();
        assert_eq!(pause.key(), "F5");
        for (bad, said) in [
            ("[everywhere]\npause = [\"c\"]", "c means pause and checkpoint in everywhere"),
            ("[everywhere]\nfly = []", "everywhere.fly: no such place or action"),
            ("[moon]\npause = []", "moon.pause: no such"),
            ("[train]\nzoom-in = [\"++\"]", "`++` is no key"),
            ("\n[train\n", "mine:2:"),
        ] {
            let error = Keymap::read(bad, "mine").unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
