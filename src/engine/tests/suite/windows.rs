//! Texts that are read in windows: as transformers reads them, and explained as one text.

use std::path::{Path, PathBuf};

use pellucid_engine::data::batch::Batch;
use pellucid_engine::data::tokenise::{Encoded, TextEncoder};
use pellucid_engine::data::tokens::TokenRow;
use pellucid_engine::data::windows::TextLimit;
use pellucid_engine::explain::oracle::ModelOracle;
use pellucid_engine::explain::session::{self, Plan};
use pellucid_engine::explain::subject::Subject;
use pellucid_engine::interrupt::Interrupt;
use pellucid_engine::model::answers;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::layers::dropout::Dropout;
use pellucid_engine::model::pretrained::load_classifier;
use pellucid_explain::{Context, Predict, Slopes};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::settings::{WindowPooling, Windows};
use pellucid_protocol::{Baseline, Method, Removal};
use serde::Deserialize;
use tch::{Device, Kind, Tensor, no_grad};

/// `tests/golden/make_windows.py`.
const GOLDEN: &str = include_str!("../../../../tests/golden/windows.json");

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    pair: Option<String>,
    max_tokens: usize,
    stride: u64,
    windows: Vec<Vec<i64>>,
    mean: Vec<f32>,
    max: Vec<f32>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str::<Golden>(GOLDEN).unwrap().cases
}

fn loaded(case: &Case, pooling: WindowPooling) -> (Classifier, TextEncoder) {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/models/teacher");
    let windows = Some(Windows { stride: Some(case.stride), pooling });
    let (model, _, encoder) = load_classifier(&folder, TextLimit { max_tokens: case.max_tokens, windows }).unwrap();
    (model, encoder)
}

fn encoded(case: &Case, encoder: &TextEncoder) -> Encoded {
    encoder.encode(&[(&case.text, case.pair.as_deref())]).unwrap().pop().unwrap()
}

fn close(found: &[f64], wanted: &[f64], within: f64) {
    assert_eq!(found.len(), wanted.len());
    let off = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < within, "{off}: {found:?} {wanted:?}");
}

#[test]
fn windows_and_pooled_logits_are_those_of_transformers() {
    for case in cases() {
        for (pooling, wanted) in [(WindowPooling::Mean, &case.mean), (WindowPooling::Max, &case.max)] {
            let (model, encoder) = loaded(&case, pooling);
            let encoded = encoded(&case, &encoder);
            assert!(!encoded.is_cut());
            let whole = [[0..encoded.ids.len(), 0..0, 0..0]];
            let windows = encoded.windows.as_ref().map(|windows| windows.windows(encoded.ids.len()));
            let ids = |window: &[std::ops::Range<usize>; 3]| -> Vec<i64> {
                window.iter().flat_map(|range| encoded.ids[range.clone()].iter().copied()).collect()
            };
            let found: Vec<Vec<i64>> = windows.as_deref().unwrap_or(&whole).iter().map(ids).collect();
            assert_eq!(found, case.windows);
            // Beside texts of other lengths, of which one has no windows.
            let short = encoder.encode(&[("well", None)]).unwrap().pop().unwrap();
            let rows = vec![short.clone(), encoded.clone(), short];
            let answers = answers::each(&model, rows.as_slice(), &Interrupt::default()).unwrap();
            let logits: Vec<f64> = answers[1].as_ref().unwrap().iter().map(|logit| f64::from(*logit)).collect();
            close(&logits, &wanted.iter().map(|logit| f64::from(*logit)).collect::<Vec<_>>(), 1e-4);
            assert_eq!(answers[0], answers[2]);
        }
    }
}

#[test]
fn the_gradient_of_a_token_is_the_sum_over_its_windows() {
    for pooling in [WindowPooling::Mean, WindowPooling::Max] {
        let case = cases().remove(0);
        let (model, encoder) = loaded(&case, pooling);
        let batch = Batch::new(&[TokenRow::from(encoded(&case, &encoder))], model.pads(), Device::Cpu);
        let embeddings = no_grad(|| model.embed(&batch.ids)).detach().set_requires_grad(true);
        let logits = |at: &Tensor| model.forward(at, &batch.types, &batch.layout, &mut Dropout::Off).get(0).get(1);
        let slope = Tensor::run_backward(&[logits(&embeddings)], &[&embeddings], false, false).remove(0);
        // Along a direction of every token at once, by differences.
        let way = slope.sign();
        let at = |far: f64| no_grad(|| logits(&(&embeddings + &way * far)).double_value(&[]));
        let (by_difference, by_slope) =
            ((at(1e-4) - at(-1e-4)) / 2e-4, slope.abs().sum(Kind::Double).double_value(&[]));
        assert!((by_difference / by_slope - 1.0).abs() < 0.02, "{pooling:?}: {by_difference} {by_slope}");
        // With the mean every window counts, with the highest logit only one.
        let moved = slope.abs().sum_dim_intlist([1i64].as_slice(), false, Kind::Float).gt(0.0);
        assert_eq!(moved.all().int64_value(&[]) == 1, pooling == WindowPooling::Mean);
    }
}

#[test]
fn words_are_hidden_and_paths_are_followed_over_the_whole_text() {
    let case = cases().remove(1);
    let (model, encoder) = loaded(&case, WindowPooling::Mean);
    let subject = Subject::new(&encoder, &case.text, None).unwrap();
    assert_eq!(subject.truncated_words, 0);
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 1 };
    let words = subject.words.len();
    let hidden = |word: usize| (0..words).map(|other| other != word).collect::<Vec<_>>();
    let presence = vec![vec![true; words], hidden(words - 1), hidden(0)];
    let masked = oracle.outcomes(&presence, Removal::Mask).unwrap();
    for (row, outcome) in presence.iter().zip(&masked) {
        let ids = subject.masked(row);
        let alone = answers::of_one(&model, &Encoded { ids, ..subject.encoded.clone() }).unwrap();
        assert!((f64::from(alone[1]) - outcome.logit).abs() < 1e-5);
    }
    assert!(masked[1].logit != masked[0].logit, "the last word is read");
    // Without its last words the text is as if it ended there.
    let half: Vec<bool> = (0..words).map(|word| word < words / 2).collect();
    let deleted = oracle.outcomes(std::slice::from_ref(&half), Removal::Delete).unwrap();
    let end = subject.words[words / 2 - 1].end;
    let left: String = case.text.chars().take(end).collect();
    let alone = answers::of_one(&model, &encoder.encode(&[(&left, None)]).unwrap()[0]).unwrap();
    assert!((f64::from(alone[1]) - deleted[0].logit).abs() < 1e-5);
    // Completeness of integrated gradients.
    let alphas: Vec<f64> = (0..60).map(|at| (f64::from(at) + 0.5) / 60.0).collect();
    let path = oracle.path(Baseline::Pad, &alphas, Scalar::Logit).unwrap();
    let sum: f64 = path.iter().flat_map(|point| &point.slopes).sum::<f64>() / alphas.len() as f64;
    let none = oracle.path(Baseline::Pad, &[0.0, 1.0], Scalar::Logit).unwrap();
    assert!((sum - (none[1].value - none[0].value)).abs() < 5e-2, "{sum} {none:?}");
    assert!(oracle.attention().is_err());
}

#[test]
fn a_method_that_says_nothing_about_windows_is_left_out_and_said() {
    let case = cases().remove(1);
    let (model, encoder) = loaded(&case, WindowPooling::Mean);
    let subject = Subject::new(&encoder, &case.text, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 1 };
    let mut explained = |methods: &[Method]| {
        let blank = session::blank(&subject, vec![0.5, 0.5], 1);
        session::explain(&mut oracle, blank, Plan::new(methods, Context::new(0)), &mut |_| {})
    };
    let made = explained(&[Method::Rollout, Method::GradientInput]).unwrap();
    assert_eq!(made.attributions.iter().map(|made| made.method).collect::<Vec<_>>(), [Method::GradientInput]);
    let [left] = &made.left_out[..] else { panic!("{:?}", made.left_out) };
    assert!(left.method == Method::Rollout && left.why.contains("windows"), "{left:?}");
    assert!(explained(&[Method::Rollout]).unwrap_err().to_string().contains("windows"), "nothing is left to say");
}

#[test]
fn a_row_of_the_data_has_a_bound_and_a_stride_as_wide_as_a_window_is_refused() {
    let mut case = cases().remove(0);
    case.text = case.text.repeat(20);
    let (_, encoder) = loaded(&case, WindowPooling::Mean);
    let encoded = encoded(&case, &encoder);
    let windows = encoded.windows.as_ref().unwrap().windows(encoded.ids.len());
    assert!(encoded.is_cut() && windows.len() == pellucid_engine::data::windows::MOST);
    assert!(encoded.words_cut(&case.text, None) > 100);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/models/teacher");
    let windows = Some(Windows { stride: Some(62), pooling: WindowPooling::Mean });
    let told = load_classifier(&folder, TextLimit { max_tokens: 64, windows }).err().unwrap().to_string();
    assert!(told.contains("--stride 61 at most"), "{told}");
}
