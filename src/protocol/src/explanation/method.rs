//! The methods that attribute importance to words, and their names.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::text::unknown::named;

/// How importance is attributed to words, in the order in which methods are shown.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_fn = unknown_method, parse_err_ty = String)]
pub enum Method {
    /// Gradient times input, summed over the hidden axis.
    #[serde(rename = "gxi")]
    #[strum(serialize = "gxi")]
    GradientInput,
    /// Integrated gradients from a baseline to the input.
    #[serde(rename = "ig")]
    #[strum(serialize = "ig")]
    IntegratedGradients,
    /// Probability lost when the word is masked.
    Occlusion,
    /// Weighted ridge regression on masked copies of the text.
    Lime,
    /// Norm of the gradient of the logit with respect to the word embedding, the article's |dy/dx_i|.
    #[serde(rename = "grad")]
    #[strum(serialize = "grad")]
    Gradient,
    /// Gradient times input, with the mean gradient over noisy copies of the input.
    #[serde(rename = "smoothgrad")]
    #[strum(serialize = "smoothgrad")]
    SmoothGrad,
    /// Probability lost when the word is deleted.
    OcclusionDelete,
    /// Weighted regression tree on masked copies of the text.
    Tree,
    /// Shapley values by weighted regression on masked copies of the text.
    #[serde(rename = "kernelshap")]
    #[strum(serialize = "kernelshap")]
    KernelShap,
    /// Shapley values: exact for a short text, from all its maskings; from random orders for a long one.
    Shapley,
    /// How much each word flows into the vector that the head reads, by attention alone. It knows neither class nor
    /// sign: the weak baseline.
    Rollout,
}

named!(Method, unknown_method, "method");

impl Method {
    /// The methods that run unless others are named: one of each kind.
    pub const USUAL: [Method; 5] =
        [Method::GradientInput, Method::IntegratedGradients, Method::Occlusion, Method::Lime, Method::Gradient];

    /// The name for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Method::Gradient => "gradient norm",
            Method::GradientInput => "gradient x input",
            Method::IntegratedGradients => "integrated gradients",
            Method::SmoothGrad => "SmoothGrad",
            Method::Occlusion => "occlusion",
            Method::OcclusionDelete => "occlusion (delete)",
            Method::Lime => "LIME",
            Method::Tree => "tree surrogate",
            Method::KernelShap => "Kernel SHAP",
            Method::Shapley => "Shapley values",
            Method::Rollout => "attention rollout",
        }
    }

    /// Whether the sign of a score says if the word speaks for or against the class.
    #[must_use]
    pub fn is_signed(self) -> bool {
        !matches!(self, Method::Gradient | Method::Rollout)
    }
}

/// Where integrated gradients start: what replaces every word's pieces. Special tokens stay as they are.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_fn = unknown_baseline, parse_err_ty = String)]
pub enum Baseline {
    /// The embedding of the padding token.
    #[default]
    Pad,
    /// The embedding of the mask token.
    Mask,
    /// The zero vector.
    Zero,
    /// The mean of the embeddings of all tokens of the vocabulary.
    Mean,
}

named!(Baseline, unknown_baseline, "baseline");

/// How words are removed from a text.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_fn = unknown_removal, parse_err_ty = String)]
pub enum Removal {
    /// All pieces of a word are deleted, and the text gets shorter: what `lime` does.
    #[default]
    Delete,
    /// The mask token replaces each piece, and the text keeps its length.
    Mask,
}

named!(Removal, unknown_removal, "removal");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_names_read_back() {
        for &method in Method::ALL {
            assert_eq!(method.key().parse::<Method>(), Ok(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{}\"", method.key()));
        }
        assert!("magic".parse::<Method>().unwrap_err().contains("gxi"));
    }

    #[test]
    fn names_of_removals_read_back() {
        for &removal in Removal::ALL {
            assert_eq!(removal.key().parse::<Removal>(), Ok(removal));
            assert_eq!(serde_json::to_string(&removal).unwrap(), format!("\"{removal}\""));
        }
        assert!("hide".parse::<Removal>().unwrap_err().contains("mask"));
    }

    #[test]
    fn baseline_names_read_back() {
        for &baseline in Baseline::ALL {
            assert_eq!(baseline.key().parse::<Baseline>(), Ok(baseline));
            assert_eq!(serde_json::to_string(&baseline).unwrap(), format!("\"{baseline}\""));
        }
        assert!("unk".parse::<Baseline>().unwrap_err().contains("mean"));
    }

    #[test]
    fn each_method_is_listed_once_and_the_usual_ones_come_first() {
        let distinct: std::collections::HashSet<_> = Method::ALL.iter().collect();
        assert_eq!(distinct.len(), Method::ALL.len());
        assert_eq!(Method::ALL[..Method::USUAL.len()], Method::USUAL);
    }
}
