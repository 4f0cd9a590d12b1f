//! One safetensors file. Its header is checked before anything that it describes is read.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pellucid_files::regular;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::error::{Error, Result};

/// Bytes of the number that a file begins with: the length of its header.
const PREFIX: u64 = 8;
/// Bytes of a header at most: enough for a hundred thousand tensors.
const HEADER: u64 = 32 << 20;

/// An open file whose header fits it.
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    file: File,
    header: Metadata,
    /// Where the tensors begin.
    start: u64,
}

impl WeightsFile {
    /// Opens the file at `path` and reads its header, which must place the tensors one after the other without gaps,
    /// give each the size that its type and shape need, and fill the file exactly.
    ///
    /// # Errors
    /// When the file cannot be read or its header does not fit. No more than the header is read.
    pub fn open(path: &Path) -> Result<Self> {
        let told = |error: std::io::Error| Error::file(path, error);
        let damaged = |message: String| Error::file(path, format!("damaged: {message}"));
        let file = regular::open_named(path).map_err(told)?;
        let length = file.metadata().map_err(told)?.len();
        let mut prefix = [0; PREFIX as usize];
        file.read_exact_at(&mut prefix, 0).map_err(|_| damaged("has no header".to_owned()))?;
        let promised = u64::from_le_bytes(prefix);
        if promised > HEADER || promised > length - PREFIX {
            return Err(damaged(format!("says that its header has {promised} bytes, of {length} in the file")));
        }
        let mut bytes = vec![0; usize::try_from(promised).unwrap_or(0)];
        file.read_exact_at(&mut bytes, PREFIX).map_err(told)?;
        let header: Metadata = serde_json::from_slice(&bytes).map_err(|error| damaged(format!("header: {error}")))?;
        let start = PREFIX + promised;
        let promised = header.data_len() as u64;
        if promised != length - start {
            let found = length - start;
            return Err(damaged(format!("its header speaks of {promised} bytes of tensors; there are {found}")));
        }
        Ok(Self { path: path.to_owned(), file, header, start })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the header.
    #[must_use]
    pub fn header_size(&self) -> u64 {
        self.start - PREFIX
    }

    /// Bytes of all tensors.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.header.data_len() as u64
    }

    /// Names of the tensors, in the order of their bytes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    /// Type and shape of a tensor.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<(Dtype, Vec<i64>)> {
        let info = self.header.info(name)?;
        // A size beyond i64 fits a file only if another size is zero.
        let shape = info.shape.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
        Some((info.dtype, shape))
    }

    /// The text under `key` in the header's metadata.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// The bytes of a tensor, little-endian; empty if there is no tensor of this name.
    ///
    /// # Errors
    /// What the file system says.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        let Some(TensorInfo { data_offsets: (from, to), .. }) = self.header.info(name) else { return Ok(Vec::new()) };
        let mut bytes = vec![0; to - from];
        let read = self.file.read_exact_at(&mut bytes, self.start + *from as u64);
        read.map_err(|error| Error::file(&self.path, error))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(header: &str, data: u64) -> Result<WeightsFile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        std::fs::write(&path, &bytes).unwrap();
        // Without a byte on the disk.
        File::options().write(true).open(&path).unwrap().set_len(bytes.len() as u64 + data).unwrap();
        WeightsFile::open(&path)
    }

    #[test]
    fn a_true_header_is_taken() {
        let file = open(r#"{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#, 8);
        let file = file.unwrap();
        assert_eq!((file.info("w").unwrap(), file.text("a")), ((Dtype::F32, vec![2, 1]), Some("b")));
        assert_eq!((file.bytes("w").unwrap(), file.names()), (vec![0; 8], vec!["w".to_owned()]));
        assert!(file.info("v").is_none() && file.bytes("v").unwrap().is_empty());
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        let tensor = |dtype: &str, shape: &str, from: u64, to: u64| {
            format!(r#""w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
        };
        let two = format!("{{{},{}}}", tensor("F32", "[1]", 0, 4), tensor("F32", "[1]", 0, 4).replace('w', "v"));
        for (header, data) in [
            (format!("{{{}}}", tensor("F32", "[2]", 0, 8)), 4),
            (format!("{{{}}}", tensor("F32", "[2]", 0, 8)), 9),
            (format!("{{{}}}", tensor("F32", "[3]", 0, 8)), 8),
            (format!("{{{}}}", tensor("F32", "[2]", 8, 0)), 8),
            (format!("{{{}}}", tensor("F32", "[1]", 4, 8)), 8),
            (format!("{{{}}}", tensor("F32", "[4611686018427387904,4]", 0, 8)), 8),
            (format!("{{{}}}", tensor("F32", "[-1]", 0, 8)), 8),
            (format!("{{{}}}", tensor("F99", "[2]", 0, 8)), 8),
            (format!("{{{}}}", tensor("F32", "[1e3]", 0, 8)), 8),
            (format!("{{{}}}", tensor("F32", "[2]", 0, 18_446_744_073_709_551_615)), 8),
            (two, 8),
            ("{".repeat(1000), 0),
            ("[]".to_owned(), 0),
        ] {
            let message = open(&header, data).unwrap_err().to_string();
            assert!(message.contains("damaged: ") && message.lines().count() == 1, "{header}: {message}");
        }
    }

    #[test]
    fn a_promised_terabyte_takes_no_memory() {
        let size = 1u64 << 40;
        let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}"#);
        assert!(open(&header, 0).is_err());
        // A hole of that size is there; it is not read before a place for it is known.
        assert_eq!(open(&header, size).unwrap().info("w").unwrap().1, [size as i64]);
        for promised in [u64::MAX, 1 << 40] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("model.safetensors");
            std::fs::write(&path, promised.to_le_bytes()).unwrap();
            File::options().write(true).open(&path).unwrap().set_len(2 << 40).unwrap();
            assert!(WeightsFile::open(&path).unwrap_err().to_string().contains("header has"));
        }
        assert!(WeightsFile::open(Path::new("/dev/zero")).unwrap_err().to_string().contains("regular"));
    }
}
