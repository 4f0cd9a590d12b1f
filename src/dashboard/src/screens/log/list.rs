//! A list of lines that is scrolled, filtered by level and searched.

use std::collections::VecDeque;

use pellucid_protocol::event::Level;

use super::entry::Entry;

/// Lines that are kept.
const KEPT: usize = 10_000;

/// What is looked for in all lists.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    /// Lines that are less bad are left out.
    pub(super) level: Level,
    /// What is searched for; nothing if empty.
    pub(super) query: String,
}

impl Default for Filter {
    fn default() -> Self {
        Self { level: Level::Info, query: String::new() }
    }
}

impl Filter {
    /// Whether a line has what is searched for. Capitals count where the query has some.
    pub(super) fn matches(&self, entry: &Entry) -> bool {
        !self.query.is_empty() && !self.places(&entry.words).is_empty()
    }

    /// Where in `words` the query stands, as ranges of bytes.
    pub(super) fn places(&self, words: &str) -> Vec<(usize, usize)> {
        if self.query.is_empty() {
            return Vec::new();
        }
        let exact = self.query.chars().any(char::is_uppercase);
        let wanted: Vec<char> = self.query.chars().collect();
        let same = |a: char, b: char| a == b || (!exact && a.to_lowercase().eq(b.to_lowercase()));
        let (mut places, mut free) = (Vec::new(), 0);
        for (start, _) in words.char_indices().filter(|(at, _)| words.is_char_boundary(*at)) {
            let mut here = words[start..].char_indices();
            let fits = start >= free && wanted.iter().all(|&w| here.next().is_some_and(|(_, c)| same(c, w)));
            if fits {
                free = start + here.next().map_or(words.len() - start, |(at, _)| at);
                places.push((start, free));
            }
        }
        places
    }
}

/// The lines of one list.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    entries: VecDeque<Entry>,
    /// Lines that were dropped at its start.
    dropped: usize,
    /// Shown lines below what is seen; 0 follows.
    pub(super) back: usize,
    /// The line that the search is at, counted with the dropped ones.
    found: Option<usize>,
}

impl List {
    /// Appends a line; what is seen stays where it is.
    pub(super) fn push(&mut self, entry: Entry, filter: &Filter) {
        if self.back > 0 && entry.level >= filter.level {
            self.back += 1;
        }
        if self.entries.len() == KEPT {
            self.entries.pop_front();
            self.dropped += 1;
        } else if self.entries.len() == self.entries.capacity() {
            // Doubled, but never beyond what is kept: a ring goes through all of its room in time.
            self.entries.reserve_exact(self.entries.len().max(16).min(KEPT - self.entries.len()));
        }
        self.entries.push_back(entry);
    }

    /// Takes other lines for all of its own; whether they are others. Those that begin as the old ones go on from them.
    pub(super) fn replace(&mut self, lines: Vec<String>, filter: &Filter) -> bool {
        let entries: VecDeque<Entry> = lines.into_iter().map(Entry::printed).collect();
        let changed = entries != self.entries;
        let known = self.entries.len();
        let goes_on = self.entries.iter().eq(entries.iter().take(known));
        if self.back > 0 && goes_on {
            self.back += entries.iter().skip(known).filter(|entry| entry.level >= filter.level).count();
        }
        if !goes_on {
            self.found = None;
        }
        self.entries = entries;
        changed
    }

    /// The lines that are not left out, each with its number.
    pub(super) fn shown(&self, filter: &Filter) -> Vec<(usize, &Entry)> {
        let kept = self.entries.iter().enumerate().filter(|(_, entry)| entry.level >= filter.level);
        kept.map(|(index, entry)| (index + self.dropped, entry)).collect()
    }

    /// Whether the search is at the line of this number.
    pub(super) fn is_found(&self, number: usize) -> bool {
        self.found == Some(number)
    }

    /// Scrolls by so many lines: up, or down where negative.
    pub(super) fn scroll(&mut self, up: isize, filter: &Filter) {
        let last = self.shown(filter).len().saturating_sub(1);
        self.back = self.back.saturating_add_signed(up).min(last);
    }

    /// Goes to the next line with what is searched for, down or up and round; to the last one if it was at none.
    /// About half a `page` stays below it.
    pub(super) fn seek(&mut self, direction: Direction, filter: &Filter, page: usize) {
        let shown = self.shown(filter);
        let places: Vec<usize> = (0..shown.len()).filter(|&place| filter.matches(shown[place].1)).collect();
        let at = self.found.and_then(|number| shown.iter().position(|(known, _)| *known == number));
        let next = match (direction, at) {
            (_, None) => places.last(),
            (Direction::Down, Some(at)) => places.iter().find(|&&place| place > at).or(places.first()),
            (Direction::Up, Some(at)) => places.iter().rev().find(|&&place| place < at).or(places.last()),
        };
        let Some(&place) = next else {
            self.found = None;
            return;
        };
        (self.found, self.back) = (Some(shown[place].0), (shown.len() - 1 - place).saturating_sub(page / 2));
    }

    /// Which of the lines with what is searched for it is at, from 1, and how many there are.
    pub(super) fn count(&self, filter: &Filter) -> (usize, usize) {
        let shown = self.shown(filter);
        let hits: Vec<usize> =
            shown.iter().filter(|(_, entry)| filter.matches(entry)).map(|(number, _)| *number).collect();
        let at = self.found.and_then(|found| hits.iter().position(|&number| number == found));
        (at.map_or(0, |at| at + 1), hits.len())
    }
}

/// A direction of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &[&str]) -> List {
        let mut list = List::default();
        list.replace(lines.iter().map(|&line| line.to_owned()).collect(), &Filter::default());
        list
    }

    fn filter(query: &str) -> Filter {
        Filter { query: query.to_owned(), ..Filter::default() }
    }

    #[test]
    fn every_place_is_found_and_capitals_count_where_there_are_some() {
        assert_eq!(filter("ab").places("abAB cab"), [(0, 2), (2, 4), (6, 8)]);
        assert_eq!(filter("AB").places("abAB cab"), [(2, 4)]);
        assert_eq!(filter("aa").places("aaa"), [(0, 2)]);
        assert_eq!(filter("é").places("É 漢é"), [(0, 2), (6, 8)]);
        assert!(filter("").places("abc").is_empty() && filter("abcd").places("abc").is_empty());
    }

    #[test]
    fn the_search_begins_at_the_end_and_goes_round() {
        let (mut list, filter) = (list(&["one", "x", "one more", "y", "one at last", "z"]), filter("one"));
        let mut at = |direction| {
            list.seek(direction, &filter, 0);
            (list.back, list.count(&filter))
        };
        let seen = [Direction::Down, Direction::Up, Direction::Up, Direction::Up, Direction::Down].map(&mut at);
        assert_eq!(seen, [(1, (3, 3)), (3, (2, 3)), (5, (1, 3)), (1, (3, 3)), (5, (1, 3))]);
    }

    #[test]
    fn what_is_seen_stays_while_lines_come() {
        let (mut list, filter) = (list(&["a", "b", "c"]), Filter { level: Level::Warning, ..Filter::default() });
        list.back = 1;
        list.push(Entry::printed("a warning".to_owned()), &filter);
        list.push(Entry::printed("nothing".to_owned()), &filter);
        assert_eq!((list.back, list.shown(&filter).len()), (2, 1));
        assert!(!list.replace(["a", "b", "c", "a warning", "nothing"].map(str::to_owned).to_vec(), &filter));
        assert!(list.replace(["a", "b", "c", "a warning", "nothing", "warn"].map(str::to_owned).to_vec(), &filter));
        assert_eq!(list.back, 3);
    }
}
