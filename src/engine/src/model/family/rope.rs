//! Rotary positions as `config.json` has them: `rope_scaling` beside `rope_theta` (transformers 4), or `rope_parameters`
//! (transformers 5).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::read_keys;
use crate::model::architecture::attention::{Rotary, RotaryScaling};

/// The keys of rotary positions that all families have.
#[derive(Debug, Default, Deserialize)]
struct Bases {
    rope_theta: Option<f64>,
    /// That of layers with windows.
    rope_local_base_freq: Option<f64>,
    rope_scaling: Option<Rope>,
}

/// `rope_parameters` for all layers.
#[derive(Debug, Default, Deserialize)]
struct ForAll {
    rope_parameters: Option<Rope>,
}

/// `rope_parameters` for the layers of each type.
#[derive(Debug, Default, Deserialize)]
struct ByType {
    #[serde(default)]
    rope_parameters: OfTypes,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfTypes {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

/// What rotary positions depend on beside their own keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotated {
    /// Size of a head.
    pub(super) size: i64,
    /// `max_position_embeddings`.
    pub(super) limit: i64,
}

/// `rope_scaling`, or `rope_parameters`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rope {
    rope_type: Option<RopeType>,
    /// The same under its old name.
    #[serde(rename = "type")]
    old_type: Option<RopeType>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    attention_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
}

/// How the angles of rotary positions are scaled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RopeType {
    #[default]
    Default,
    Linear,
    /// As the default for texts that are no longer than the model has positions for; longer ones are cut.
    Dynamic,
    Llama3,
    Yarn,
}

/// The rotary positions of a model whose layers all have the same, with the base `theta` where none is written.
///
/// # Errors
/// What is missing, or not supported.
pub(super) fn for_all(raw: &Map<String, Value>, rotated: Rotated, theta: f64) -> Result<Rotary, String> {
    let (bases, ForAll { rope_parameters }) = (read_keys::<Bases>(raw)?, read_keys::<ForAll>(raw)?);
    let theta = bases.rope_theta.unwrap_or(theta);
    let old = bases.scaling(theta)?.map(|rope| rope.rotary("rope_scaling", rotated, theta)).transpose()?;
    let new = rope_parameters.map(|rope| rope.rotary("rope_parameters", rotated, theta)).transpose()?;
    match (old, new) {
        (Some(old), Some(new)) if old != new => Err("rope_scaling and rope_parameters differ; remove one".to_owned()),
        (old, new) => old.or(new).map_or_else(|| Rope::default().rotary("rope_theta", rotated, theta), Ok),
    }
}

/// The rotary positions of layers that attend to all tokens, and those of layers with windows, with the bases `thetas`
/// where none are written.
///
/// # Errors
/// What is missing, or not supported.
pub(super) fn by_type(raw: &Map<String, Value>, rotated: Rotated, thetas: [f64; 2]) -> Result<[Rotary; 2], String> {
    let (bases, ByType { rope_parameters: new }) = (read_keys::<Bases>(raw)?, read_keys::<ByType>(raw)?);
    if [&new.full_attention, &new.sliding_attention].into_iter().flatten().any(|rope| rope.truncate == Some(false)) {
        // Transformers 5.24 looks for it beside the types, and so passes over it.
        return Err("rope_parameters: truncate is not supported in a type of layers but for true".to_owned());
    }
    let written = [bases.rope_theta, bases.rope_local_base_freq];
    let [far, near] = [0, 1].map(|kind| written[kind].unwrap_or(thetas[kind]));
    let full = match (bases.scaling(far)?, new.full_attention) {
        (Some(old), Some(new)) if *old != new => return Err("rope_scaling and rope_parameters differ".to_owned()),
        (Some(old), _) => old.rotary("rope_scaling", rotated, far)?,
        (None, new) => new.unwrap_or_default().rotary("rope_parameters", rotated, far)?,
    };
    Ok([full, new.sliding_attention.unwrap_or_default().rotary("rope_parameters", rotated, near)?])
}

impl Bases {
    /// `rope_scaling`, beside a base `theta`.
    fn scaling(&self, theta: f64) -> Result<Option<&Rope>, String> {
        let scaling = self.rope_scaling.as_ref().filter(|rope| **rope != Rope::default());
        match scaling.and_then(|rope| rope.rope_theta) {
            // Versions of transformers differ in which of the two counts.
            Some(own) if own != theta => Err(format!("rope_scaling has rope_theta {own}, but rope_theta is {theta}")),
            _ => Ok(scaling),
        }
    }
}

impl Rope {
    /// The rotary positions that it describes as the value of `key`, with the base `theta` where it has none.
    fn rotary(&self, key: &str, rotated: Rotated, theta: f64) -> Result<Rotary, String> {
        let theta = self.rope_theta.unwrap_or(theta);
        let scaling = self.scaling(rotated, theta).map_err(|why| format!("{key}: {why}"))?;
        Ok(Rotary { theta, scaling })
    }

    fn check(&self, rotated: Rotated, theta: f64) -> Result<(), String> {
        if self.partial_rotary_factor.is_some_and(|part| part != 1.0) {
            return Err("partial_rotary_factor is not supported but for 1".to_owned());
        }
        if rotated.size % 2 != 0 {
            return Err(format!("heads of {} numbers have no pairs to rotate", rotated.size));
        }
        if theta.is_finite() && theta > 0.0 { Ok(()) } else { Err(format!("rope_theta is {theta}")) }
    }

    fn kind(&self) -> Result<RopeType, String> {
        match (self.rope_type, self.old_type) {
            (Some(new), Some(old)) if new != old => Err("rope_type and type differ".to_owned()),
            (new, old) => Ok(new.or(old).unwrap_or_default()),
        }
    }

    fn scaling(&self, rotated: Rotated, theta: f64) -> Result<RotaryScaling, String> {
        self.check(rotated, theta)?;
        let kind = self.kind()?;
        let needed = |key: &str, value: Option<f64>| {
            let value = value.filter(|value| value.is_finite() && *value > 0.0);
            value.ok_or_else(|| format!("{key} is no number above 0"))
        };
        let factor = || needed("factor", self.factor);
        match kind {
            RopeType::Default | RopeType::Dynamic => Ok(RotaryScaling::None),
            RopeType::Linear => Ok(RotaryScaling::Linear { factor: factor()? }),
            RopeType::Llama3 => {
                let original = self.original_max_position_embeddings.unwrap_or(rotated.limit as f64);
                let low = needed("low_freq_factor", self.low_freq_factor)?;
                let high = needed("high_freq_factor", self.high_freq_factor)?;
                Ok(RotaryScaling::Bands { factor: factor()?, low, high, original })
            }
            RopeType::Yarn => self.yarn(factor()?, rotated, theta),
        }
    }

    fn yarn(&self, factor: f64, rotated: Rotated, theta: f64) -> Result<RotaryScaling, String> {
        let original = self.original_max_position_embeddings.unwrap_or(rotated.limit as f64);
        let (size, some) = (rotated.size as f64, |value: Option<f64>| value.filter(|&value| value != 0.0));
        // The pair that turns so often over the longest text of the pretraining.
        let pair = |turns: f64| size * (original / (turns * std::f64::consts::TAU)).ln() / (2.0 * theta.ln());
        let [mut first, mut end] =
            [some(self.beta_fast).unwrap_or(32.0), some(self.beta_slow).unwrap_or(1.0)].map(pair);
        if self.truncate.unwrap_or(true) {
            (first, end) = (first.floor(), end.ceil());
        }
        (first, end) = (first.max(0.0), end.min(size - 1.0));
        if first == end {
            // As transformers keeps the ramp from having no length.
            end += 0.001;
        }
        if !(first.is_finite() && end.is_finite()) {
            return Err("original_max_position_embeddings gives no ramp".to_owned());
        }
        let growth = |times: f64| if factor <= 1.0 { 1.0 } else { 0.1 * times * factor.ln() + 1.0 };
        let of_scales = || match (some(self.mscale), some(self.mscale_all_dim)) {
            (Some(one), Some(all)) => growth(one) / growth(all),
            _ => growth(1.0),
        };
        let magnitude = self.attention_factor.unwrap_or_else(of_scales);
        Ok(RotaryScaling::Yarn { factor, ramp: [first, end], magnitude })
    }
}
