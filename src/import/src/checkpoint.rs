//! A file of tensors that `torch.save` has written: the tensors by name, and their numbers.

mod legacy;
mod zipped;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pellucid_files::regular;
use pellucid_intake::error::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::brief::quoted;
use crate::pickle::{Object, Pickle, Storage, TensorView, width};

/// Bytes of a pickle at most: enough for fifty thousand tensors.
const LONGEST_PICKLE: u64 = 16 << 20;
/// Tensors of a file at most.
const MOST_TENSORS: usize = 50_000;
/// Bytes of a storage that may be in memory at once, for tensors whose numbers are not in their own order.
const LARGEST_GATHERED: u64 = 1 << 30;
/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// How a file holds its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Container {
    /// An archive, as torch writes it from version 1.6 on.
    #[serde(rename = "zip")]
    Zip,
    /// Pickles, and the numbers after them, as torch wrote it before.
    #[serde(rename = "legacy")]
    Legacy,
}

/// Where a storage lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    start: u64,
    bytes: u64,
}

/// An open file of tensors, all of which lie in it.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    container: Container,
    globals: BTreeSet<String>,
    tensors: Vec<(String, TensorView)>,
    places: HashMap<String, Place>,
}

impl Checkpoint {
    /// Opens the file at `path` and reads what it says of its tensors. Nothing of it is run, and no memory is reserved by
    /// what it says.
    ///
    /// # Errors
    /// When it asks for anything but plain tensors, or does not hold what it speaks of.
    pub fn open(path: &Path) -> Result<Self> {
        let told = |error: io::Error| Error::file(path, error);
        let file = regular::open_named(path).map_err(told)?;
        let length = file.metadata().map_err(told)?.len();
        let opened = match kind(&file) {
            Kind::Zip => zipped::read(&file, length).map(|read| (Container::Zip, read)),
            Kind::Pickle => legacy::read(&file, length).map(|read| (Container::Legacy, read)),
            Kind::Other(what) => Err(format!("is no file of torch.save: {what}")),
        };
        let (container, (pickle, places)) = opened.map_err(|message| Error::file(path, message))?;
        let tensors = named(&pickle).map_err(|message| Error::file(path, message))?;
        let (path, globals) = (path.to_owned(), pickle.globals);
        Ok(Self { path, file, container, globals, tensors, places })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it holds its tensors.
    #[must_use]
    pub fn container(&self) -> Container {
        self.container
    }

    /// The names that its pickle asks for.
    #[must_use]
    pub fn globals(&self) -> &BTreeSet<String> {
        &self.globals
    }

    /// How many tensors it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether it has no tensors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, &TensorView)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Writes the numbers of all tensors nowhere, and gives how many bytes they have.
    ///
    /// # Errors
    /// As when they are written somewhere.
    pub fn measure(&self) -> Result<u64> {
        for (_, tensor) in &self.tensors {
            self.copy(tensor, &mut io::sink())?;
        }
        Ok(self.tensors.iter().map(|(_, tensor)| tensor.size()).sum())
    }

    /// Writes the numbers of a tensor in their order, little-endian.
    ///
    /// # Errors
    /// When the numbers cannot be read or written.
    pub(crate) fn copy(&self, tensor: &TensorView, out: &mut dyn Write) -> Result<()> {
        let told = |error: io::Error| Error::file(&self.path, error);
        let Some(place) = self.places.get(&tensor.storage.key).filter(|_| tensor.count > 0) else { return Ok(()) };
        let start = place.start + tensor.offset * width(tensor.storage.dtype);
        if tensor.is_contiguous() {
            return self.copy_bytes(start, tensor.size(), out).map_err(told);
        }
        let reach: u64 = tensor.shape.iter().zip(&tensor.strides).map(|(size, stride)| (size - 1) * stride).sum();
        let length = (reach + 1) * width(tensor.storage.dtype);
        if length > LARGEST_GATHERED {
            return Err(Error::file(
                &self.path,
                format!("has a tensor of {length} bytes that are not in their order; {LARGEST_GATHERED} at most"),
            ));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, start).map_err(told)?;
        gather(tensor, &bytes, out).map_err(told)
    }

    fn copy_bytes(&self, mut start: u64, mut length: u64, out: &mut dyn Write) -> io::Result<()> {
        let mut piece = vec![0; PIECE.min(usize::try_from(length).unwrap_or(PIECE))];
        while length > 0 {
            let size = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
            self.file.read_exact_at(&mut piece[..size], start)?;
            out.write_all(&piece[..size])?;
            start += size as u64;
            length -= size as u64;
        }
        Ok(())
    }
}

/// Writes the numbers of `tensor`, the first of which is the first of `bytes`, one row after the other.
fn gather(tensor: &TensorView, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let width = width(tensor.storage.dtype) as usize;
    let mut index = vec![0u64; tensor.shape.len()];
    let mut row = Vec::new();
    for _ in 0..tensor.count {
        let at: u64 = index.iter().zip(&tensor.strides).map(|(index, stride)| index * stride).sum();
        let at = at as usize * width;
        row.extend_from_slice(&bytes[at..at + width]);
        if row.len() >= PIECE {
            out.write_all(&row)?;
            row.clear();
        }
        for (index, size) in index.iter_mut().zip(&tensor.shape).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
    out.write_all(&row)
}

/// What a file begins like.
enum Kind {
    Zip,
    Pickle,
    Other(&'static str),
}

fn kind(file: &File) -> Kind {
    const BEGINNINGS: &[(&[u8], &str)] = &[
        (b"version https://git-lfs", "it is what Git LFS leaves in the place of a file; fetch the file itself"),
        (b"\x89HDF", "it is an HDF5 file, of TensorFlow"),
        (b"<", "it is a page of the web; fetch the file itself"),
    ];
    let mut head = [0; 512];
    let length = file.read_at(&mut head, 0).unwrap_or(0);
    let head = &head[..length];
    if head.starts_with(b"PK\x03\x04") {
        return Kind::Zip;
    }
    if head.first() == Some(&0x80) {
        return Kind::Pickle;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Kind::Other("it is of torch before 0.1.10; save it again with a later one");
    }
    let found = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning));
    Kind::Other(found.map_or("it begins with neither an archive nor a pickle", |(_, what)| what))
}

/// The tensors of a pickle, which must be one dictionary from names to tensors.
fn named(pickle: &Pickle) -> std::result::Result<Vec<(String, TensorView)>, String> {
    let entries = pickle.heap.dict(pickle.root);
    let entries = entries.ok_or_else(|| {
        let kind = pickle.heap.kind(pickle.root);
        format!("holds {kind}, not the tensors of a model by name; save its state_dict()")
    })?;
    if entries.len() > MOST_TENSORS {
        return Err(format!("has {} tensors; {MOST_TENSORS} at most", entries.len()));
    }
    let (mut tensors, mut seen) = (Vec::with_capacity(entries.len()), HashSet::new());
    for (name, value) in entries {
        let name = pickle.heap.text(*name).ok_or("has a tensor whose name is no text")?;
        let Some(Object::Tensor(tensor)) = pickle.heap.get(*value) else {
            let kind = pickle.heap.kind(*value);
            return Err(format!(
                "holds {kind} under {}, not a tensor; save the state_dict() of the model alone",
                quoted(name)
            ));
        };
        if !seen.insert(name) {
            return Err(format!("has the tensor {} twice", quoted(name)));
        }
        tensors.push((name.to_owned(), TensorView::clone(tensor)));
    }
    Ok(tensors)
}

/// The storages that the pickle refers to, each once.
///
/// # Errors
/// When one is said to have two sizes or types.
fn storages(pickle: &Pickle) -> std::result::Result<HashMap<&str, &Storage>, String> {
    let mut storages = HashMap::<&str, &Storage>::new();
    for storage in pickle.heap.storages() {
        let known = storages.entry(&storage.key).or_insert(storage);
        if *known != storage {
            return Err(format!("has two sizes or types for the storage {}", quoted(&storage.key)));
        }
    }
    Ok(storages)
}
