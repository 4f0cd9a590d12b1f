//! Enums whose variants have names that people type, and the message about a name that is none of them.

/// The message about a `name` that is not among the `known` names of a `kind` of thing.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    format!("unknown {kind} `{name}`; known are {}", known.join(", "))
}

/// `ALL` and `key` of an enum that derives strum's `IntoStaticStr`, `VariantArray` and `VariantNames`, and the function
/// that its `parse_err_fn` names. The text is what an unknown name is said to be: "unknown method `magic`".
macro_rules! named {
    ($named:ident, $parse_error:ident, $kind:literal) => {
        impl $named {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[$named] = <Self as strum::VariantArray>::VARIANTS;

            /// The name on the command line and in files.
            #[must_use]
            pub fn key(self) -> &'static str {
                self.into()
            }
        }

        fn $parse_error(name: &str) -> String {
            $crate::text::unknown::unknown($kind, name, <$named as strum::VariantNames>::VARIANTS)
        }
    };
}

pub(crate) use named;
