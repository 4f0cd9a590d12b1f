//! Where each text of a packed batch is, and how texts are padded where attention needs rectangles.

use std::collections::HashMap;
use std::ops::Range;

use tch::{Device, Tensor};

pub use self::window_layout::WindowLayout;
use super::windows::Windowed;
use crate::host::upload;

mod window_layout;

/// What it means that a text has the padding token, which a tokenizer may find in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadTokens {
    /// Nothing: it is a token like any other.
    Alike,
    /// The token of this id has no position of its own; positions count the others (RoBERTa).
    Unplaced(i64),
    /// The token of this id does not stand for the text where the last token does (GPT-2).
    Unpooled(i64),
}

/// Which tokens of a packed batch make up which text. Texts are packed from the longest to the shortest.
#[derive(Debug)]
pub struct Layout {
    order: Vec<usize>,
    /// Tokens of each text, in the order of packing.
    packed_lengths: Vec<usize>,
    /// Position of each token within its text, `[tokens]`, i64; -1 for a token without one, see [`PadTokens::Unplaced`].
    pub positions: Tensor,
    /// First token of each text, `[rows]`, i64, in the order of the rows as given.
    pub firsts: Tensor,
    /// The token of each text that stands for it where the last one does, `[rows]`, i64, in that order: its last token, or
    /// the last before padding tokens that it ends with, see [`PadTokens::Unpooled`].
    pub lasts: Tensor,
    /// The row that each token belongs to, `[tokens]`, i64, numbered in that order.
    pub texts: Tensor,
    /// Number of tokens of each text, `[rows]`, i64, in that order.
    pub lengths: Tensor,
    /// The rows as given, in the order of packing, `[rows]`, i64.
    pub packed: Tensor,
    /// Rank of each row in the order of packing, `[rows]`, i64.
    pub ranks: Tensor,
    /// The texts, in groups that attention computes together.
    pub blocks: Vec<Block>,
    /// Which tokens are alike, if that saves work: in many copies of one text most are.
    pub alike: Option<Alike>,
    /// The windows in which the texts are read, if one of them is read in several.
    pub windows: Option<Box<WindowLayout>>,
}

/// Tokens that have the same word, type and position: before attention, each kind needs to be computed only once.
#[derive(Debug)]
pub struct Alike {
    /// The first token of each kind, `[kinds]`, i64.
    pub firsts: Tensor,
    /// The kind of each token, `[tokens]`, i64.
    pub kinds: Tensor,
}

impl Alike {
    /// The kinds of `tokens`, each given as word, type and position.
    #[must_use]
    pub fn new(tokens: impl Iterator<Item = [i64; 3]>, device: Device) -> Self {
        let (mut known, mut firsts, mut kinds) = (HashMap::new(), Vec::new(), Vec::new());
        for (index, token) in tokens.enumerate() {
            kinds.push(*known.entry(token).or_insert_with(|| {
                firsts.push(index as i64);
                firsts.len() as i64 - 1
            }));
        }
        let numbers = |values: &[i64]| upload(values, device);
        Self { firsts: numbers(&firsts), kinds: numbers(&kinds) }
    }
}

/// Consecutive texts, padded to one width where attention needs a rectangle.
#[derive(Debug)]
pub struct Block {
    /// Number of texts.
    pub rows: i64,
    /// Number of tokens of the longest one.
    pub width: i64,
    /// Number of tokens of all of them.
    pub tokens: i64,
    /// How they are padded; `None` if all have one length.
    pub padding: Option<Padding>,
}

/// From packed to padded and back.
#[derive(Debug)]
pub struct Padding {
    /// For each place of the rectangle, the token of the block, or 0 where there is none: `[rows * width]`, i64.
    pub tokens: Tensor,
    /// For each token of the block, its place in the rectangle: `[tokens]`, i64.
    pub places: Tensor,
    /// True where there is no token, `[rows, width]`.
    pub empty: Tensor,
}

impl Layout {
    /// The layout of texts of `lengths` tokens.
    #[must_use]
    pub fn new(lengths: &[usize], device: Device) -> Self {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&row| std::cmp::Reverse(lengths[row]));
        let packed: Vec<usize> = order.iter().map(|&row| lengths[row]).collect();
        let cuts = match device {
            Device::Cpu => cuts(&packed),
            // A GPU is faster with few large launches.
            _ => std::iter::once(0..packed.len()).filter(|all| !all.is_empty()).collect(),
        };
        let blocks = cuts.into_iter().map(|cut| Block::new(&packed[cut], device)).collect();
        let (mut firsts, mut lasts) = (vec![0; lengths.len()], vec![0; lengths.len()]);
        let (mut positions, mut texts, mut at) = (Vec::new(), Vec::new(), 0);
        let mut ranks = vec![0; lengths.len()];
        for (rank, (&row, &length)) in order.iter().zip(&packed).enumerate() {
            ranks[row] = rank as i64;
            firsts[row] = at;
            at += length as i64;
            lasts[row] = at - 1;
            positions.extend(0..length as i64);
            texts.extend(std::iter::repeat_n(row as i64, length));
        }
        let numbers = |values: &[i64]| upload(values, device);
        let lengths: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
        Self {
            positions: numbers(&positions),
            firsts: numbers(&firsts),
            lasts: numbers(&lasts),
            texts: numbers(&texts),
            lengths: numbers(&lengths),
            packed: numbers(&order.iter().map(|&row| row as i64).collect::<Vec<_>>()),
            ranks: numbers(&ranks),
            order,
            packed_lengths: packed,
            blocks,
            alike: None,
            windows: None,
        }
    }

    /// The same layout, of texts of `lengths` tokens with these windows.
    #[must_use]
    pub fn with_windows(self, windows: &[Option<&Windowed>], lengths: &[usize], device: Device) -> Self {
        let has_windows = windows.iter().any(Option::is_some);
        let windows = has_windows.then(|| Box::new(WindowLayout::new(windows, lengths, &self.order, device)));
        Self { windows, ..self }
    }

    /// The layout of what the model reads: of the windows if there are any, else of the texts.
    #[must_use]
    pub fn read(&self) -> &Self {
        self.windows.as_ref().map_or(self, |windows| &windows.layout)
    }

    /// As [`Layout::read`].
    pub fn read_mut(&mut self) -> &mut Self {
        if self.windows.is_none() {
            return self;
        }
        self.windows.as_mut().map_or_else(|| unreachable!("there are windows"), |windows| &mut windows.layout)
    }

    /// The same, for the packed token ids `ids`, among which a text may have the padding token.
    #[must_use]
    pub fn heeding(mut self, pads: PadTokens, ids: &[i64]) -> Self {
        if let Some(windows) = self.windows.take() {
            let mut windows = *windows;
            let read: Vec<i64> = windows.host_tokens.iter().map(|&token| ids[token]).collect();
            windows.layout = windows.layout.heeding(pads, &read);
            self.windows = Some(Box::new(windows));
        }
        let device = self.positions.device();
        match pads {
            PadTokens::Unplaced(pad) if ids.contains(&pad) => {
                let positions: Vec<i64> = self.ranges().into_iter().flat_map(|text| placed(&ids[text], pad)).collect();
                self.positions = upload(&positions, device);
            }
            PadTokens::Unpooled(pad) if ids.contains(&pad) => {
                let mut lasts = vec![0; self.order.len()];
                for (&row, text) in self.order.iter().zip(self.ranges()) {
                    let last = ids[text.clone()].iter().rposition(|&id| id != pad).unwrap_or(0);
                    lasts[row] = (text.start + last) as i64;
                }
                self.lasts = upload(&lasts, device);
            }
            _ => {}
        }
        self
    }

    /// The tokens of each text, in the order of packing.
    fn ranges(&self) -> Vec<Range<usize>> {
        let mut end = 0;
        let range = |length: &usize| {
            let start = end;
            end += length;
            start..end
        };
        self.packed_lengths.iter().map(range).collect()
    }

    /// The rows as given, in the order of packing.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

/// Positions of the tokens of one text, of which `pad` has none.
fn placed(ids: &[i64], pad: i64) -> impl Iterator<Item = i64> {
    let mut count = 0;
    ids.iter().map(move |&id| {
        count += i64::from(id != pad);
        if id == pad { -1 } else { count - 1 }
    })
}

impl Block {
    fn new(lengths: &[usize], device: Device) -> Self {
        let width = lengths.first().copied().unwrap_or(0);
        let tokens: usize = lengths.iter().sum();
        let padding = lengths.iter().any(|&length| length < width).then(|| Padding::new(lengths, width, device));
        Self { rows: lengths.len() as i64, width: width as i64, tokens: tokens as i64, padding }
    }
}

impl Padding {
    fn new(lengths: &[usize], width: usize, device: Device) -> Self {
        let mut tokens = vec![0i64; lengths.len() * width];
        let mut empty = vec![true; lengths.len() * width];
        let mut places = Vec::new();
        for (row, &length) in lengths.iter().enumerate() {
            for place in row * width..row * width + length {
                tokens[place] = places.len() as i64;
                empty[place] = false;
                places.push(place as i64);
            }
        }
        Self {
            tokens: upload(&tokens, device),
            places: upload(&places, device),
            // [rows * width] -> [rows, width]
            empty: upload(&empty, device).view([lengths.len() as i64, width as i64]),
        }
    }
}

/// Cost of a block in addition to its rectangle, in elements of attention.
const BLOCK_COST: usize = 1000;
/// Cost of a padded token in addition to its row of attention, in the same unit.
const TOKEN_COST: usize = 24;

/// Cuts texts, sorted from long to short, into blocks whose rectangles together cost least.
fn cuts(lengths: &[usize]) -> Vec<Range<usize>> {
    let cost = |cut: &Range<usize>| {
        let width = lengths[cut.start];
        cut.len() * width * (width + TOKEN_COST) + BLOCK_COST
    };
    // best[end]: the least cost of the first `end` texts, and where its last block starts.
    let mut best: Vec<(usize, usize)> = vec![(0, 0)];
    for end in 1..=lengths.len() {
        let from = end.saturating_sub(LONGEST_BLOCK);
        let choices = (from..end).map(|start| (best[start].0 + cost(&(start..end)), start));
        best.extend(choices.min());
    }
    let mut cuts = Vec::new();
    let mut end = lengths.len();
    while end > 0 {
        let start = best[end].1;
        cuts.push(start..end);
        end = start;
    }
    cuts.reverse();
    cuts
}

/// The most texts in a block, which keeps the search short for very large batches.
const LONGEST_BLOCK: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<i64> {
        Vec::try_from(tensor).unwrap()
    }

    #[test]
    fn places_are_given_in_the_order_of_the_rows() {
        let layout = Layout::new(&[2, 4, 3], Device::Cpu);
        assert_eq!(layout.order(), [1, 2, 0]);
        assert_eq!(numbers(&layout.firsts), [7, 0, 4]);
        assert_eq!(numbers(&layout.lasts), [8, 3, 6]);
        assert_eq!(numbers(&layout.positions), [0, 1, 2, 3, 0, 1, 2, 0, 1]);
        assert_eq!(numbers(&layout.texts), [1, 1, 1, 1, 2, 2, 2, 0, 0]);
        assert_eq!((numbers(&layout.packed), numbers(&layout.ranks)), (vec![1, 2, 0], vec![2, 0, 1]));
    }

    #[test]
    fn padding_tokens_of_a_text_have_no_position_or_do_not_stand_for_it() {
        // The second text is packed first.
        let (ids, layout) = ([1, 5, 6, 1, 7, 1], || Layout::new(&[2, 4], Device::Cpu));
        let plain = layout().heeding(PadTokens::Alike, &ids);
        assert_eq!((numbers(&plain.positions), numbers(&plain.lasts)), (vec![0, 1, 2, 3, 0, 1], vec![5, 3]));
        let unplaced = layout().heeding(PadTokens::Unplaced(1), &ids);
        assert_eq!(numbers(&unplaced.positions), [-1, 0, 1, -1, 0, -1]);
        let unpooled = layout().heeding(PadTokens::Unpooled(1), &ids);
        assert_eq!(numbers(&unpooled.lasts), [4, 2]);
        let inside = layout().heeding(PadTokens::Unpooled(6), &ids);
        assert_eq!(numbers(&inside.lasts), [5, 3]);
        let only = Layout::new(&[2], Device::Cpu).heeding(PadTokens::Unpooled(1), &[1, 1]);
        assert_eq!(numbers(&only.lasts), [0]);
    }

    #[test]
    fn tokens_are_alike_in_word_type_and_place() {
        let alike = Alike::new([[7, 0, 0], [8, 0, 1], [7, 0, 0], [8, 1, 1], [8, 0, 1]].into_iter(), Device::Cpu);
        assert_eq!((numbers(&alike.firsts), numbers(&alike.kinds)), (vec![0, 1, 3], vec![0, 1, 0, 2, 1]));
    }

    #[test]
    fn a_block_pads_and_unpads() {
        let padding = Padding::new(&[3, 2], 3, Device::Cpu);
        assert_eq!(numbers(&padding.tokens), [0, 1, 2, 3, 4, 0]);
        assert_eq!(numbers(&padding.places), [0, 1, 2, 3, 4]);
        assert_eq!(Vec::<bool>::try_from(padding.empty.view([-1])).unwrap(), [false, false, false, false, false, true]);
    }

    #[test]
    fn texts_of_one_length_need_no_padding() {
        let layout = Layout::new(&[5; 8], Device::Cpu);
        assert_eq!(layout.blocks.len(), 1);
        assert!(layout.blocks[0].padding.is_none());
    }

    #[test]
    fn cuts_cover_all_texts_and_part_long_from_short() {
        let lengths = [128, 126, 9, 9, 8, 8, 8, 7, 5];
        let found = cuts(&lengths);
        assert_eq!(found, [0..2, 2..9]);
        assert!(cuts(&[]).is_empty());
    }
}
