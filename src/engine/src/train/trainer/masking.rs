//! Masked fine-tuning: some texts of a batch are there a second time with words masked. So texts with masked words, which
//! explanations by removal ask about, are nothing new to the model.
//!
//! Source: FMM, arXiv 2310.07819. There, half of the texts of a batch have a share of their tokens masked that is drawn from
//! U[0, 1), but no special tokens. Two things differ here. Whole words are masked, as the explainers do. And the masked texts
//! are copies beside the batch, not a part of it: with half of the batch masked, the small student of `data/` lost 3.5 points
//! of its accuracy on whole texts.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::examples::Examples;
use crate::data::tokenise::{Encoded, TextEncoder};
use crate::error::Result;
use crate::explain::subject::Subject;

/// Makes these draws differ from those of the order of examples, which has the same seed.
const SALT: u64 = 0x006d_6173_6b65_6421;

/// The generator of the masks of one batch. A batch that is repeated has the same masks.
#[must_use]
pub(super) fn generator(seed: u64, batch: u64) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed ^ SALT);
    generator.set_stream(batch);
    generator
}

/// How many of `rows` texts have a masked copy: the share `share`, rounded down.
#[must_use]
pub(super) fn count(share: f64, rows: usize) -> usize {
    (share * rows as f64).floor() as usize
}

/// The examples of `indices`, each with masked words; the share of them is drawn from U[0, 1).
///
/// # Errors
/// When the tokenizer refuses.
pub(super) fn masked(
    examples: &Examples,
    encoder: &TextEncoder,
    indices: &[usize],
    generator: &mut ChaCha8Rng,
) -> Result<Vec<Encoded>> {
    let mut mask = |&index: &usize| {
        let subject = Subject::of_example(encoder, examples, index)?;
        let share: f64 = generator.random();
        let presence: Vec<bool> = subject.words.iter().map(|_| generator.random::<f64>() >= share).collect();
        Ok(Encoded { ids: subject.masked(&presence), ..subject.encoded })
    };
    indices.iter().map(&mut mask).collect()
}
