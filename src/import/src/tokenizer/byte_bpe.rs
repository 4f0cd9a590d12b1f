//! `vocab.json` and `merges.txt`: bytes that are merged to tokens, as in RoBERTa and GPT-2.

use pellucid_intake::error::Result;
use serde_json::{Map, Value, json};

use super::class::Model;
use super::special::SpecialTokens;
use super::template::template;
use super::vocabulary::{Vocabulary, lines};
use super::{Converted, Origin};
use crate::brief::quoted;

const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// Converts `vocab.json` and `merges.txt`.
pub(super) fn convert(origin: &Origin<'_>) -> Result<Converted> {
    let refused = |why: String| origin.refused(VOCABULARY, why);
    let vocabulary = vocabulary(&origin.text(VOCABULARY)?).map_err(refused)?;
    let text = lines(&origin.text(MERGES)?);
    let merges = merges(&text, &vocabulary).map_err(|why| origin.refused(MERGES, why))?;
    let none = check_any(&text, merges.len()).map_err(|why| origin.refused(MERGES, why))?;
    let tokens = SpecialTokens::resolve(origin.class, origin.settings, &vocabulary, Vec::new(), origin.embeddings());
    let tokens = tokens.map_err(refused)?;
    let space = origin.flag("add_prefix_space", false)?;
    let framed = origin.class.model == Model::ByteBpe { framed: true };
    let mut flags = vec![("add_prefix_space", Value::Bool(space))];
    let processor = if framed {
        let named = |role: &str| {
            let content = tokens.role(role).unwrap_or_default();
            json!([content, tokens.id(content)])
        };
        json!({
            "type": "RobertaProcessing", "sep": named("sep_token"), "cls": named("cls_token"),
            "trim_offsets": true, "add_prefix_space": space,
        })
    } else if origin.flag("add_bos_token", false)? {
        flags.push(("add_bos_token", Value::Bool(true)));
        let bos = tokens.role("bos_token").unwrap_or_default();
        template(&tokens, &[(bos, 0), ("$A", 0)], &[(bos, 0), ("$A", 0), ("$B", 1)]).map_err(refused)?
    } else {
        json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true})
    };
    Ok(Converted {
        model: json!({
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary.to_json(), "merges": merges,
        }),
        normalizer: Value::Null,
        pre_tokenizer: json!({"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": true, "use_regex": true}),
        post_processor: processor,
        decoder: json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
        flags,
        notes: none.into_iter().collect(),
        tokens,
    })
}

fn vocabulary(text: &str) -> std::result::Result<Vocabulary, String> {
    let ids: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut vocabulary = Vocabulary::default();
    for (token, id) in &ids {
        let id = id.as_u64().filter(|id| *id <= u64::from(u32::MAX));
        vocabulary.add(token, id.ok_or_else(|| format!("has no id for the token {}", quoted(token)))?);
    }
    Ok(vocabulary)
}

/// Refuses a list of which nothing counts; a note where there is nothing in it.
fn check_any(text: &str, merges: usize) -> std::result::Result<Option<String>, String> {
    let is_empty = text.lines().skip_while(|line| line.starts_with("#version")).all(|line| line.trim().is_empty());
    match (merges, is_empty) {
        (0, true) => Ok(Some(format!("{MERGES}: lists no merges, so no two bytes become one token"))),
        (0, false) => Err("has no merges that count: the first line and one without a line break do not; write `#version: 0.2` above them".to_owned()),
        _ => Ok(None),
    }
}

/// The pairs of `text`, the first of which is merged first. As in transformers the first line counts as the version and
/// what follows the last line break as nothing; of two pairs that are alike the first counts.
fn merges<'a>(text: &'a str, vocabulary: &Vocabulary) -> std::result::Result<Vec<[&'a str; 2]>, String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let pairs = lines.get(1..lines.len() - 1).unwrap_or_default();
    let (mut merges, mut seen) = (Vec::with_capacity(pairs.len()), std::collections::HashSet::new());
    for (number, line) in (2..).zip(pairs) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let &[first, second] = parts.as_slice() else {
            return Err(format!("line {number}: is no pair of tokens"));
        };
        let merged = format!("{first}{second}");
        if let Some(unknown) = [first, second, &merged].into_iter().find(|token| vocabulary.id(token).is_none()) {
            return Err(format!("line {number}: the token {} is not in vocab.json", quoted(unknown)));
        }
        if seen.insert([first, second]) {
            merges.push([first, second]);
        }
    }
    Ok(merges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_those_of_python() {
        let vocabulary = vocabulary(r#"{"a":0,"b":1,"ab":2}"#).unwrap();
        for text in ["#version: 0.2\ra b\r", "#version: 0.2\r\na b\r\n", "#version: 0.2\na b\n"] {
            assert_eq!(merges(&lines(text), &vocabulary).unwrap(), [["a", "b"]], "{text:?}");
        }
    }

    #[test]
    fn a_list_of_which_nothing_counts_is_refused() {
        for text in ["", "\n", "#version: 0.2", "#version: 0.2\n"] {
            assert!(check_any(text, 0).unwrap().unwrap().contains("lists no merges"), "{text:?}");
        }
        for text in ["a b", "a b\n", "#version: 0.2\na b"] {
            assert!(check_any(text, 0).unwrap_err().contains("no merges that count"), "{text:?}");
        }
        assert_eq!(check_any("#version: 0.2\na b\n", 1), Ok(None));
    }

    #[test]
    fn pairs_are_read_as_transformers_reads_them() {
        let vocabulary = vocabulary(r#"{"a":0,"b":1,"c":2,"ab":3,"bc":4}"#).unwrap();
        assert_eq!(merges("#version: 0.2\na b\nb c\na b\n", &vocabulary).unwrap(), [["a", "b"], ["b", "c"]]);
        assert!(merges("a b\nb c", &vocabulary).unwrap().is_empty(), "neither the first line nor what has no end");
        assert!(merges("", &vocabulary).unwrap().is_empty());
        for (text, part) in
            [("#\na\n", "line 2: is no pair"), ("#\na b\na c\n", "line 3: the token \"ac\""), ("#\n\n", "line 2")]
        {
            assert!(merges(text, &vocabulary).unwrap_err().contains(part), "{text}");
        }
        assert!(super::vocabulary(r#"{"a":-1}"#).is_err() && super::vocabulary("[]").is_err());
    }
}
