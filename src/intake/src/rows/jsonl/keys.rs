//! The keys of JSON objects, without their values.

use std::collections::HashSet;
use std::fmt;

use pellucid_files::bounded;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use crate::rows::columns::MOST;

/// The keys of all objects, in the order in which they come first; those that come together by their names.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) names: Vec<String>,
    known: HashSet<String>,
    bytes: u64,
}

impl Keys {
    /// Takes in the keys of an object. What is none is named when it is read.
    pub(super) fn take(&mut self, object: &[u8]) {
        let mut new = New { known: &self.known, keys: Vec::new() };
        let mut reader = serde_json::Deserializer::from_slice(object);
        if reader.deserialize_map(&mut new).is_err() {
            return;
        }
        let mut keys = new.keys;
        keys.sort_unstable();
        for key in keys {
            if self.known.insert(key.clone()) {
                self.bytes += key.len() as u64;
                self.names.push(key);
            }
        }
    }

    /// Whether there are more, or longer ones, than a table has.
    pub(super) fn too_many(&self) -> Option<String> {
        let why = || {
            format!(
                "has more than {MOST} different keys, or {} bytes of them, the most that are read; are some of them values?",
                bounded::LINE
            )
        };
        (self.names.len() > MOST || self.bytes > bounded::LINE).then(why)
    }
}

/// The keys of one object that are not known yet.
struct New<'a> {
    known: &'a HashSet<String>,
    keys: Vec<String>,
}

impl<'de> Visitor<'de> for &mut New<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if !self.known.contains(&key) {
                self.keys.push(key);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
