//! Attention heads and feed-forward neurons as groups of weights: their norms, the group lasso that prunes them, and how
//! many are dead.
//!
//! ```text
//! head h     rows of query, key and value that make it     and the columns of the output that read it
//! neuron n   row of the wide layer (both of a gated one)   and the column of the narrow layer that reads it
//! ```

use std::ops::Range;

use pellucid_protocol::Metrics;
use pellucid_protocol::metric::{layer_dead_heads, layer_dead_neurons};
use rayon::prelude::*;
use tch::{Kind, Tensor, no_grad};

use crate::host::numbers;
use crate::model::architecture::Architecture;
use crate::model::weights::params::FlatParams;

/// The metric of the group lasso's penalty.
pub const GROUP_L1: &str = "loss/group_l1";

/// What a block's units are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitKind {
    Head,
    Neuron,
}

/// The units of one kind in one layer: unit `u` has the rows `r` of `[n * width, in]` with `r % width / size = u`,
/// and the columns `c` of `[out, width]` with `c / size = u`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitBlock {
    kind: UnitKind,
    layer: usize,
    /// Index of the parameter whose rows they are.
    pub leaf: usize,
    /// Its place in the flat buffer.
    pub rows: Range<i64>,
    /// Index of the parameter whose columns they are.
    pub columns_leaf: usize,
    /// Its place in the flat buffer.
    pub columns: Range<i64>,
    width: i64,
    size: i64,
}

/// All heads and neurons of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunableUnits {
    blocks: Vec<UnitBlock>,
}

impl UnitBlock {
    /// Number of units.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.width / self.size
    }

    /// Weights of one unit.
    #[must_use]
    pub fn weights(&self) -> i64 {
        (self.rows.end - self.rows.start + self.columns.end - self.columns.start) / self.count()
    }

    /// The same units in a buffer in which their two parameters begin elsewhere.
    #[must_use]
    pub fn moved(&self, rows: i64, columns: i64) -> Self {
        let shifted = |range: &Range<i64>, start: i64| start..start + range.end - range.start;
        Self { rows: shifted(&self.rows, rows), columns: shifted(&self.columns, columns), ..self.clone() }
    }

    /// Length of a row of its parameter, and of a column of the other.
    fn input(&self) -> i64 {
        (self.columns.end - self.columns.start) / self.width
    }

    /// The numbers of a flat buffer that belong to each unit, `[units, weights]`.
    pub fn gather(&self, flat: &Tensor) -> Tensor {
        let part = |range: &Range<i64>| flat.narrow(0, range.start, range.end - range.start);
        let units = self.count();
        // [n * width * in] -> [n, units, size * in] -> [units, n, size * in]
        let rows = part(&self.rows).view([-1, units, self.size * self.input()]).transpose(0, 1);
        // [out * width] -> [out, units, size] -> [units, out, size]
        let columns = part(&self.columns).view([-1, units, self.size]).transpose(0, 1);
        Tensor::cat(&[rows.reshape([units, -1]), columns.reshape([units, -1])], 1)
    }

    /// Multiplies each number of a flat buffer by its factor; `factors` are `[units, weights]`, as in [`UnitBlock::gather`].
    pub fn scale(&self, flat: &Tensor, factors: &Tensor) {
        let part = |range: &Range<i64>| flat.narrow(0, range.start, range.end - range.start);
        let (units, of_rows) = (self.count(), (self.rows.end - self.rows.start) / self.count());
        // [units, n * size * in] -> [units, n, size * in] -> [n, units, size * in]
        let rows = factors.narrow(1, 0, of_rows).reshape([units, -1, self.size * self.input()]).transpose(0, 1);
        let columns = factors.narrow(1, of_rows, factors.size()[1] - of_rows);
        // [units, out * size] -> [units, out, size] -> [out, units, size]
        let columns = columns.reshape([units, -1, self.size]).transpose(0, 1);
        let _ = part(&self.rows).g_mul_(&rows.reshape([-1]));
        let _ = part(&self.columns).g_mul_(&columns.reshape([-1]));
    }

    /// Sum of squares of each unit's weights.
    fn squares(&self, flat: &[f32]) -> Vec<f64> {
        let (width, size) = (self.width as usize, self.size as usize);
        let rows = &flat[self.rows.start as usize..self.rows.end as usize];
        let columns = &flat[self.columns.start as usize..self.columns.end as usize];
        let square = |&w: &f32| f64::from(w) * f64::from(w);
        let mut sums = vec![0f64; self.count() as usize];
        for (number, row) in rows.chunks_exact(self.input() as usize).enumerate() {
            sums[number % width / size] += row.iter().map(square).sum::<f64>();
        }
        let mut of_columns = vec![0f64; width];
        for row in columns.chunks_exact(width) {
            of_columns.iter_mut().zip(row).for_each(|(sum, w)| *sum += square(w));
        }
        of_columns.iter().enumerate().for_each(|(column, square)| sums[column / size] += square);
        sums
    }
}

impl UnitBlock {
    /// The square root of the number of a unit's weights.
    fn root(&self) -> f64 {
        (self.weights() as f64).sqrt()
    }

    /// Sum of squares of each unit's weights, `[units]`.
    fn squares_of(&self, flat: &Tensor) -> Tensor {
        self.gather(flat).square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float)
    }
}

impl PrunableUnits {
    /// The units of a model.
    #[must_use]
    pub fn new(architecture: &Architecture, params: &FlatParams) -> Self {
        let names = &architecture.names;
        let ranges: Vec<_> = params.ranges().map(|(_, range)| range).collect();
        let find = |name: String| params.index(&format!("{name}.weight"));
        let blocks = (0..architecture.layers).flat_map(|layer| {
            let place = |part: &str| find(names.of_layer(part, layer));
            let block = |kind, leaf: usize, columns: usize, (width, size)| UnitBlock {
                kind,
                layer,
                leaf,
                rows: ranges[leaf].clone(),
                columns_leaf: columns,
                columns: ranges[columns].clone(),
                width,
                size,
            };
            let heads = architecture.heads;
            // Heads of queries that share keys and values are no units of their own.
            let head = (heads.queries == heads.key_values).then(|| {
                let (rows, columns) = (find(names.qkv_parameter(layer)), place(names.out_proj));
                block(UnitKind::Head, rows, columns, (heads.queries * heads.size, heads.size))
            });
            let (rows, columns) = (find(names.up_parameter(layer)), place(names.down_proj));
            head.into_iter().chain([block(UnitKind::Neuron, rows, columns, (architecture.intermediate, 1))])
        });
        Self { blocks: blocks.collect() }
    }

    /// The blocks.
    #[must_use]
    pub fn blocks(&self) -> &[UnitBlock] {
        &self.blocks
    }

    /// The sum over all units of the norm of their weights, each times the square root of their number (Yuan and Lin 2006). The
    /// weights are on the CPU.
    #[must_use]
    pub fn norms(&self, params: &FlatParams) -> f64 {
        let norm = |(block, squares): (&UnitBlock, &Vec<f64>)| {
            block.root() * squares.iter().map(|square| square.sqrt()).sum::<f64>()
        };
        self.blocks.iter().zip(&self.squares(params)).map(norm).sum()
    }

    /// As [`PrunableUnits::norms`], on a device: `[]`, f64.
    pub fn norm(&self, params: &FlatParams) -> Tensor {
        let zero = Tensor::zeros([0i64; 0], (Kind::Double, params.weights().device()));
        let norm = |block: &UnitBlock| block.squares_of(params.weights()).sqrt().sum(Kind::Double) * block.root();
        no_grad(|| self.blocks.iter().fold(zero, |sum, block| sum + norm(block)))
    }

    /// The sum of squares of each unit's weights, block by block, on a device: `[units of all blocks]`.
    pub fn all_squares(&self, params: &FlatParams) -> Tensor {
        let of_blocks: Vec<Tensor> =
            no_grad(|| self.blocks.iter().map(|block| block.squares_of(params.weights())).collect());
        Tensor::cat(&of_blocks, 0)
    }

    /// How many heads and neurons are dead, in all and in each layer: all their weights are zero. The weights are on the CPU.
    #[must_use]
    pub fn dead(&self, params: &FlatParams) -> Metrics {
        self.dead_of(self.squares(params).iter().map(Vec::as_slice))
    }

    /// As [`PrunableUnits::dead`], from the numbers of [`PrunableUnits::all_squares`].
    #[must_use]
    pub fn dead_among(&self, squares: &[f64]) -> Metrics {
        let mut rest = squares;
        self.dead_of(self.blocks.iter().map(|block| {
            let (mine, others) = rest.split_at(rest.len().min(block.count() as usize));
            rest = others;
            mine
        }))
    }

    fn dead_of<'a>(&self, squares: impl Iterator<Item = &'a [f64]>) -> Metrics {
        let mut metrics = Metrics::default();
        let (mut heads, mut neurons) = (0.0, 0.0);
        for (block, squares) in self.blocks.iter().zip(squares) {
            let dead = squares.iter().filter(|&&square| square == 0.0).count() as f64;
            match block.kind {
                UnitKind::Head => {
                    heads += dead;
                    metrics.set(layer_dead_heads(block.layer), dead);
                }
                UnitKind::Neuron => {
                    neurons += dead;
                    metrics.set(layer_dead_neurons(block.layer), dead);
                }
            }
        }
        metrics.set("sparsity/dead_heads", heads);
        metrics.set("sparsity/dead_neurons", neurons);
        metrics
    }

    fn squares(&self, params: &FlatParams) -> Vec<Vec<f64>> {
        let flat = numbers(params.weights());
        self.blocks.par_iter().map(|block| block.squares(flat)).collect()
    }
}

/// The factor of each weight under the proximal operator of the group lasso, in the optimiser's own metric: the `w`
/// that makes 0.5 sum m (w - u)^2 + t |w| least for each unit, as w / u. All are `[units, weights]`; `m` is the metric.
///
/// With r = t / |w| the solution is m u / (m + r), and 0 where |m u| <= t. r |w(r)| = t is solved for 1 / r, in which
/// 1 / (r |w|) is nearly a straight line: exactly one where the metric is the same all over, so that few steps do.
pub fn group_shrinkage(weights: &Tensor, metric: &Tensor, threshold: f64) -> Tensor {
    const STEPS: usize = 8;
    let norm = |x: &Tensor| x.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Float).sqrt();
    let pulled = metric * weights;
    let dead = norm(&pulled).le(threshold);
    let tiny = f64::from(f32::MIN_POSITIVE);
    let mut inverse = norm(weights) / threshold;
    for _ in 0..STEPS {
        let r = inverse.clamp_min(tiny).reciprocal();
        let below = metric + &r;
        let length = norm(&(&pulled / &below)).clamp_min(tiny);
        let bent = (pulled.square() / below.pow_tensor_scalar(3)).sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        let height = &r * &length;
        // d (r |w|) / d r, and with it d (1 / (r |w|)) / d (1 / r).
        let slope = (&length - &r * bent / &length).clamp_min(tiny) * (&r / &height).square();
        inverse += (height.reciprocal().neg() + 1.0 / threshold) / slope;
    }
    let factors = metric / (metric + inverse.clamp_min(tiny).reciprocal());
    factors.masked_fill(&dead, 0.0)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::host::read;
    use crate::model::classifier::Classifier;
    use crate::model::config::ModelConfig;
    use crate::model::weights::init::initialise;

    fn model(config: &str) -> (PrunableUnits, FlatParams) {
        let architecture = ModelConfig::parse(config).unwrap().architecture;
        let params = initialise(Classifier::specs(&architecture, 2), 1);
        (PrunableUnits::new(&architecture, &params), params)
    }

    const BERT: &str = r#"{"model_type":"bert","vocab_size":9,"hidden_size":6,"num_hidden_layers":2,
        "num_attention_heads":3,"intermediate_size":8,"max_position_embeddings":16}"#;
    const MODERNBERT: &str = r#"{"model_type":"modernbert","vocab_size":9,"hidden_size":6,"num_hidden_layers":2,
        "num_attention_heads":3,"intermediate_size":8,"max_position_embeddings":16}"#;

    #[test]
    fn a_head_and_a_neuron_without_weights_are_dead() {
        for (config, wide) in [(BERT, "intermediate.dense"), (MODERNBERT, "mlp.Wi")] {
            let (units, params) = model(config);
            assert_eq!(units.dead(&params).get("sparsity/dead_heads"), Some(0.0));
            let block = &units.blocks()[0];
            assert_eq!((block.count(), block.weights()), (3, 4 * 2 * 6));
            let factors = Tensor::ones([3, block.weights()], (Kind::Float, Device::Cpu));
            let _ = factors.select(0, 1).zero_();
            no_grad(|| block.scale(params.weights(), &factors));
            // Rows of the wide layer, and columns of the narrow one, by hand.
            let leaf =
                params.specs().iter().position(|spec| spec.layer == Some(1) && spec.name.contains(wide)).unwrap();
            let gates = params.specs()[leaf].shape[0] / 8;
            no_grad(|| (0..gates).for_each(|gate| drop(params.leaves()[leaf].select(0, gate * 8 + 5).zero_())));
            let metrics = units.dead(&params);
            assert_eq!(
                (metrics.get("sparsity/dead_heads"), metrics.get("sparsity/dead_neurons")),
                (Some(1.0), Some(0.0))
            );
            let narrow = params.specs().iter().position(|s| s.layer == Some(1) && s.shape == [6, 8]).unwrap();
            no_grad(|| drop(params.leaves()[narrow].select(1, 5).zero_()));
            assert_eq!(units.dead(&params).get("sparsity/dead_neurons"), Some(1.0));
            assert_eq!(units.dead(&params).get("sparsity/dead_neurons/1"), Some(1.0));
            assert_eq!(units.dead_among(&read(&units.all_squares(&params)).unwrap()), units.dead(&params));
            let zero = params.view(&params.specs()[block.leaf].name.clone()).narrow(0, 2, 2);
            assert_eq!(zero.abs().sum(Kind::Float).double_value(&[]), 0.0, "the queries of head 1");
        }
    }

    #[test]
    fn norms_are_those_of_what_is_gathered() {
        let (units, params) = model(BERT);
        let norm = |block: &UnitBlock| {
            let norms = block.gather(params.weights()).square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
            norms.sqrt().sum(Kind::Float).double_value(&[]) * (block.weights() as f64).sqrt()
        };
        let expected: f64 = units.blocks().iter().map(norm).sum();
        assert!((units.norms(&params) / expected - 1.0).abs() < 1e-5);
        assert!((read(&units.norm(&params)).unwrap()[0] / expected - 1.0).abs() < 1e-5);
    }

    /// By bisection, in f64.
    fn reference(u: &[f64], m: &[f64], t: f64) -> Vec<f64> {
        let length = |r: f64| u.iter().zip(m).map(|(u, m)| (m * u / (m + r)).powi(2)).sum::<f64>().sqrt();
        if u.iter().zip(m).map(|(u, m)| (m * u).powi(2)).sum::<f64>().sqrt() <= t {
            return vec![0.0; u.len()];
        }
        let (mut low, mut high) = (0.0, 1e12);
        for _ in 0..300 {
            let middle = 0.5 * (low + high);
            if middle * length(middle) < t { low = middle } else { high = middle }
        }
        m.iter().map(|m| m / (m + low)).collect()
    }

    #[test]
    fn the_shrinkage_is_the_proximal_point_in_any_metric() {
        for (spread, threshold) in [(0.0, 0.5), (1.0, 0.01), (3.0, 0.5), (3.0, 2.0), (6.0, 1.5), (0.0, 1e9)] {
            let u: Vec<f64> = (0..24).map(|n| (f64::from(n) * 0.7).sin()).collect();
            let m: Vec<f64> = (0..24).map(|n| (spread * (f64::from(n) * 1.3).cos()).exp()).collect();
            let tensor = |values: &[f64]| Tensor::from_slice(values).to_kind(Kind::Float).view([2, 12]);
            let found = group_shrinkage(&tensor(&u), &tensor(&m), threshold);
            let found = Vec::<f64>::try_from(found.to_kind(Kind::Double).view([-1])).unwrap();
            for unit in 0..2 {
                let range = unit * 12..unit * 12 + 12;
                let expected = reference(&u[range.clone()], &m[range.clone()], threshold);
                for (a, b) in found[range].iter().zip(&expected) {
                    assert!((a - b).abs() < 1e-4, "spread {spread}, t {threshold}: {a} is not {b}");
                }
            }
        }
    }
}
