//! Packed batches of mixed lengths give the loss and the gradient of texts one by one, where nothing is padded.

use pellucid_engine::data::batch::Batch;
use pellucid_engine::data::tokenise::Encoded;
use pellucid_engine::data::tokens::TokenRow;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::layers::dropout::Dropout;
use pellucid_engine::model::weights::init::initialise;
use pellucid_engine::task::Task;
use pellucid_engine::task::classification::Classification;
use pellucid_engine::train::optimiser::gradient::Gradient;
use tch::{Device, Kind, Tensor};

const CONFIGS: [&str; 9] = [
    r#"{"model_type":"bert","vocab_size":31,"hidden_size":12,"num_hidden_layers":3,"num_attention_heads":3,
        "intermediate_size":20,"max_position_embeddings":40}"#,
    r#"{"model_type":"gpt2","vocab_size":31,"n_embd":12,"n_layer":2,"n_head":3,"n_positions":40}"#,
    r#"{"model_type":"modernbert","vocab_size":31,"hidden_size":12,"num_hidden_layers":4,"num_attention_heads":3,
        "intermediate_size":20,"max_position_embeddings":40,"classifier_pooling":"mean","local_attention":6}"#,
    r#"{"model_type":"deberta-v2","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":3,
        "intermediate_size":20,"max_position_embeddings":40,"relative_attention":true,"position_buckets":4,
        "pos_att_type":["p2c","c2p"],"norm_rel_ebd":"layer_norm","share_att_key":true}"#,
    r#"{"model_type":"llama","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":6,
        "num_key_value_heads":2,"head_dim":4,"intermediate_size":20,"max_position_embeddings":40}"#,
    r#"{"model_type":"gemma3_text","vocab_size":31,"hidden_size":12,"num_hidden_layers":3,"num_attention_heads":4,
        "num_key_value_heads":2,"head_dim":4,"intermediate_size":20,"max_position_embeddings":40,"sliding_window":5,
        "sliding_window_pattern":2}"#,
    r#"{"model_type":"eurobert","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":6,
        "num_key_value_heads":2,"intermediate_size":20,"max_position_embeddings":40}"#,
    r#"{"model_type":"mpnet","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":3,
        "intermediate_size":20,"max_position_embeddings":40}"#,
    r#"{"model_type":"albert","vocab_size":31,"embedding_size":6,"hidden_size":12,"num_hidden_layers":3,
        "num_attention_heads":3,"intermediate_size":20,"max_position_embeddings":40}"#,
];

fn texts() -> Vec<Encoded> {
    let text = |number: usize| {
        let count = [3, 29, 8, 8, 17, 30, 4, 9][number];
        let ids: Vec<i64> = (0..count as i64).map(|place| (place * 7 + number as i64 * 5) % 31).collect();
        Encoded {
            types: vec![0; count],
            second: vec![false; count],
            spans: vec![(0, 0); count],
            special: vec![false; count],
            cut: 0,
            windows: None,
            ids,
        }
    };
    (0..8).map(text).collect()
}

/// Sum of cross entropies and gradient, the texts taken `together` at a time.
fn measured(model: &Classifier, together: usize) -> (f64, Vec<f64>) {
    let (texts, task) = (texts(), Classification::new(2, None, 0.0, Device::Cpu));
    let (mut sum, mut gradient): (f64, Option<Gradient>) = (0.0, None);
    for (number, chunk) in texts.chunks(together).enumerate() {
        let rows: Vec<TokenRow> = chunk.iter().cloned().map(TokenRow::from).collect();
        let batch = Batch::new(&rows, model.pads(), Device::Cpu);
        let classes: Vec<i64> = (0..chunk.len()).map(|row| ((number * together + row) % 2) as i64).collect();
        let logits = model.forward(&model.embed(&batch.ids), &batch.types, &batch.layout, &mut Dropout::Off);
        let loss = task.loss(&logits, &Tensor::from_slice(&classes));
        sum += loss.double_value(&[]);
        let new = Gradient::of(&loss, model.params(), None).unwrap();
        match &mut gradient {
            Some(gradient) => gradient.add(new),
            None => gradient = Some(new),
        }
    }
    let numbers = |part: &Tensor| Vec::<f64>::try_from(part.to_kind(Kind::Double).view([-1])).unwrap();
    (sum, gradient.unwrap().dense.iter().flatten().flat_map(numbers).collect())
}

#[test]
fn packed_batches_equal_texts_one_by_one() {
    for config in CONFIGS {
        let config = ModelConfig::parse(config).unwrap();
        let params = initialise(Classifier::specs(&config.architecture, 2), 11);
        let model = Classifier::new(config, 2, params).trainable(&|_| false);
        let ((packed, of_packed), (single, of_single)) = (measured(&model, 8), measured(&model, 1));
        let family = model.config().family();
        assert!((packed - single).abs() < 1e-5, "{family}: {packed} is not {single}");
        let worst = of_packed.iter().zip(&of_single).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(of_packed.len() == of_single.len() && worst < 1e-5, "{family}: gradients differ by {worst}");
        assert!(of_single.iter().any(|g| g.abs() > 1e-3));
    }
}

/// Copies of one text, some with words deleted, some with words masked.
fn copies() -> Vec<Encoded> {
    let whole = texts().swap_remove(2);
    let copy = |number: usize| {
        let mut copy = whole.clone();
        if number.is_multiple_of(2) {
            copy.ids[number % 8] = 1;
        } else {
            copy.ids.remove(number % 8);
            copy.types.remove(number % 8);
        }
        copy
    };
    (0..9).map(copy).collect()
}

#[test]
fn tokens_computed_once_give_the_logits_of_each_on_its_own() {
    for config in CONFIGS {
        let config = ModelConfig::parse(config).unwrap();
        let model = Classifier::new(config.clone(), 2, initialise(Classifier::specs(&config.architecture, 2), 11));
        let copies = copies();
        let rows: Vec<TokenRow> = copies.iter().cloned().map(TokenRow::from).collect();
        let batch = || Batch::new(&rows, model.pads(), Device::Cpu);
        let shared = batch().sharing().unwrap();
        let kinds = shared.layout.alike.as_ref().unwrap().firsts.size()[0];
        assert!(kinds < shared.tokens() as i64, "{kinds}");
        let difference = f64::try_from((model.logits(&shared) - model.logits(&batch())).abs().max()).unwrap();
        assert!(difference < 1e-6, "{}: {difference}", config.family());
    }
}
