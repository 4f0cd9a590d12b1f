//! The proximal optimisers on a convex problem reach the solution of scikit-learn; see tests/golden/make_lasso.py.

use std::path::Path;

use pellucid_engine::model::architecture::Presence;
use pellucid_engine::model::weights::params::FlatParams;
use pellucid_engine::model::weights::spec::SpecList;
use pellucid_engine::train::optimiser::gradient::Gradient;
use pellucid_engine::train::optimiser::penalty::Penalty;
use pellucid_engine::train::optimiser::{LeafRule, Optimiser, OptimiserForm, StepRule};
use pellucid_protocol::settings::{L1Form, L2Form, OptimizerKind};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

/// A number in [-1, 1) for each pair, as in the script.
fn noise(i: f64, j: f64) -> f64 {
    let x = (i * 12.9898 + j * 78.233).sin() * 43758.5453;
    2.0 * (x - x.floor()) - 1.0
}

struct Problem {
    /// `[rows, columns]`.
    x: Tensor,
    /// `[rows, 1]`.
    y: Tensor,
    lambda: f64,
    zeros: f64,
    objective: f64,
}

impl Problem {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/lasso.json");
        let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let number = |key: &str| golden[key].as_f64().unwrap();
        let (rows, columns, relevant) = (number("rows") as i64, number("columns") as i64, number("relevant") as i64);
        let x: Vec<f64> = (0..rows).flat_map(|i| (0..columns).map(move |j| noise(i as f64, j as f64))).collect();
        let truth: Vec<f64> = (0..columns).map(|j| if j < relevant { 1.0 - 0.1 * j as f64 } else { 0.0 }).collect();
        let extra: Vec<f64> = (0..rows).map(|i| 0.3 * noise(i as f64, 1000.0)).collect();
        let x = Tensor::from_slice(&x).view([rows, columns]);
        let y = x.matmul(&Tensor::from_slice(&truth).view([columns, 1])) + Tensor::from_slice(&extra).view([rows, 1]);
        let single = |tensor: Tensor| tensor.to_kind(Kind::Float);
        let (lambda, zeros, objective) = (number("lambda"), number("zeros"), number("objective"));
        Self { x: single(x), y: single(y), lambda, zeros, objective }
    }

    /// 1 / (2 rows) |y - x w|^2, for `w` of `[1, columns]`.
    fn loss(&self, w: &Tensor) -> Tensor {
        (self.x.linear(w, None::<Tensor>) - &self.y).square().mean(Kind::Float) * 0.5
    }

    /// Zeros and objective where the optimiser gets to.
    fn solve(&self, kind: OptimizerKind, form: L1Form, peak: f64, steps: u32) -> (f64, f64) {
        let mut list = SpecList::default();
        list.linear("w", [1, self.x.size()[1]], Presence::Absent);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        params.train(&|_| false);
        let form_of = OptimiserForm { kind, momentum: 0.9, ..Default::default() };
        let mut optimiser = Optimiser::new(form_of, &params, &|_| LeafRule { l1: true, l2: false, rate: 1.0 });
        let penalty = Penalty { l1: self.lambda, l1_form: form, l2: 0.0, l2_form: L2Form::Decoupled };
        for step in 0..steps {
            let loss = self.loss(&params.view("w.weight"));
            let gradient = Gradient::of(&loss, &params, None).unwrap();
            let rate = peak * f64::from(steps - step) / f64::from(steps);
            optimiser.step(&params, gradient, StepRule { rate, clip_norm: 0.0, norm: 0.0, penalty });
        }
        let w = params.weights();
        let zeros = w.eq(0.0).sum(Kind::Int64).int64_value(&[]) as f64;
        let loss = self.loss(&params.view("w.weight")).double_value(&[]);
        (zeros, loss + self.lambda * w.abs().sum(Kind::Float).double_value(&[]))
    }
}

#[test]
fn the_proximal_form_finds_the_lasso_of_scikit_learn() {
    let problem = Problem::read();
    for (kind, rate) in [(OptimizerKind::Adamw, 0.02), (OptimizerKind::Sgd, 0.05)] {
        let (zeros, objective) = problem.solve(kind, L1Form::Proximal, rate, 3000);
        assert!((objective - problem.objective).abs() < 1e-3, "{kind:?}: {objective} is not {}", problem.objective);
        let columns = problem.x.size()[1] as f64;
        assert!((zeros - problem.zeros).abs() <= 0.02 * columns, "{kind:?}: {zeros} zeros, not {}", problem.zeros);
    }
}

#[test]
fn the_subgradient_form_has_no_zeros() {
    let problem = Problem::read();
    assert_eq!(problem.solve(OptimizerKind::Adamw, L1Form::Subgradient, 0.02, 500).0, 0.0);
}
