//! Writes weights as one safetensors file, tensor by tensor, so that no more than a piece of one is in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use pellucid_intake::error::{Error, Result};
use safetensors::tensor::{Metadata, TensorInfo};

use super::{Place, Source, Tensor, Weights};

/// Bytes of the file for each byte of what was read, at most: tensors that share their numbers get numbers of their own.
const MOST_FOR_A_BYTE: u64 = 4;
/// Bytes that a file may have in any case.
const SMALL: u64 = 1 << 20;

impl Weights {
    /// Writes the file `path`, which must not be there yet.
    ///
    /// # Errors
    /// When the weights cannot be read, are too many for what was read, or cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut sorted: Vec<&Tensor> = self.tensors.iter().collect();
        // As other programs order them: the widest numbers first, so that all are aligned.
        sorted.sort_by(|a, b| b.dtype.bitsize().cmp(&a.dtype.bitsize()).then_with(|| a.name.cmp(&b.name)));
        let header = self.header(&sorted)?;
        let told = |error: io::Error| Error::file(path, error);
        let mut out = BufWriter::new(File::create_new(path).map_err(told)?);
        let length = header.len() as u64;
        out.write_all(&length.to_le_bytes()).and_then(|()| out.write_all(&header)).map_err(told)?;
        for tensor in sorted {
            self.copy(tensor, &mut out)?;
        }
        out.flush().map_err(told)
    }

    fn header(&self, sorted: &[&Tensor]) -> Result<Vec<u8>> {
        let refused = |why: String| Error::file(self.path(), why);
        let read: u64 = self.files().iter().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum();
        let most = read.saturating_mul(MOST_FOR_A_BYTE).max(SMALL);
        let (mut tensors, mut end) = (Vec::new(), 0u64);
        for tensor in sorted {
            let start = end;
            let numbers = tensor.shape.iter().try_fold(1u64, |count, size| count.checked_mul(*size));
            let size = numbers.and_then(|count| count.checked_mul(tensor.dtype.bitsize() as u64 / 8));
            end = size.and_then(|size| start.checked_add(size)).filter(|end| *end <= most).ok_or_else(|| {
                refused(format!("has {read} bytes and speaks of tensors of more than {most}: they lie on each other"))
            })?;
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let shape = tensor.shape.iter().map(|size| place(*size)).collect();
            let info = TensorInfo { dtype: tensor.dtype, shape, data_offsets: (place(start), place(end)) };
            tensors.push((tensor.name.clone(), info));
        }
        let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let metadata = Metadata::new(Some(about), tensors).map_err(|error| refused(error.to_string()))?;
        let mut header = serde_json::to_vec(&metadata).map_err(|error| refused(error.to_string()))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        Ok(header)
    }

    fn copy(&self, tensor: &Tensor, out: &mut dyn Write) -> Result<()> {
        match (&tensor.place, &self.source) {
            (Place::Pickle(number, view), Source::Pickles { files, .. }) => {
                files.get(*number).map_or(Ok(()), |file| file.copy(view, out))
            }
            (Place::Safetensors(name), Source::Safetensors(weights)) => {
                let bytes = weights.bytes(name)?;
                out.write_all(&bytes).map_err(|error| Error::file(self.path(), error))
            }
            _ => Ok(()),
        }
    }
}
