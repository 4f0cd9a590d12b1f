//! A batch of encoded texts as tensors, padded to the longest.

use tch::{Device, Kind, Tensor};

use super::tokenise::Encoded;

/// Token ids of a batch on a device.
#[derive(Debug)]
pub struct Batch {
    /// Token ids, `[batch, tokens]`, i64.
    pub ids: Tensor,
    /// Token types, `[batch, tokens]`, i64.
    pub types: Tensor,
    /// 1 for real tokens, `[batch, tokens]`, i64.
    pub mask: Tensor,
    /// Real tokens of each row.
    pub lengths: Vec<usize>,
}

impl Batch {
    /// Pads `rows` with `pad` to the longest and moves them to `device`.
    #[must_use]
    pub fn new(rows: &[&Encoded], pad: i64, device: Device) -> Self {
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let width = lengths.iter().copied().max().unwrap_or(0);
        let padded = |values: &dyn Fn(&Encoded) -> Vec<i64>, fill: i64| {
            let mut flat = Vec::with_capacity(rows.len() * width);
            for row in rows {
                let mut line = values(row);
                line.resize(width, fill);
                flat.extend(line);
            }
            // [batch * tokens] -> [batch, tokens]
            Tensor::from_slice(&flat).view([rows.len() as i64, width as i64]).to_device(device)
        };
        Self {
            ids: padded(&|row| row.ids.clone(), pad),
            types: padded(&|row| row.types.clone(), 0),
            mask: padded(&|row| vec![1; row.ids.len()], 0),
            lengths,
        }
    }

    /// Rows of one length that differ only in their ids, e.g. copies of a text with words masked.
    #[must_use]
    pub fn same_shape(rows: &[Vec<i64>], types: &[i64], device: Device) -> Self {
        let width = types.len() as i64;
        let flat: Vec<i64> = rows.concat();
        // [batch * tokens] -> [batch, tokens]
        let ids = Tensor::from_slice(&flat).view([rows.len() as i64, width]).to_device(device);
        let types = Tensor::from_slice(types).view([1, width]).to_device(device).expand_as(&ids);
        let mask = Tensor::ones([rows.len() as i64, width], (Kind::Int64, device));
        Self { ids, types, mask, lengths: vec![width as usize; rows.len()] }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Real tokens, padding not counted.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.lengths.iter().sum()
    }
}
