//! The call that makes a tensor of a storage.

use super::heap::{Heap, Object, Value};
use super::tensor::{MOST_DIMENSIONS, TensorView};
use crate::brief::quoted;

/// Arguments of `_rebuild_tensor_v2` at most.
pub(super) const MOST_ARGUMENTS: usize = 7;

/// The tensor of the arguments of `_rebuild_tensor` and `_rebuild_tensor_v2`. What follows the strides says how to train
/// it, but for the last one, which can say that the tensor has other numbers than its storage.
///
/// # Errors
/// When it is none, or does not lie in its storage.
pub(super) fn rebuilt(heap: &Heap, arguments: &[Value]) -> Result<TensorView, String> {
    let [storage, offset, shape, strides, ..] = arguments else {
        return Err("rebuilds a tensor of fewer than four arguments".to_owned());
    };
    if arguments.len() > MOST_ARGUMENTS {
        return Err(format!("rebuilds a tensor of more than {MOST_ARGUMENTS} arguments"));
    }
    check_metadata(heap, arguments.get(MOST_ARGUMENTS - 1).copied().unwrap_or(Value::None))?;
    let Some(Object::Storage(storage)) = heap.get(*storage) else {
        return Err(format!("rebuilds a tensor of {}, not of a storage", heap.kind(*storage)));
    };
    let offset = number(*offset)?;
    let (shape, strides) = (numbers(heap, *shape)?, numbers(heap, *strides)?);
    TensorView::checked(storage.clone(), offset, shape, strides)
}

/// Refuses metadata that say anything: with `neg` a tensor stands for the negative of what is stored.
fn check_metadata(heap: &Heap, metadata: Value) -> Result<(), String> {
    if metadata == Value::None {
        return Ok(());
    }
    let entries = heap.dict(metadata);
    let entries = entries.ok_or_else(|| format!("has a tensor with metadata that are {}", heap.kind(metadata)))?;
    match entries.iter().find(|(_, value)| *value != Value::Bool(false)) {
        None => Ok(()),
        Some((key, _)) => {
            let key = heap.text(*key).ok_or("has a tensor with metadata that is no text")?;
            Err(format!(
                "has a tensor with the metadata {}, by which its numbers are others than are stored; save it again after resolve_neg().resolve_conj()",
                quoted(key)
            ))
        }
    }
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
