//! The archive that torch writes from version 1.6 on: `NAME/data.pkl`, and a file `NAME/data/KEY` for each storage.
//!
//! Its files are not unpacked: torch stores them as they are, and what is compressed is refused. So nothing expands, and
//! no name of the archive becomes a path.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crc_fast::{CrcAlgorithm, Digest};
use pellucid_intake::panic_guard::caught;
use zip::{CompressionMethod, ZipArchive};

use super::{LONGEST_PICKLE, MOST_TENSORS, PIECE, Place, storages};
use crate::brief::quoted;
use crate::pickle::{self, Pickle, width};

/// Bytes of a byte order that are looked at.
const LONGEST_ORDER: u64 = 16;

/// A file of the archive.
#[derive(Debug, Clone, Copy)]
struct Entry {
    place: Place,
    checksum: u32,
}

/// The pickle of the archive in `file`, which has `length` bytes, and where its storages lie.
///
/// # Errors
/// When it is none that torch writes, or is damaged.
pub(super) fn read(file: &File, length: u64) -> Result<(Pickle, HashMap<String, Place>), String> {
    let entries = caught(|| entries(file, length)).and_then(|entries| entries)?;
    let root = root(&entries)?;
    let entry = |name: &str| entries.get(&format!("{root}/{name}"));
    if let Some(order) = entry("byteorder") {
        check_order(file, *order)?;
    }
    let data = entry("data.pkl").ok_or("has no data.pkl")?;
    if data.place.bytes > LONGEST_PICKLE {
        return Err(format!("has a pickle of {} bytes; {LONGEST_PICKLE} at most", data.place.bytes));
    }
    let pickle = pickle::read(&bytes(file, *data)?)?;
    let mut places = HashMap::new();
    for (key, storage) in storages(&pickle)? {
        // A key that is a path finds nothing: all names were looked at.
        let found = entry(&format!("data/{key}")).ok_or_else(|| format!("has no storage {}", quoted(key)))?;
        let expected = storage.count.checked_mul(width(storage.dtype));
        if Some(found.place.bytes) != expected {
            let (found, count) = (found.place.bytes, storage.count);
            return Err(format!("has {found} bytes for the storage {} of {count} numbers", quoted(key)));
        }
        check(file, *found).map_err(|why| format!("the storage {} {why}", quoted(key)))?;
        places.insert(key.to_owned(), found.place);
    }
    Ok((pickle, places))
}

/// Refuses numbers in any other order than that which is read.
fn check_order(file: &File, entry: Entry) -> Result<(), String> {
    let order = match entry.place.bytes {
        0..=LONGEST_ORDER => bytes(file, entry)?,
        long => return Err(format!("has a byte order that is {long} bytes long; little is read")),
    };
    if order == b"little" {
        return Ok(());
    }
    Err(format!("has numbers of the byte order {}; little is read", quoted(&String::from_utf8_lossy(&order))))
}

/// The files of the archive, by name.
fn entries(file: &File, length: u64) -> Result<HashMap<String, Entry>, String> {
    let damaged = |error: zip::result::ZipError| format!("is damaged: {error}");
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    if archive.len() > 2 * MOST_TENSORS {
        return Err(format!("is an archive of {} files", archive.len()));
    }
    if archive.offset() != 0 || archive.has_duplicate_names() || archive.has_overlapping_entries().map_err(damaged)? {
        return Err("is an archive whose files have one name, lie on each other or follow something else".to_owned());
    }
    let mut entries = HashMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(damaged)?;
        let name = std::str::from_utf8(entry.name_raw()).map_err(|_| "has a file whose name is not UTF-8")?.to_owned();
        if !is_plain(&name) {
            return Err(format!("has a file of the name {}, which leads elsewhere", quoted(&name)));
        }
        if entry.compression() != CompressionMethod::Stored
            || entry.encrypted()
            || entry.size() != entry.compressed_size()
        {
            return Err(format!(
                "has {} compressed, which torch does not do; pack it anew without compression",
                quoted(&name)
            ));
        }
        let start = entry.data_start().ok_or("is damaged: a file of it has no beginning")?;
        if start.checked_add(entry.size()).is_none_or(|end| end > length) {
            return Err(format!("ends before {} does", quoted(&name)));
        }
        let place = Place { start, bytes: entry.size() };
        entries.insert(name, Entry { place, checksum: entry.crc32() });
    }
    Ok(entries)
}

/// Whether a name leads nowhere but downwards.
fn is_plain(name: &str) -> bool {
    !name.contains(['\\', ':', '\0']) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// The folder that `data.pkl` lies in.
fn root(entries: &HashMap<String, Entry>) -> Result<&str, String> {
    let mut roots = entries.keys().filter_map(|name| name.strip_suffix("/data.pkl"));
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (None, _) => Err("is an archive without data.pkl, not one of torch.save".to_owned()),
        _ => Err("is an archive with several data.pkl".to_owned()),
    }
}

/// What a small file of the archive holds.
fn bytes(file: &File, entry: Entry) -> Result<Vec<u8>, String> {
    check(file, entry)?;
    let mut bytes = vec![0; usize::try_from(entry.place.bytes).unwrap_or(0)];
    file.read_exact_at(&mut bytes, entry.place.start).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Compares a file of the archive with its checksum.
fn check(file: &File, entry: Entry) -> Result<(), String> {
    let checksum = checksum(file, entry.place).map_err(|error| error.to_string())?;
    if checksum == u64::from(entry.checksum) {
        return Ok(());
    }
    Err("is not what its checksum says: the file is damaged, or was saved without checksums; save it again".to_owned())
}

fn checksum(file: &File, place: Place) -> io::Result<u64> {
    let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
    let mut piece = vec![0; PIECE.min(usize::try_from(place.bytes).unwrap_or(PIECE))];
    let end = place.start + place.bytes;
    let mut at = place.start;
    while at < end {
        let size = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        file.read_exact_at(&mut piece[..size], at)?;
        digest.update(&piece[..size]);
        at += size as u64;
    }
    Ok(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_known() {
        assert!(is_plain("archive/data/0") && is_plain("a/.data/serialization_id"));
        for name in ["/a", "../a", "a/../b", "a//b", "a/", "", ".", "a\\b", "C:/a", "a\0b"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
