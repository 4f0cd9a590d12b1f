//! `vocab.txt`: one token a line, of which words are made up from the left.

use pellucid_intake::error::Result;
use serde_json::{Value, json};

use super::casing::{self, Words};
use super::special::SpecialTokens;
use super::template::template;
use super::vocabulary::{Vocabulary, lines};
use super::{Converted, Origin, settings};

const FILE: &str = "vocab.txt";
/// Tokens at most.
const MOST: usize = 4_000_000;

/// Converts `vocab.txt`,
/// with `between` tokens `sep_token` between two texts.
pub(super) fn convert(origin: &Origin<'_>, between: usize) -> Result<Converted> {
    let refused = |why: String| origin.refused(FILE, why);
    let vocabulary = read(&origin.text(FILE)?).map_err(refused)?;
    let tokens = SpecialTokens::resolve(origin.class, origin.settings, &vocabulary, Vec::new(), origin.embeddings());
    let tokens = tokens.map_err(refused)?;
    let words =
        Words { file: FILE, vocabulary: &vocabulary, tokens: &tokens, is_first: |piece| !piece.starts_with("##") };
    let (lower, note) = casing::decide(origin.said_casing()?, &words).map_err(refused)?;
    let chinese = origin.flag("tokenize_chinese_chars", true)?;
    let accents = origin.settings.flag("strip_accents").map_err(|why| origin.refused(settings::FILE, why))?;
    let [cls, sep, unk] = ["cls_token", "sep_token", "unk_token"].map(|role| tokens.role(role).unwrap_or_default());
    let first = [(cls, 0), ("$A", 0)];
    let single = [&first[..], &[(sep, 0)]].concat();
    let pair = [&first[..], &vec![(sep, 0); between], &[("$B", 1), (sep, 1)]].concat();
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

/// The tokens of `text`, whose ids are the numbers of their lines. Of two that are alike the later one counts, as in
/// transformers.
fn read(text: &str) -> std::result::Result<Vocabulary, String> {
    if text.starts_with('\u{feff}') {
        return Err(
            "begins with a byte order mark, which would be a part of the first token; save it as UTF-8 without one"
                .to_owned(),
        );
    }
    let text = lines(text);
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    if lines.is_empty() {
        return Err("is empty; it needs a token in each line".to_owned());
    }
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
        assert!(read("").unwrap_err().starts_with("is empty"));
        assert!(read("\u{feff}[PAD]\na\n").unwrap_err().contains("byte order mark"));
    }
}
