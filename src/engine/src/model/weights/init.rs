//! Initial values of parameters, drawn from a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

use super::params::FlatParams;
use super::spec::{ParamSpec, Start};

/// Standard deviation of initial weights, transformers' `initializer_range`.
const DEVIATION: f64 = 0.02;

/// The parameters `specs`, all initialised from `seed`.
#[must_use]
pub fn initialise(specs: Vec<ParamSpec>, seed: u64) -> FlatParams {
    let mut params = FlatParams::zeros(specs.clone(), Device::Cpu);
    for (index, spec) in specs.iter().enumerate() {
        params.set(&spec.name, &initial(spec, seed, index));
    }
    params
}

/// The initial value of the parameter `spec`, which is number `index` of its model: norms are the identity, biases zero,
/// matrices normal. Each parameter has a random stream of its own.
pub(super) fn initial(spec: &ParamSpec, seed: u64, index: usize) -> Tensor {
    let count = spec.len();
    let values: Vec<f32> = match spec.start {
        Start::Ones => vec![1.0; count as usize],
        Start::Zeros => vec![0.0; count as usize],
        Start::Random => {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(index as u64 + 1);
            (0..count).map(|_| (normal(&mut random) * DEVIATION) as f32).collect()
        }
    };
    Tensor::from_slice(&values).view(spec.shape.as_slice())
}

/// A standard normal number (Box and Muller 1958). Written out here, so that a seed keeps its meaning whatever a library
/// changes.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}
