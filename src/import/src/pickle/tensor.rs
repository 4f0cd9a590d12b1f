//! A tensor as a pickle describes it: a view of a storage, checked against the storage's size.

use safetensors::tensor::Dtype;

/// Dimensions of a tensor at most.
pub(super) const MOST_DIMENSIONS: usize = 8;

/// Numbers of one type that lie one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Storage {
    /// Its name in the file.
    pub(crate) key: String,
    /// The type of its numbers.
    pub(crate) dtype: Dtype,
    /// How many they are.
    pub(crate) count: u64,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorView {
    /// What it is a view of.
    pub(crate) storage: Storage,
    /// The number of the storage that is its first one.
    pub(crate) offset: u64,
    /// Its sizes.
    pub(crate) shape: Vec<u64>,
    /// How many numbers of the storage lie from one to the next along each dimension.
    pub(crate) strides: Vec<u64>,
    /// How many numbers it has.
    pub(crate) count: u64,
}

/// Bytes of a number.
pub(crate) fn width(dtype: Dtype) -> u64 {
    (dtype.bitsize() / 8) as u64
}

impl TensorView {
    /// The numbers of `storage` from `offset` on, in these steps.
    ///
    /// # Errors
    /// When it does not lie in its storage, or on itself.
    pub(super) fn checked(storage: Storage, offset: u64, shape: Vec<u64>, strides: Vec<u64>) -> Result<Self, String> {
        let described = || {
            let Storage { key, count, .. } = &storage;
            format!(
                "has a tensor of shape {shape:?}, strides {strides:?} and offset {offset} in the storage {key:?} of {count} numbers"
            )
        };
        if shape.len() != strides.len() || shape.len() > MOST_DIMENSIONS {
            return Err(format!(
                "{}: sizes and strides differ in number, or are more than {MOST_DIMENSIONS}",
                described()
            ));
        }
        let too_large = || format!("{}, which reaches beyond it", described());
        let count = shape.iter().try_fold(1u64, |count, size| count.checked_mul(*size)).ok_or_else(too_large)?;
        // One after the last number.
        let steps = shape.iter().zip(&strides).filter(|_| count > 0);
        let reach = steps.map(|(size, stride)| (size - 1).checked_mul(*stride));
        let reach = reach.chain([Some(offset)]).try_fold(0u64, |sum, step| sum.checked_add(step?));
        let end = reach.and_then(|reach| reach.checked_add(u64::from(count > 0))).ok_or_else(too_large)?;
        if end > storage.count {
            return Err(too_large());
        }
        if overlaps(&shape, &strides) {
            return Err(format!("{}: its numbers lie on each other", described()));
        }
        Ok(Self { storage, offset, shape, strides, count })
    }

    /// Whether its numbers lie in the storage in their own order, without gaps.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (size, stride) in self.shape.iter().zip(&self.strides).rev() {
            if *size != 1 && *stride != expected {
                return self.count == 0;
            }
            expected *= size;
        }
        true
    }

    /// Bytes of all its numbers.
    pub(crate) fn size(&self) -> u64 {
        self.count * width(self.storage.dtype)
    }
}

/// Whether two numbers of such a tensor can be one number of the storage: sorted by their strides, each dimension must
/// step over all that those before it reach.
fn overlaps(shape: &[u64], strides: &[u64]) -> bool {
    if shape.contains(&0) {
        return false;
    }
    let mut steps: Vec<(u64, u64)> = strides.iter().copied().zip(shape.iter().copied()).collect();
    steps.retain(|(_, size)| *size > 1);
    steps.sort_unstable();
    let mut reach = 0u64;
    steps.into_iter().any(|(stride, size)| {
        let overlaps = stride <= reach;
        reach = reach.saturating_add(stride.saturating_mul(size - 1));
        overlaps
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(offset: u64, shape: &[u64], strides: &[u64]) -> Result<TensorView, String> {
        let storage = Storage { key: "0".into(), dtype: Dtype::F32, count: 12 };
        TensorView::checked(storage, offset, shape.to_vec(), strides.to_vec())
    }

    #[test]
    fn what_lies_in_its_storage_is_taken() {
        for (offset, shape, strides, contiguous) in [
            (0, &[3, 4][..], &[4, 1][..], true),
            (0, &[4, 3], &[1, 4], false),
            (2, &[5], &[2], false),
            (11, &[], &[], true),
            (11, &[1, 1], &[7, 0], true),
            (12, &[0, 5], &[5, 1], true),
            (0, &[2, 1, 6], &[6, 99, 1], true),
        ] {
            assert_eq!(view(offset, shape, strides).unwrap().is_contiguous(), contiguous, "{shape:?}");
        }
    }

    #[test]
    fn what_reaches_beyond_its_storage_or_lies_on_itself_is_refused() {
        for (offset, shape, strides) in [
            (1, &[3, 4][..], &[4, 1][..]),
            (0, &[13], &[1]),
            (12, &[], &[]),
            (13, &[0], &[1]),
            (0, &[2], &[u64::MAX]),
            (u64::MAX, &[2], &[1]),
            (0, &[u64::MAX, 2], &[0, 0]),
            (0, &[1 << 40, 1 << 40], &[0, 0]),
        ] {
            assert!(view(offset, shape, strides).unwrap_err().contains("reaches beyond it"), "{shape:?}");
        }
        for (shape, strides) in [(&[12][..], &[0][..]), (&[3, 3], &[1, 1]), (&[2, 3], &[2, 1])] {
            assert!(view(0, shape, strides).unwrap_err().contains("lie on each other"), "{shape:?}");
        }
        assert!(view(0, &[2], &[1, 1]).is_err());
    }
}
