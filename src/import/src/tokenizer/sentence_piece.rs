//! A SentencePiece model: pieces of text, chosen by their probabilities or merged.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pellucid_intake::error::Result;
use serde_json::{Value, json};

use super::added_token::AddedToken;
use super::casing::{self, Words};
use super::class::Spm;
use super::merges::pairs;
use super::special::SpecialTokens;
use super::spm_file::{BPE, CONTROL, SpmFile, UNIGRAM, USER_DEFINED};
use super::template::template;
use super::vocabulary::Vocabulary;
use super::{Converted, Origin};
use crate::brief::quoted;

/// What stands for a blank.
const BLANK: &str = "\u{2581}";
/// What transformers puts before the pieces of XLM-RoBERTa: the first of these models had another order of ids than its
/// file.
const OF_XLM_ROBERTA: &[(&str, f64)] = &[("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)];
/// The same of CamemBERT.
const OF_CAMEMBERT: &[(&str, f64)] =
    &[("<s>NOTUSED", 0.0), ("<pad>", 0.0), ("</s>NOTUSED", 0.0), ("<unk>", 0.0), ("<unk>NOTUSED", -100.0)];
/// What ALBERT takes from the score of a number with a comma behind it.
const OF_COMMA: f64 = 100.0;

/// Converts the SentencePiece model of `origin`.
pub(super) fn convert(origin: &Origin<'_>, kind: Spm) -> Result<Converted> {
    let name = origin.class.files.first().copied().unwrap_or_default();
    let refused = |why: String| origin.refused(name, why);
    let file = SpmFile::parse(&origin.bytes(name)?).map_err(refused)?;
    let pieces = pieces(&file, kind).map_err(refused)?;
    let mut vocabulary = Vocabulary::default();
    for (id, (piece, _)) in (0..).zip(&pieces) {
        if !vocabulary.add(piece, id) {
            return Err(refused(format!("has the piece {} twice", quoted(piece))));
        }
    }
    let tokens =
        SpecialTokens::resolve(origin.class, origin.settings, &vocabulary, inherent(&file), origin.embeddings());
    let tokens = tokens.map_err(refused)?;
    let (steps, mut notes) = Steps::of(origin, kind, &vocabulary, &tokens)?;
    if file.byte_fallback {
        notes.push(format!(
            "{name}: characters that it does not know are unknown, and not written as bytes, as in transformers"
        ));
    }
    let blank = json!({"type": "Metaspace", "replacement": BLANK, "prepend_scheme": "always", "split": true});
    Ok(Converted {
        model: model(&file, kind, &pieces, &vocabulary).map_err(refused)?,
        normalizer: steps.normaliser(&file, kind),
        pre_tokenizer: steps.splitter(kind, &blank),
        post_processor: processor(&tokens, kind).map_err(refused)?,
        decoder: blank,
        flags: steps.flags(kind),
        notes,
        tokens,
    })
}

/// The pieces, each at the place of its id in the model.
fn pieces(file: &SpmFile, kind: Spm) -> std::result::Result<Vec<(&str, f64)>, String> {
    let from = |first: usize| file.pieces.iter().skip(first).map(|piece| (piece.text.as_str(), f64::from(piece.score)));
    match kind {
        Spm::DebertaV2 => Ok(from(0).collect()),
        Spm::Albert => from(0).map(|(piece, score)| Ok((piece, score - taken_for_comma(piece)?))).collect(),
        // The first three of the file are the four before them here.
        Spm::XlmRoberta => Ok(OF_XLM_ROBERTA.iter().copied().chain(from(3)).chain([("<mask>", 0.0)]).collect()),
        // The first of the file is the unknown piece.
        Spm::Camembert => Ok(OF_CAMEMBERT.iter().copied().chain(from(1)).chain([("<mask>", 0.0)]).collect()),
    }
}

/// What ALBERT takes from the score of `piece`, so that `1,` is two tokens. transformers also takes other characters than
/// 0 to 9 for digits, by a table that is not here.
fn taken_for_comma(piece: &str) -> std::result::Result<f64, String> {
    match piece.strip_suffix(',').and_then(|number| number.chars().last()) {
        Some(digit) if digit.is_ascii_digit() => Ok(OF_COMMA),
        Some(other) if other.is_numeric() => Err(format!("has the piece {}, which is not converted", quoted(piece))),
        _ => Ok(0.0),
    }
}

/// The pieces that are found as they stand.
fn inherent(file: &SpmFile) -> Vec<AddedToken> {
    let marked = file.pieces.iter().filter(|piece| [CONTROL, USER_DEFINED].contains(&piece.kind));
    marked.map(|piece| AddedToken { special: piece.kind == CONTROL, ..AddedToken::plain(&piece.text) }).collect()
}

fn model(
    file: &SpmFile,
    kind: Spm,
    pieces: &[(&str, f64)],
    vocabulary: &Vocabulary,
) -> std::result::Result<Value, String> {
    match file.algorithm {
        UNIGRAM => {
            let unknown = if [Spm::XlmRoberta, Spm::Camembert].contains(&kind) { 3 } else { file.unknown_id };
            if unknown >= pieces.len() as u64 {
                return Err(format!("has {unknown} for the id of the unknown piece, of {}", pieces.len()));
            }
            let listed: Vec<Value> = pieces.iter().map(|(piece, score)| json!([piece, score])).collect();
            Ok(json!({"type": "Unigram", "unk_id": unknown, "vocab": listed, "byte_fallback": false}))
        }
        BPE => {
            let own: HashMap<&str, usize> =
                file.pieces.iter().enumerate().map(|(id, piece)| (piece.text.as_str(), id)).collect();
            // A part that the model does not have under its own name cannot be merged.
            let has = |pair: &[&str; 2]| {
                let merged = pair.concat();
                pair.iter().all(|part| vocabulary.id(part).is_some()) && vocabulary.id(&merged).is_some()
            };
            let merges = pairs(pieces, &own)?;
            if let Some(pair) = merges.iter().find(|pair| !has(pair)) {
                return Err(format!(
                    "merges {} and {}, which the model has no places for",
                    quoted(pair[0]),
                    quoted(pair[1])
                ));
            }
            Ok(json!({
                "type": "BPE", "dropout": null, "unk_token": file.unknown, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": false, "ignore_merges": false,
                "vocab": vocabulary.to_json(), "merges": merges,
            }))
        }
        other => Err(format!(
            "is a SentencePiece model of the kind {other}; those of unigrams (1) and merges (2) are converted"
        )),
    }
}

/// What is done to a text before it is taken apart, as far as `tokenizer_config.json` decides.
struct Steps {
    lower: bool,
    by_punctuation: bool,
    accents: bool,
}

impl Steps {
    /// The steps, and what was decided, for people.
    fn of(
        origin: &Origin<'_>,
        kind: Spm,
        vocabulary: &Vocabulary,
        tokens: &SpecialTokens,
    ) -> Result<(Self, Vec<String>)> {
        let (mut lower, mut notes) = (origin.flag("do_lower_case", false)?, Vec::new());
        if kind == Spm::Albert {
            let file = origin.class.files.first().copied().unwrap_or_default();
            let words = Words { file, vocabulary, tokens, is_first: |piece| piece.starts_with(casing::BLANK) };
            let decided = casing::decide(origin.said_casing()?, &words).map_err(|why| origin.refused(file, why))?;
            lower = decided.0;
            notes.push(decided.1);
        }
        let by_punctuation = origin.flag("split_by_punct", false)?;
        Ok((Self { lower, by_punctuation, accents: origin.flag("keep_accents", false)? }, notes))
    }

    fn normaliser(&self, file: &SpmFile, kind: Spm) -> Value {
        let charsmap = (!file.charsmap.is_empty())
            .then(|| json!({"type": "Precompiled", "precompiled_charsmap": STANDARD.encode(&file.charsmap)}));
        let blanks = |to: &str| json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": to});
        let strip = |left: bool| json!({"type": "Strip", "strip_left": left, "strip_right": true});
        let lower = self.lower.then(|| json!({"type": "Lowercase"}));
        let steps: Vec<Value> = match kind {
            Spm::DebertaV2 => lower.into_iter().chain([strip(true)]).chain(charsmap).chain([blanks(" ")]).collect(),
            Spm::Albert => {
                let quote = |of: &str| json!({"type": "Replace", "pattern": {"String": of}, "content": "\""});
                let plain = [json!({"type": "NFKD"}), json!({"type": "StripAccents"})];
                let plain = plain.into_iter().filter(|_| !self.accents);
                let first = [quote("``"), quote("''")].into_iter().chain(plain).chain(lower);
                first.chain(charsmap).chain([blanks(" ")]).collect()
            }
            Spm::Camembert | Spm::XlmRoberta => charsmap.into_iter().chain([strip(false), blanks(BLANK)]).collect(),
        };
        json!({"type": "Sequence", "normalizers": steps})
    }

    fn splitter(&self, kind: Spm, blank: &Value) -> Value {
        if kind != Spm::DebertaV2 {
            return blank.clone();
        }
        let punctuation = self.by_punctuation.then(|| json!({"type": "Punctuation", "behavior": "Isolated"}));
        json!({"type": "Sequence", "pretokenizers": punctuation.into_iter().chain([blank.clone()]).collect::<Vec<_>>()})
    }

    fn flags(&self, kind: Spm) -> Vec<(&'static str, Value)> {
        match kind {
            Spm::DebertaV2 => {
                vec![("do_lower_case", Value::Bool(self.lower)), ("split_by_punct", Value::Bool(self.by_punctuation))]
            }
            Spm::Albert => {
                vec![("do_lower_case", Value::Bool(self.lower)), ("keep_accents", Value::Bool(self.accents))]
            }
            Spm::Camembert | Spm::XlmRoberta => Vec::new(),
        }
    }
}

/// What is put around texts; transformers has the tokens of these classes by name.
fn processor(tokens: &SpecialTokens, kind: Spm) -> std::result::Result<Value, String> {
    match kind {
        Spm::Albert | Spm::DebertaV2 => {
            let single = [("[CLS]", 0), ("$A", 0), ("[SEP]", 0)];
            template(tokens, &single, &[&single[..], &[("$B", 1), ("[SEP]", 1)]].concat())
        }
        Spm::Camembert | Spm::XlmRoberta => {
            let single = [("<s>", 0), ("$A", 0), ("</s>", 0)];
            template(tokens, &single, &[&single[..], &[("</s>", 0), ("$B", 0), ("</s>", 0)]].concat())
        }
    }
}
