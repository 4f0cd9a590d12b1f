//! The line number of a place in a text, for messages about files.

/// The line, from 1, that contains byte `at` of `text`.
#[must_use]
pub fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_within_characters_and_beyond_the_end_too() {
        assert_eq!(
            ["é\né", "", "a\n"].map(|text| [0, 1, 4, 99].map(|at| line_at(text, at))),
            [[1, 1, 2, 2], [1; 4], [1, 1, 2, 2]]
        );
    }
}
