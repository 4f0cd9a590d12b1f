//! Masked language modelling makes a folder from which fine-tuning can start.

use std::fs;

use pellucid_engine::model::weights::save::Storage;
use pellucid_engine::pretrain::{PretrainRequest, pretrain};
use pellucid_protocol::RawSettings;
use pellucid_protocol::event::Outcome;

use crate::fixture::{Fixture, train};

fn request(fixture: &Fixture, epochs: u64) -> PretrainRequest {
    PretrainRequest {
        model: fixture.path("student"),
        texts: fixture.path("texts.txt"),
        out: fixture.path(&format!("adapted-{epochs}")),
        epochs,
        batch_size: 16,
        lr: 1e-2,
        max_tokens: 24,
        dropout: 0.1,
        seed: 1,
        storage: Storage::F16,
    }
}

#[test]
fn the_held_out_loss_falls_and_a_run_starts_from_the_folder() {
    let fixture = Fixture::new();
    let texts: String = (0..200)
        .map(|n| format!("the {} was {} good\n", ["film", "plot", "cast"][n % 3], ["not", "very"][n / 3 % 2]))
        .collect();
    fs::write(fixture.path("texts.txt"), texts).unwrap();
    let short = pretrain(&request(&fixture, 1), &mut |_| {}).unwrap();
    let long = pretrain(&request(&fixture, 12), &mut |_| {}).unwrap();
    assert!(long < 0.8 * short, "{short} to {long}");

    let raw = RawSettings { model: Some(fixture.path("adapted-12").into()), ..fixture.settings("run") };
    let (events, ended) = train(raw);
    assert_eq!(ended.outcome, Outcome::Finished);
    let said = format!("{events:?}");
    assert!(said.contains("a fresh classification head was made for 2 classes"), "{said}");
}

#[test]
fn too_few_texts_are_refused() {
    let fixture = Fixture::new();
    fs::write(fixture.path("texts.txt"), "one\ntwo\n").unwrap();
    let message = pretrain(&request(&fixture, 1), &mut |_| {}).unwrap_err().to_string();
    assert!(message.contains("texts.txt: has 2 texts; 40 or more are needed"), "{message}");
}
