//! Distances between tokens, which have embeddings of their own (DeBERTa, He et al. 2021, section 3).

use tch::{Device, Kind, Tensor};

use super::linear::Linear;
use crate::host::upload;
use crate::model::architecture::attention::{DISTANCE_BUCKETS, RelativeForm};

/// Keys and queries of distances for one layer.
#[derive(Debug)]
pub struct Distances {
    /// `[heads, 2 * reach, size]`, if words attend to distances.
    keys: Option<Tensor>,
    /// Queries of the same shape, if distances attend to words.
    queries: Option<Tensor>,
    form: RelativeForm,
}

/// The layers that make keys and queries of distances.
#[derive(Debug)]
pub struct DistanceLayers {
    /// Makes keys.
    pub key: Option<Linear>,
    /// Makes queries.
    pub query: Option<Linear>,
}

impl Distances {
    /// From the embeddings of distances `[2 * reach, hidden]`, for heads of size `size`.
    #[must_use]
    pub fn new(form: &RelativeForm, embeddings: &Tensor, layers: &DistanceLayers, size: i64) -> Self {
        let split = |layer: &Linear| {
            let states = layer.forward(embeddings);
            // [2 * reach, heads * size] -> [2 * reach, heads, size] -> [heads, 2 * reach, size]
            states.view([2 * form.reach(), -1, size]).transpose(0, 1)
        };
        Self { keys: layers.key.as_ref().map(split), queries: layers.query.as_ref().map(split), form: form.clone() }
    }

    /// What distances add to the scores of queries and keys, `[rows, heads, width, width]`, from queries and keys
    /// `[rows, heads, width, size]`.
    pub fn scores(&self, query: &Tensor, key: &Tensor, scale: f64) -> Tensor {
        let width = query.size()[2];
        let shape = [query.size()[0], query.size()[1], width, width];
        let reach = self.form.reach();
        let distance = self.buckets(width, query.device());
        // [width, width] -> [rows, heads, width, width]
        let index = |shift: Tensor| (shift + reach).clamp(0, 2 * reach - 1).expand(shape, false);
        let mut sum: Option<Tensor> = None;
        if let Some(keys) = &self.keys {
            let scores = query.matmul(&keys.transpose(-2, -1)).gather(-1, &index(distance.shallow_clone()), false);
            sum = Some(scores);
        }
        if let Some(queries) = &self.queries {
            let scores = key.matmul(&queries.transpose(-2, -1)).gather(-1, &index(-&distance), false);
            let scores = scores.transpose(-2, -1);
            sum = Some(sum.map_or_else(|| scores.shallow_clone(), |sum| sum + &scores));
        }
        sum.map_or_else(|| Tensor::zeros([1, 1, 1, 1], (Kind::Float, query.device())), |sum| sum * scale)
    }

    /// The bucket of the distance from key (column) to query (row), `[width, width]`.
    fn buckets(&self, width: i64, device: Device) -> Tensor {
        let flat: Vec<i64> =
            (0..width).flat_map(|q| (0..width).map(move |k| q - k)).map(|d| self.form.bucket(d)).collect();
        // [width * width] -> [width, width]
        upload(&flat, device).view([width, width])
    }
}

impl RelativeForm {
    /// The bucket of a distance: the distance itself up to half of the buckets, logarithmic beyond.
    fn bucket(&self, distance: i64) -> i64 {
        let half = self.buckets / 2;
        if self.buckets <= 0 || self.span <= 0 || distance.abs() <= half {
            return distance;
        }
        // In f32, as the models were trained.
        let ratio = (distance.abs() as f32 / half as f32).ln() / ((self.span - 1) as f32 / half as f32).ln();
        let bucket = (ratio * (half - 1) as f32).ceil() as i64 + half;
        bucket * distance.signum()
    }
}

/// What distances add to the scores of queries (rows) and keys (columns), `[1, heads, width, width]`, from a table
/// `[buckets, heads]`.
pub fn distance_scores(table: &Tensor, width: i64) -> Tensor {
    let buckets: Vec<i64> = (0..width).flat_map(|q| (0..width).map(move |k| score_bucket(q - k))).collect();
    // [width * width, heads] -> [width, width, heads] -> [1, heads, width, width]
    let scores = table.index_select(0, &upload(&buckets, table.device())).view([width, width, -1]);
    scores.permute([2, 0, 1]).unsqueeze(0)
}

/// The distance from which on all are in one bucket.
const FAR: f32 = 128.0;

/// The bucket of the distance from key to query: half of the buckets for each direction, half of those for one distance
/// each, the others logarithmic.
fn score_bucket(distance: i64) -> i64 {
    let (half, exact) = (DISTANCE_BUCKETS / 2, DISTANCE_BUCKETS / 4);
    let (after, far) = (if distance < 0 { half } else { 0 }, distance.abs());
    if far < exact {
        return after + far;
    }
    // In f32, as the models were trained.
    let share = (far as f32 / exact as f32).ln() / (FAR / exact as f32).ln();
    after + (exact + (share * (half - exact) as f32) as i64).min(half - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture::attention::RelativeNames;

    #[test]
    fn near_distances_are_exact_and_far_ones_logarithmic() {
        let form = RelativeForm {
            limit: 512,
            buckets: 256,
            span: 512,
            shared: true,
            content_to_position: true,
            position_to_content: true,
            normalised: true,
            absolute: 0,
            names: RelativeNames { table: "", norm: "", key: "", query: "" },
        };
        // transformers 4.57.1: make_log_bucket_position(torch.tensor([..]), 256, 512)
        let found: Vec<i64> = [0, 5, -128, 129, 200, -300, 511].iter().map(|&d| form.bucket(d)).collect();
        assert_eq!(found, [0, 5, -128, 129, 169, -207, 255]);
    }

    #[test]
    fn distances_fall_into_the_buckets_of_transformers() {
        // transformers 5.24.0: the first distances of MPNetEncoder.relative_position_bucket's buckets.
        let first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];
        for distance in 0i64..=600 {
            let bucket = first.iter().rposition(|&start| start <= distance).unwrap() as i64;
            assert_eq!(score_bucket(distance), bucket, "{distance}");
            let after = if distance == 0 { 0 } else { DISTANCE_BUCKETS / 2 + bucket };
            assert_eq!(score_bucket(-distance), after, "-{distance}");
        }
    }
}
