//! The answers of a classifier to many texts, in evaluation mode. None of them is NaN or infinite.

use tch::{Device, Kind, Tensor, no_grad};

use super::classifier::Classifier;
use crate::data::batch::Batch;
use crate::data::tokenise::Encoded;
use crate::data::tokens::{TokenRow, TokenSource};
use crate::error::{Error, NoNumber, Result};
use crate::interrupt::Interrupt;

/// Texts in one forward pass; those of similar length go together.
const ROWS: usize = 64;
/// Tokens in one forward pass, unless one text has more. A GPU is faster with few large launches.
const TOKENS: usize = ROWS * 512;
/// The same on a CPU: enough for its matrix products, and so few that memory is used again instead of asked for.
const TOKENS_ON_CPU: usize = 2048;

/// Logits of one text, or why there are none.
pub type Answer = std::result::Result<Vec<f32>, NoNumber>;

/// Logits of one text.
///
/// # Errors
/// When libtorch refuses, or the answer is not a number.
pub fn of_one(model: &Classifier, encoded: &Encoded) -> Result<Vec<f32>> {
    let mut answers = each(model, std::slice::from_ref(encoded), &Interrupt::default())?;
    Ok(answers.pop().unwrap_or_else(|| Ok(Vec::new()))?)
}

/// Logits of each of `texts`, in their order.
///
/// # Errors
/// When libtorch refuses, or an answer is not a number: by the number of the text, from 1.
pub fn logits<S: TokenSource + ?Sized>(model: &Classifier, texts: &S) -> Result<Vec<Vec<f32>>> {
    all(each(model, texts, &Interrupt::default())?, "text")
}

/// The answers as one; `what` is the name of a text in the message.
///
/// # Errors
/// When one of them is not a number: by the number of the text, from 1.
pub fn all(answers: Vec<Answer>, what: &str) -> Result<Vec<Vec<f32>>> {
    let named =
        |(answer, number): (Answer, usize)| answer.map_err(|fault| Error::Refused(format!("{what} {number}: {fault}")));
    answers.into_iter().zip(1..).map(named).collect()
}

/// As [`logits`], but each text has an answer of its own, and it stops as soon as `interrupt` asks for it.
///
/// # Errors
/// When libtorch refuses, or interrupted.
pub fn each<S: TokenSource + ?Sized>(model: &Classifier, texts: &S, interrupt: &Interrupt) -> Result<Vec<Answer>> {
    let mut order: Vec<usize> = (0..texts.count()).collect();
    order.sort_by_key(|&index| texts.length(index));
    let mut all = vec![Ok(Vec::new()); texts.count()];
    let most = if model.device() == Device::Cpu { TOKENS_ON_CPU } else { TOKENS };
    for chunk in passes(&order, most, |index| texts.length(index)) {
        interrupt.check()?;
        let rows: Vec<TokenRow> = chunk.iter().map(|&index| texts.row(index)).collect();
        let batch = Batch::new(&rows, model.pads(), model.device());
        let logits = no_grad(|| model.logits(&batch));
        for (&index, row) in chunk.iter().zip(host_rows(&logits)?) {
            all[index] = checked(model, || texts.row(index), row);
        }
    }
    Ok(all)
}

/// `texts` in passes of at most `most` tokens, by the tokens of each text.
fn passes(texts: &[usize], most: usize, tokens: impl Fn(usize) -> usize) -> Vec<&[usize]> {
    let (mut passes, mut rest) = (Vec::new(), texts);
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = |&&text: &&usize| {
            sum += tokens(text);
            sum <= most
        };
        let (pass, later) = rest.split_at(rest.iter().take(ROWS).take_while(fits).count().max(1));
        passes.push(pass);
        rest = later;
    }
    passes
}

/// The logits of the text with the tokens `row` if they are numbers.
///
/// # Errors
/// Which is none, and what in `model` gave it.
pub fn checked(model: &Classifier, row: impl Fn() -> TokenRow, logits: Vec<f32>) -> Answer {
    let Some(&value) = logits.iter().find(|logit| !logit.is_finite()) else { return Ok(logits) };
    let layer = no_grad(|| model.origin_of_fault(&Batch::new(&[row()], model.pads(), model.device())));
    Err(NoNumber { value, layer })
}

/// Rows of a `[rows, columns]` tensor: one transfer from device to host.
///
/// # Errors
/// When libtorch refuses.
pub fn host_rows(tensor: &Tensor) -> Result<Vec<Vec<f32>>> {
    let columns = tensor.size().last().copied().unwrap_or(0).max(1) as usize;
    let flat = Vec::<f32>::try_from(tensor.to_kind(Kind::Float).contiguous().view([-1]))?;
    Ok(flat.chunks(columns).map(<[f32]>::to_vec).collect())
}
