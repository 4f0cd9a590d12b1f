//! What comes in as a model folder in an old layout: files of `torch.save`, and vocabularies.

use std::fs;

use pellucid_import::checkpoint::Checkpoint;
use pellucid_import::tokenizer;

use super::checkpoints::saved;
use super::file::{file, folder};

/// The numbers of a storage that every pickle here finds under the key 0.
const NUMBERS: [u8; 64] = [7; 64];
/// The classes of tokenizers that are made of files, and the files.
const CLASSES: [(&str, &[&str]); 4] = [
    ("BertTokenizer", &["vocab.txt"]),
    ("RobertaTokenizer", &["vocab.json", "merges.txt"]),
    ("DebertaV2Tokenizer", &["spm.model"]),
    ("XLMRobertaTokenizer", &["sentencepiece.bpe.model"]),
];

/// A file of tensors has all the numbers that it speaks of, or is refused in one line.
pub(crate) fn checkpoint(bytes: &[u8]) {
    let path = file("pytorch_model.bin", bytes);
    match Checkpoint::open(&path).and_then(|file| Ok((file.measure()?, file.len()))) {
        Ok((size, tensors)) => assert!(size <= (bytes.len() * tensors) as u64),
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
}

/// The same of the pickle alone, in an archive that is sound.
pub(crate) fn pickle(bytes: &[u8]) {
    checkpoint(&saved(bytes, &[("0", &NUMBERS)]));
}

/// The files of a tokenizer, with zeros between them behind a first byte that chooses the class, become a
/// `tokenizer.json`, or are refused in one line.
pub(crate) fn vocabulary(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let (class, names) = CLASSES[usize::from(*first) % CLASSES.len()];
    let (main, more) = match rest.iter().position(|byte| *byte == 0).filter(|_| names.len() > 1) {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (rest, &[][..]),
    };
    for (name, content) in names.iter().zip([main, more]) {
        file(name, content);
    }
    let config = serde_json::Map::from_iter([("vocab_size".to_owned(), 40.into())]);
    match tokenizer::make(&folder(), &config, class, None) {
        Ok(made) => {
            let (name, content) = &made.files[0];
            assert_eq!(name, "tokenizer.json");
            serde_json::from_slice::<serde_json::Value>(content).unwrap();
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
    for name in names {
        fs::remove_file(folder().join(name)).unwrap();
    }
}
