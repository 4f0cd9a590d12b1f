//! A tensor's numbers as a slice of this process, for the few loops that libtorch has no operation for.

use tch::{Device, Kind, Tensor};

/// The numbers of a contiguous f32 tensor on the CPU, to be written.
///
/// # Panics
/// When it is not one: that is a mistake of the caller's, not of the user's.
pub(crate) fn numbers_mut(tensor: &mut Tensor) -> &mut [f32] {
    check(tensor);
    #[expect(unsafe_code, reason = "checked to be so many f32 on the CPU; borrowed for as long as the tensor is")]
    unsafe {
        std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel())
    }
}

/// The numbers of a contiguous f32 tensor on the CPU.
///
/// # Panics
/// When it is not one: that is a mistake of the caller's, not of the user's.
pub(crate) fn numbers(tensor: &Tensor) -> &[f32] {
    check(tensor);
    #[expect(unsafe_code, reason = "checked to be so many f32 on the CPU; borrowed for as long as the tensor is")]
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
