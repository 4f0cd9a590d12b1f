//! Patterns of a tokenizer, which anybody may have written: found within limits of room and time.

use std::sync::Once;

use onig::{MatchParam, Regex, Region, SearchOptions};
use tokenizers::Offsets;
use tokenizers::pattern::Pattern;

use super::meter::Meter;

/// Steps back that one search may take; each is some ten nanoseconds.
const STEPS_BACK: u64 = 20_000_000;
/// Places that one search may remember to go back to; each takes some forty bytes.
const PLACES: u32 = 8_000_000;

/// Makes every search of the process give up after a bounded amount of work. The library's own limit is for each start
/// of a match, and has none for all of them.
pub(super) fn limit_searches() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(unsafe_code, reason = "sets two numbers, before there is a search")]
        unsafe {
            onig_sys::onig_set_retry_limit_in_search(STEPS_BACK);
            onig_sys::onig_set_match_stack_limit_size(PLACES);
        }
    });
}

/// What a tokenizer looks for.
#[derive(Debug)]
pub(super) enum LimitedPattern {
    /// A text.
    Text(String),
    /// What a regular expression describes.
    Regex(Regex),
}

impl LimitedPattern {
    /// A regular expression.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn regex(written: &str) -> Result<Self, String> {
        Regex::new(written).map(Self::Regex).map_err(|error| format!("the pattern {written:?}: {error}"))
    }
}

/// A search for a pattern, each match of which may be replaced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) pattern: &'a LimitedPattern,
    pub(super) meter: &'a Meter,
    /// Bytes that take the place of a match; `None` if matches stay.
    pub(super) replaced: Option<usize>,
}

/// The places of matches and of what is between them, as they are found.
struct Found<'a> {
    search: Search<'a>,
    places: Vec<(Offsets, bool)>,
    /// Where the last match ended.
    end: usize,
    /// Bytes after the replacement, so far.
    length: usize,
}

impl Found<'_> {
    fn add(&mut self, (start, end): Offsets) -> Result<(), String> {
        self.add_between(start);
        self.places.push(((start, end), true));
        self.length += self.search.replaced.unwrap_or(end - start);
        self.end = end;
        // Otherwise the text would have grown before anybody looks.
        if self.search.replaced.is_some() { self.search.meter.check_room(self.length) } else { Ok(()) }
    }

    fn add_between(&mut self, to: usize) {
        if self.end != to {
            self.places.push(((self.end, to), false));
            self.length += to - self.end;
        }
    }
}

impl Search<'_> {
    fn matches(self, inside: &str) -> Result<Vec<(Offsets, bool)>, String> {
        if inside.is_empty() {
            return Ok(vec![((0, 0), false)]);
        }
        let mut found = Found { search: self, places: Vec::new(), end: 0, length: 0 };
        match self.pattern {
            LimitedPattern::Text(text) => {
                inside.match_indices(text.as_str()).try_for_each(|(at, part)| found.add((at, at + part.len())))?;
            }
            LimitedPattern::Regex(regex) => self.search(regex, inside, &mut found)?,
        }
        found.add_between(inside.len());
        Ok(found.places)
    }

    /// As `Regex::find_iter`, which panics where a limit is reached.
    fn search(self, regex: &Regex, inside: &str, found: &mut Found<'_>) -> Result<(), String> {
        let (mut from, mut last, mut region) = (0, None, Region::new());
        while from <= inside.len() {
            self.meter.check_time()?;
            region.clear();
            let (options, param) = (SearchOptions::SEARCH_OPTION_NONE, MatchParam::default());
            let place = regex.search_with_param(inside, from, inside.len(), options, Some(&mut region), param);
            let place = place.map_err(|error| format!("a pattern of it takes too long: {error}; simplify it"))?;
            let Some((start, end)) = place.and_then(|_| region.pos(0)) else { break };
            // An empty match right after another one is none.
            if start == end && last == Some(end) {
                from += inside[from..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
            (from, last) = (end, Some(end));
            found.add((start, end))?;
        }
        Ok(())
    }
}

impl Pattern for Search<'_> {
    fn find_matches(&self, inside: &str) -> tokenizers::Result<Vec<(Offsets, bool)>> {
        self.matches(inside).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::utils::SysRegex;

    use super::*;

    fn found(pattern: &LimitedPattern, inside: &str) -> Result<Vec<(Offsets, bool)>, String> {
        let meter = Meter::new(inside.len());
        Search { pattern, meter: &meter, replaced: None }.matches(inside)
    }

    proptest! {
        #[test]
        fn places_are_those_that_the_library_finds(inside in "[ab\\sé漢.]{0,12}", which in 0usize..9) {
            let written = ["a", "", "a*", " {2,}", r"\s+(?!\S)|\s+", r"\p{L}+", "(?<=a)b", "$", "é|漢?"][which];
            let expected = (&SysRegex::new(written).unwrap()).find_matches(&inside).unwrap();
            prop_assert_eq!(found(&LimitedPattern::regex(written).unwrap(), &inside), Ok(expected));
        }

        #[test]
        fn a_text_is_found_as_the_library_finds_it(inside in "[ab.]{0,12}", text in "[ab.]{0,2}") {
            let escaped = text.replace('.', r"\.");
            let expected = (&SysRegex::new(&escaped).unwrap()).find_matches(&inside).unwrap();
            prop_assert_eq!(found(&LimitedPattern::Text(text), &inside), Ok(expected));
        }
    }

    #[test]
    fn a_search_that_never_ends_is_given_up() {
        limit_searches();
        let why = found(&LimitedPattern::regex("(a+)+$").unwrap(), &format!("{}b", "a".repeat(400))).unwrap_err();
        assert!(why.contains("limit"), "{why}");
    }
}
