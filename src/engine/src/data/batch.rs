//! A batch of encoded texts, packed: one text after the other, without padding.

use tch::{Device, TchError, Tensor};

use super::layout::{Alike, Layout};
use super::tokens::TokenRow;
use crate::host::upload;

/// Token ids of a batch on a device, without padding.
#[derive(Debug)]
pub struct Batch {
    /// Token ids, `[tokens]`, i64.
    pub ids: Tensor,
    /// The same, on the host.
    pub host_ids: Vec<i64>,
    /// Token types, `[tokens]`, i64.
    pub types: Tensor,
    /// Which tokens make up which text.
    pub layout: Layout,
}

impl Batch {
    /// Packs `rows`. Results come in the order of the rows, whatever the order of packing.
    #[must_use]
    pub fn new(rows: &[TokenRow], device: Device) -> Self {
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let layout = Layout::new(&lengths, device);
        let packed = |values: fn(&TokenRow) -> &Vec<i64>| -> Vec<i64> {
            layout.order().iter().flat_map(|&row| values(&rows[row]).iter().copied()).collect()
        };
        let (host_ids, types) = (packed(|row| &row.ids), packed(|row| &row.types));
        Self { ids: upload(&host_ids, device), host_ids, types: upload(&types, device), layout }
    }

    /// A batch of rows of one length that differ only in their ids, e.g. copies of a text with words masked.
    #[must_use]
    pub fn same_shape(rows: &[Vec<i64>], types: &[i64], device: Device) -> Self {
        let layout = Layout::new(&vec![types.len(); rows.len()], device);
        let host_ids = rows.concat();
        let types = upload(types, device).repeat([rows.len() as i64]);
        Self { ids: upload(&host_ids, device), host_ids, types, layout }
    }

    /// The same batch, in which tokens that are alike are computed once before attention; this pays for many copies of one
    /// text. It must run without dropout. On a GPU nothing changes: finding the tokens would cost more than it saves.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn sharing(mut self) -> Result<Self, TchError> {
        if self.ids.device() == Device::Cpu {
            let numbers = |tensor: &Tensor| Vec::<i64>::try_from(tensor);
            let tokens = self.host_ids.iter().copied().zip(numbers(&self.types)?).zip(numbers(&self.layout.positions)?);
            self.layout.alike = Some(Alike::new(tokens.map(|((id, kind), place)| [id, kind, place]), Device::Cpu));
        }
        Ok(self)
    }

    /// Number of texts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.layout.order().len()
    }

    /// Number of tokens.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.size()[0] as usize
    }
}
