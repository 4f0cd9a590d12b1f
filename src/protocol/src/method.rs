//! How importance is attributed to words, and the names of the ways.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How importance is attributed to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Norm of the gradient of the logit by the word embedding, the article's |dy/dx_i|.
    #[serde(rename = "grad")]
    Gradient,
    /// Gradient times input, summed over the hidden axis.
    #[serde(rename = "gxi")]
    GradientInput,
    /// Integrated gradients from a baseline to the input.
    #[serde(rename = "ig")]
    IntegratedGradients,
    /// Gradient times input, the gradient being the mean over noisy copies of the input.
    #[serde(rename = "smoothgrad")]
    SmoothGrad,
    /// Probability lost when the word is masked.
    Occlusion,
    /// Probability lost when the word is deleted.
    OcclusionDelete,
    /// Weighted ridge regression on masked copies of the text.
    Lime,
    /// Weighted regression tree on masked copies of the text.
    Tree,
    /// Shapley values by weighted regression on masked copies of the text.
    #[serde(rename = "kernelshap")]
    KernelShap,
    /// Shapley values: of a short text exactly, from all its maskings; of a long one by random orders.
    Shapley,
    /// What the head's vector is mixed from, by attention alone: without class or sign, the weak baseline.
    Rollout,
}

impl Method {
    /// All methods, in the order in which they are shown.
    pub const ALL: [Method; 11] = [
        Method::GradientInput,
        Method::IntegratedGradients,
        Method::Occlusion,
        Method::Lime,
        Method::Gradient,
        Method::SmoothGrad,
        Method::OcclusionDelete,
        Method::Tree,
        Method::KernelShap,
        Method::Shapley,
        Method::Rollout,
    ];

    /// Those that are done when none are named: one of each kind.
    pub const USUAL: [Method; 5] =
        [Method::GradientInput, Method::IntegratedGradients, Method::Occlusion, Method::Lime, Method::Gradient];

    /// The name on the command line and in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Method::Gradient => "grad",
            Method::GradientInput => "gxi",
            Method::IntegratedGradients => "ig",
            Method::SmoothGrad => "smoothgrad",
            Method::Occlusion => "occlusion",
            Method::OcclusionDelete => "occlusion_delete",
            Method::Lime => "lime",
            Method::Tree => "tree",
            Method::KernelShap => "kernelshap",
            Method::Shapley => "shapley",
            Method::Rollout => "rollout",
        }
    }

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

    /// Whether a score's sign says for or against the class.
    #[must_use]
    pub fn is_signed(self) -> bool {
        !matches!(self, Method::Gradient | Method::Rollout)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Method::ALL.into_iter().find(|method| method.key() == name).ok_or_else(|| {
            let known: Vec<_> = Method::ALL.iter().map(|method| method.key()).collect();
            format!("unknown method `{name}`; known are {}", known.join(", "))
        })
    }
}

/// Where integrated gradients start: what stands in the place of every word's pieces, the special tokens
/// staying as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The embedding of the padding token.
    #[default]
    Pad,
    /// The embedding of the token that stands for a masked one.
    Mask,
    /// The zero vector.
    Zero,
    /// The mean of the embeddings of all tokens of the vocabulary.
    Mean,
}

impl Baseline {
    /// All baselines.
    pub const ALL: [Baseline; 4] = [Baseline::Pad, Baseline::Mask, Baseline::Zero, Baseline::Mean];

    /// The name on the command line and in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Baseline::Pad => "pad",
            Baseline::Mask => "mask",
            Baseline::Zero => "zero",
            Baseline::Mean => "mean",
        }
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Baseline {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Baseline::ALL
            .into_iter()
            .find(|baseline| baseline.key() == name)
            .ok_or_else(|| format!("unknown baseline `{name}`; known are pad, mask, zero, mean"))
    }
}

/// How words are taken out of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// All pieces of a word are deleted, and the text gets shorter: what `lime` does.
    #[default]
    Delete,
    /// The token that stands for a masked one takes the place of each piece, and the text keeps its length.
    Mask,
}

impl Removal {
    /// All ways.
    pub const ALL: [Removal; 2] = [Removal::Delete, Removal::Mask];

    /// The name on the command line and in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Removal::Delete => "delete",
            Removal::Mask => "mask",
        }
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Removal {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Removal::ALL.into_iter().find(|removal| removal.key() == name);
        known.ok_or_else(|| format!("unknown removal `{name}`; known are delete, mask"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_names_read_back() {
        for method in Method::ALL {
            assert_eq!(method.key().parse::<Method>(), Ok(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{}\"", method.key()));
        }
        assert!("magic".parse::<Method>().unwrap_err().contains("gxi"));
    }

    #[test]
    fn names_of_removals_read_back() {
        for removal in Removal::ALL {
            assert_eq!(removal.key().parse::<Removal>(), Ok(removal));
            assert_eq!(serde_json::to_string(&removal).unwrap(), format!("\"{removal}\""));
        }
        assert!("hide".parse::<Removal>().unwrap_err().contains("mask"));
    }

    #[test]
    fn baseline_names_read_back() {
        for baseline in Baseline::ALL {
            assert_eq!(baseline.key().parse::<Baseline>(), Ok(baseline));
            assert_eq!(serde_json::to_string(&baseline).unwrap(), format!("\"{baseline}\""));
        }
        assert!("unk".parse::<Baseline>().unwrap_err().contains("mean"));
    }

    #[test]
    fn each_method_is_listed_once_and_the_usual_ones_come_first() {
        let distinct: std::collections::HashSet<_> = Method::ALL.into_iter().collect();
        assert_eq!(distinct.len(), Method::ALL.len());
        assert_eq!(Method::ALL[..Method::USUAL.len()], Method::USUAL);
    }
}
