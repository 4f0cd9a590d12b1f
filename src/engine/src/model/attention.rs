//! Self-attention on packed texts: rectangles of texts of like length, and nothing computed twice for a batch.

use std::cell::RefCell;

use tch::{Device, Kind, Tensor};

use super::architecture::{Architecture, AttentionRule};
use super::dropout::Dropout;
use super::relative::Distances;
use crate::data::layout::{Block, Layout};
use crate::host::upload;

/// What the layers of a forward pass share: masks and angles.
#[derive(Debug)]
pub struct Attention<'a> {
    blocks: Vec<(&'a Block, Vec<Shared>)>,
    heads: i64,
    rate: f64,
    /// The shares of all blocks and layers so far, if they are to be kept.
    kept: Option<RefCell<Vec<Tensor>>>,
}

/// One layer's own part of its attention.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    /// Its rule.
    pub rule: &'a AttentionRule,
    /// Its keys and queries of distances.
    pub distances: Option<&'a Distances>,
}

/// What layers of one rule share on one block.
#[derive(Debug)]
struct Shared {
    rule: AttentionRule,
    /// 0 where attention may go and the lowest number where not; `[rows or 1, 1, width or 1, width]`.
    bias: Option<Tensor>,
    /// Cosines and sines of rotary positions, `[width, hidden / heads]`.
    angles: Option<(Tensor, Tensor)>,
}

impl<'a> Attention<'a> {
    /// For the texts of `layout` on `device`.
    #[must_use]
    pub fn new(architecture: &Architecture, layout: &'a Layout, device: Device) -> Self {
        let mut rules: Vec<AttentionRule> = Vec::new();
        for rule in &architecture.attention.rules {
            if !rules.contains(rule) {
                rules.push(*rule);
            }
        }
        let size = architecture.hidden / architecture.heads;
        let share = |block: &'a Block| {
            let shared = rules.iter().map(|&rule| Shared {
                rule,
                bias: bias(block, architecture.attention.causal, rule.window, device),
                angles: rule.theta.map(|theta| angles(block.width, size, theta, device)),
            });
            (block, shared.collect())
        };
        let blocks = layout.blocks.iter().map(share).collect();
        Self { blocks, heads: architecture.heads, rate: architecture.dropout.attention, kept: None }
    }

    /// The same, keeping who attends to whom.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self { kept: Some(RefCell::default()), ..self }
    }

    /// What was kept: the mean over the heads, `[rows, width, width]` for each block of each layer.
    #[must_use]
    pub fn kept(self) -> Vec<Tensor> {
        self.kept.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Mixed values `[tokens, hidden]` of queries, keys and values `[tokens, 3 * hidden]`.
    pub fn mix(&self, qkv: &Tensor, own: Own<'_>, drop: &mut Dropout) -> Tensor {
        let sizes: Vec<i64> = self.blocks.iter().map(|(block, _)| block.tokens).collect();
        let parts = if sizes.len() == 1 { vec![qkv.shallow_clone()] } else { qkv.split_with_sizes(&sizes, 0) };
        let blocks = self.blocks.iter().zip(&parts);
        let mut mixed: Vec<Tensor> = blocks.map(|(block, part)| self.block(block, part, own, drop)).collect();
        if mixed.len() == 1 { mixed.remove(0) } else { Tensor::cat(&mixed, 0) }
    }

    /// Mixed values `[rows, hidden]` of one query a text `[rows, hidden]`, in the order of packing, over the keys and
    /// values `[tokens, 2 * hidden]` of all its tokens. The queries stand at place 0 if positions are rotary.
    pub fn mix_one(&self, queries: &Tensor, key_value: &Tensor, rule: &AttentionRule, drop: &mut Dropout) -> Tensor {
        let (mut row, mut token) = (0, 0);
        let mut mixed = Vec::new();
        for (block, shared) in &self.blocks {
            let (queries, packed) = (queries.narrow(0, row, block.rows), key_value.narrow(0, token, block.tokens));
            let shared = shared.iter().find(|shared| shared.rule == *rule);
            mixed.push(self.one(block, shared, (&queries, &packed), drop));
            (row, token) = (row + block.rows, token + block.tokens);
        }
        if mixed.len() == 1 { mixed.remove(0) } else { Tensor::cat(&mixed, 0) }
    }

    fn one(
        &self,
        block: &Block,
        shared: Option<&Shared>,
        (queries, packed): (&Tensor, &Tensor),
        drop: &mut Dropout,
    ) -> Tensor {
        let hidden = queries.size()[1];
        let size = hidden / self.heads;
        // [rows * width, 2 * hidden] -> [rows, width, 2, heads, size] -> [2, rows, heads, width, size]
        let split = pad(block, packed).view([block.rows, block.width, 2, self.heads, size]).permute([2, 0, 3, 1, 4]);
        let (mut key, value) = (split.select(0, 0), split.select(0, 1));
        // [rows, hidden] -> [rows, heads, 1, size]
        let mut query = queries.view([block.rows, self.heads, 1, size]);
        if let Some((cosines, sines)) = shared.and_then(|shared| shared.angles.as_ref()) {
            query = turn(&query, &cosines.narrow(0, 0, 1), &sines.narrow(0, 0, 1));
            key = turn(&key, cosines, sines);
        }
        let scale = shared.map_or(1.0, |shared| shared.rule.scale);
        let bias = bias(block, false, None, queries.device());
        // [rows, heads, 1, size] -> [rows, hidden]
        self.attend([query, key, value], bias, scale, drop).reshape([block.rows, hidden])
    }

    fn block(
        &self,
        (block, shared): &(&Block, Vec<Shared>),
        packed: &Tensor,
        own: Own<'_>,
        drop: &mut Dropout,
    ) -> Tensor {
        let (rule, shared) = (own.rule, shared.iter().find(|shared| shared.rule == *own.rule));
        let hidden = packed.size()[1] / 3;
        let padded = pad(block, packed);
        let shape = [block.rows, block.width, 3, self.heads, hidden / self.heads];
        // [rows * width, 3 * hidden] -> [rows, width, 3, heads, size] -> [3, rows, heads, width, size]
        let split = padded.view(shape).permute([2, 0, 3, 1, 4]);
        let [mut query, mut key, value] = [0, 1, 2].map(|part| split.select(0, part));
        if let Some((cosines, sines)) = shared.and_then(|shared| shared.angles.as_ref()) {
            query = turn(&query, cosines, sines);
            key = turn(&key, cosines, sines);
        }
        let bias = shared.and_then(|shared| shared.bias.as_ref());
        let near = own.distances.map(|distances| distances.scores(&query, &key, rule.scale));
        let bias = match (bias, near) {
            (Some(bias), Some(near)) => Some(near + bias),
            (bias, near) => near.or_else(|| bias.map(Tensor::shallow_clone)),
        };
        let mixed = self.attend([query, key, value], bias, rule.scale, drop);
        // [rows, heads, width, size] -> [rows * width, hidden]
        let flat = mixed.transpose(1, 2).reshape([block.rows * block.width, hidden]);
        match &block.padding {
            Some(padding) => Tensor::embedding(&flat, &padding.places, -1, false, false),
            None => flat,
        }
    }

    /// softmax(scale q k^T + bias) v; all `[rows, heads, width, size]`.
    fn attend(&self, [query, key, value]: [Tensor; 3], bias: Option<Tensor>, scale: f64, drop: &mut Dropout) -> Tensor {
        if !drop.is_on(self.rate) && self.kept.is_none() && drop.may_fuse() {
            // The fused kernel wants a mask of its own type and without a gradient.
            let plain = bias.as_ref().is_none_or(|bias| !bias.requires_grad());
            if plain {
                return Tensor::scaled_dot_product_attention(&query, &key, &value, bias, 0.0, false, scale, false);
            }
        }
        let mut scores = (query * scale).matmul(&key.transpose(-2, -1));
        if let Some(bias) = bias {
            scores = scores.g_add_(&bias);
        }
        let shares = scores.softmax(-1, Kind::Float);
        if let Some(kept) = &self.kept {
            // [rows, heads, width, width] -> [rows, width, width]
            kept.borrow_mut().push(shares.mean_dim([1i64].as_slice(), false, Kind::Float));
        }
        drop.apply(shares, self.rate).matmul(&value)
    }
}

/// The rectangle `[rows * width, size]` of a block's tokens `[tokens, size]`.
fn pad(block: &Block, packed: &Tensor) -> Tensor {
    match &block.padding {
        Some(padding) => Tensor::embedding(packed, &padding.tokens, -1, false, false),
        None => packed.shallow_clone(),
    }
}

/// The mask of a block under a rule; `None` if everything may be seen.
fn bias(block: &Block, causal: bool, window: Option<i64>, device: Device) -> Option<Tensor> {
    let width = block.width;
    let mut hidden: Option<Tensor> = None;
    let mut hide = |mask: Tensor| {
        hidden = Some(match hidden.take() {
            Some(before) => before.logical_or(&mask),
            None => mask,
        });
    };
    if let Some(padding) = &block.padding {
        // [rows, width] -> [rows, 1, 1, width]
        hide(padding.empty.unsqueeze(1).unsqueeze(1));
    }
    // Distances from query (row) to key (column), [1, 1, width, width].
    let places = Tensor::arange(width, (Kind::Int64, device));
    let distance = || places.unsqueeze(0).unsqueeze(0).unsqueeze(0) - places.unsqueeze(0).unsqueeze(0).unsqueeze(-1);
    if causal && width > 1 {
        hide(distance().gt(0));
    }
    if let Some(window) = window.filter(|&window| window < width - 1) {
        hide(distance().abs().gt(window));
    }
    hidden.map(|hidden| hidden.to_kind(Kind::Float) * f64::from(f32::MIN))
}

/// Cosines and sines of the angles of rotary positions, `[width, size]`, each angle twice.
fn angles(width: i64, size: i64, theta: f64, device: Device) -> (Tensor, Tensor) {
    let waves: Vec<f32> =
        (0..size / 2).map(|pair| (1.0 / theta.powf((2 * pair) as f64 / size as f64)) as f32).collect();
    let places = Tensor::arange(width, (Kind::Float, device)).unsqueeze(1);
    let angle = places * upload(&waves, device).unsqueeze(0);
    let angle = Tensor::cat(&[&angle, &angle], 1);
    (angle.cos(), angle.sin())
}

/// Turns the pairs (i, i + size / 2) of the last axis of `[rows, heads, width, size]`.
fn turn(x: &Tensor, cosines: &Tensor, sines: &Tensor) -> Tensor {
    let half = x.size()[3] / 2;
    let turned = Tensor::cat(&[-x.narrow(3, half, half), x.narrow(3, 0, half)], 3);
    x * cosines + turned * sines
}
