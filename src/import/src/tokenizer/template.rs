//! What is put around a text and between two, as `tokenizer.json` writes it.

use serde_json::{Map, Value, json};

use super::special::SpecialTokens;
use crate::brief::quoted;

/// A piece of a template: a special token or a text, and its token type.
pub(super) type Piece<'a> = (&'a str, u64);

/// A template of one text and one of two, in which `$A` and `$B` stand for the texts.
///
/// # Errors
/// When a token of it is not known.
pub(super) fn template(tokens: &SpecialTokens, single: &[Piece<'_>], pair: &[Piece<'_>]) -> Result<Value, String> {
    let piece = |(content, kind): &Piece<'_>| match content.strip_prefix('$') {
        Some(text) => json!({"Sequence": {"id": text, "type_id": kind}}),
        None => json!({"SpecialToken": {"id": content, "type_id": kind}}),
    };
    let mut special = Map::new();
    for (content, _) in single.iter().chain(pair).filter(|(content, _)| !content.starts_with('$')) {
        let id = tokens.id(content).ok_or_else(|| format!("lacks the token {}", quoted(content)))?;
        special.insert((*content).to_owned(), json!({"id": content, "ids": [id], "tokens": [content]}));
    }
    let list = |pieces: &[Piece<'_>]| pieces.iter().map(piece).collect::<Vec<_>>();
    Ok(json!({"type": "TemplateProcessing", "single": list(single), "pair": list(pair), "special_tokens": special}))
}
