//! `model.safetensors.index.json` and its like: which tensor is in which file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::Path;

use pellucid_files::bounded;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::error::{Error, Result};

/// Bytes of an index at most: enough for a hundred thousand tensors.
const LONGEST: u64 = 32 << 20;
/// Files that one index may name; every one is held open.
const MOST_FILES: usize = 1000;
/// Characters of a name that a message shows.
const SHOWN: usize = 100;

/// The tensors of each file that an index names.
#[derive(Debug)]
pub struct ShardIndex {
    name: String,
    files: BTreeMap<String, HashSet<String>>,
}

#[derive(Deserialize)]
struct Content {
    weight_map: WeightMap,
}

/// The file of each tensor; a tensor that comes twice is an error.
struct WeightMap(HashMap<String, String>);

impl ShardIndex {
    /// Reads the index at `path`, of files whose names end with `ending`.
    ///
    /// # Errors
    /// When it is no index, is of no tensors or too many files, places a tensor twice, or names anything but
    /// such files beside it.
    pub fn read(path: &Path, ending: &str) -> Result<Self> {
        let text = bounded::read_text(path, LONGEST).map_err(|error| Error::file(path, error))?;
        let content: Content = serde_json::from_str(&text).map_err(|error| Error::file(path, error))?;
        let files = Self::files(content.weight_map, ending).map_err(|message| Error::file(path, message))?;
        Ok(Self { name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), files })
    }

    fn files(
        WeightMap(map): WeightMap,
        ending: &str,
    ) -> std::result::Result<BTreeMap<String, HashSet<String>>, String> {
        let mut files = BTreeMap::<String, HashSet<String>>::new();
        for (tensor, file) in map {
            if !is_plain_name(&file, ending) {
                let (tensor, file) = (shown(&tensor), shown(&file));
                return Err(format!("places the tensor {tensor} in {file}, which is not the name of a {ending} file"));
            }
            files.entry(file).or_default().insert(tensor);
        }
        match files.len() {
            0 => Err("places no tensors".to_owned()),
            count if count > MOST_FILES => Err(format!("names {count} files; {MOST_FILES} at most")),
            _ => Ok(files),
        }
    }

    /// Names of the files, sorted.
    pub fn shards(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Refuses a file `shard` whose tensors are not exactly those that the index places there.
    ///
    /// # Errors
    /// Which tensor is there, or is not.
    pub fn check(&self, shard: &str, found: &[String]) -> std::result::Result<(), String> {
        let Some(expected) = self.files.get(shard) else { return Ok(()) };
        if let Some(extra) = found.iter().find(|name| !expected.contains(*name)) {
            return Err(format!("has the tensor {}, which {} does not place there", shown(extra), self.name));
        }
        let found: BTreeSet<&String> = found.iter().collect();
        match expected.iter().filter(|name| !found.contains(name)).min() {
            Some(lacking) => Err(format!("lacks the tensor {} of {}", shown(lacking), self.name)),
            None => Ok(()),
        }
    }
}

/// Whether this is the name of a file with this ending, and no path to another folder.
fn is_plain_name(file: &str, ending: &str) -> bool {
    let stem = file.strip_suffix(ending).unwrap_or_default();
    !stem.is_empty() && !file.contains(['/', '\\']) && !file.contains(char::is_control)
}

/// A name in quotes, on one line and not too long.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(SHOWN).collect();
    format!("{short:?}")
}

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Unique)
    }
}

/// Reads a map whose keys must differ; serde would keep the last of two.
struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = WeightMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from tensors to files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<WeightMap, A::Error> {
        let mut map = HashMap::new();
        while let Some((tensor, file)) = entries.next_entry::<String, String>()? {
            if map.contains_key(&tensor) {
                return Err(A::Error::custom(format!("places the tensor {} twice", shown(&tensor))));
            }
            map.insert(tensor, file);
        }
        Ok(WeightMap(map))
    }
}
