//! A batch of encoded texts, packed: real tokens only, one text after the other.

use tch::{Device, TchError, Tensor};

use super::layout::{Alike, Layout};
use super::tokenise::Encoded;

/// Token ids of a batch on a device, without padding.
#[derive(Debug)]
pub struct Batch {
    /// Token ids, `[tokens]`, i64.
    pub ids: Tensor,
    /// Token types, `[tokens]`, i64.
    pub types: Tensor,
    /// Which tokens make up which text.
    pub layout: Layout,
}

impl Batch {
    /// Packs `rows`; results come in their order, whatever the order of packing.
    #[must_use]
    pub fn new(rows: &[&Encoded], device: Device) -> Self {
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let layout = Layout::new(&lengths, device);
        let packed = |values: fn(&Encoded) -> &Vec<i64>| {
            let flat: Vec<i64> = layout.order().iter().flat_map(|&row| values(rows[row]).iter().copied()).collect();
            Tensor::from_slice(&flat).to_device(device)
        };
        Self { ids: packed(|row| &row.ids), types: packed(|row| &row.types), layout }
    }

    /// Rows of one length that differ only in their ids, e.g. copies of a text with words masked.
    #[must_use]
    pub fn same_shape(rows: &[Vec<i64>], types: &[i64], device: Device) -> Self {
        let layout = Layout::new(&vec![types.len(); rows.len()], device);
        let ids = Tensor::from_slice(&rows.concat()).to_device(device);
        let types = Tensor::from_slice(types).repeat([rows.len() as i64]).to_device(device);
        Self { ids, types, layout }
    }

    /// With tokens that are alike computed once until texts meet, which pays for many copies of one text. Nothing may be
    /// dropped at random then. On a device the launches saved are not worth the tokens' way back to the host.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn sharing(mut self) -> Result<Self, TchError> {
        if self.ids.device() == Device::Cpu {
            let numbers = |tensor: &Tensor| Vec::<i64>::try_from(tensor);
            let (ids, types) = (numbers(&self.ids)?, numbers(&self.types)?);
            let tokens = ids.into_iter().zip(types).zip(numbers(&self.layout.positions)?);
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
