//! The windows of the texts of a batch, and how their logits become those of the texts.

use std::ops::Range;

use pellucid_protocol::settings::WindowPooling;
use tch::{Device, Kind, Tensor};

use super::Layout;
use crate::data::windows::Windowed;
use crate::host::upload;

/// The windows of the texts of a packed batch, packed themselves.
#[derive(Debug)]
pub struct WindowLayout {
    /// Their layout.
    pub layout: Layout,
    /// For each token of the windows its place among the tokens of the texts, `[window tokens]`, i64.
    pub tokens: Tensor,
    /// The same, on the host.
    pub host_tokens: Vec<usize>,
    /// The row of each window, `[windows]`, i64.
    texts: Tensor,
    /// How many windows each row has, `[rows, 1]`, f32.
    counts: Tensor,
    /// The place of each window among those of all rows, if every row had `most` of them: `[windows]`, i64.
    places: Tensor,
    /// Windows of the row that has most.
    most: i64,
    pooling: WindowPooling,
}

impl WindowLayout {
    /// The windows of texts of `lengths` tokens, which are packed in `order`. A text without windows is one.
    pub(super) fn new(windows: &[Option<&Windowed>], lengths: &[usize], order: &[usize], device: Device) -> Self {
        let mut starts = vec![0; lengths.len()];
        let mut at = 0;
        for &row in order {
            starts[row] = at;
            at += lengths[row];
        }
        let of_row = |(row, windowed): (usize, &Option<&Windowed>)| match windowed {
            Some(windowed) => windowed.windows(lengths[row]),
            None => vec![[0..lengths[row], 0..0, 0..0]],
        };
        let of_rows: Vec<Vec<[Range<usize>; 3]>> = windows.iter().enumerate().map(of_row).collect();
        let all: Vec<(usize, &[Range<usize>; 3])> = of_rows
            .iter()
            .enumerate()
            .flat_map(|(row, of_row)| of_row.iter().map(move |window| (row, window)))
            .collect();
        let width = |window: &[Range<usize>; 3]| window.iter().map(ExactSizeIterator::len).sum();
        let layout = Layout::new(&all.iter().map(|(_, window)| width(window)).collect::<Vec<_>>(), device);
        let tokens_of = |&window: &usize| {
            let (row, ranges) = all[window];
            let start = starts[row];
            ranges.iter().flat_map(move |range| range.clone().map(move |token| start + token))
        };
        let host_tokens: Vec<usize> = layout.order().iter().flat_map(&tokens_of).collect();
        let most = of_rows.iter().map(Vec::len).max().unwrap_or(0);
        let places =
            of_rows.iter().enumerate().flat_map(|(row, of_row)| (0..of_row.len()).map(move |at| row * most + at));
        let indices = |values: &mut dyn Iterator<Item = usize>| {
            upload(&values.map(|value| value as i64).collect::<Vec<_>>(), device)
        };
        Self {
            tokens: indices(&mut host_tokens.iter().copied()),
            texts: indices(&mut all.iter().map(|(row, _)| *row)),
            places: indices(&mut places.into_iter()),
            counts: indices(&mut of_rows.iter().map(Vec::len)).to_kind(Kind::Float).unsqueeze(1),
            most: most as i64,
            pooling: windows.iter().flatten().next().map_or(WindowPooling::Mean, |windowed| windowed.pooling),
            layout,
            host_tokens,
        }
    }

    /// The logits of the texts from those of the windows: `[windows, classes]` -> `[rows, classes]`.
    pub fn pooled(&self, logits: &Tensor) -> Tensor {
        let (rows, classes) = (self.counts.size()[0], logits.size()[1]);
        match self.pooling {
            WindowPooling::Mean => {
                let sums = Tensor::zeros([rows, classes], (logits.kind(), logits.device()));
                sums.index_add(0, &self.texts, logits) / &self.counts
            }
            WindowPooling::Max => {
                let none =
                    Tensor::full([rows * self.most, classes], f64::NEG_INFINITY, (logits.kind(), logits.device()));
                // [rows * most, classes] -> [rows, most, classes]
                let all = none.index_copy(0, &self.places, logits).view([rows, self.most, classes]);
                all.max_dim(1, false).0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of nine tokens in windows of five with one at each end, and one of three tokens.
    fn layout(pooling: WindowPooling) -> Layout {
        let windowed = Windowed { part: 1..8, width: 3, step: 2, pooling };
        Layout::new(&[3, 9], Device::Cpu).with_windows(&[None, Some(&windowed)], &[3, 9], Device::Cpu)
    }

    #[test]
    fn a_window_has_its_part_of_the_text_and_what_is_around_it() {
        let layout = layout(WindowPooling::Mean);
        let windows = layout.windows.as_ref().unwrap();
        // The long text is packed first; its windows are longer than the short text.
        let expected = [0, 1, 2, 3, 8, 0, 3, 4, 5, 8, 0, 5, 6, 7, 8, 9, 10, 11];
        assert_eq!(windows.host_tokens, expected);
        assert_eq!(Vec::<i64>::try_from(&windows.layout.positions).unwrap()[..10], [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
        assert!(std::ptr::eq(layout.read(), &raw const windows.layout));
    }

    #[test]
    fn logits_are_pooled_by_text() {
        let logits = Tensor::from_slice(&[1f32, -1.0, 5.0, 0.0, -2.0, 6.0, 0.0, 3.0]).view([4, 2]);
        let pooled = |pooling| {
            let pooled = layout(pooling).windows.unwrap().pooled(&logits);
            Vec::<f32>::try_from(pooled.contiguous().view([-1])).unwrap()
        };
        assert_eq!(pooled(WindowPooling::Mean), [1.0, -1.0, 1.0, 3.0]);
        assert_eq!(pooled(WindowPooling::Max), [1.0, -1.0, 5.0, 6.0]);
    }
}
