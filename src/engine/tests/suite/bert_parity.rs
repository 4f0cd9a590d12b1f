//! Logits and gradients equal those of transformers on tiny random models; see tests/golden/make_bert.py.

use std::path::PathBuf;

use pellucid_engine::data::batch::Batch;
use pellucid_engine::data::tokenise::Encoded;
use pellucid_engine::model::bert::Mode;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::folder;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

/// Largest absolute difference in f32.
const TOLERANCE: f64 = 1e-5;

fn golden(variant: &str) -> (Classifier, Value) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/bert").join(variant);
    let config = ModelConfig::load(&folder).unwrap();
    let (params, fresh) = folder::load(&folder, Classifier::specs(&config.bert, 3), |_| false, 0).unwrap();
    assert!(fresh.is_empty());
    let expected = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    (Classifier::new(config, 3, params), expected)
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(parts) => parts.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn rows(expected: &Value) -> Vec<Encoded> {
    let ids: Vec<Vec<i64>> = serde_json::from_value(expected["rows"].clone()).unwrap();
    let kinds: Vec<i64> = serde_json::from_value(expected["types_of_row_0"].clone()).unwrap();
    let row = |(number, ids): (usize, Vec<i64>)| {
        let types = if number == 0 { kinds[..ids.len()].to_vec() } else { vec![0; ids.len()] };
        Encoded { types, spans: vec![(0, 0); ids.len()], special: vec![false; ids.len()], cut: false, ids }
    };
    ids.into_iter().enumerate().map(row).collect()
}

fn assert_close(found: &Tensor, expected: &Value, what: &str) {
    let found = Vec::<f64>::try_from(found.to_kind(Kind::Double).contiguous().view([-1])).unwrap();
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < TOLERANCE, "{what}: {worst}");
}

#[test]
fn logits_and_gradients_equal_transformers() {
    for variant in ["gelu", "tanh", "relu"] {
        let (model, expected) = golden(variant);
        let encoded = rows(&expected);
        let pad = 0;
        let batch = Batch::new(&encoded.iter().collect::<Vec<_>>(), pad, Device::Cpu);
        assert_close(&model.logits(&batch, Mode::Eval), &expected["logits"], variant);

        let one = Batch::new(&[&encoded[0]], pad, Device::Cpu);
        let input = model.embed(&one.ids).detach().set_requires_grad(true);
        let logit = model.forward(&input, &one.types, &one.mask, Mode::Eval).select(1, 1).sum(Kind::Float);
        let gradient = Tensor::run_backward(&[logit], &[&input], false, false).remove(0);
        let sum = (&gradient * &input).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float);
        assert_close(&sum, &expected["gradient_times_input_row_0_class_1"], "gradient x input");
        let norm = gradient.square().sum_dim_intlist([-1i64].as_slice(), false, Kind::Float).sqrt();
        assert_close(&norm, &expected["gradient_norm_row_0_class_1"], "gradient norm");
    }
}

#[test]
fn a_trainable_model_gives_the_same_logits_and_a_gradient_for_every_parameter() {
    let (model, expected) = golden("gelu");
    let model = model.trainable();
    let encoded = rows(&expected);
    let batch = Batch::new(&encoded.iter().collect::<Vec<_>>(), 0, Device::Cpu);
    let logits = model.logits(&batch, Mode::Eval);
    assert_close(&logits, &expected["logits"], "trainable");
    (logits.square().sum(Kind::Float)).backward();
    let gradients = model.params().gradients().unwrap();
    for (spec, range) in model.params().ranges() {
        let part = gradients.narrow(0, range.start, range.end - range.start);
        assert!(part.abs().sum(Kind::Float).double_value(&[]) > 0.0, "{} has no gradient", spec.name);
    }
}
