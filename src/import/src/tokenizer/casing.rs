//! Whether texts become lower case before their words are looked up. transformers does it unless it is told not to; of a
//! vocabulary with capitals, it then finds none of them, in silence. So that is asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::special::SpecialTokens;
use super::vocabulary::Vocabulary;

/// What stands for a blank in pieces of SentencePiece.
pub(super) const BLANK: char = '\u{2581}';

/// What to do with capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Casing {
    /// They stay.
    Cased,
    /// They become small letters.
    Uncased,
}

/// What is said of the casing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    /// Whether texts become lower case by the folder's own word, and the file that says it.
    pub(super) folder: Option<(bool, &'static str)>,
    /// What the user asks for.
    pub(super) asked: Option<Casing>,
}

/// What words are made up of.
#[derive(Debug)]
pub(super) struct Words<'a> {
    /// The file of the vocabulary.
    pub(super) file: &'static str,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) tokens: &'a SpecialTokens,
    /// Whether a piece is the first of a word.
    pub(super) is_first: fn(&str) -> bool,
}

/// Whether texts become lower case, and from what that was known.
///
/// # Errors
/// When nobody says it and the vocabulary has words with capitals, or two say different things.
pub(super) fn decide(said: Said, words: &Words<'_>) -> Result<(bool, String), String> {
    let (capitals, vocabulary) = (Capitals::of(words), words.file);
    let word = |lower: bool| if lower { "texts become lower case" } else { "capitals are kept" };
    match (said.folder, said.asked) {
        (Some((lower, file)), asked) => {
            let contradicts = asked.is_some_and(|asked| lower != (asked == Casing::Uncased));
            if contradicts {
                return Err(format!(
                    "{file} says do_lower_case {lower}; leave --cased and --uncased out, or correct it there"
                ));
            }
            Ok((lower, format!("{}: do_lower_case of {file}; {vocabulary} has {capitals}", word(lower))))
        }
        (None, Some(asked)) => {
            let lower = asked == Casing::Uncased;
            Ok((lower, format!("{}: as asked; {vocabulary} has {capitals}", word(lower))))
        }
        (None, None) if capitals.words.is_empty() => {
            Ok((true, format!("{}: no file says do_lower_case, and {vocabulary} has {capitals}", word(true))))
        }
        (None, None) => Err(format!(
            "has {capitals}, and no file says do_lower_case: add --cased to keep capitals, or --uncased to make texts lower case"
        )),
    }
}

/// The tokens with letters that lower case changes, in the order of their ids.
struct Capitals<'a> {
    /// Words of two letters and more. A vocabulary of lower-case texts has none.
    words: Vec<&'a str>,
    /// Single letters and ends of words, which some vocabularies of lower-case texts have in their alphabet: that of
    /// SciBERT has 154.
    parts: Vec<&'a str>,
}

impl<'a> Capitals<'a> {
    fn of(words: &Words<'a>) -> Self {
        let Words { vocabulary, tokens, is_first, .. } = words;
        let is_marked = |token: &str| {
            let marks = [('[', ']'), ('<', '>')];
            marks.iter().any(|(open, close)| token.starts_with(*open) && token.ends_with(*close))
        };
        // Letters without a small form, as the double-struck ones of mathematics, stay what they are.
        let changes = |letter: char| letter.to_lowercase().ne([letter]);
        let has_capital = |token: &&str| token.chars().any(changes) && !is_marked(token) && tokens.id(token).is_none();
        let mut found: Vec<&str> = vocabulary.tokens().filter(has_capital).collect();
        found.sort_by_key(|token| vocabulary.id(token));
        let letters = |token: &str| token.chars().filter(|letter| *letter != BLANK).count();
        let is_word = |token: &&str| is_first(token) && letters(token) > 1;
        let (words, parts) = found.into_iter().partition(is_word);
        Self { words, parts }
    }
}

impl fmt::Display for Capitals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words.len() {
            0 => write!(f, "no words with capitals"),
            1 => write!(f, "1 word with capitals ({})", examples(&self.words)),
            count => write!(f, "{count} words with capitals ({})", examples(&self.words)),
        }?;
        if self.words.is_empty() && !self.parts.is_empty() {
            write!(f, ", though {} letters and ends of words ({})", self.parts.len(), examples(&self.parts))?;
        }
        Ok(())
    }
}

fn examples(tokens: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> =
        tokens.iter().take(SHOWN).map(|token| token.trim_start_matches(BLANK).escape_debug().to_string()).collect();
    let more = if tokens.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(words: &[&str], said: Option<bool>, asked: Option<Casing>) -> Result<(bool, String), String> {
        let mut vocabulary = Vocabulary::default();
        for (id, word) in (0..).zip(words) {
            vocabulary.add(word, id);
        }
        let said = Said { folder: said.map(|said| (said, "tokenizer_config.json")), asked };
        let is_first = |piece: &str| !piece.starts_with("##");
        decide(said, &Words { file: "vocab.txt", vocabulary: &vocabulary, tokens: &SpecialTokens::default(), is_first })
    }

    const CASED: &[&str] = &["[UNK]", "[unused1]", "the", "A", "Patient", "##S"];
    const UNCASED: &[&str] = &["[UNK]", "[CLS]", "<S>", "the", "##s", "ℝ"];
    const OF_SCIENCE: &[&str] = &["[UNK]", "the", "Γ", "P", "##TM", "##Å"];

    #[test]
    fn capitals_that_nobody_speaks_of_are_asked_about() {
        let why = decided(CASED, None, None).unwrap_err();
        assert!(why.contains("1 word with capitals (Patient)") && why.contains("--cased") && why.contains("--uncased"));
        assert!(!decided(CASED, None, Some(Casing::Cased)).unwrap().0);
        assert!(decided(CASED, None, Some(Casing::Uncased)).unwrap().0);
        assert!(
            decided(UNCASED, None, None).unwrap().1.ends_with("has no words with capitals"),
            "as transformers does"
        );
        let (lower, note) = decided(OF_SCIENCE, None, None).unwrap();
        assert!(lower && note.ends_with("though 4 letters and ends of words (Γ, P, ##TM, ...)"), "{note}");
    }

    #[test]
    fn what_the_folder_says_counts() {
        let (lower, note) = decided(CASED, Some(true), None).unwrap();
        assert!(lower && note.contains("1 word with capitals"), "{note}");
        assert!(!decided(UNCASED, Some(false), Some(Casing::Cased)).unwrap().0);
        assert!(decided(CASED, Some(true), Some(Casing::Cased)).unwrap_err().contains("says do_lower_case true"));
    }
}
