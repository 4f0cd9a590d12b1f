//! Logits and gradients equal those of transformers on tiny random models of every family; see
//! tests/golden/make_families.py.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pellucid_engine::data::batch::Batch;
use pellucid_engine::data::tokenise::Encoded;
use pellucid_engine::data::tokens::TokenRow;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::layers::dropout::Dropout;
use pellucid_engine::model::weights::load;
use pellucid_engine::model::weights::save::{SaveRequest, Storage, save, save_in_files};
use pellucid_engine::train::optimiser::gradient::{Gradient, Lookup};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_intake::model_folder::weights::ModelWeights;
use serde_json::Value;
use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// Largest absolute difference in f32.
const TOLERANCE: f64 = 1e-5;

struct Golden {
    name: String,
    folder: PathBuf,
    expected: Value,
}

fn goldens() -> Vec<Golden> {
    let all = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/families");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 41, "golden files are missing");
    let golden = |folder: PathBuf| Golden {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        expected: serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap(),
        folder,
    };
    folders.into_iter().map(golden).collect()
}

impl Golden {
    fn load(&self) -> Classifier {
        load(&self.folder, self.expected["logits"][0].as_array().unwrap().len() as i64)
    }

    fn rows(&self) -> Vec<Encoded> {
        let ids: Vec<Vec<i64>> = serde_json::from_value(self.expected["rows"].clone()).unwrap();
        let kinds: Vec<i64> = serde_json::from_value(self.expected["types_of_row_0"].clone()).unwrap();
        let row = |(number, ids): (usize, Vec<i64>)| {
            let count = ids.len();
            let types = if number == 0 { kinds[..count].to_vec() } else { vec![0; count] };
            let second = types.iter().map(|&kind| kind == 1).collect();
            Encoded {
                types,
                second,
                spans: vec![(0, 0); count],
                special: vec![false; count],
                cut: 0,
                windows: None,
                ids,
            }
        };
        ids.into_iter().enumerate().map(row).collect()
    }

    fn assert_close(&self, found: &Tensor, expected: &Value, what: &str) {
        let found = Vec::<f64>::try_from(found.to_kind(Kind::Double).contiguous().view([-1])).unwrap();
        let expected = numbers(expected);
        assert_eq!(found.len(), expected.len(), "{}: {what}", self.name);
        let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < TOLERANCE, "{}: {what} differs by {worst}", self.name);
    }
}

fn load(folder: &std::path::Path, classes: i64) -> Classifier {
    let config = ModelConfig::load(folder).unwrap_or_else(|error| panic!("{error}"));
    let specs = Classifier::specs(&config.architecture, classes);
    let loaded = load::load(folder, &config.architecture.names, specs, &|_| false, 0);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    Classifier::new(config, classes, loaded.params)
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(parts) => parts.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn packed(model: &Classifier, rows: &[Encoded]) -> Batch {
    Batch::new(&rows.iter().cloned().map(TokenRow::from).collect::<Vec<_>>(), model.pads(), Device::Cpu)
}

#[test]
fn logits_equal_transformers() {
    for golden in goldens() {
        let model = golden.load();
        let logits = no_grad(|| model.logits(&packed(&model, &golden.rows())));
        golden.assert_close(&logits, &golden.expected["logits"], "logits");
    }
}

#[test]
fn gradients_by_word_embeddings_equal_transformers() {
    for golden in goldens() {
        let model = golden.load();
        let one = packed(&model, &golden.rows()[..1]);
        let input = model.embed(&one.ids).detach().set_requires_grad(true);
        let logits = model.forward(&input, &one.types, &one.layout, &mut Dropout::Off);
        let logit = logits.select(1, 1).sum(Kind::Float);
        let gradient = Tensor::run_backward(&[logit], &[&input], false, false).remove(0);
        golden.assert_close(&gradient, &golden.expected["gradient_row_0_class_1"], "gradient");
        let sum = (&gradient * &input).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float);
        golden.assert_close(&sum, &golden.expected["gradient_times_input_row_0_class_1"], "gradient x input");
        let norm = gradient.square().sum_dim_intlist([-1i64].as_slice(), false, Kind::Float).sqrt();
        golden.assert_close(&norm, &golden.expected["gradient_norm_row_0_class_1"], "gradient norm");
    }
}

/// The gradient of the mean cross entropy of `rows`, the word table's made dense.
fn gradient(model: &Classifier, rows: &[Encoded], labels: &[i64]) -> (Gradient, f64) {
    let batch = packed(model, rows);
    let embeddings = no_grad(|| model.embed(&batch.ids)).detach().set_requires_grad(true);
    let ids = Vec::<i64>::try_from(&batch.ids).unwrap();
    let lookup = Lookup { table: model.word_table(), ids, embeddings };
    // Dropout of rate 0 takes the way of training through attention.
    let logits = model.forward(&lookup.embeddings, &batch.types, &batch.layout, &mut Dropout::Off);
    let loss = logits.cross_entropy_loss::<Tensor>(&Tensor::from_slice(labels), None, Reduction::Mean, -100, 0.0);
    let gradient = Gradient::of(&loss, model.params(), Some(&lookup)).unwrap();
    (gradient.densified(model.params()), loss.double_value(&[]))
}

fn labels(golden: &Golden) -> Vec<i64> {
    serde_json::from_value(golden.expected["labels"].clone()).unwrap()
}

#[test]
fn gradients_by_parameters_equal_transformers() {
    for golden in goldens() {
        let model = golden.load().trainable(&|_| false);
        let (gradient, _) = gradient(&model, &golden.rows(), &labels(&golden));
        let sums: BTreeMap<String, f64> =
            serde_json::from_value(golden.expected["parameter_gradients"].clone()).unwrap();
        let mut compared = 0;
        for (spec, part) in model.params().specs().iter().zip(&gradient.dense) {
            let mut row = 0;
            for stored in &spec.stored {
                let of = |tensor: &Tensor| tensor.narrow(0, row, stored.rows).abs().sum(Kind::Double).double_value(&[]);
                if let Some(expected) = sums.get(&stored.name) {
                    let found = part.as_ref().map_or(0.0, of);
                    assert!(
                        (found - expected).abs() < 1e-4 * (1.0 + expected),
                        "{}: {}: {found} is not {expected}",
                        golden.name,
                        stored.name
                    );
                    compared += 1;
                }
                row += stored.rows;
            }
        }
        assert_eq!(compared, sums.len(), "{}: {:?}", golden.name, sums.keys());
    }
}

#[test]
fn a_packed_batch_is_the_mean_of_its_rows() {
    for golden in goldens() {
        let model = golden.load().trainable(&|_| false);
        let (rows, labels) = (golden.rows(), labels(&golden));
        let (together, loss) = gradient(&model, &rows, &labels);
        let share = 1.0 / rows.len() as f64;
        let each: Vec<_> = rows
            .iter()
            .zip(&labels)
            .map(|(row, &label)| gradient(&model, std::slice::from_ref(row), &[label]))
            .collect();
        let mean: f64 = each.iter().map(|(_, loss)| loss * share).sum();
        assert!((mean - loss).abs() < TOLERANCE, "{}: {mean} is not {loss}", golden.name);
        let mut sum: Option<Gradient> = None;
        for (part, _) in each {
            match &mut sum {
                Some(sum) => sum.add(part),
                None => sum = Some(part),
            }
        }
        for (spec, (a, b)) in model.params().specs().iter().zip(together.dense.iter().zip(sum.unwrap().dense)) {
            let (Some(a), Some(b)) = (a, b) else { continue };
            let worst = (a - b * share).abs().max().double_value(&[]);
            assert!(worst < TOLERANCE, "{}: {} differs by {worst}", golden.name, spec.name);
        }
    }
}

#[test]
fn every_family_is_saved_as_it_was_stored() {
    let place = tempfile::tempdir().unwrap();
    for golden in goldens() {
        let model = golden.load();
        let target = place.path().join(&golden.name);
        let request = SaveRequest {
            params: model.params(),
            config: model.config(),
            tokenizer: &TokenizerFiles::read(&golden.folder).unwrap(),
            storage: Storage::F32,
            checkpoint: None,
        };
        let tensors = |folder: &std::path::Path| {
            let weights = ModelWeights::open(folder).unwrap();
            let tensor = |name: &str| (name.to_owned(), (weights.info(name), weights.bytes(name).unwrap()));
            (weights.files().count(), weights.names().map(tensor).collect::<BTreeMap<_, _>>())
        };
        let (_, before) = tensors(&golden.folder);
        let check = |files: usize| {
            let (count, after) = tensors(&target);
            assert!(count == 1 && files == 1 || count >= files, "{}: {count} files", golden.name);
            assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{}", golden.name);
            assert!(before == after, "{}: a tensor has changed", golden.name);
        };
        save(&target, request).unwrap();
        check(1);
        save_in_files(&target, request, 2_000).unwrap();
        check(2);
    }
}

/// A copy of a model folder with its weights in `count` files and an index.
fn sharded(folder: &std::path::Path, target: &std::path::Path, count: usize) {
    std::fs::create_dir_all(target).unwrap();
    std::fs::copy(folder.join("config.json"), target.join("config.json")).unwrap();
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    let mut map = serde_json::Map::new();
    for (number, part) in names.chunks(names.len().div_ceil(count)).enumerate() {
        let shard = format!("model-{:05}-of-{count:05}.safetensors", number + 1);
        let views = part.iter().map(|name| (*name, file.tensor(name).unwrap()));
        safetensors::serialize_to_file(views, None, &target.join(&shard)).unwrap();
        map.extend(part.iter().map(|name| ((*name).to_owned(), Value::from(shard.as_str()))));
    }
    let index = serde_json::json!({"metadata": {"total_size": bytes.len()}, "weight_map": map});
    std::fs::write(target.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

#[test]
fn weights_in_several_files_give_the_same_logits() {
    let place = tempfile::tempdir().unwrap();
    for golden in goldens() {
        let target = place.path().join(&golden.name);
        sharded(&golden.folder, &target, 3);
        let (whole, parts) =
            (golden.load(), load(&target, golden.expected["logits"][0].as_array().unwrap().len() as i64));
        assert!(whole.params().weights().equal(parts.params().weights()), "{}", golden.name);
        let logits = no_grad(|| parts.logits(&packed(&parts, &golden.rows())));
        golden.assert_close(&logits, &golden.expected["logits"], "logits");
    }
}

#[test]
fn dropout_of_every_family_repeats_and_leaves_something() {
    for golden in goldens() {
        let model = golden.load();
        let batch = packed(&model, &golden.rows());
        let logits = |step: u64| {
            let mut drop = Dropout::of_step(1, step);
            no_grad(|| model.forward(&model.embed(&batch.ids), &batch.types, &batch.layout, &mut drop))
        };
        assert!(logits(3).equal(&logits(3)), "{}", golden.name);
        assert!(bool::try_from(logits(3).isfinite().all()).unwrap(), "{}", golden.name);
        let rates = model.config().architecture.dropout;
        if rates.attention > 0.0 {
            assert!(!logits(3).equal(&logits(4)), "{}", golden.name);
        }
    }
}
