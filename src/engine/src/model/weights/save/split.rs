//! How weights that are too large for one file are split, as huggingface_hub splits them.

/// The tensors of each file, by their places in `sizes`, which has the bytes of each tensor: as many as fit into `largest`
/// bytes, in their order. A tensor that is larger is alone in its file; what comes after it goes on in the file before.
///
/// That is `split_state_dict_into_shards_factory` of huggingface_hub 0.36.
pub(super) fn split(sizes: &[u64], largest: u64) -> Vec<Vec<usize>> {
    let (mut files, mut file, mut size) = (Vec::new(), Vec::new(), 0);
    for (tensor, &bytes) in sizes.iter().enumerate() {
        if bytes > largest {
            files.push(vec![tensor]);
            continue;
        }
        if size + bytes > largest {
            files.push(std::mem::take(&mut file));
            size = 0;
        }
        file.push(tensor);
        size += bytes;
    }
    if !file.is_empty() {
        files.push(file);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `split_state_dict_into_shards_factory` of huggingface_hub 0.36.2 gives for the same sizes.
    #[test]
    fn files_are_those_of_huggingface_hub() {
        for (sizes, largest, expected) in [
            (&[6, 6, 2, 6, 2, 2][..], 10, vec![vec![0], vec![1, 2], vec![3, 4, 5]]),
            (&[1, 2, 3], 10, vec![vec![0, 1, 2]]),
            (&[5, 5], 10, vec![vec![0, 1]]),
            (&[5, 6], 10, vec![vec![0], vec![1]]),
            (&[11], 10, vec![vec![0]]),
            (&[3, 11, 4, 12, 5], 10, vec![vec![1], vec![3], vec![0, 2], vec![4]]),
            (&[11, 3, 3], 10, vec![vec![0], vec![1, 2]]),
            (&[0, 10, 0, 1], 10, vec![vec![0, 1, 2], vec![3]]),
            (&[], 10, vec![]),
        ] {
            assert_eq!(split(sizes, largest), expected, "{sizes:?}");
        }
    }
}
