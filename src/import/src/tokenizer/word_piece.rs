//! `vocab.txt`: one token a line, of which words are made up from the left.

use pellucid_intake::error::Result;
use serde_json::{Value, json};

use super::casing::{self, Wanted};
use super::special::SpecialTokens;
use super::template::template;
use super::vocabulary::Vocabulary;
use super::{Converted, Origin, settings};

const FILE: &str = "vocab.txt";
/// Tokens at most.
const MOST: usize = 4_000_000;

/// Converts `vocab.txt`.
pub(super) fn convert(origin: &Origin<'_>) -> Result<Converted> {
    let refused = |why: String| origin.refused(FILE, why);
    let vocabulary = read(&origin.text(FILE)?).map_err(refused)?;
    let tokens = SpecialTokens::resolve(origin.class, origin.settings, &vocabulary, Vec::new(), origin.embeddings());
    let tokens = tokens.map_err(refused)?;
    let wanted = Wanted { said: said_casing(origin)?, asked: origin.casing };
    let (lower, note) = casing::decide(wanted, &vocabulary, &tokens).map_err(refused)?;
    let chinese = origin.flag("tokenize_chinese_chars", true)?;
    let accents = origin.settings.flag("strip_accents").map_err(|why| origin.refused(settings::FILE, why))?;
    let [cls, sep, unk] = ["cls_token", "sep_token", "unk_token"].map(|role| tokens.role(role).unwrap_or_default());
    let single = [(cls, 0), ("$A", 0), (sep, 0)];
    let pair = [&single[..], &[("$B", 1), (sep, 1)]].concat();
    let processor = template(&tokens, &single, &pair).map_err(refused)?;
    Ok(Converted {
        model: json!({
            "type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary.to_json(),
        }),
        normalizer: json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": chinese,
            "strip_accents": accents, "lowercase": lower,
        }),
        pre_tokenizer: json!({"type": "BertPreTokenizer"}),
        post_processor: processor,
        decoder: json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        flags: vec![
            ("do_lower_case", Value::Bool(lower)),
            ("strip_accents", json!(accents)),
            ("tokenize_chinese_chars", Value::Bool(chinese)),
        ],
        notes: vec![note],
        tokens,
    })
}

/// What the folder says of the casing: `do_lower_case`, today in `tokenizer_config.json` and once in `config.json`.
fn said_casing(origin: &Origin<'_>) -> Result<Option<(bool, &'static str)>> {
    let said = origin.settings.flag("do_lower_case").map_err(|why| origin.refused(settings::FILE, why))?;
    let in_config = || origin.config.get("do_lower_case").and_then(Value::as_bool).map(|flag| (flag, "config.json"));
    Ok(said.map(|flag| (flag, settings::FILE)).or_else(in_config))
}

/// The tokens of `text`, whose ids are the numbers of their lines. Of two that are alike the later one counts, as in
/// transformers.
fn read(text: &str) -> std::result::Result<Vocabulary, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    if lines.len() > MOST {
        return Err(format!("has {} tokens; {MOST} at most", lines.len()));
    }
    let mut vocabulary = Vocabulary::default();
    for (id, token) in (0..).zip(lines) {
        vocabulary.add(token, id);
    }
    Ok(vocabulary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_number_of_its_line() {
        let vocabulary = read("[PAD]\r\na\n\u{2028}b\na\n").unwrap();
        assert_eq!(
            ["[PAD]", "a", "\u{2028}b", "c"].map(|token| vocabulary.id(token)),
            [Some(0), Some(3), Some(2), None]
        );
        assert_eq!((vocabulary.end(), vocabulary.is_dense()), (4, false));
    }
}
