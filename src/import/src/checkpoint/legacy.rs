//! What torch wrote before version 1.6: a magic number, a version, sizes of types, the tensors and the names of the
//! storages, each a pickle, and then the storages one after the other.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use super::{LONGEST_PICKLE, Place, storages};
use crate::brief::quoted;
use crate::pickle::{self, Pickle, Value, width};

/// The version of this layout.
const VERSION: i64 = 1001;
/// Bytes of the number of numbers before each storage.
const COUNT: u64 = 8;

/// The pickle of the tensors in `file`, which has `length` bytes, and where its storages lie.
///
/// # Errors
/// When it is none that torch wrote, or is damaged.
pub(super) fn read(file: &File, length: u64) -> Result<(Pickle, HashMap<String, Place>), String> {
    let mut head = vec![0; usize::try_from(length.min(LONGEST_PICKLE)).unwrap_or(0)];
    file.read_exact_at(&mut head, 0).map_err(|error| error.to_string())?;
    let mut at = 0;
    let mut next = || {
        let pickle = pickle::read(head.get(at..).unwrap_or_default())?;
        at += pickle.length;
        Ok::<_, String>(pickle)
    };
    if next()?.root != Value::Magic {
        return Err("is a pickle of something else than tensors; save the state_dict() of the model".to_owned());
    }
    let version = next()?.root;
    if version != Value::Int(VERSION) {
        return Err("is of a version of torch that is not known".to_owned());
    }
    check_order(&next()?)?;
    let (tensors, keys) = (next()?, next()?);
    let places = places(file, length, at as u64, &tensors, &keys)?;
    Ok((tensors, places))
}

/// Refuses numbers of another byte order.
fn check_order(sizes: &Pickle) -> Result<(), String> {
    let entries = sizes.heap.dict(sizes.root).unwrap_or_default();
    let little = entries.iter().find(|(name, _)| sizes.heap.text(*name) == Some("little_endian"));
    match little {
        Some((_, Value::Bool(true))) => Ok(()),
        _ => Err("has numbers of another byte order than the little one".to_owned()),
    }
}

/// Where each storage lies, which follow each other from `at` to the end.
fn places(
    file: &File,
    length: u64,
    mut at: u64,
    tensors: &Pickle,
    keys: &Pickle,
) -> Result<HashMap<String, Place>, String> {
    let storages = storages(tensors)?;
    let listed = keys.heap.list(keys.root).ok_or("has no list of its storages")?;
    let mut places = HashMap::new();
    for key in listed {
        let key = keys.heap.text(*key).ok_or("has a storage whose name is no text")?;
        let storage = storages.get(key).ok_or_else(|| format!("has a storage {} of no tensor", quoted(key)))?;
        let mut count = [0; COUNT as usize];
        file.read_exact_at(&mut count, at).map_err(|_| format!("ends before the storage {}", quoted(key)))?;
        let bytes = storage.count.checked_mul(width(storage.dtype)).filter(|bytes| *bytes <= length);
        let place = bytes.map(|bytes| Place { start: at + COUNT, bytes });
        let place =
            place.filter(|place| u64::from_le_bytes(count) == storage.count && place.start + place.bytes <= length);
        let place = place
            .ok_or_else(|| format!("does not hold the {} numbers of the storage {}", storage.count, quoted(key)))?;
        at = place.start + place.bytes;
        if places.insert(key.to_owned(), place).is_some() {
            return Err(format!("lists the storage {} twice", quoted(key)));
        }
    }
    if let Some(missing) = storages.keys().find(|key| !places.contains_key(**key)) {
        return Err(format!("has no storage {}", quoted(missing)));
    }
    if at != length {
        return Err(format!("has {} bytes after its last storage", length - at));
    }
    Ok(places)
}
