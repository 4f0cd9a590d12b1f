//! Which token belongs to which word of a text.

use std::ops::Range;

use pellucid_protocol::explanation::Span;

/// The words that a model sees, and the tokens that they consist of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The words in the order of the text; each has at least one token.
    pub spans: Vec<Span>,
    /// For each token, its word as an index into `spans`; `None` for special tokens and for tokens of whitespace alone.
    pub of_token: Vec<Option<usize>>,
    /// Number of words of the text that no token covers, because they were truncated.
    pub uncovered: usize,
}

/// Joins tokens into the words of `text`. A word is what stands between whitespace: "don't" and "GPU." are one word
/// each, and a word that occurs twice counts as two words. In scripts without blanks it is a character, or what a token
/// covers.
///
/// `tokens` are spans of characters (not bytes) of `text`; whitespace at their ends is ignored, and so is anything
/// outside the text. `special` says which tokens the tokenizer has added; if it is shorter than `tokens`, the rest are
/// not special. A token that spans whitespace joins all words it touches into one, because it can only be masked whole.
#[must_use]
pub fn group(text: &str, tokens: &[(usize, usize)], special: &[bool]) -> Words {
    let written = written(text);
    let is_special = |token: usize| special.get(token).copied().unwrap_or(false);
    let touched: Vec<Option<Range<usize>>> = tokens
        .iter()
        .enumerate()
        .map(|(token, span)| if is_special(token) { None } else { touches(&written, Span::from(*span)) })
        .collect();
    let numbers = number(written.len(), touched.iter().flatten());
    Words {
        spans: spans(&written, &numbers),
        of_token: touched.into_iter().map(|words| words.and_then(|words| numbers[words.start])).collect(),
        uncovered: numbers.iter().filter(|number| number.is_none()).count(),
    }
}

/// For each word, whether it shares a character with what a person marked; empty if nothing is marked.
#[must_use]
pub fn marked(words: &[Span], rationale: &[Span]) -> Vec<bool> {
    if rationale.is_empty() {
        return Vec::new();
    }
    words.iter().map(|word| rationale.iter().any(|span| span.overlaps(*word))).collect()
}

/// The words of a text as spans of its characters, as it is written. Where a script has no blanks between words, each character with its
/// marks is one: tokens join what they cover.
#[must_use]
pub fn written(text: &str) -> Vec<Span> {
    let chars: Vec<char> = text.chars().collect();
    let mut spans = Vec::new();
    let mut start = 0;
    for run in chars.chunk_by(|a, b| is_together(*a, *b)) {
        if !run[0].is_whitespace() {
            spans.push(Span { start, end: start + run.len() });
        }
        start += run.len();
    }
    spans
}

/// Whether two characters that follow each other are both of one word, or both blank.
fn is_together(before: char, after: char) -> bool {
    if before.is_whitespace() || after.is_whitespace() {
        return before.is_whitespace() && after.is_whitespace();
    }
    is_mark(after) || !(stands_alone(before) || stands_alone(after) || is_mark(before))
}

/// Whether words of the script of `c` stand without blanks between them: Han, Kana, Thai, Lao, Burmese, Khmer.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e01}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3041}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3134f}')
}

/// Whether `c` is a vowel or a tone that is written on the character before it, in one of these scripts.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{e31}' | '\u{e33}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{eb1}' | '\u{eb3}'..='\u{ebc}'
        | '\u{ec8}'..='\u{ece}' | '\u{102b}'..='\u{103e}' | '\u{1056}'..='\u{1059}' | '\u{17b4}'..='\u{17d3}'
        | '\u{17dd}' | '\u{3099}' | '\u{309a}' | '\u{30fc}' | '\u{ff70}' | '\u{ff9e}' | '\u{ff9f}')
}

/// The written words that a token shares characters with.
fn touches(written: &[Span], Span { start, end }: Span) -> Option<Range<usize>> {
    let first = written.partition_point(|word| word.end <= start);
    let last = written.partition_point(|word| word.start < end);
    (start < end && first < last).then_some(first..last)
}

/// For each of the `written` words, its number among the words that tokens touch; words that one token touches share a
/// number.
fn number<'a>(written: usize, touched: impl Iterator<Item = &'a Range<usize>>) -> Vec<Option<usize>> {
    let (mut seen, mut joined) = (vec![false; written], vec![false; written]);
    for words in touched {
        seen[words.clone()].fill(true);
        joined[words.start + 1..words.end].fill(true);
    }
    let mut count = 0;
    let numbers = seen.into_iter().zip(joined).map(|(seen, joined)| {
        count += usize::from(seen && !joined);
        seen.then(|| count - 1)
    });
    numbers.collect()
}

/// Joins written words with the same number.
fn spans(written: &[Span], numbers: &[Option<usize>]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (word, number) in written.iter().zip(numbers) {
        match number.map(|number| spans.get_mut(number)) {
            Some(Some(begun)) => begun.end = word.end,
            Some(None) => spans.push(*word),
            None => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str, words: &Words) -> Vec<String> {
        let cut = |span: &Span| text.chars().skip(span.start).take(span.end - span.start).collect();
        words.spans.iter().map(cut).collect()
    }

    #[test]
    fn pieces_and_punctuation_join() {
        // [CLS] don ' t trust a GP ##U . [SEP], as a WordPiece tokenizer gives them.
        let text = "don't trust a GPU.";
        let tokens = [(0, 0), (0, 3), (3, 4), (4, 5), (6, 11), (12, 13), (14, 16), (16, 17), (17, 18), (0, 0)];
        let special = [true, false, false, false, false, false, false, false, false, true];
        let words = group(text, &tokens, &special);
        assert_eq!(texts(text, &words), ["don't", "trust", "a", "GPU."]);
        let of = [None, Some(0), Some(0), Some(0), Some(1), Some(2), Some(3), Some(3), Some(3), None];
        assert_eq!((words.of_token.as_slice(), words.uncovered), (of.as_slice(), 0));
    }

    #[test]
    fn scripts_without_blanks_have_words_all_the_same() {
        let split_into = |text: &str| {
            let spans = written(text);
            let words = Words { spans, of_token: Vec::new(), uncovered: 0 };
            texts(text, &words)
        };
        assert_eq!(
            split_into("\u{75c5}\u{4eba}CT\u{6b63}\u{5e38}\u{3002} ok"),
            ["\u{75c5}", "\u{4eba}", "CT", "\u{6b63}", "\u{5e38}", "\u{3002}", "ok"]
        );
        assert_eq!(split_into("\u{30c7}\u{30fc}\u{30bf}"), ["\u{30c7}\u{30fc}", "\u{30bf}"]);
        assert_eq!(split_into("\u{e17}\u{e35}\u{e48}\u{e19}"), ["\u{e17}\u{e35}\u{e48}", "\u{e19}"]);
        // One token for two characters.
        let words = group("\u{75c5}\u{4eba}\u{597d}", &[(0, 2), (2, 3)], &[]);
        assert_eq!((words.of_token, words.spans.len()), (vec![Some(0), Some(1)], 2));
    }

    #[test]
    fn duplicates_stay_where_they_are() {
        let words = group("no no  no", &[(0, 2), (3, 5), (7, 9)], &[]);
        assert_eq!(words.of_token, [Some(0), Some(1), Some(2)]);
        assert_eq!(words.spans, [(0, 2), (3, 5), (7, 9)].map(Span::from));
    }

    #[test]
    fn spaces_at_a_tokens_ends_are_ignored() {
        // Byte-level BPE with its space in front, and a token of spaces alone.
        let words = group("a bc   d", &[(0, 1), (1, 4), (4, 6), (6, 8)], &[false; 4]);
        assert_eq!(words.of_token, [Some(0), Some(1), None, Some(2)]);
        assert_eq!(words.spans, [(0, 1), (2, 4), (7, 8)].map(Span::from));
    }

    #[test]
    fn several_tokens_can_share_a_character() {
        // One emoji in three byte pieces; offsets are in characters, not bytes.
        let words = group("é 🦀 ok", &[(0, 1), (1, 3), (2, 3), (2, 3), (3, 6)], &[]);
        assert_eq!(words.of_token, [Some(0), Some(1), Some(1), Some(1), Some(2)]);
    }

    #[test]
    fn a_word_is_marked_by_any_of_its_characters() {
        let words = [(0, 3), (4, 7), (8, 12)].map(Span::from);
        assert_eq!(marked(&words, &[Span::from((5, 9))]), [false, true, true]);
        assert_eq!(marked(&words, &[Span::from((3, 4))]), [false; 3]);
        assert_eq!((marked(&words, &[]), marked(&[], &[Span::from((0, 1))])), (vec![], vec![]));
    }

    #[test]
    fn truncated_words_are_counted() {
        let words = group("one two three four", &[(0, 3), (4, 7), (8, 10)], &[]);
        assert_eq!((words.spans.len(), words.uncovered), (3, 1));
        assert_eq!(words.spans[2], Span { start: 8, end: 13 });
    }

    #[test]
    fn a_token_across_whitespace_makes_one_word() {
        let words = group("in New York now", &[(0, 2), (3, 11), (12, 15)], &[]);
        assert_eq!(words.of_token, [Some(0), Some(1), Some(2)]);
        assert_eq!(words.spans[1], Span { start: 3, end: 11 });
    }

    #[test]
    fn nothing_and_nonsense_are_defined() {
        let empty = Words { spans: vec![], of_token: vec![], uncovered: 0 };
        assert_eq!(group("", &[], &[]), empty);
        assert_eq!(group(" \n\t", &[], &[]), empty);
        let wild = group("ab", &[(9, 12), (2, 1), (0, 99), (0, 0)], &[]);
        assert_eq!(wild.of_token, [None, None, Some(0), None]);
        let special = group("[CLS] x", &[(0, 5), (6, 7)], &[true, false]);
        assert_eq!((special.of_token, special.uncovered), (vec![None, Some(0)], 1));
    }

    proptest! {
        #[test]
        fn tokens_are_neither_lost_nor_invented(
            text in "[a-c é\u{a0}🦀.']{0,24}",
            cuts in prop::collection::vec((0..26_usize, 0..26_usize), 0..12),
            special in prop::collection::vec(any::<bool>(), 0..12),
        ) {
            let words = group(&text, &cuts, &special);
            prop_assert_eq!(words.of_token.len(), cuts.len());
            for (number, span) in words.spans.iter().enumerate() {
                prop_assert!(span.start < span.end && span.end <= text.chars().count());
                prop_assert!(words.of_token.contains(&Some(number)));
            }
            prop_assert!(words.spans.windows(2).all(|pair| pair[0].end < pair[1].start));
            let chars: Vec<_> = text.chars().collect();
            for (token, word) in words.of_token.iter().enumerate() {
                let (start, end) = cuts[token];
                let visible = (start..end).any(|at| chars.get(at).is_some_and(|c| !c.is_whitespace()));
                let is_special = special.get(token).copied().unwrap_or(false);
                prop_assert_eq!(word.is_some(), visible && !is_special);
                if let Some(word) = word {
                    let span = words.spans[*word];
                    let inside = |at: usize| chars.get(at).is_none_or(|c| c.is_whitespace() || (span.start..span.end).contains(&at));
                    prop_assert!((start..end).all(inside));
                }
            }
        }
    }
}
