//! Self-attention on packed texts, in rectangles of texts of similar length. Masks and angles are made once a batch.

use std::cell::RefCell;

use tch::{Device, Kind, Tensor};

use super::dropout::Dropout;
use super::norm::Norm;
use super::relative::{Distances, distance_scores};
use crate::data::layout::{Block, Layout};
use crate::host::upload;
use crate::model::architecture::Architecture;
use crate::model::architecture::attention::{AttentionRule, Heads, Rotary};

/// What the layers of a forward pass share: masks and angles.
#[derive(Debug)]
pub struct Attention<'a> {
    blocks: Vec<SharedOfBlock<'a>>,
    heads: Heads,
    /// Whether a token sees only itself and the tokens before it.
    causal: bool,
    /// Dropout rate of the attention weights.
    rate: f64,
    /// The attention weights of all layers and blocks so far, if they are recorded.
    recorded: Option<RefCell<Vec<Tensor>>>,
}

/// How one layer attends.
#[derive(Debug, Clone, Copy)]
pub struct LayerRule<'a> {
    /// Its rule.
    pub rule: &'a AttentionRule,
    /// The norms of its queries and keys, if it has them.
    pub norms: Option<&'a HeadNorms>,
    /// Its keys and queries of distances, if it has them.
    pub distances: Option<&'a Distances>,
}

/// Norms of queries and keys, over the numbers of a head.
#[derive(Debug)]
pub struct HeadNorms {
    /// Of queries.
    pub query: Norm,
    /// Of keys.
    pub key: Norm,
}

/// One query for each text, in the order of packing.
pub struct OneQuery<'a> {
    /// `[rows, queries * size]`.
    pub queries: &'a Tensor,
    /// The place of each in its text, `[rows]`, i64.
    pub positions: &'a Tensor,
}

/// What layers share on one block of texts.
#[derive(Debug)]
struct SharedOfBlock<'a> {
    block: &'a Block,
    rules: Vec<SharedOfRule>,
}

/// What layers of one rule share on one block of texts.
#[derive(Debug)]
struct SharedOfRule {
    rule: AttentionRule,
    /// 0, or what distances add, where attention may go, the lowest number elsewhere; `[rows or 1, heads or 1, width or 1,
    /// width]`.
    bias: Option<Tensor>,
    angles: Option<Angles>,
}

/// Angles of rotary positions.
#[derive(Debug)]
struct Angles {
    /// `[width, size]`; each angle comes twice.
    cosines: Tensor,
    /// Of the same shape.
    sines: Tensor,
}

/// Queries, keys and values of one block: `[rows, heads, width, size]`, or width 1 for the queries.
struct Qkv {
    query: Tensor,
    key: Tensor,
    value: Tensor,
}

impl<'a> Attention<'a> {
    /// For the texts of `layout` on `device`; `distances` is a table of what distances add to scores, `[buckets, heads]`.
    #[must_use]
    pub fn new(architecture: &Architecture, layout: &'a Layout, device: Device, distances: Option<&Tensor>) -> Self {
        let mut rules: Vec<AttentionRule> = Vec::new();
        for rule in &architecture.attention.rules {
            if !rules.contains(rule) {
                rules.push(*rule);
            }
        }
        let (heads, causal) = (architecture.heads, architecture.attention.causal);
        let of_rule = |block: &Block, rule: &AttentionRule| SharedOfRule {
            rule: *rule,
            bias: of_distances(bias(block, causal, rule.window, device), distances, block.width),
            angles: rule.rotary.map(|rotary| Angles::new(&rotary, block.width, heads.size, device)),
        };
        let of_block =
            |block: &'a Block| SharedOfBlock { block, rules: rules.iter().map(|rule| of_rule(block, rule)).collect() };
        let blocks = layout.blocks.iter().map(of_block).collect();
        Self { blocks, heads, causal, rate: architecture.dropout.attention, recorded: None }
    }

    /// The same, recording who attends to whom.
    #[must_use]
    pub fn recording(self) -> Self {
        Self { recorded: Some(RefCell::default()), ..self }
    }

    /// The attention weights that were recorded: the mean over the heads, `[rows, width, width]` for each block of each
    /// layer.
    #[must_use]
    pub fn into_recorded(self) -> Vec<Tensor> {
        self.recorded.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Attended values `[tokens, queries * size]`, from queries, keys and values `[tokens, (queries + 2 * key_values) *
    /// size]`.
    pub fn forward(&self, qkv: &Tensor, layer: LayerRule<'_>, drop: &mut Dropout) -> Tensor {
        let sizes: Vec<i64> = self.blocks.iter().map(|shared| shared.block.tokens).collect();
        let parts = if sizes.len() == 1 { vec![qkv.shallow_clone()] } else { qkv.split_with_sizes(&sizes, 0) };
        let blocks = self.blocks.iter().zip(&parts);
        joined(blocks.map(|(shared, part)| self.block(shared, part, layer, drop)).collect())
    }

    /// Attended values `[rows, queries * size]` of one query for each text, over the keys and values
    /// `[tokens, 2 * key_values * size]` of all its tokens.
    pub fn one_query(
        &self,
        queries: &OneQuery<'_>,
        key_value: &Tensor,
        layer: LayerRule<'_>,
        drop: &mut Dropout,
    ) -> Tensor {
        let [_, keys, values] = self.heads.qkv();
        let (mut row, mut token) = (0, 0);
        let mut attended = Vec::new();
        for shared in &self.blocks {
            let block = shared.block;
            let parts = pad(block, &key_value.narrow(0, token, block.tokens)).split_with_sizes([keys, values], 1);
            let [key, value] = [0, 1].map(|part| self.heads_of(block, &parts[part]));
            let of_block = |all: &Tensor| all.narrow(0, row, block.rows);
            // [rows, queries * size] -> [rows, queries, 1, size]
            let query = of_block(queries.queries).view([block.rows, self.heads.queries, 1, self.heads.size]);
            let (rule, positions) = (layer.rule, of_block(queries.positions));
            let qkv = shared.turned(rule, &positions, layer.normalised(Qkv { query, key, value }));
            // [rows] -> [rows, 1, 1, 1]
            let bias = masked(block, self.causal, rule.window, &positions.view([-1, 1, 1, 1]));
            // [rows, queries, 1, size] -> [rows, queries * size]
            attended.push(self.attend(qkv, bias, rule.scale, drop).reshape([block.rows, -1]));
            (row, token) = (row + block.rows, token + block.tokens);
        }
        joined(attended)
    }

    fn block(&self, shared: &SharedOfBlock<'_>, packed: &Tensor, layer: LayerRule<'_>, drop: &mut Dropout) -> Tensor {
        let (block, of_rule) = (shared.block, shared.of(layer.rule));
        let parts = pad(block, packed).split_with_sizes(self.heads.qkv(), 1);
        let [query, key, value] = [0, 1, 2].map(|part| self.heads_of(block, &parts[part]));
        let Qkv { mut query, mut key, value } = layer.normalised(Qkv { query, key, value });
        if let Some(angles) = of_rule.and_then(|shared| shared.angles.as_ref()) {
            query = angles.rotate(&query);
            key = angles.rotate(&key);
        }
        let bias = of_rule.and_then(|shared| shared.bias.as_ref());
        let distances = layer.distances.map(|distances| distances.scores(&query, &key, layer.rule.scale));
        let bias = match (bias, distances) {
            (Some(bias), Some(distances)) => Some(distances + bias),
            (bias, distances) => distances.or_else(|| bias.map(Tensor::shallow_clone)),
        };
        let attended = self.attend(Qkv { query, key, value }, bias, layer.rule.scale, drop);
        // [rows, queries, width, size] -> [rows * width, queries * size]
        let flat = attended.transpose(1, 2).reshape([block.rows * block.width, -1]);
        match &block.padding {
            Some(padding) => Tensor::embedding(&flat, &padding.places, -1, false, false),
            None => flat,
        }
    }

    /// The heads of a rectangle: `[rows * width, heads * size]` -> `[rows, heads, width, size]`.
    fn heads_of(&self, block: &Block, padded: &Tensor) -> Tensor {
        // [rows * width, heads * size] -> [rows, width, heads, size] -> [rows, heads, width, size]
        padded.view([block.rows, block.width, -1, self.heads.size]).transpose(1, 2)
    }

    /// Heads of keys or values, each as often as there are heads of queries that use it:
    /// `[rows, key_values, width, size]` -> `[rows, queries, width, size]`.
    fn for_queries(&self, x: Tensor) -> Tensor {
        let times = self.heads.queries / self.heads.key_values;
        if times == 1 {
            return x;
        }
        let [rows, heads, width, size] = [0, 1, 2, 3].map(|axis| x.size()[axis]);
        // [rows, heads, width, size] -> [rows, heads, times, width, size] -> [rows, heads * times, width, size]
        x.unsqueeze(2).expand([rows, heads, times, width, size], false).reshape([rows, heads * times, width, size])
    }

    /// softmax(scale q k^T + bias) v: `[rows, queries, width of the queries, size]`.
    fn attend(&self, qkv: Qkv, bias: Option<Tensor>, scale: f64, drop: &mut Dropout) -> Tensor {
        let Qkv { query, key, value } = qkv;
        let (key, value) = (self.for_queries(key), self.for_queries(value));
        if !drop.is_on(self.rate) && self.recorded.is_none() && drop.may_fuse() {
            // The fused kernel takes no bias that needs a gradient.
            let constant = bias.as_ref().is_none_or(|bias| !bias.requires_grad());
            if constant {
                return Tensor::scaled_dot_product_attention(&query, &key, &value, bias, 0.0, false, scale, false);
            }
        }
        let mut scores = (query * scale).matmul(&key.transpose(-2, -1));
        if let Some(bias) = bias {
            scores = scores.g_add_(&bias);
        }
        let weights = scores.softmax(-1, Kind::Float);
        if let Some(recorded) = &self.recorded {
            // [rows, heads, width, width] -> [rows, width, width]
            recorded.borrow_mut().push(weights.mean_dim([1i64].as_slice(), false, Kind::Float));
        }
        drop.apply(weights, self.rate).matmul(&value)
    }
}

impl LayerRule<'_> {
    /// The same after the norms of queries and keys.
    fn normalised(&self, qkv: Qkv) -> Qkv {
        match self.norms {
            Some(norms) => Qkv { query: norms.query.forward(&qkv.query), key: norms.key.forward(&qkv.key), ..qkv },
            None => qkv,
        }
    }
}

impl SharedOfBlock<'_> {
    fn of(&self, rule: &AttentionRule) -> Option<&SharedOfRule> {
        self.rules.iter().find(|shared| shared.rule == *rule)
    }

    /// One query for each text and its keys by the angles of their places, if `rule` has any; `positions` are those of the
    /// queries, `[rows]`.
    fn turned(&self, rule: &AttentionRule, positions: &Tensor, qkv: Qkv) -> Qkv {
        match self.of(rule).and_then(|shared| shared.angles.as_ref()) {
            Some(angles) => Qkv { query: angles.at(positions).rotate(&qkv.query), key: angles.rotate(&qkv.key), ..qkv },
            None => qkv,
        }
    }
}

impl Angles {
    fn new(rotary: &Rotary, width: i64, size: i64, device: Device) -> Self {
        let places = Tensor::arange(width, (Kind::Float, device)).unsqueeze(1);
        let angle = places * upload(&rotary.frequencies(size), device).unsqueeze(0);
        let angle = Tensor::cat(&[&angle, &angle], 1);
        let magnitude = rotary.magnitude();
        Self { cosines: angle.cos() * magnitude, sines: angle.sin() * magnitude }
    }

    /// Those of one position for each text, `[rows]`: `[rows, 1, 1, size]`.
    fn at(&self, positions: &Tensor) -> Self {
        let rows = positions.size()[0];
        let of_rows = |all: &Tensor| all.index_select(0, positions).view([rows, 1, 1, -1]);
        Self { cosines: of_rows(&self.cosines), sines: of_rows(&self.sines) }
    }

    /// Rotates the pairs (i, i + size / 2) of the last axis of `[rows, heads, width, size]`.
    fn rotate(&self, x: &Tensor) -> Tensor {
        let half = x.size()[3] / 2;
        let turned = Tensor::cat(&[-x.narrow(3, half, half), x.narrow(3, 0, half)], 3);
        x * &self.cosines + turned * &self.sines
    }
}

/// Blocks one after the other: `[tokens of all, size]`.
fn joined(mut blocks: Vec<Tensor>) -> Tensor {
    if blocks.len() == 1 { blocks.remove(0) } else { Tensor::cat(&blocks, 0) }
}

/// The rectangle `[rows * width, size]` of a block's tokens `[tokens, size]`.
fn pad(block: &Block, packed: &Tensor) -> Tensor {
    match &block.padding {
        Some(padding) => Tensor::embedding(packed, &padding.tokens, -1, false, false),
        None => packed.shallow_clone(),
    }
}

/// The same with what distances add by a table `[buckets, heads]`, if there is one.
fn of_distances(bias: Option<Tensor>, table: Option<&Tensor>, width: i64) -> Option<Tensor> {
    let Some(table) = table else { return bias };
    let scores = distance_scores(table, width);
    Some(bias.map_or_else(|| scores.shallow_clone(), |bias| &scores + bias))
}

/// What is added to the scores of a block, so that tokens see only what they may; `None` if they may see everything.
fn bias(block: &Block, causal: bool, window: Option<i64>, device: Device) -> Option<Tensor> {
    // [1, 1, width, 1]
    let places = Tensor::arange(block.width, (Kind::Int64, device)).view([1, 1, -1, 1]);
    masked(block, causal, window, &places)
}

/// The same for queries at these places, `[rows or 1, 1, queries, 1]`.
fn masked(block: &Block, causal: bool, window: Option<i64>, queries: &Tensor) -> Option<Tensor> {
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
    // Distances from query (row) to key (column), [rows or 1, 1, queries, width].
    let distance = || Tensor::arange(width, (Kind::Int64, queries.device())) - queries;
    if causal && width > 1 {
        hide(distance().gt(0));
    }
    if let Some(window) = window.filter(|&window| window < width - 1) {
        hide(distance().abs().gt(window));
    }
    hidden.map(|hidden| hidden.to_kind(Kind::Float) * f64::from(f32::MIN))
}
