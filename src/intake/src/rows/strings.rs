//! Many texts in one piece of memory.

/// Texts one after the other: 4 or 8 bytes beside each, and no allocation of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    bytes: String,
    /// Where each ends.
    ends: Vec<u64>,
}

impl Strings {
    /// Adds one at the end.
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as u64);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Keeps those at the places `wanted`, which are sorted, where they are in memory.
    pub fn keep(&mut self, wanted: &[usize]) {
        let mut bytes = std::mem::take(&mut self.bytes).into_bytes();
        let mut kept = 0;
        for (place, index) in wanted.iter().enumerate() {
            let start = if *index == 0 { 0 } else { self.ends[index - 1] as usize };
            let end = self.ends[*index] as usize;
            bytes.copy_within(start..end, kept);
            kept += end - start;
            // None that is read later lies before it.
            self.ends[place] = kept as u64;
        }
        bytes.truncate(kept);
        self.ends.truncate(wanted.len());
        // Whole texts of what was a string.
        self.bytes = String::from_utf8(bytes).unwrap_or_default();
    }

    /// Gives back the room that is not used.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

impl<'a> FromIterator<&'a str> for Strings {
    fn from_iter<T: IntoIterator<Item = &'a str>>(texts: T) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_comes_back() {
        let texts = ["", "a", "héllo", "", "b"];
        let all: Strings = texts.into_iter().collect();
        assert_eq!((all.len(), all.iter().collect::<Vec<_>>()), (5, texts.to_vec()));
        assert_eq!(all.get(2), "héllo");
    }

    #[test]
    fn those_that_are_kept_are_as_they_were() {
        let texts = ["one", "", "héllo", "d", "", "ende"];
        for wanted in [&[0, 1, 2, 3, 4, 5][..], &[], &[5], &[1, 2, 5], &[0, 2, 3], &[2, 4]] {
            let mut all: Strings = texts.into_iter().collect();
            all.keep(wanted);
            assert_eq!(all, wanted.iter().map(|index| texts[*index]).collect());
        }
    }
}
