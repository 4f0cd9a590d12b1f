//! The token ids of many texts in a few flat pieces of memory.

use std::collections::HashMap;

use super::tokenise::Encoded;
use super::windows::Windowed;

/// Token ids of one text as a model reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRow {
    /// Token ids, special tokens included.
    pub ids: Vec<i64>,
    /// Token types, one for each id.
    pub types: Vec<i64>,
    /// Its windows, if it is read in several.
    pub windows: Option<Windowed>,
}

/// Texts whose token ids are known.
pub trait TokenSource {
    /// How many texts there are.
    fn count(&self) -> usize;
    /// Tokens of a text.
    fn length(&self, text: usize) -> usize;
    /// The tokens of a text.
    fn row(&self, text: usize) -> TokenRow;
}

impl From<Encoded> for TokenRow {
    fn from(encoded: Encoded) -> Self {
        Self { ids: encoded.ids, types: encoded.types, windows: encoded.windows }
    }
}

impl TokenSource for [Encoded] {
    fn count(&self) -> usize {
        self.len()
    }

    fn length(&self, text: usize) -> usize {
        self[text].ids.len()
    }

    fn row(&self, text: usize) -> TokenRow {
        let Encoded { ids, types, windows, .. } = &self[text];
        TokenRow { ids: ids.clone(), types: types.clone(), windows: windows.clone() }
    }
}

impl TokenSource for Vec<Encoded> {
    fn count(&self) -> usize {
        self.len()
    }

    fn length(&self, text: usize) -> usize {
        self.as_slice().length(text)
    }

    fn row(&self, text: usize) -> TokenRow {
        self.as_slice().row(text)
    }
}

/// Ids in the smallest integer that holds those so far.
#[derive(Debug, Clone)]
enum Ids {
    Small(Vec<u16>),
    Large(Vec<u32>),
}

impl Ids {
    fn len(&self) -> usize {
        match self {
            Self::Small(ids) => ids.len(),
            Self::Large(ids) => ids.len(),
        }
    }

    fn extend(&mut self, new: &[i64]) {
        if let Self::Small(ids) = self
            && new.iter().any(|id| u16::try_from(*id).is_err())
        {
            *self = Self::Large(ids.iter().map(|id| u32::from(*id)).collect());
        }
        match self {
            Self::Small(ids) => ids.extend(new.iter().map(|id| *id as u16)),
            Self::Large(ids) => ids.extend(new.iter().map(|id| u32::try_from(*id).unwrap_or(u32::MAX))),
        }
    }

    fn get(&self, range: std::ops::Range<usize>) -> Vec<i64> {
        match self {
            Self::Small(ids) => ids[range].iter().map(|id| i64::from(*id)).collect(),
            Self::Large(ids) => ids[range].iter().map(|id| i64::from(*id)).collect(),
        }
    }
}

/// What of a text is not read.
#[derive(Debug, Clone, Copy)]
struct Cut {
    tokens: usize,
    words: usize,
}

/// The token ids of texts, two or four bytes each.
#[derive(Debug, Clone)]
pub struct Tokens {
    ids: Ids,
    /// Where the ids of each text end.
    ends: Vec<u64>,
    /// The types of each token, from the first text on that has another than 0.
    types: Vec<u8>,
    /// What of each text that was cut is not read.
    cut: HashMap<usize, Cut>,
    /// The windows of each text that has several.
    windows: HashMap<usize, Windowed>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            ids: Ids::Small(Vec::new()),
            ends: Vec::new(),
            types: Vec::new(),
            cut: HashMap::new(),
            windows: HashMap::new(),
        }
    }
}

impl Tokens {
    /// Adds the text and its second text that `encoded` is of at the end.
    pub fn push(&mut self, encoded: &Encoded, (text, pair): (&str, Option<&str>)) {
        if encoded.is_cut() {
            self.cut.insert(self.ends.len(), Cut { tokens: encoded.cut, words: encoded.words_cut(text, pair) });
        }
        self.add(&encoded.ids, &encoded.types, encoded.windows.as_ref());
    }

    /// Adds a text that was not cut at the end.
    pub fn push_whole(&mut self, row: &TokenRow) {
        self.add(&row.ids, &row.types, row.windows.as_ref());
    }

    fn add(&mut self, ids: &[i64], types: &[i64], windows: Option<&Windowed>) {
        if let Some(windows) = windows {
            self.windows.insert(self.ends.len(), windows.clone());
        }
        let has_types = types.iter().any(|kind| *kind != 0);
        if has_types && self.types.is_empty() {
            self.types.resize(self.ids.len(), 0);
        }
        if has_types || !self.types.is_empty() {
            self.types.extend(types.iter().map(|kind| u8::try_from(*kind).unwrap_or(u8::MAX)));
        }
        self.ids.extend(ids);
        self.ends.push(self.ids.len() as u64);
    }

    fn range(&self, text: usize) -> std::ops::Range<usize> {
        let start = if text == 0 { 0 } else { self.ends[text - 1] as usize };
        start..self.ends[text] as usize
    }

    /// How many texts were cut.
    #[must_use]
    pub fn cut(&self) -> usize {
        self.cut.len()
    }

    /// How many words of them are not read.
    #[must_use]
    pub fn cut_words(&self) -> usize {
        self.cut.values().map(|cut| cut.words).sum()
    }

    /// How many tokens each text has, those that were cut off as well.
    pub fn whole_lengths(&self) -> impl Iterator<Item = usize> {
        (0..self.count()).map(|text| self.length(text) + self.cut.get(&text).map_or(0, |cut| cut.tokens))
    }

    /// How many texts are read in several windows.
    #[must_use]
    pub fn windowed(&self) -> usize {
        self.windows.len()
    }

    /// Whether a text was cut.
    #[must_use]
    pub fn is_cut(&self, text: usize) -> bool {
        self.cut.contains_key(&text)
    }

    /// The largest id and the largest type.
    #[must_use]
    pub fn largest(&self) -> (i64, i64) {
        let id = match &self.ids {
            Ids::Small(ids) => ids.iter().max().map_or(-1, |id| i64::from(*id)),
            Ids::Large(ids) => ids.iter().max().map_or(-1, |id| i64::from(*id)),
        };
        (id, self.types.iter().max().map_or(0, |kind| i64::from(*kind)))
    }

    /// Gives back the room that is not used.
    pub fn shrink(&mut self) {
        match &mut self.ids {
            Ids::Small(ids) => ids.shrink_to_fit(),
            Ids::Large(ids) => ids.shrink_to_fit(),
        }
        self.ends.shrink_to_fit();
        self.types.shrink_to_fit();
    }
}

impl TokenSource for Tokens {
    fn count(&self) -> usize {
        self.ends.len()
    }

    fn length(&self, text: usize) -> usize {
        self.range(text).len()
    }

    fn row(&self, text: usize) -> TokenRow {
        let range = self.range(text);
        let types = match self.types.get(range.clone()) {
            Some(types) => types.iter().map(|kind| i64::from(*kind)).collect(),
            None => vec![0; range.len()],
        };
        TokenRow { ids: self.ids.get(range), types, windows: self.windows.get(&text).cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(ids: &[i64], types: &[i64], cut: usize) -> Encoded {
        Encoded {
            ids: ids.to_vec(),
            types: types.to_vec(),
            second: vec![false; ids.len()],
            spans: vec![(0, 0); ids.len()],
            special: vec![false; ids.len()],
            cut,
            windows: None,
        }
    }

    #[test]
    fn each_text_comes_back_whatever_its_ids_and_types() {
        let rows = [
            encoded(&[1, 2, 65_535], &[0, 0, 0], 0),
            encoded(&[], &[], 0),
            encoded(&[7, 65_536], &[0, 1], 3),
            encoded(&[3], &[0], 0),
        ];
        let mut tokens = Tokens::default();
        for (at, row) in rows.iter().enumerate() {
            tokens.push(row, ("some words", None));
            assert!((0..=at).all(|text| tokens.row(text) == rows[..].row(text)));
        }
        assert_eq!((tokens.count(), tokens.length(2), tokens.cut(), tokens.cut_words()), (4, 2, 1, 2));
        assert_eq!(tokens.largest(), (65_536, 1));
        assert!(tokens.is_cut(2) && !tokens.is_cut(3));
        assert_eq!(tokens.whole_lengths().collect::<Vec<_>>(), [3, 0, 5, 1]);
    }
}
