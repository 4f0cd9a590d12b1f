//! Copies between host and device, and a tensor's numbers as a slice for the few loops that libtorch has no operation for.

use std::cell::Cell;

use tch::kind::Element;
use tch::{Device, Kind, TchError, Tensor};

/// Copies `values` to `device` without waiting for the device.
///
/// A plain copy to a GPU waits until everything queued there is done (torch, `aten/src/ATen/native/cuda/Copy.cu`). A copy from
/// pinned memory does not, and torch keeps that memory until the copy is made. (Torch's `pin_memory` warns at each call that
/// names a device, and tch's always does.)
pub(crate) fn upload<T: Element>(values: &[T], device: Device) -> Tensor {
    let here = Tensor::from_slice(values);
    match device {
        Device::Cpu => here,
        Device::Cuda(_) if !values.is_empty() => {
            here.internal_pin_memory(device).to_device_(device, T::KIND, true, false)
        }
        _ => here.to_device(device),
    }
}

/// Whether all numbers of `tensor` are neither NaN nor infinite. On a device this is a sync.
pub(crate) fn is_finite(tensor: &Tensor) -> bool {
    tensor.isfinite().all().int64_value(&[]) != 0
}

/// The numbers of `tensor`. On a device this is a sync: it waits until everything queued there is done.
///
/// # Errors
/// When libtorch refuses.
pub(crate) fn read(tensor: &Tensor) -> Result<Vec<f64>, TchError> {
    READS.with(|reads| reads.set(reads.get() + 1));
    // [..] -> [n]
    Vec::<f64>::try_from(tensor.to_kind(Kind::Double).contiguous().view([-1]))
}

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has read numbers from a device.
pub fn reads() -> u64 {
    READS.with(Cell::get)
}

/// The numbers of a contiguous f32 tensor on the CPU, for writing.
///
/// # Panics
/// When it is not one: that is a mistake in this program, not the user's.
pub(crate) fn numbers_mut(tensor: &mut Tensor) -> &mut [f32] {
    check(tensor);
    #[expect(unsafe_code, reason = "checked to be this many f32 on the CPU; borrowed as long as the tensor")]
    unsafe {
        std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel())
    }
}

/// The numbers of a contiguous f32 tensor on the CPU.
///
/// # Panics
/// When it is not one: that is a mistake in this program, not the user's.
pub(crate) fn numbers(tensor: &Tensor) -> &[f32] {
    check(tensor);
    #[expect(unsafe_code, reason = "checked to be this many f32 on the CPU; borrowed as long as the tensor")]
    unsafe {
        std::slice::from_raw_parts(tensor.data_ptr().cast::<f32>(), tensor.numel())
    }
}

fn check(tensor: &Tensor) {
    assert!(
        tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous(),
        "not contiguous f32 on the CPU: {tensor:?}"
    );
    // An empty tensor has no memory, and a slice must not start at nothing.
    assert!(tensor.numel() > 0, "an empty tensor");
}
