//! A tokenizer with its steps, from the content of its file and of those beside it.

use tokenizers::Tokenizer;

use super::checks::{Parts, check_added, check_model};
use super::normaliser::NormaliserSteps;
use super::settings::TokenizerSettings;
use super::splitter::SplitterSteps;
use super::{TextEncoder, TokenOf, pattern};
use crate::data::windows::TextLimit;

const MASKS: &[&str] = &["[MASK]", "<mask>"];
const PADS: &[&str] = &["[PAD]", "<pad>"];
const UNKNOWNS: &[&str] = &["[UNK]", "<unk>", "<|endoftext|>"];
/// Roles of tokens that stand in where there is no unknown token either, as in Llama 3.
const OTHERS: &[&str] = &["eos_token", "bos_token", "sep_token", "cls_token"];

/// Why there is no tokenizer.
#[derive(Debug)]
pub(super) enum Fault {
    /// `tokenizer.json` is damaged.
    Damaged(String),
    /// The files say something that is not supported.
    Refused(String),
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::Damaged(message)
    }
}

/// A tokenizer and its steps, from the content of its file.
pub(super) fn made(bytes: &[u8], settings: &TokenizerSettings, limit: TextLimit) -> Result<TextEncoder, Fault> {
    pattern::limit_searches();
    let parts: Parts = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let written = parts.checked()?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
    let cut_at =
        settings.truncation(tokenizer.get_truncation().map(|written| written.direction)).map_err(Fault::Refused)?;
    tokenizer.with_padding(None).with_truncation(None).map_err(|error| error.to_string())?;
    check_model(tokenizer.get_model())?;
    let tokens = settings.special_tokens(&tokenizer).map_err(Fault::Refused)?;
    let missing = tokens.missing();
    check_added(&written, missing.iter().filter(|token| token.normalized).map(|token| token.content.as_str()))?;
    settings.apply(&mut tokenizer, &missing).map_err(Fault::Refused)?;
    settings.put_ends(&mut tokenizer, &tokens).map_err(Fault::Refused)?;
    settings.check_remade(&tokenizer, &tokens, &parts.model).map_err(Fault::Refused)?;
    let find = |name: &str| tokenizer.token_to_id(name).map(i64::from);
    let own = |role: &str| tokens.content(role).and_then(find);
    let find_any = |names: &[&str]| names.iter().find_map(|name| find(name));
    let mask = own("mask_token").or_else(|| find_any(MASKS));
    let pad = own("pad_token").or_else(|| settings.model_pad()).or_else(|| find_any(PADS));
    let others = OTHERS.iter().filter_map(|role| own(role));
    let candidates: Vec<i64> =
        mask.into_iter().chain(own("unk_token")).chain(find_any(UNKNOWNS)).chain(others).collect();
    // A decoder takes a padding token at the end of a text for none of the text.
    let pads = |id: &i64| [pad, settings.model_pad()].contains(&Some(*id));
    let stand_in = candidates.iter().copied().find(|id| !pads(id)).or_else(|| candidates.first().copied()).or(pad);
    let lacking = || Fault::Refused("has no special token at all to mask words with".to_owned());
    let stand_in = stand_in.ok_or_else(lacking)?;
    let token = |own: Option<i64>| TokenOf { id: own.unwrap_or(stand_in), is_own: own.is_some() };
    let (mask, pad) = (token(mask), token(pad));
    let normaliser = NormaliserSteps::of(tokenizer.get_normalizer().cloned())?;
    let splitter = SplitterSteps::of(tokenizer.get_pre_tokenizer())?;
    let types = settings.types().map_err(Fault::Refused)?;
    Ok(TextEncoder { tokenizer, normaliser, splitter, limit, cut_at, types, mask, pad })
}
