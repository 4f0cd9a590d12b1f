//! A batch of encoded texts, packed: one text after the other, without padding.

use tch::{Device, TchError, Tensor};

use super::layout::{Alike, Layout, PadTokens};
use super::tokenise::Encoded;
use super::tokens::TokenRow;
use super::windows::Windowed;
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
    /// Packs `rows`, in which `pads` are. Results come in the order of the rows, whatever the order of packing.
    #[must_use]
    pub fn new(rows: &[TokenRow], pads: PadTokens, device: Device) -> Self {
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let layout = Layout::new(&lengths, device);
        let packed = |values: fn(&TokenRow) -> &Vec<i64>| -> Vec<i64> {
            layout.order().iter().flat_map(|&row| values(&rows[row]).iter().copied()).collect()
        };
        let (host_ids, types) = (packed(|row| &row.ids), packed(|row| &row.types));
        let windows: Vec<Option<&Windowed>> = rows.iter().map(|row| row.windows.as_ref()).collect();
        let layout = layout.with_windows(&windows, &lengths, device).heeding(pads, &host_ids);
        Self { ids: upload(&host_ids, device), host_ids, types: upload(&types, device), layout }
    }

    /// A batch of rows that have the types and the windows of `text` and differ from it only in their ids, e.g. copies with
    /// words masked.
    #[must_use]
    pub fn same_shape(rows: &[Vec<i64>], text: &Encoded, pads: PadTokens, device: Device) -> Self {
        let lengths = vec![text.types.len(); rows.len()];
        let layout = Layout::new(&lengths, device);
        let layout = layout.with_windows(&vec![text.windows.as_ref(); rows.len()], &lengths, device);
        let host_ids = rows.concat();
        let layout = layout.heeding(pads, &host_ids);
        let types = upload(&text.types, device).repeat([rows.len() as i64]);
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
            let (types, layout) = (numbers(&self.types)?, self.layout.read());
            let places = numbers(&layout.positions)?;
            let tokens: Vec<usize> = match &self.layout.windows {
                Some(windows) => windows.host_tokens.clone(),
                None => (0..types.len()).collect(),
            };
            let read = tokens.into_iter().zip(places).map(|(token, place)| [self.host_ids[token], types[token], place]);
            let alike = Alike::new(read, Device::Cpu);
            self.layout.read_mut().alike = Some(alike);
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
