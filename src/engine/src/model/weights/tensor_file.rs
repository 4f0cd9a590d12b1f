//! Named tensors and a text in one safetensors file, written whole or not at all.

use std::collections::HashMap;
use std::path::Path;

use pellucid_files::whole::{Draft, Readers};
use pellucid_intake::model_folder::weights_file::WeightsFile;
use safetensors::tensor::{Dtype, TensorView};
use tch::{Device, Kind, Tensor};

use super::params::check_size;
use super::provenance::Checksum;
use crate::error::{Error, Result};
use crate::host::numbers;

/// Key of the text in the file's metadata.
const TEXT: &str = "pellucid";
/// Key of the checksum of text and tensors there; files of earlier versions have none.
const SUM: &str = "crc64";

/// Writes f32 tensors and a text to `path`: first to a file beside it, which is synced and renamed.
///
/// # Errors
/// What the file system says; the file at `path` is then as it was before.
pub fn write(path: &Path, tensors: &[(&str, &Tensor)], text: &str) -> Result<()> {
    // Deliberate transfer from device to host.
    let host: Vec<Tensor> = tensors.iter().map(|(_, tensor)| tensor.to_device(Device::Cpu).contiguous()).collect();
    let bytes: Vec<Vec<u8>> = host.iter().map(little_endian).collect();
    let mut views = Vec::new();
    for (((name, _), tensor), bytes) in tensors.iter().zip(&host).zip(&bytes) {
        let shape = tensor.size().iter().map(|&size| size as usize).collect();
        views.push((*name, TensorView::new(Dtype::F32, shape, bytes).map_err(|error| Error::file(path, error))?));
    }
    let draft = Draft::of(path, Readers::User).map_err(|error| Error::file(path, error))?;
    let temporary = draft.temporary().ok_or_else(|| Error::file(path, "has no name to be written at"))?;
    let sum = checksum(text, tensors.iter().zip(&bytes).map(|((name, _), bytes)| (*name, bytes.as_slice())));
    let metadata = HashMap::from([(TEXT.to_owned(), text.to_owned()), (SUM.to_owned(), sum)]);
    safetensors::serialize_to_file(views, Some(metadata), temporary).map_err(|error| Error::file(path, error))?;
    draft.finish().map_err(|error| Error::file(path, error))
}

fn little_endian(tensor: &Tensor) -> Vec<u8> {
    if tensor.numel() == 0 { Vec::new() } else { numbers(tensor).iter().flat_map(|v| v.to_le_bytes()).collect() }
}

/// Reads the tensors and the text of the file at `path`.
///
/// # Errors
/// When it cannot be read, is damaged, or is larger than the memory of this machine.
pub fn read(path: &Path) -> Result<(HashMap<String, Tensor>, String)> {
    let file = WeightsFile::open(path)?;
    check_size(file.size() as f64).map_err(|message| Error::file(path, message))?;
    let text = file.text(TEXT).unwrap_or_default().to_owned();
    let (mut tensors, mut sum) = (HashMap::new(), Checksum::default());
    sum.add("", text.as_bytes());
    let mut names = file.names();
    names.sort();
    for name in names {
        let Some((Dtype::F32, shape)) = file.info(&name) else {
            return Err(Error::file(path, format!("damaged: {name} is not F32")));
        };
        let bytes = file.bytes(&name)?;
        sum.add(&name, &bytes);
        tensors.insert(name, Tensor::f_from_data_size(&bytes, &shape, Kind::Float)?);
    }
    if file.text(SUM).is_some_and(|noted| noted != sum.finish()) {
        return Err(Error::file(path, "damaged: the checksum is wrong"));
    }
    Ok((tensors, text))
}

/// Checksum of a text and of tensors, in the order of their names.
fn checksum<'a>(text: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut sum = Checksum::default();
    sum.add("", text.as_bytes());
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_unstable();
    tensors.iter().for_each(|(name, bytes)| sum.add(name, bytes));
    sum.finish()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_file_larger_than_the_machine_is_refused_by_its_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let size = 1u64 << 42;
        let header = format!(r#"{{"w":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{size}]}}}}"#, size / 4);
        fs::write(&path, [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(8 + header.len() as u64 + size).unwrap();
        let told = read(&path).unwrap_err().to_string();
        assert!(told.contains("4096.0 GiB of memory; the machine has"), "{told}");
    }

    #[test]
    fn what_is_written_is_read_bit_for_bit_and_damage_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let values = [1.5f32, -0.0, f32::MIN_POSITIVE / 8.0, 3e38];
        let (some, none) = (Tensor::from_slice(&values).view([2, 2]), Tensor::zeros([0], (Kind::Float, Device::Cpu)));
        write(&path, &[("some", &some), ("none", &none)], "{\"step\":3}").unwrap();
        let (tensors, text) = read(&path).unwrap();
        let back = Vec::<f32>::try_from(tensors["some"].view([-1])).unwrap();
        assert_eq!(back.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), values.map(f32::to_bits));
        assert_eq!((tensors["none"].numel(), text.as_str()), (0, "{\"step\":3}"));
        let bytes = fs::read(&path).unwrap();
        for cut in [0, 7, 40, bytes.len() - 1] {
            fs::write(&path, &bytes[..cut]).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains("damaged"), "cut at {cut}");
        }
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(&path, other).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("checksum"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
    }
}
