//! The weights of a model folder: one safetensors file, or several with an index that says which tensor is where.

pub mod index;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use pellucid_files::weight_names::{INDEX, SINGLE, shard_of};
use safetensors::tensor::Dtype;

use self::index::ShardIndex;
use super::member::member;
use super::old_layout::{PICKLES, first_of, import_command};
use super::weights_file::WeightsFile;
use crate::error::{Error, Result};
use crate::hub_snapshot::fetching;

/// Bytes of the headers of all files with weights together, which are kept in memory: twice what one may have.
const HEADERS: u64 = 64 << 20;

/// The tensors of a model folder; their headers are checked, their values are read on request.
#[derive(Debug)]
pub struct ModelWeights {
    path: PathBuf,
    files: Vec<WeightsFile>,
    /// The file of each tensor, by its place in `files`.
    places: HashMap<String, usize>,
}

impl ModelWeights {
    /// Whether `folder` has weights that [`ModelWeights::open`] would read.
    #[must_use]
    pub fn are_in(folder: &Path) -> bool {
        [SINGLE, INDEX].iter().any(|name| folder.join(name).is_file())
    }

    /// Opens `model.safetensors` of `folder` or, where there is none, the files that `model.safetensors.index.json`
    /// names, as transformers does.
    ///
    /// # Errors
    /// When there are no weights, a file is damaged or missing, or the files do not hold exactly the tensors that the
    /// index places in them.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = member(folder, SINGLE)?;
        if path.exists() {
            return WeightsFile::open(&path).map(Self::single);
        }
        let path = member(folder, INDEX)?;
        if path.exists() { Self::sharded(folder, path) } else { Err(missing(folder)) }
    }

    fn single(file: WeightsFile) -> Self {
        let places = file.names().into_iter().map(|name| (name, 0)).collect();
        Self { path: file.path().to_owned(), files: vec![file], places }
    }

    fn sharded(folder: &Path, path: PathBuf) -> Result<Self> {
        let index = ShardIndex::read(&path, ".safetensors")?;
        let (mut files, mut headers) = (Vec::new(), 0);
        for shard in index.shards() {
            let place = member(folder, shard)?;
            if !place.exists() {
                return Err(Error::file(&place, format!("is missing, but {INDEX} names it{}", fetching(folder))));
            }
            let file = WeightsFile::open(&place)?;
            headers += file.header_size();
            if headers > HEADERS {
                return Err(Error::file(&path, format!("the headers of its files have more than {HEADERS} bytes")));
            }
            index.check(shard, &file.names()).map_err(|message| Error::file(&place, message))?;
            files.push(file);
        }
        let place = |(number, file): (usize, &WeightsFile)| file.names().into_iter().map(move |name| (name, number));
        let places = files.iter().enumerate().flat_map(place).collect();
        Ok(Self { path, files, places })
    }

    /// The file that stands for all: the one with the weights, or the index.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All files with weights, in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(WeightsFile::path)
    }

    /// All files with weights, open, in the order of their names.
    pub fn parts(&self) -> impl Iterator<Item = &WeightsFile> {
        self.files.iter()
    }

    /// Names of the tensors, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Type and shape of a tensor.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<(Dtype, Vec<i64>)> {
        self.file_of(name)?.info(name)
    }

    /// The bytes of a tensor, little-endian, row by row; none if there is no tensor of this name.
    ///
    /// # Errors
    /// What the file system says.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        self.file_of(name).map_or_else(|| Ok(Vec::new()), |file| file.bytes(name))
    }

    fn file_of(&self, name: &str) -> Option<&WeightsFile> {
        self.files.get(*self.places.get(name)?)
    }
}

/// What is wrong with a folder that has no safetensors file.
fn missing(folder: &Path) -> Error {
    match first_of(folder, PICKLES) {
        Some(pickle) => {
            let command = import_command(folder);
            Error::file(&pickle, format!("is a pickle, which is not opened here; {command} makes a folder that can be"))
        }
        None if has_shard(folder) => {
            Error::file(&folder.join(INDEX), "is missing; it says which tensor is in which file")
        }
        None => Error::file(folder, format!("has no {SINGLE}{}", fetching(folder))),
    }
}

fn has_shard(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_str().is_some_and(|name| shard_of(name).is_some()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use safetensors::tensor::TensorView;
    use serde_json::{Value, json};

    use super::*;

    const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

    /// A folder with `a` and `b` in the first shard and `c` in the second.
    fn folder(index: &Value) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(SHARDS[0]), shard(&[("a", 1.0), ("b", 2.0)])).unwrap();
        fs::write(folder.path().join(SHARDS[1]), shard(&[("c", 3.0)])).unwrap();
        fs::write(folder.path().join(INDEX), index.to_string()).unwrap();
        folder
    }

    fn shard(tensors: &[(&str, f32)]) -> Vec<u8> {
        let bytes: Vec<[u8; 4]> = tensors.iter().map(|(_, value)| value.to_le_bytes()).collect();
        let views = tensors
            .iter()
            .zip(&bytes)
            .map(|((name, _), bytes)| (*name, TensorView::new(Dtype::F32, vec![1], bytes.as_slice()).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    fn index() -> Value {
        json!({"metadata": {"total_size": 12}, "weight_map": {"a": SHARDS[0], "b": SHARDS[0], "c": SHARDS[1]}})
    }

    fn refusal(folder: &tempfile::TempDir) -> String {
        let message = ModelWeights::open(folder.path()).unwrap_err().to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    /// The refusal of an index whose `weight_map` was changed.
    fn refused(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
        let mut index = index();
        change(index["weight_map"].as_object_mut().unwrap());
        refusal(&folder(&index))
    }

    #[test]
    fn tensors_come_from_the_file_that_has_them() {
        let folder = folder(&index());
        let weights = ModelWeights::open(folder.path()).unwrap();
        let mut names: Vec<&str> = weights.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(weights.info("c"), Some((Dtype::F32, vec![1])));
        assert_eq!(weights.bytes("c").unwrap(), 3f32.to_le_bytes());
        assert_eq!((weights.info("d"), weights.bytes("d").unwrap()), (None, Vec::new()));
        assert_eq!(weights.files().collect::<Vec<_>>(), SHARDS.map(|name| folder.path().join(name)));
        assert!(weights.path().ends_with(INDEX) && ModelWeights::are_in(folder.path()));
    }

    #[test]
    fn one_file_comes_before_several() {
        let folder = folder(&json!({}));
        fs::write(folder.path().join(SINGLE), shard(&[("a", 9.0)])).unwrap();
        let weights = ModelWeights::open(folder.path()).unwrap();
        assert_eq!((weights.bytes("a").unwrap(), weights.files().count()), (9f32.to_le_bytes().to_vec(), 1));
    }

    #[test]
    fn a_missing_shard_is_named() {
        let folder = folder(&index());
        fs::remove_file(folder.path().join(SHARDS[1])).unwrap();
        let expected = "model-00002-of-00002.safetensors: is missing, but model.safetensors.index.json names it";
        assert!(refusal(&folder).ends_with(expected), "{}", refusal(&folder));
        fs::write(folder.path().join(SHARDS[1]), b"cut").unwrap();
        assert!(refusal(&folder).contains("model-00002-of-00002.safetensors: damaged"), "{}", refusal(&folder));
        fs::remove_file(folder.path().join(INDEX)).unwrap();
        assert!(refusal(&folder).contains("model.safetensors.index.json: is missing; it says"), "{}", refusal(&folder));
    }

    #[test]
    fn a_shard_with_other_tensors_than_the_index_says_is_refused() {
        let fewer = refused(|map| drop(map.remove("b")));
        assert!(fewer.ends_with("has the tensor \"b\", which model.safetensors.index.json does not place there"));
        let more = refused(|map| drop(map.insert("d".into(), json!(SHARDS[1]))));
        assert!(more.contains(SHARDS[1]) && more.ends_with("lacks the tensor \"d\" of model.safetensors.index.json"));
        let moved = refused(|map| drop(map.insert("b".into(), json!(SHARDS[1]))));
        assert!(moved.ends_with("has the tensor \"b\", which model.safetensors.index.json does not place there"));
    }

    #[test]
    fn a_tensor_that_is_there_twice_is_refused() {
        let folder = folder(&index());
        fs::write(folder.path().join(SHARDS[1]), shard(&[("c", 3.0), ("a", 4.0)])).unwrap();
        let message = refusal(&folder);
        assert!(message.contains(SHARDS[1]) && message.contains("has the tensor \"a\", which"), "{message}");
        let twice = format!(r#"{{"weight_map":{{"a":"{}","a":"{}"}}}}"#, SHARDS[0], SHARDS[1]);
        fs::write(folder.path().join(INDEX), twice).unwrap();
        assert!(refusal(&folder).contains("places the tensor \"a\" twice"), "{}", refusal(&folder));
    }

    #[test]
    fn an_index_names_files_of_its_folder_alone() {
        let paths = ["../x.safetensors", "/etc/passwd", "sub/x.safetensors", "..", "", "x.bin", ".safetensors", "a\nb"];
        for path in paths {
            let message = refused(|map| drop(map.insert("a".into(), json!(path))));
            let expected = format!("places the tensor \"a\" in {path:?}, which is not the name of a .safetensors file");
            assert!(message.contains(&expected), "{message}");
        }
        let folder = folder(&index());
        let elsewhere = tempfile::tempdir().unwrap();
        fs::rename(folder.path().join(SHARDS[1]), elsewhere.path().join("x")).unwrap();
        symlink(elsewhere.path().join("x"), folder.path().join(SHARDS[1])).unwrap();
        assert!(refusal(&folder).contains("leads out of the model folder"), "{}", refusal(&folder));
    }

    #[test]
    fn an_index_of_no_use_is_refused() {
        for (text, part) in [
            ("{}", "missing field `weight_map`"),
            (r#"{"weight_map":{}}"#, "places no tensors"),
            (r#"{"weight_map":[]}"#, "invalid type"),
            (r#"{"weight_map":{"a":1}}"#, "invalid type"),
            ("nonsense", "expected"),
        ] {
            let folder = folder(&Value::Null);
            fs::write(folder.path().join(INDEX), text).unwrap();
            let message = refusal(&folder);
            assert!(message.contains("model.safetensors.index.json: ") && message.contains(part), "{message}");
        }
        let many: serde_json::Map<_, _> =
            (0..2000).map(|n| (n.to_string(), json!(format!("{n}.safetensors")))).collect();
        let message = refusal(&folder(&json!({ "weight_map": many })));
        assert!(message.contains("names 2000 files; 1000 at most"), "{message}");
    }

    #[test]
    fn headers_that_are_large_together_are_refused() {
        let name = |number: usize| format!("{number}.safetensors");
        let map: serde_json::Map<_, _> = (0..4).map(|number| (number.to_string(), json!(name(number)))).collect();
        let folder = folder(&json!({ "weight_map": map }));
        let about = "x".repeat(20 << 20);
        for number in 0..4 {
            let tensor = json!({"dtype":"U8","shape":[0],"data_offsets":[0,0]});
            let header = json!({"__metadata__": {"about": about}, (number.to_string()): tensor}).to_string();
            let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
            fs::write(folder.path().join(name(number)), bytes).unwrap();
        }
        assert!(refusal(&folder).ends_with("the headers of its files have more than 67108864 bytes"));
    }

    #[test]
    fn pickles_and_nothing_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refusal(&folder).ends_with("has no model.safetensors") && !ModelWeights::are_in(folder.path()));
        fs::write(folder.path().join("pytorch_model.bin"), b"\x80\x02").unwrap();
        assert!(
            refusal(&folder).contains("pytorch_model.bin: is a pickle, which is not opened here; `pellucid import ")
        );
    }
}
