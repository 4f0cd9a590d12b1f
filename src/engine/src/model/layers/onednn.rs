//! Matrix products by oneDNN, which libtorch has but `linear` does not use for 32-bit floats. They have no gradient.
//!
//! libtorch gives 32-bit products to MKL, which uses half of the width of a processor that is not Intel's. The kernels of
//! oneDNN are made for the processor that they run on, and read weights in an order of their own ("packed"): with few
//! tokens, where a product is bound by reading the weights, that counts most. The functions are those of libtorch's stable C
//! interface (`torch/csrc/inductor/aoti_torch/c/shim.h` and `shim_cpu.h`).

use tch::Tensor;

/// A weight matrix in the order in which oneDNN reads it. A copy: it does not follow a change of the weights.
#[derive(Debug)]
pub(super) struct PackedWeight(Tensor);

impl PackedWeight {
    /// The matrix `weight`, `[out, in]`; `None` where there is no oneDNN or it refuses.
    pub(super) fn new(weight: &Tensor) -> Option<Self> {
        ffi::reorder(weight).map(Self)
    }

    /// `[tokens, in]` -> `[tokens, out]`: x W^T + b; `None` if oneDNN refuses.
    pub(super) fn product(&self, x: &Tensor, bias: Option<&Tensor>) -> Option<Tensor> {
        ffi::product(x, &self.0, bias)
    }
}

/// `[tokens, in]` -> `[tokens, out]`: x W^T + b with a weight matrix `[out, in]` as it is, which costs a pass over it; `None`
/// if there is no oneDNN or it refuses.
pub(super) fn product(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Option<Tensor> {
    ffi::product(x, weight, bias)
}

/// Whether libtorch would record a gradient for a product of these. Those here would lose it.
pub(super) fn needs_gradient<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> bool {
    tensors.into_iter().any(Tensor::requires_grad) && ffi::is_grad_enabled()
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod ffi {
    use std::ffi::{CStr, c_char};
    use std::ptr;

    use tch::Tensor;
    use torch_sys::C_tensor;

    /// What the functions return if they could do it.
    const SUCCESS: i32 = 0;
    const REORDER: &CStr = c"mkldnn::_reorder_linear_weight";
    const NO_OVERLOAD: &CStr = c"";
    const NO_ACTIVATION: &CStr = c"none";

    // A handle is a pointer to an `at::Tensor` on the heap, as a `C_tensor` is.
    #[expect(unsafe_code, reason = "as libtorch 2.11.0 declares them")]
    unsafe extern "C" {
        fn aoti_torch_grad_mode_is_enabled() -> bool;
        /// Takes the tensors of `stack` for its own, and puts the results there.
        fn aoti_torch_call_dispatcher(operator: *const c_char, overload: *const c_char, stack: *mut u64) -> i32;
        fn aoti_torch_cpu__linear_pointwise(
            x: *mut C_tensor,
            weight: *mut C_tensor,
            bias: *const *mut C_tensor,
            activation: *const c_char,
            scalars: *const *const f64,
            scalar_count: i64,
            algorithm: *const *const c_char,
            result: *mut *mut C_tensor,
        ) -> i32;
    }

    pub(super) fn is_grad_enabled() -> bool {
        #[expect(unsafe_code, reason = "reads a variable of this thread")]
        unsafe {
            aoti_torch_grad_mode_is_enabled()
        }
    }

    pub(super) fn reorder(weight: &Tensor) -> Option<Tensor> {
        let mut owned = std::mem::ManuallyDrop::new(weight.detach());
        // The matrix, and no number of tokens.
        let mut stack = [owned.as_mut_ptr() as u64, 0];
        #[expect(
            unsafe_code,
            reason = "the stack has the two arguments, of which it takes over the first, and room for the result"
        )]
        unsafe {
            let code = aoti_torch_call_dispatcher(REORDER.as_ptr(), NO_OVERLOAD.as_ptr(), stack.as_mut_ptr());
            (code == SUCCESS).then(|| Tensor::from_ptr(stack[0] as *mut C_tensor))
        }
    }

    pub(super) fn product(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Option<Tensor> {
        let bias = bias.map(|bias| bias.as_ptr().cast_mut());
        let bias = bias.as_ref().map_or(ptr::null(), ptr::from_ref);
        let mut result = ptr::null_mut();
        #[expect(unsafe_code, reason = "the tensors live through the call, which only reads them; the result is new")]
        unsafe {
            let code = aoti_torch_cpu__linear_pointwise(
                x.as_ptr().cast_mut(),
                weight.as_ptr().cast_mut(),
                bias,
                NO_ACTIVATION.as_ptr(),
                ptr::null(),
                0,
                ptr::null(),
                &raw mut result,
            );
            (code == SUCCESS).then(|| Tensor::from_ptr(result))
        }
    }
}

/// Elsewhere libtorch need not have oneDNN.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod ffi {
    use tch::Tensor;

    pub(super) fn is_grad_enabled() -> bool {
        true
    }

    pub(super) fn reorder(_weight: &Tensor) -> Option<Tensor> {
        None
    }

    pub(super) fn product(_x: &Tensor, _weight: &Tensor, _bias: Option<&Tensor>) -> Option<Tensor> {
        None
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    #[cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), ignore = "libtorch need not have oneDNN there")]
    fn the_functions_of_libtorch_are_there_and_do_their_work() {
        let random = |rows| Tensor::randn([rows, 13], (Kind::Float, Device::Cpu));
        let (x, weight) = (random(200), random(21));
        let packed = PackedWeight::new(&weight).expect("packed weights");
        for found in [packed.product(&x, None), product(&x, &weight, None)] {
            let found = found.expect("a product");
            assert!((found - x.linear::<Tensor>(&weight, None)).abs().max().double_value(&[]) < 1e-4);
        }
    }
}
