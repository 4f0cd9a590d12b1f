//! The names that a pickle of plain tensors asks for. None of them is looked up anywhere: each stands for what is done
//! here in its place.

use safetensors::tensor::Dtype;

use crate::brief::brief;

/// What a pickle may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    /// A dictionary.
    OrderedDict,
    /// A tensor of a storage, an offset, a size and strides.
    RebuildTensor,
    /// A tensor that is trained.
    RebuildParameter,
    /// Numbers of this type.
    Storage(Dtype),
}

/// Module, name and meaning of each.
const KNOWN: &[(&str, &str, Global)] = &[
    ("collections", "OrderedDict", Global::OrderedDict),
    ("torch._utils", "_rebuild_tensor", Global::RebuildTensor),
    ("torch._utils", "_rebuild_tensor_v2", Global::RebuildTensor),
    ("torch._utils", "_rebuild_parameter", Global::RebuildParameter),
    ("torch", "DoubleStorage", Global::Storage(Dtype::F64)),
    ("torch", "FloatStorage", Global::Storage(Dtype::F32)),
    ("torch", "HalfStorage", Global::Storage(Dtype::F16)),
    ("torch", "BFloat16Storage", Global::Storage(Dtype::BF16)),
    ("torch", "LongStorage", Global::Storage(Dtype::I64)),
    ("torch", "IntStorage", Global::Storage(Dtype::I32)),
    ("torch", "ShortStorage", Global::Storage(Dtype::I16)),
    ("torch", "CharStorage", Global::Storage(Dtype::I8)),
    ("torch", "ByteStorage", Global::Storage(Dtype::U8)),
    ("torch", "BoolStorage", Global::Storage(Dtype::BOOL)),
];

/// The meaning of `name` of `module`, and the two joined by a dot.
///
/// # Errors
/// When it is none of the known ones, with its name.
pub(super) fn find(module: &str, name: &str) -> Result<(Global, String), String> {
    let known = KNOWN.iter().find(|(of, known, _)| (*of, *known) == (module, name));
    known.map(|(.., global)| (*global, format!("{module}.{name}"))).ok_or_else(|| {
        let asked = brief(format!("{module}.{name}"));
        let asked = asked.escape_debug();
        format!("asks for `{asked}`, which is none of the names that plain tensors need; nothing of it was run")
    })
}
