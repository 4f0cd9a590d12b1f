//! Trains the WordPiece tokenizer of the texts and writes it as a Hugging Face folder has it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr, eyre};
use serde_json::json;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{
    AddedToken, Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    Tokenizer,
};

use crate::files;

/// The special tokens; their places are their ids.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The longest text that the models of these texts take.
const MAX_LENGTH: usize = 128;

/// Trains a tokenizer on the lines of a file and writes its folder.
pub(crate) fn write(texts: &Path, out: &Path, vocab_size: usize) -> Result<()> {
    let text = fs::read_to_string(texts).wrap_err_with(|| format!("cannot read {}", texts.display()))?;
    let tokenizer = train(&text.lines().collect::<Vec<_>>(), vocab_size)?;
    files::write(&out.join("tokenizer.json"), &tokenizer.to_string(true).map_err(|e| eyre!(e))?)?;
    files::write(&out.join("vocab.txt"), &vocab(&tokenizer))?;
    files::write(&out.join("tokenizer_config.json"), &(serde_json::to_string_pretty(&config())? + "\n"))?;
    files::write(&out.join("special_tokens_map.json"), &(serde_json::to_string_pretty(&special_map())? + "\n"))
}

/// Trains a tokenizer; the same lines always give the same one.
pub(crate) fn train(lines: &[&str], vocab_size: usize) -> Result<Tokenizer> {
    let words: Vec<Vec<String>> = lines.iter().map(|line| split(line)).collect::<Result<_>>()?;
    let mut trainer = WordPieceTrainer::builder()
        .vocab_size(vocab_size)
        .show_progress(false)
        .special_tokens(fixed_tokens(&words))
        .build();
    use tokenizers::Trainer as _;
    trainer.feed(words.iter().flatten(), |word| Ok(vec![word.to_owned()])).map_err(|e| eyre!(e))?;
    let mut model = WordPiece::default();
    trainer.train(&mut model).map_err(|e| eyre!(e))?;
    assemble(model)
}

/// The tokens whose ids are fixed before training: the special ones, then each character at the start of a word and
/// inside it.
///
/// The trainer numbers the characters inside words in the order in which a hash map hands it the words, another order
/// in every run, and breaks ties between merges by these numbers. Named here, in order, they keep their ids.
fn fixed_tokens(words: &[Vec<String>]) -> Vec<AddedToken> {
    let letters: BTreeSet<char> = words.iter().flatten().flat_map(|word| word.chars()).collect();
    let inside: BTreeSet<char> = words.iter().flatten().flat_map(|word| word.chars().skip(1)).collect();
    let special = SPECIAL.iter().map(|token| (*token).to_owned());
    let first = letters.iter().map(char::to_string);
    let rest = inside.iter().map(|c| format!("##{c}"));
    special.chain(first).chain(rest).map(|token| AddedToken::from(token, true)).collect()
}

/// The words of a line as the tokenizer's normalizer and pre-tokenizer see them.
fn split(line: &str) -> Result<Vec<String>> {
    let mut normalized = NormalizedString::from(line);
    normalizer().normalize(&mut normalized).map_err(|e| eyre!(e))?;
    let mut pieces = PreTokenizedString::from(normalized);
    BertPreTokenizer.pre_tokenize(&mut pieces).map_err(|e| eyre!(e))?;
    let words = pieces.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(words.into_iter().map(|(word, _, _)| word.to_owned()).collect())
}

fn normalizer() -> BertNormalizer {
    BertNormalizer::new(true, true, None, true)
}

fn assemble(model: WordPiece) -> Result<Tokenizer> {
    let id = |token: &str| model.token_to_id(token).ok_or_else(|| eyre!("the vocabulary lacks {token}"));
    let ends = vec![("[CLS]".to_owned(), id("[CLS]")?), ("[SEP]".to_owned(), id("[SEP]")?)];
    let template = TemplateProcessing::builder()
        .try_single("[CLS]:0 $A:0 [SEP]:0")
        .and_then(|builder| builder.try_pair("[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"))
        .map_err(|e| eyre!(e))?
        .special_tokens(ends)
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(normalizer()))
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(Some(template))
        .with_decoder(Some(WordPieceDecoder::default()));
    tokenizer.add_special_tokens(&SPECIAL.map(|token| AddedToken::from(token, true)));
    Ok(tokenizer)
}

/// The contents of `vocab.txt`: every token on the line of its id.
fn vocab(tokenizer: &Tokenizer) -> String {
    let mut tokens: Vec<(String, u32)> = tokenizer.get_vocab(true).into_iter().collect();
    tokens.sort_by_key(|(_, id)| *id);
    tokens.into_iter().map(|(token, _)| token + "\n").collect()
}

fn special_map() -> serde_json::Value {
    json!({
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
    })
}

fn config() -> serde_json::Value {
    json!({
        "cls_token": "[CLS]",
        "do_lower_case": true,
        "mask_token": "[MASK]",
        "model_max_length": MAX_LENGTH,
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "strip_accents": null,
        "tokenize_chinese_chars": true,
        "tokenizer_class": "BertTokenizer",
        "unk_token": "[UNK]",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unlabelled;

    fn trained() -> Tokenizer {
        let texts = unlabelled::make(300, 5);
        let lines: Vec<&str> = texts.iter().map(String::as_str).collect();
        train(&lines, 700).unwrap()
    }

    #[test]
    fn training_twice_gives_the_same_tokenizer() {
        assert_eq!(trained().to_string(true).unwrap(), trained().to_string(true).unwrap());
    }

    #[test]
    fn special_tokens_have_the_first_ids() {
        let tokenizer = trained();
        for (id, token) in (0u32..).zip(SPECIAL) {
            assert_eq!(tokenizer.token_to_id(token), Some(id));
        }
    }

    #[test]
    fn pairs_have_two_kinds_of_ids() {
        let tokenizer = trained();
        let pair = tokenizer.encode(("denies pain", "has a fever"), true).unwrap();
        assert_eq!(pair.get_tokens().first().map(String::as_str), Some("[CLS]"));
        assert_eq!(pair.get_tokens().last().map(String::as_str), Some("[SEP]"));
        let kinds = pair.get_type_ids();
        assert!(kinds.is_sorted() && kinds[0] == 0 && kinds.last() == Some(&1), "{kinds:?}");
    }

    #[test]
    fn a_text_comes_back_from_its_ids() {
        let tokenizer = trained();
        let text = "the patient denies a fever and has flank pain.";
        let ids = tokenizer.encode(text, true).unwrap().get_ids().to_vec();
        assert!(!ids.contains(&1), "every word of the texts can be spelled");
        assert_eq!(tokenizer.decode(&ids, true).unwrap().replace(" .", "."), text);
    }
}
