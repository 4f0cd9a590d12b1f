//! What the optimiser may do to each parameter: whether penalties act on it, its share of the learning rate, whether it is
//! frozen.

use pellucid_protocol::Settings;
use pellucid_protocol::settings::{ParamGroup, Place};

use super::LeafRule;
use crate::model::architecture::Architecture;
use crate::model::weights::spec::{Group, ParamSpec};

/// The rule of the parameter `spec` under `settings`.
#[must_use]
pub fn rule(settings: &Settings, architecture: &Architecture, spec: &ParamSpec) -> LeafRule {
    let group = match spec.group {
        Group::Encoder => ParamGroup::Layers,
        Group::Embeddings => ParamGroup::Embeddings,
        Group::Head => ParamGroup::Head,
        Group::Biases => ParamGroup::Biases,
        Group::Norms => ParamGroup::Norms,
    };
    let place = place(architecture, spec);
    let below = match place {
        Place::Head | Place::Top => 0,
        Place::Layer(index) => architecture.layers - index,
        Place::Embeddings => architecture.layers + 1,
    };
    LeafRule {
        l1: !settings.l1_exempt.contains(group),
        l2: !settings.l2_exempt.contains(group),
        rate: if settings.freeze.holds(place) { 0.0 } else { settings.layer_decay.powi(below as i32) },
    }
}

/// Where a parameter is in its model.
#[must_use]
pub fn place(architecture: &Architecture, spec: &ParamSpec) -> Place {
    let names = &architecture.names;
    let is_final = |norm| spec.name.starts_with(&format!("{}.", names.of_encoder(norm)));
    match spec.layer {
        Some(index) => Place::Layer(index),
        None if architecture.head.owns(&spec.name) => Place::Head,
        None if names.final_norm.is_some_and(is_final) => Place::Top,
        None => Place::Embeddings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::classifier::Classifier;
    use crate::model::config::ModelConfig;
    use pellucid_protocol::RawSettings;

    const GPT2: &str = r#"{"model_type":"gpt2","vocab_size":9,"n_embd":4,"n_layer":2,"n_head":2,"n_positions":16}"#;
    const BERT: &str = r#"{"model_type":"bert","vocab_size":9,"hidden_size":4,"num_hidden_layers":2,
        "num_attention_heads":2,"intermediate_size":8,"max_position_embeddings":16}"#;

    fn rules(config: &str, raw: RawSettings) -> Vec<(String, LeafRule)> {
        let path = Some("x".into());
        let raw = RawSettings { model: Some("x".into()), train: path, valid: Some("x".into()), ..raw };
        let (settings, architecture) = (raw.check().unwrap(), ModelConfig::parse(config).unwrap().architecture);
        let specs = Classifier::specs(&architecture, 2);
        specs.iter().map(|spec| (spec.name.clone(), rule(&settings, &architecture, spec))).collect()
    }

    fn of(rules: &[(String, LeafRule)], part: &str) -> LeafRule {
        rules.iter().find(|(name, _)| name.contains(part)).unwrap_or_else(|| panic!("no {part} in {rules:?}")).1
    }

    #[test]
    fn penalties_act_on_matrices_of_layers_unless_told_otherwise() {
        let found = rules(BERT, RawSettings::default());
        let acted: Vec<_> = found.iter().filter(|(_, rule)| rule.l1 && rule.l2).map(|(name, _)| name).collect();
        assert_eq!(acted.len(), 2 * 4, "{acted:?}");
        assert!(acted.iter().all(|name| name.contains("layer.") && name.ends_with(".weight")));
        let raw = RawSettings { l1_exempt: Some("layers".parse().unwrap()), ..RawSettings::default() };
        let found = rules(BERT, raw);
        assert!(of(&found, "word_embeddings").l1 && !of(&found, "word_embeddings").l2);
        assert!(!of(&found, "intermediate.dense.weight").l1 && of(&found, "intermediate.dense.bias").l1);
    }

    #[test]
    fn rates_fall_from_layer_to_layer() {
        let found = rules(BERT, RawSettings { layer_decay: Some(0.5), ..RawSettings::default() });
        let rates = ["classifier", "pooler", "layer.1.output.LayerNorm", "layer.0.intermediate", "word_embeddings"];
        assert_eq!(rates.map(|part| of(&found, part).rate), [1.0, 1.0, 0.5, 0.25, 0.125]);
        assert_eq!(of(&found, "embeddings.LayerNorm.bias").rate, 0.125);
    }

    #[test]
    fn frozen_parts_stay_and_the_norm_at_the_end_is_of_the_encoder() {
        let frozen = |parts: &str| RawSettings { freeze: Some(parts.parse().unwrap()), ..RawSettings::default() };
        let found = rules(GPT2, frozen("embeddings,layers:1"));
        let held = ["wte", "h.0.ln_1", "h.1.mlp.c_fc", "ln_f", "score"].map(|part| of(&found, part).is_frozen());
        assert_eq!(held, [true, true, false, false, false]);
        let found = rules(GPT2, frozen("encoder"));
        assert!(of(&found, "ln_f").is_frozen() && !of(&found, "score").is_frozen());
    }
}
