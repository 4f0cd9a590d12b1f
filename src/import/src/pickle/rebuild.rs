//! The call that makes a tensor of a storage.

use super::heap::{Heap, Object, Value};
use super::tensor::{MOST_DIMENSIONS, TensorView};

/// The tensor of the arguments of `_rebuild_tensor` and `_rebuild_tensor_v2`; what follows the strides says how to train it.
///
/// # Errors
/// When it is none, or does not lie in its storage.
pub(super) fn rebuilt(heap: &Heap, arguments: &[Value]) -> Result<TensorView, String> {
    let [storage, offset, shape, strides, ..] = arguments else {
        return Err("rebuilds a tensor of fewer than four arguments".to_owned());
    };
    let Some(Object::Storage(storage)) = heap.get(*storage) else {
        return Err(format!("rebuilds a tensor of {}, not of a storage", heap.kind(*storage)));
    };
    let offset = number(*offset)?;
    let (shape, strides) = (numbers(heap, *shape)?, numbers(heap, *strides)?);
    TensorView::checked(storage.clone(), offset, shape, strides)
}

fn number(value: Value) -> Result<u64, String> {
    let Value::Int(number) = value else { return Err("has a size that is no number".to_owned()) };
    u64::try_from(number).map_err(|_| format!("has {number} for a size, a stride or an offset; none is negative"))
}

fn numbers(heap: &Heap, value: Value) -> Result<Vec<u64>, String> {
    let values = heap.tuple(value).ok_or_else(|| format!("has sizes that are {}, not a tuple", heap.kind(value)))?;
    if values.len() > MOST_DIMENSIONS {
        return Err(format!("has a tensor of {} dimensions; {MOST_DIMENSIONS} at most", values.len()));
    }
    values.iter().map(|value| number(*value)).collect()
}
