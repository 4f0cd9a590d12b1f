//! Masked fine-tuning: words of some texts of a batch are masked, so that a text with masked words, which is what
//! explanations by removal ask about, is nothing new to the model.
//!
//! Source: FMM, arXiv 2310.07819: in half of each batch each text has a share of its tokens masked that is drawn from
//! U[0, 1), special tokens excepted. Two things are done otherwise. Whole words are masked, as the explainers do. And
//! the masked texts are copies beside the batch, not a part of it: with half of the batch masked instead, the small
//! student of `data/` lost 3.5 points of its accuracy on whole texts.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::prepare::Examples;
use crate::data::tokenise::{Encoded, TextEncoder};

/// Keeps these draws apart from those of the order of examples, which has the same seed.
const SALT: u64 = 0x006d_6173_6b65_6421;

/// The generator of the masks of one batch: one that is drawn again is masked as before.
#[must_use]
pub fn generator(seed: u64, batch: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed ^ SALT);
    generator.set_stream(batch);
    generator
}

/// Of a batch of `rows` texts, how many have a masked copy: `share` of them, rounded down.
#[must_use]
pub fn count(share: f64, rows: usize) -> usize {
    (share * rows as f64).floor() as usize
}

/// The examples of `indices`, each with a share of its words masked that is drawn from U[0, 1).
#[must_use]
pub fn masked(
    examples: &Examples,
    encoder: &TextEncoder,
    indices: &[usize],
    generator: &mut ChaCha8Rng,
) -> Vec<Encoded> {
    let mut mask = |&index: &usize| {
        let subject = examples.subject(encoder, index);
        let share: f64 = generator.random();
        let presence: Vec<bool> = subject.words.iter().map(|_| generator.random::<f64>() >= share).collect();
        Encoded { ids: subject.masked(&presence), ..subject.encoded }
    };
    indices.iter().map(&mut mask).collect()
}
